"""The gRPC transport for threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import grpc

from llm_service import _decode, _encode, _fork
from llm_service._call import Call, PerProcess
from llm_service._grpc_wire import OPTIONS, call_error, credentials, metadata
from llm_service._places import FlatEnd
from llm_service._settings import Settings
from llm_service._stubs import models_pb2, service_pb2_grpc
from llm_service.errors import ServiceConnectionError
from llm_service.types import (
    ChatChunk,
    ChatResponse,
    EmbeddingsResponse,
    Model,
    UsageReport,
)


class GrpcStream:
    """The chunks of one call; starts it at the first."""

    def __init__(self, start: Callable[[], Any]) -> None:
        self._start = start
        self._call: Any = None
        self._closed = False
        # One while _fork counts the call; whoever pops it ends that.
        self._counted: list[None] = []
        self._pid = os.getpid()
        self._ends: dict[int, FlatEnd] = {}

    def next(self) -> ChatChunk | None:
        """The next chunk; None at the end."""
        if self._pid != os.getpid():
            raise ServiceConnectionError("The stream belongs to another process")
        if self._closed:
            return None
        if self._call is None:
            _fork.begin()
            self._counted.append(None)
            try:
                self._call = self._start()
            finally:
                if self._call is None:
                    self._uncount()
                elif self._closed:  # by another thread, which has seen no call
                    self.close()
        try:
            return _decode.chat_chunk(next(self._call), self._ends)
        except StopIteration:
            return None
        except grpc.RpcError as error:
            if self._closed:
                raise ServiceConnectionError("The stream was closed") from error
            raise call_error(error) from error

    def close(self) -> None:
        """Cancels the call; from any thread."""
        self._closed = True
        if self._pid != os.getpid():
            _fork.leave(self)  # the parent may be reading it
            return
        if self._call is not None:  # else next() sees that it is closed
            self._call.cancel()
            self._uncount()

    def _uncount(self) -> None:
        try:
            self._counted.pop()
        except IndexError:  # it has been done
            return
        _fork.end()


class GrpcTransport:
    """Calls over one channel for each process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._channel = PerProcess(self._connect)
        self._closed = False

    def _connect(self) -> tuple[grpc.Channel, Any]:
        target = self._settings.target
        if self._settings.tls:
            channel = grpc.secure_channel(
                target, credentials(self._settings), options=OPTIONS
            )
        else:
            channel = grpc.insecure_channel(target, options=OPTIONS)
        stub = service_pb2_grpc.LlmServiceStub(channel)  # type: ignore[no-untyped-call]
        return channel, stub

    def _ask(self, method: str, request: Any, call: Call) -> Any:
        """Starts a call, or waits for its answer if it is no stream."""
        try:
            stub = self._channel.get()[1]
            if self._closed:  # since the call was let in
                self.close()
                raise ServiceConnectionError("The client is closed")
            return getattr(stub, method)(
                request,
                timeout=call.patience,
                metadata=metadata(self._settings, call),
            )
        except grpc.RpcError as error:
            raise call_error(error) from error
        except ValueError as error:  # the channel was closed between the two
            raise ServiceConnectionError(str(error)) from error

    def _wait(self, method: str, request: Any, call: Call) -> Any:
        _fork.begin()
        try:
            return self._ask(method, request, call)
        finally:
            _fork.end()

    def chat(self, call: Call) -> ChatResponse:
        """One whole answer."""
        request = _encode.chat_request(call.body, call.timeout)
        return _decode.chat_response(self._wait("ChatCompletion", request, call))

    def stream(self, call: Call) -> GrpcStream:
        """The answer in chunks."""

        def start() -> Any:
            request = _encode.chat_request(call.body, call.timeout)
            return self._ask("StreamChatCompletion", request, call)

        return GrpcStream(start)

    def embeddings(self, call: Call) -> EmbeddingsResponse:
        """Vectors."""
        request = _encode.embeddings_request(call.body, call.timeout)
        answer = self._wait("CreateEmbeddings", request, call)
        return _decode.embeddings_response(answer)

    def models(self, call: Call) -> list[Model]:
        """What may be used."""
        request = models_pb2.ListModelsRequest()
        return _decode.models(self._wait("ListModels", request, call))

    def usage(self, call: Call) -> UsageReport:
        """What was used."""
        request = _encode.usage_request(call.body)
        return _decode.usage_report(self._wait("GetUsage", request, call))

    def close(self) -> None:
        """Ends running calls and the connection."""
        self._closed = True
        made = self._channel.take()
        if made is not None:
            made[0].close()
