"""The asyncio client: the twin of client.py, name for name.

    async with AsyncClient(base_url="http://127.0.0.1:8004/v1", api_key="sk-…") as client:
        answer = await client.chat([{"role": "user", "content": "Say hello"}])
        print(answer["choices"][0]["message"]["content"])

Requests and answers are plain dicts in OpenAI's JSON shape, the same over gRPC and
HTTP, as is `reasoning_content`, `llm_service` and so on; types.py names their members
and says why. Failures are the exceptions of errors.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

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

    from llm_service.run import Run
    from llm_service.types import ChatArguments, EmbeddingArguments


class AsyncStream(AsyncIterator[ChatChunk]):
    """The chunks of one answer. Closes the call at its end, on `close()`, at the end
    of a `async with` block, and when it is dropped: the service then cancels upstream."""

    async def __anext__(self) -> ChatChunk:
        raise NotImplementedError

    async def close(self) -> None:
        """Ends the call; nothing happens if it is over."""
        raise NotImplementedError

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class AsyncClient:
    """Calls LLM Service. May be used from several event
    loops (each gets its own connections) and after fork."""

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
          tls: gRPC over TLS; default: only with ca_file, or for grpcs:// targets.
          ca_file: certificates to trust instead of the system's.
          cert_file: with key_file, this client's own certificate (mutual TLS).
        """
        raise NotImplementedError

    async def chat(
        self,
        messages: Sequence[MessageLike],
        *,
        model: str = "",
        **options: Unpack[ChatArguments],
    ) -> ChatResponse:
        """One whole answer. model "" means "auto". See ChatArguments for the rest."""
        raise NotImplementedError

    def stream(
        self,
        messages: Sequence[MessageLike],
        *,
        model: str = "",
        **options: Unpack[ChatArguments],
    ) -> AsyncStream:
        """The answer as a stream of chunks; failures are raised by the iterator."""
        raise NotImplementedError

    async def embeddings(
        self,
        input: str | Sequence[str] | Sequence[int] | Sequence[Sequence[int]],
        *,
        model: str,
        **options: Unpack[EmbeddingArguments],
    ) -> EmbeddingsResponse:
        """Vectors of floats for texts or tokens, in the order of the inputs."""
        raise NotImplementedError

    async def models(self, *, timeout: float | None = None) -> list[Model]:
        """The models that the key may use."""
        raise NotImplementedError

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
        raise NotImplementedError

    def run(
        self,
        run_id: str | None = None,
        *,
        user: str = "",
        agent: str = "",
        task_type: str = "",
        symbol: str = "",
        metadata: Mapping[str, str] | None = None,
    ) -> AbstractAsyncContextManager[Run]:
        """Tags every call made in the block; see run.Run."""
        raise NotImplementedError

    async def close(self) -> None:
        """Ends running calls with an error and closes the connections. Idempotent."""
        raise NotImplementedError

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
