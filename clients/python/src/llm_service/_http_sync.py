"""The HTTP transport for threads."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from llm_service import _fork
from llm_service import _http_wire as wire
from llm_service._call import Call, PerProcess
from llm_service._http_watch import Flight, WatchedTransport
from llm_service._settings import Settings
from llm_service.errors import LLMServiceError, ServiceConnectionError
from llm_service.types import (
    ChatChunk,
    ChatResponse,
    EmbeddingsResponse,
    Model,
    UsageReport,
)

# How a connection can fail that is closed while another thread uses it.
_CLOSING = (*wire.FAILURES, RuntimeError, ValueError)


def _failure(flight: Flight, error: Exception) -> LLMServiceError:
    if flight.closed:
        return ServiceConnectionError("The call was closed")
    return wire.http_error(error)


class HttpStream:
    """The chunks of one call; starts it at the first."""

    def __init__(
        self,
        begin: Callable[[], Flight],
        send: Callable[[Flight], httpx.Response],
        end: Callable[[Flight], None],
    ) -> None:
        self._begin = begin
        self._send = send
        self._end = end
        self._pid = os.getpid()
        self._flight: Flight | None = None
        self._answer: httpx.Response | None = None
        self._bytes: Iterator[bytes] = iter(())
        self._events = wire.Events()
        self._ready: deque[Any] = deque()
        self._fault: Exception | None = None
        self._closed = False
        self._reading = threading.Lock()

    def next(self) -> ChatChunk | None:
        """The next chunk; None at the end."""
        if self._pid != os.getpid():
            raise ServiceConnectionError("The stream belongs to another process")
        while not self._ready:
            if self._closed or self._events.done:
                return None
            if self._fault is not None:
                raise self._fault
            self._fetch()
        chunk: ChatChunk = self._ready.popleft()
        return chunk

    def _fetch(self) -> None:
        if self._flight is None:
            self._flight = self._begin()
            if self._closed:  # by another thread, which has seen no flight
                self._flight.closed = True
        try:
            with self._reading, self._flight.here():
                data = self._read(self._flight)
        finally:
            if self._closed:  # while we were reading: closing is ours
                self._shut()
        if data is None:
            self._events.end()
            return
        try:
            for event in self._events.feed(data):
                self._ready.append(event)
        except Exception as error:
            self._fault = error  # raised behind the chunks that came with it

    def _read(self, flight: Flight) -> bytes | None:
        if flight.closed:
            raise ServiceConnectionError("The stream was closed")
        try:
            if self._answer is None:
                answer = self._answer = self._send(flight)
                if answer.status_code != 200:
                    answer.read()
                    raise wire.answer_error(answer)
                self._bytes = answer.iter_bytes()
            data = next(self._bytes, None)
        except LLMServiceError:
            raise
        except _CLOSING as error:
            if flight.closed or isinstance(error, wire.FAILURES):
                raise _failure(flight, error) from error
            raise
        if flight.closed:
            raise ServiceConnectionError("The stream was closed")
        return data

    def close(self) -> None:
        """Closes the connection unless the stream is over; from any thread."""
        self._closed = True
        if self._pid != os.getpid():
            _fork.leave(self)  # the parent may be reading it
            return
        if self._flight is None:
            return
        if not self._events.done:
            self._flight.close()
        self._shut()

    def _shut(self) -> None:
        if self._flight is None or not self._reading.acquire(blocking=False):
            return  # the thread that reads comes by here
        try:
            self._end(self._flight)
            if self._answer is None or self._answer.is_closed:
                return
            if self._events.done:  # reads what is behind: the connection is kept
                self._flight.until = time.monotonic() + wire.DRAIN
                with self._flight.here():
                    for _ in self._bytes:
                        pass
        except _CLOSING:
            pass
        finally:
            try:
                if self._answer is not None:
                    self._answer.close()
            except _CLOSING:
                pass
            self._reading.release()


class HttpTransport:
    """Calls over one pool of connections for each process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = PerProcess(self._connect)
        self._flights: PerProcess[set[Flight]] = PerProcess(set)
        self._closed = False

    def _connect(self) -> httpx.Client:
        transport = WatchedTransport(**wire.transport_arguments(self._settings))
        return httpx.Client(transport=transport, trust_env=False)

    def _begin(self, call: Call) -> Flight:
        flight = Flight(call.patience)
        self._flights.get().add(flight)
        if self._closed:  # since the call was let in
            self._end(flight)
            raise ServiceConnectionError("The client is closed")
        return flight

    def _end(self, flight: Flight) -> None:
        self._flights.get().discard(flight)

    def _send(
        self, request: httpx.Request, flight: Flight, stream: bool = False
    ) -> httpx.Response:
        client = self._client.get()
        try:
            with flight.here():
                return client.send(request, stream=stream)
        except wire.FAILURES as error:
            raise _failure(flight, error) from error
        except RuntimeError as error:  # the client was closed between the two
            raise ServiceConnectionError(str(error)) from error

    def _ask(self, request: httpx.Request, call: Call) -> httpx.Response:
        flight = self._begin(call)
        try:
            return self._send(request, flight)
        finally:
            self._end(flight)

    def chat(self, call: Call) -> ChatResponse:
        """One whole answer."""
        request = wire.post(self._settings, "/chat/completions", call)
        answer: ChatResponse = wire.parse(self._ask(request, call), "choices")
        return answer

    def stream(self, call: Call) -> HttpStream:
        """The answer in chunks."""

        def send(flight: Flight) -> httpx.Response:
            return self._send(
                wire.post(self._settings, "/chat/completions", call, stream=True),
                flight,
                stream=True,
            )

        return HttpStream(lambda: self._begin(call), send, self._end)

    def embeddings(self, call: Call) -> EmbeddingsResponse:
        """Vectors."""
        # Base64 is the exact float32, and a third of the text.
        request = wire.post(
            self._settings, "/embeddings", call, encoding_format="base64"
        )
        answer: EmbeddingsResponse = wire.embeddings(self._ask(request, call))
        return answer

    def models(self, call: Call) -> list[Model]:
        """What may be used."""
        request = wire.get(self._settings, "/models", call, {})
        listed: list[Model] = wire.parse(self._ask(request, call), "data")["data"]
        return listed

    def usage(self, call: Call) -> UsageReport:
        """What was used."""
        request = wire.get(self._settings, "/usage", call, wire.usage_query(call))
        report: UsageReport = wire.parse(self._ask(request, call), "total", wire.exact)
        return report

    def close(self) -> None:
        """Ends running calls and the connections."""
        self._closed = True
        for flight in list(self._flights.get()):
            flight.close()
        client = self._client.take()
        if client is not None:
            client.close()
