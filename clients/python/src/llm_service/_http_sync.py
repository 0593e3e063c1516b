"""The HTTP transport for threads."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from llm_service import _http_wire as wire
from llm_service._call import Call, PerProcess
from llm_service._settings import Settings
from llm_service.errors import (
    LLMServiceError,
    ServiceConnectionError,
    own_deadline,
)
from llm_service.types import (
    ChatChunk,
    ChatResponse,
    EmbeddingsResponse,
    Model,
    UsageReport,
)


class HttpStream:
    """The chunks of one call; starts it at the first."""

    def __init__(
        self, start: Callable[[], httpx.Response], patience: float | None
    ) -> None:
        self._start = start
        self._patience = patience
        self._until: float | None = None
        self._answer: httpx.Response | None = None
        self._bytes: Iterator[bytes] = iter(())
        self._events = wire.Events()
        self._ready: deque[Any] = deque()
        self._fault: Exception | None = None
        self._closed = False

    def next(self) -> ChatChunk | None:
        """The next chunk; None at the end."""
        while not self._ready:
            if self._closed or self._events.done:
                return None
            if self._fault is not None:
                raise self._fault
            self._fetch()
        chunk: ChatChunk = self._ready.popleft()
        return chunk

    def _fetch(self) -> None:
        try:
            if self._answer is None:
                self._open()
            data = next(self._bytes, None)
        except LLMServiceError:
            raise
        except wire.FAILURES as error:
            if self._closed:
                raise ServiceConnectionError("The stream was closed") from error
            raise wire.http_error(error) from error
        if data is None:
            self._events.end()
            return
        if self._until is not None and time.monotonic() > self._until:
            raise own_deadline()
        try:
            for event in self._events.feed(data):
                self._ready.append(event)
        except Exception as error:
            self._fault = error  # raised behind the chunks that came with it

    def _open(self) -> None:
        if self._patience is not None:
            self._until = time.monotonic() + self._patience
        answer = self._answer = self._start()
        if answer.status_code != 200:
            answer.read()
            raise wire.answer_error(answer)
        self._bytes = answer.iter_bytes()

    def _drain(self) -> bool:
        """Reads what is behind the last event, so that the connection is used again."""
        try:
            for _ in self._bytes:
                pass
        except (*wire.FAILURES, RuntimeError, ValueError):
            return False
        return True

    def close(self) -> None:
        """Closes the connection unless the stream is over; from any thread."""
        self._closed = True
        answer = self._answer
        if answer is None or answer.is_closed:
            return
        if self._events.done and self._drain():
            return
        network = answer.extensions.get("network_stream")
        sock = network.get_extra_info("socket") if network is not None else None
        if sock is not None and not self._events.done:
            try:  # wakes a thread that waits for bytes, as closing does not
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        try:
            answer.close()
        except (*wire.FAILURES, RuntimeError, ValueError):
            pass  # another thread is reading and closes it


class HttpTransport:
    """Calls over one pool of connections for each process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = PerProcess(self._connect)

    def _connect(self) -> httpx.Client:
        transport = httpx.HTTPTransport(**wire.transport_arguments(self._settings))
        return httpx.Client(transport=transport, trust_env=False)

    def _send(self, request: httpx.Request, stream: bool = False) -> httpx.Response:
        client = self._client.get()
        try:
            return client.send(request, stream=stream)
        except wire.FAILURES as error:
            raise wire.http_error(error) from error
        except RuntimeError as error:  # the client was closed between the two
            raise ServiceConnectionError(str(error)) from error

    def chat(self, call: Call) -> ChatResponse:
        """One whole answer."""
        request = wire.post(self._settings, "/chat/completions", call)
        answer: ChatResponse = wire.parse(self._send(request))
        return answer

    def stream(self, call: Call) -> HttpStream:
        """The answer in chunks."""

        def start() -> httpx.Response:
            return self._send(
                wire.post(self._settings, "/chat/completions", call, stream=True),
                stream=True,
            )

        return HttpStream(start, call.patience)

    def embeddings(self, call: Call) -> EmbeddingsResponse:
        """Vectors."""
        # Base64 is the exact float32, and a third of the text.
        request = wire.post(
            self._settings, "/embeddings", call, encoding_format="base64"
        )
        answer: EmbeddingsResponse = wire.embeddings(wire.parse(self._send(request)))
        return answer

    def models(self, call: Call) -> list[Model]:
        """What may be used."""
        request = wire.get(self._settings, "/models", call, {})
        listed: list[Model] = wire.parse(self._send(request))["data"]
        return listed

    def usage(self, call: Call) -> UsageReport:
        """What was used."""
        request = wire.get(self._settings, "/usage", call, wire.usage_query(call))
        report: UsageReport = wire.parse(self._send(request), wire.exact)
        return report

    def close(self) -> None:
        """Closes the connections."""
        client = self._client.take()
        if client is not None:
            client.close()
