"""The gRPC transport for asyncio."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio

from llm_service import _decode, _encode, _fork
from llm_service._call import Call, PerLoop
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


def _is_ours() -> bool:
    """Whether the running task itself was cancelled; grpc.aio says the same of a call
    that was closed. Python 3.10 cannot tell."""
    task: Any = asyncio.current_task()
    return bool(getattr(task, "cancelling", lambda: 0)())


class GrpcAioStream:
    """The chunks of one call; starts it at the first."""

    def __init__(self, start: Callable[[], Any], is_over: Callable[[], bool]) -> None:
        self._start = start
        self._is_over = is_over
        self._pid = os.getpid()
        self._call: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._ends: dict[int, FlatEnd] = {}

    async def next(self) -> ChatChunk | None:
        """The next chunk; None at the end."""
        if self._pid != os.getpid():
            raise ServiceConnectionError("The stream belongs to another process")
        if self._closed:
            return None
        if self._call is None:
            self._loop = asyncio.get_running_loop()
            self._call = self._start()
            if self._closed:  # by another thread, which has seen no call
                self._call.cancel()
        try:
            chunk = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise call_error(error) from error
        except asyncio.CancelledError:
            # By another task, or with its client.
            if (self._closed or self._is_over()) and not _is_ours():
                raise ServiceConnectionError("The stream was closed") from None
            self._call.cancel()
            raise
        if chunk is grpc.aio.EOF:
            return None
        return _decode.chat_chunk(chunk, self._ends)

    async def close(self) -> None:
        """Cancels the call."""
        self.drop()

    def drop(self) -> None:
        """The same without an event loop, from any thread."""
        self._closed = True
        if self._pid != os.getpid():
            _fork.leave(self)
            return
        if self._call is None or self._loop is None or self._loop.is_closed():
            return
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            self._call.cancel()
        else:
            self._loop.call_soon_threadsafe(self._call.cancel)


class GrpcAioTransport:
    """Calls over one channel for each event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._channel = PerLoop(self._connect)
        # A channel that closes finds some of its calls only.
        self._calls: PerLoop[set[Any]] = PerLoop(set)
        self._closed = False

    def _connect(self) -> tuple[grpc.aio.Channel, Any]:
        _fork.aio_is_used()
        target = self._settings.target
        if self._settings.tls:
            channel = grpc.aio.secure_channel(
                target, credentials(self._settings), options=OPTIONS
            )
        else:
            channel = grpc.aio.insecure_channel(target, options=OPTIONS)
        stub = service_pb2_grpc.LlmServiceStub(channel)  # type: ignore[no-untyped-call]
        return channel, stub

    def _start(self, method: str, request: Any, call: Call) -> Any:
        if self._closed:  # since the call was let in
            raise ServiceConnectionError("The client is closed")
        try:
            made = getattr(self._channel.get()[1], method)(
                request,
                timeout=call.patience,
                metadata=metadata(self._settings, call),
            )
            calls = self._calls.get()
            calls.add(made)
            made.add_done_callback(calls.discard)
            return made
        except grpc.aio.UsageError as error:
            raise ServiceConnectionError(str(error)) from error

    async def _ask(self, method: str, request: Any, call: Call) -> Any:
        try:
            return await self._start(method, request, call)
        except grpc.aio.AioRpcError as error:
            raise call_error(error) from error
        except asyncio.CancelledError:
            if self._closed and not _is_ours():
                raise ServiceConnectionError("The client was closed") from None
            raise

    async def chat(self, call: Call) -> ChatResponse:
        """One whole answer."""
        request = _encode.chat_request(call.body, call.timeout)
        return _decode.chat_response(await self._ask("ChatCompletion", request, call))

    def stream(self, call: Call) -> GrpcAioStream:
        """The answer in chunks."""

        def start() -> Any:
            request = _encode.chat_request(call.body, call.timeout)
            return self._start("StreamChatCompletion", request, call)

        return GrpcAioStream(start, lambda: self._closed)

    async def embeddings(self, call: Call) -> EmbeddingsResponse:
        """Vectors."""
        request = _encode.embeddings_request(call.body, call.timeout)
        answer = await self._ask("CreateEmbeddings", request, call)
        return _decode.embeddings_response(answer)

    async def models(self, call: Call) -> list[Model]:
        """What may be used."""
        request = models_pb2.ListModelsRequest()
        return _decode.models(await self._ask("ListModels", request, call))

    async def usage(self, call: Call) -> UsageReport:
        """What was used."""
        request = _encode.usage_request(call.body)
        return _decode.usage_report(await self._ask("GetUsage", request, call))

    async def close(self) -> None:
        """Ends running calls and the connection of this loop."""
        self._closed = True
        for call in list(self._calls.take() or ()):
            call.cancel()
        made = self._channel.take()
        if made is not None:
            await made[0].close()
