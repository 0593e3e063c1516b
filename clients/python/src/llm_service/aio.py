"""The asyncio client: the twin of client.py, name for name.

    from llm_service import AsyncClient

    async with AsyncClient(base_url="http://127.0.0.1:8004/v1", api_key="sk-…") as client:
        answer = await client.chat([{"role": "user", "content": "Say hello"}])
        print(answer["choices"][0]["message"]["content"])

Requests and answers are plain dicts in OpenAI's JSON shape, the same over gRPC and
HTTP, as is `reasoning_content`, `llm_service` and so on; types.py names their members
and says why. Failures are the exceptions of errors.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from llm_service import _call, _fork, _settings
from llm_service.errors import LLMServiceError, ServiceConnectionError
from llm_service.run import AsyncRun
from llm_service.types import (
    ChatChunk,
    ChatResponse,
    Dimension,
    EmbeddingsResponse,
    MessageLike,
    Model,
    UsageReport,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from llm_service.types import ChatArguments, EmbeddingArguments


class _Source(Protocol):
    async def next(self) -> ChatChunk | None: ...

    async def close(self) -> None: ...

    def drop(self) -> None: ...


class _Transport(Protocol):
    async def chat(self, call: _call.Call) -> ChatResponse: ...

    def stream(self, call: _call.Call) -> _Source: ...

    async def embeddings(self, call: _call.Call) -> EmbeddingsResponse: ...

    async def models(self, call: _call.Call) -> list[Model]: ...

    async def usage(self, call: _call.Call) -> UsageReport: ...

    async def close(self) -> None: ...


class AsyncStream(AsyncIterator[ChatChunk]):
    """The chunks of one answer; the call starts with the first.

    Closes the call at its end, on `close()`, at the end of an `async with`
    block, and when it is dropped: the service then cancels upstream."""

    def __init__(self, source: _Source) -> None:
        self._source = source
        self._delivered = 0
        self._over = False

    async def __anext__(self) -> ChatChunk:
        if self._over:
            raise StopAsyncIteration
        try:
            chunk = await self._source.next()
        except BaseException as error:
            if isinstance(error, LLMServiceError):
                error.delivered = self._delivered
                if self._delivered:  # a part of the answer is out
                    error.retryable = False
            await self.close()
            raise
        if chunk is None:
            await self.close()
            raise StopAsyncIteration
        self._delivered += 1
        return chunk

    async def close(self) -> None:
        """Ends the call; nothing happens if it is over."""
        if not self._over:
            self._over = True
            await self._source.close()

    aclose = close  # what contextlib.aclosing calls

    def __del__(self) -> None:
        if not getattr(self, "_over", True):
            self._source.drop()

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class AsyncClient:
    """Calls LLM Service. May be shared by several event loops (each gets its own
    connections) and across fork."""

    def __init__(
        self,
        *,
        base_url: str | None = None,
        grpc_target: str | None = None,
        api_key: str | None = None,
        transport: Literal["auto", "grpc", "http"] = "auto",
        timeout: float | None = None,
        tls: bool | None = None,
        ca_file: str | None = None,
        cert_file: str | None = None,
        key_file: str | None = None,
    ) -> None:
        """Connects lazily: nothing happens before the first call.

        Args:
          base_url: of the HTTP door, with or without /v1 and a slash at the end; may
            carry path tags (`http://host:8004/t/run=R/v1`). LLM_SERVICE_URL.
          grpc_target: host:port of the gRPC door. LLM_SERVICE_GRPC.
          api_key: a virtual key. LLM_SERVICE_API_KEY.
          transport: "auto" takes gRPC where a target is known and grpcio is installed,
            else HTTP. Explicit addresses win over those of the environment.
          timeout: deadline of each call in seconds, where the call names none.
          tls: TLS to addresses without a scheme; default: with ca_file or cert_file,
            and for https:// and grpcs://. An address that says otherwise is refused.
          ca_file: certificates to trust instead of the system's.
          cert_file: with key_file, this client's own certificate (mutual TLS).
        """
        self._settings = _settings.resolve(
            base_url=base_url,
            grpc_target_text=grpc_target,
            api_key=api_key,
            transport=transport,
            tls=tls,
            ca_file=ca_file,
            cert_file=cert_file,
            key_file=key_file,
        )
        self._timeout = timeout
        self._closed = False
        self._made = _make(self._settings)

    @property
    def transport(self) -> Literal["grpc", "http"]:
        """What the calls travel over."""
        return self._settings.transport

    @property
    def _transport(self) -> _Transport:
        if self._closed:
            raise ServiceConnectionError("The client is closed")
        if _fork.grpc_is_broken() and self._settings.transport == "grpc":
            self._settings = _settings.over_http(self._settings)
            _fork.leave(self._made)
            self._made = _make(self._settings)
        return self._made

    async def chat(
        self,
        messages: Sequence[MessageLike],
        *,
        model: str = "",
        **options: Unpack[ChatArguments],
    ) -> ChatResponse:
        """One whole answer. model "" means "auto". See ChatArguments for the rest."""
        call = _call.chat_call(messages, model, options, self._timeout)
        return await self._transport.chat(call)

    def stream(
        self,
        messages: Sequence[MessageLike],
        *,
        model: str = "",
        **options: Unpack[ChatArguments],
    ) -> AsyncStream:
        """The answer as a stream of chunks; failures are raised by the iterator."""
        call = _call.chat_call(messages, model, options, self._timeout)
        return AsyncStream(self._transport.stream(call))

    async def embeddings(
        self,
        input: str | Sequence[str] | Sequence[int] | Sequence[Sequence[int]],
        *,
        model: str,
        **options: Unpack[EmbeddingArguments],
    ) -> EmbeddingsResponse:
        """Vectors of floats for texts or tokens, in the order of the inputs."""
        call = _call.embeddings_call(input, model, options, self._timeout)
        return await self._transport.embeddings(call)

    async def models(self, *, timeout: float | None = None) -> list[Model]:
        """The models that the key may use."""
        return await self._transport.models(self._report(timeout))

    async def usage(
        self,
        *,
        start: str = "",
        end: str = "",
        by: Sequence[Dimension] = (),
        where: Mapping[Dimension, str] | None = None,
        timeout: float | None = None,
    ) -> UsageReport:
        """What was used: RFC 3339 times or dates, start inclusive, end exclusive."""
        query = {"from": start, "to": end, "by": list(by), "where": dict(where or {})}
        return await self._transport.usage(self._report(timeout, **query))

    def _report(self, timeout: float | None, **query: Any) -> _call.Call:
        return _call.report_call(self._timeout if timeout is None else timeout, **query)

    def run(
        self,
        run_id: str | None = None,
        *,
        user: str = "",
        agent: str = "",
        task_type: str = "",
        symbol: str = "",
        metadata: Mapping[str, str] | None = None,
    ) -> AsyncRun:
        """Tags every call made in the block; `as` gives the AsyncRun."""
        return AsyncRun(
            self,
            run_id,
            user=user,
            agent=agent,
            task_type=task_type,
            symbol=symbol,
            metadata=metadata,
        )

    async def close(self) -> None:
        """Ends the calls of this event loop and closes its connections. Idempotent."""
        if not self._closed:
            self._closed = True
            await self._made.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _make(settings: _settings.Settings) -> _Transport:
    """Imports only what is needed: grpcio may be absent."""
    if settings.transport == "grpc":
        from llm_service._grpc_aio import GrpcAioTransport

        return GrpcAioTransport(settings)
    from llm_service._http_aio import HttpAioTransport

    return HttpAioTransport(settings)
