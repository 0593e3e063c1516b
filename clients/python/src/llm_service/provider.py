"""The provider class of the design document: the one call that agents need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from llm_service.aio import AsyncClient
from llm_service.client import Client
from llm_service.types import ChatResponse, MessageLike

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from llm_service.types import ProviderArguments


class LLMServiceProvider:
    """Chat completions of LLM Service, async and sync, over one configuration.

        provider = LLMServiceProvider("http://127.0.0.1:8004/v1", "sk-…")
        answer = await provider.chat_completion(messages, task_type="news_analysis")

    Takes what Client takes, and a default model and task.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        model: str = "",
        task_type: str = "",
        **connection: Any,
    ) -> None:
        self._model = model
        self._task_type = task_type
        connection = {"base_url": base_url, "api_key": api_key, **connection}
        self._async = AsyncClient(**connection)
        self._sync = Client(**connection)

    def _options(
        self, task_type: str | None, options: dict[str, Any]
    ) -> dict[str, Any]:
        task = task_type if task_type is not None else self._task_type
        return {**options, "task_type": task} if task else options

    async def chat_completion(
        self,
        messages: Sequence[MessageLike],
        task_type: str | None = None,
        *,
        model: str | None = None,
        **options: Unpack[ProviderArguments],
    ) -> ChatResponse:
        """One whole answer. A name that is no option raises TypeError instead of
        travelling to the provider; more fields go into extra_body."""
        given: Any = self._options(task_type, {**options})
        return await self._async.chat(
            messages, model=self._model if model is None else model, **given
        )

    def chat_completion_sync(
        self,
        messages: Sequence[MessageLike],
        task_type: str | None = None,
        *,
        model: str | None = None,
        **options: Unpack[ProviderArguments],
    ) -> ChatResponse:
        """The same for callers without an event loop."""
        given: Any = self._options(task_type, {**options})
        return self._sync.chat(
            messages, model=self._model if model is None else model, **given
        )

    async def aclose(self) -> None:
        """Closes both clients."""
        await self._async.close()
        self._sync.close()

    def close(self) -> None:
        """Closes the synchronous client."""
        self._sync.close()

    async def __aenter__(self) -> LLMServiceProvider:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
