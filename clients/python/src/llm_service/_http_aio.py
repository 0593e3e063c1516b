"""The HTTP transport for asyncio."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import httpx

from llm_service import _fork
from llm_service import _http_wire as wire
from llm_service._call import Call, PerLoop
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

_T = TypeVar("_T")


_Tasks = set["asyncio.Future[Any]"]


async def _within(until: float | None, work: Awaitable[_T], tasks: _Tasks) -> _T:
    """Waits until a time of the monotonic clock and no longer. Who cancels what is in
    `tasks` ends the call; asyncio.wait_for would not tell that from a cancelled
    caller, and before Python 3.12 loses cancellations."""
    task = asyncio.ensure_future(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    try:
        left = None if until is None else max(0.0, until - time.monotonic())
        await asyncio.wait({task}, timeout=left)
    except asyncio.CancelledError:
        await _abandon(task)
        raise
    if not task.done():
        await _abandon(task)
        raise own_deadline()
    if task.cancelled():
        raise ServiceConnectionError("The call was closed")
    return task.result()


async def _abandon(task: asyncio.Future[Any]) -> None:
    """Ends a call that nobody waits for, and what it has brought all the same."""
    task.add_done_callback(_dispose)
    task.cancel()
    await asyncio.wait({task}, timeout=1)


def _dispose(task: asyncio.Future[Any]) -> None:
    if task.cancelled() or task.exception() is not None:
        return
    if isinstance(task.result(), httpx.Response):
        asyncio.ensure_future(task.result().aclose())


async def _next(source: AsyncIterator[bytes]) -> bytes | None:
    try:
        return await source.__anext__()
    except StopAsyncIteration:
        return None


class HttpAioStream:
    """The chunks of one call; starts it at the first."""

    def __init__(
        self,
        start: Callable[[], Coroutine[Any, Any, httpx.Response]],
        patience: float | None,
        tasks: Callable[[], _Tasks],
    ) -> None:
        self._start = start
        self._patience = patience
        self._tasks = tasks
        self._until: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = os.getpid()
        self._answer: httpx.Response | None = None
        self._bytes: Any = None
        self._waiting: asyncio.Future[Any] | None = None
        self._events = wire.Events()
        self._ready: deque[Any] = deque()
        self._fault: Exception | None = None
        self._closed = False

    async def next(self) -> ChatChunk | None:
        """The next chunk; None at the end."""
        if self._pid != os.getpid():
            raise ServiceConnectionError("The stream belongs to another process")
        while not self._ready:
            if self._closed or self._events.done:
                return None
            if self._fault is not None:
                raise self._fault
            await self._fetch()
        chunk: ChatChunk = self._ready.popleft()
        return chunk

    async def _wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        self._waiting = asyncio.ensure_future(work)
        try:
            waiting: asyncio.Future[_T] = self._waiting
            return await _within(self._until, waiting, self._tasks())
        finally:
            self._waiting = None

    async def _fetch(self) -> None:
        try:
            if self._bytes is None:
                await self._open()
            data = await self._wait(_next(self._bytes))
        except LLMServiceError:
            raise
        except wire.FAILURES as error:
            if self._closed:
                raise ServiceConnectionError("The stream was closed") from error
            raise wire.http_error(error) from error
        if self._closed:
            raise ServiceConnectionError("The stream was closed")
        if data is None:
            self._events.end()
            return
        try:
            for event in self._events.feed(data):
                self._ready.append(event)
        except Exception as error:
            self._fault = error  # raised behind the chunks that came with it

    async def _open(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._patience is not None:
            self._until = time.monotonic() + self._patience
        answer = self._answer = await self._wait(self._start())
        if self._closed:  # by another task, which has not seen the answer
            await answer.aclose()
            raise ServiceConnectionError("The stream was closed")
        if answer.status_code != 200:
            await self._wait(answer.aread())
            raise wire.answer_error(answer)
        self._bytes = answer.aiter_bytes()

    async def close(self) -> None:
        """Closes the connection unless the stream is over."""
        self._closed = True
        if self._pid != os.getpid():
            _fork.leave(self)  # the parent may be reading it
            return
        if self._waiting is not None:
            self._waiting.cancel()
            await asyncio.wait({self._waiting}, timeout=1)
        if self._answer is None or self._answer.is_closed:
            return
        try:
            if self._events.done:
                # What is behind the last event: the connection is used again.
                self._until = time.monotonic() + wire.DRAIN
                while await self._wait(_next(self._bytes)) is not None:
                    pass
        except wire.FAILURES:  # and our own deadline
            pass
        finally:
            await self._answer.aclose()

    def drop(self) -> None:
        """The same without an event loop, from any thread."""
        self._closed = True
        if self._pid != os.getpid():
            _fork.leave(self)
            return
        answer, loop = self._answer, self._loop
        if answer is None or answer.is_closed or loop is None or loop.is_closed():
            return
        loop.call_soon_threadsafe(lambda: loop.create_task(answer.aclose()))


class HttpAioTransport:
    """Calls over one pool of connections for each event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = PerLoop(self._connect)
        self._tasks: PerLoop[_Tasks] = PerLoop(set)

    def _connect(self) -> httpx.AsyncClient:
        arguments = wire.transport_arguments(self._settings)
        transport = httpx.AsyncHTTPTransport(**arguments)
        return httpx.AsyncClient(transport=transport, trust_env=False)

    async def _send(
        self, request: httpx.Request, stream: bool = False
    ) -> httpx.Response:
        client = self._client.get()
        try:
            return await client.send(request, stream=stream)
        except wire.FAILURES as error:
            raise wire.http_error(error) from error
        except RuntimeError as error:  # the client was closed between the two
            raise ServiceConnectionError(str(error)) from error

    async def _ask(self, request: httpx.Request, call: Call) -> httpx.Response:
        patience = call.patience
        until = None if patience is None else time.monotonic() + patience
        return await _within(until, self._send(request), self._tasks.get())

    async def chat(self, call: Call) -> ChatResponse:
        """One whole answer."""
        request = wire.post(self._settings, "/chat/completions", call)
        answer: ChatResponse = wire.parse(await self._ask(request, call), "choices")
        return answer

    def stream(self, call: Call) -> HttpAioStream:
        """The answer in chunks."""

        def start() -> Coroutine[Any, Any, httpx.Response]:
            return self._send(
                wire.post(self._settings, "/chat/completions", call, stream=True),
                stream=True,
            )

        return HttpAioStream(start, call.patience, self._tasks.get)

    async def embeddings(self, call: Call) -> EmbeddingsResponse:
        """Vectors."""
        request = wire.post(
            self._settings, "/embeddings", call, encoding_format="base64"
        )
        answer = await self._ask(request, call)
        vectors: EmbeddingsResponse = wire.embeddings(answer)
        return vectors

    async def models(self, call: Call) -> list[Model]:
        """What may be used."""
        request = wire.get(self._settings, "/models", call, {})
        listed: list[Model] = wire.parse(await self._ask(request, call), "data")["data"]
        return listed

    async def usage(self, call: Call) -> UsageReport:
        """What was used."""
        request = wire.get(self._settings, "/usage", call, wire.usage_query(call))
        answer = await self._ask(request, call)
        report: UsageReport = wire.parse(answer, "total", wire.exact)
        return report

    async def close(self) -> None:
        """Ends the calls of this loop and its connections."""
        for task in list(self._tasks.take() or ()):
            task.cancel()
        client = self._client.take()
        if client is not None:
            await client.aclose()
