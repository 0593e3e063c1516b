"""The provider class of the design document: the one call that agents need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from llm_service.aio import AsyncClient
from llm_service.client import Client
from llm_service.types import ChatResponse, MessageLike

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from llm_service.types import ChatArguments


class LLMServiceProvider:
    """Chat completions of LLM Service, async and sync, over one configuration.

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
        raise NotImplementedError

    async def chat_completion(
        self,
        messages: Sequence[MessageLike],
        task_type: str | None = None,
        **options: Unpack[ChatArguments],
    ) -> ChatResponse:
        """One whole answer. Unknown names raise TypeError: see ChatFields."""
        raise NotImplementedError

    def chat_completion_sync(
        self,
        messages: Sequence[MessageLike],
        task_type: str | None = None,
        **options: Unpack[ChatArguments],
    ) -> ChatResponse:
        """The same for callers without an event loop."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Closes both clients."""
        raise NotImplementedError

    def close(self) -> None:
        """Closes the synchronous client."""
        raise NotImplementedError
