"""Embeddings for LangChain, and in the shape of OpenAI's client."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.embeddings import Embeddings
from pydantic import Field

from llm_service.langchain.connection import ServiceConnection
from llm_service.langchain.errors import langchain_errors

# The service's limit of inputs in one request.
_BATCH = 2048
_SENT = ("dimensions", "task_type", "agent", "run_id", "user", "timeout", "extra_body")


@dataclass(frozen=True)
class EmbeddedInput:
    """One vector, as an attribute."""

    index: int
    embedding: list[float]
    object: str = "embedding"


@dataclass(frozen=True)
class EmbeddedInputs:
    """What `embeddings.create` returns."""

    data: list[EmbeddedInput]
    model: str
    usage: dict[str, Any]
    object: str = "list"


class LLMServiceEmbeddings(ServiceConnection, Embeddings):
    """Vectors of one model of LLM Service.

    Name the model: vectors of two models do not mix. The default is the first model
    of the task "embedding".

    `embeddings.create(model=…, input=…)` is for code that is written for OpenAI's
    client: `.data[0].embedding`.
    """

    model: str = Field(default="auto:embedding", alias="model_name")
    dimensions: int | None = None
    chunk_size: int = Field(default=_BATCH, ge=1, le=_BATCH)
    """Inputs of one request."""
    max_retries: int | None = None
    """Unused: the service retries."""
    task_type: str | None = None
    agent: str | None = None
    run_id: str | None = None
    user: str | None = None
    extra_body: dict[str, Any] | None = None

    def _arguments(self, **kwargs: Any) -> dict[str, Any]:
        own = {"model": self.model, **{name: getattr(self, name) for name in _SENT}}
        named = {**own, **kwargs}
        return {name: value for name, value in named.items() if value is not None}

    def _batches(self, texts: list[str]) -> list[list[str]]:
        size = self.chunk_size
        return [texts[at : at + size] for at in range(0, len(texts), size)]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector for each text, in their order."""
        out: list[list[float]] = []
        with langchain_errors():
            for batch in self._batches(texts):
                answer = self.client.embeddings(batch, **self._arguments())
                out += [one["embedding"] for one in answer["data"]]
        return out

    def embed_query(self, text: str) -> list[float]:
        """The vector of one text."""
        return self.embed_documents([text])[0]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector for each text, in their order."""
        out: list[list[float]] = []
        with langchain_errors():
            for batch in self._batches(texts):
                answer = await self.async_client.embeddings(batch, **self._arguments())
                out += [one["embedding"] for one in answer["data"]]
        return out

    async def aembed_query(self, text: str) -> list[float]:
        """The vector of one text."""
        return (await self.aembed_documents([text]))[0]

    @property
    def embeddings(self) -> OpenAIShape:
        """`.embeddings.create`, as OpenAI's client has it."""
        return OpenAIShape(self)


class OpenAIShape:
    """The one method of OpenAI's `client.embeddings`."""

    def __init__(self, service: LLMServiceEmbeddings) -> None:
        self._service = service

    def create(
        self,
        *,
        input: str | Sequence[str],
        model: str | None = None,
        dimensions: int | None = None,
        **options: Any,
    ) -> EmbeddedInputs:
        """Vectors of up to 2048 texts."""
        service = self._service
        # Floats are what callers get here, in whatever form they travel.
        options.pop("encoding_format", None)
        given = {"model": model, "dimensions": dimensions, **options}
        given = {name: value for name, value in given.items() if value is not None}
        with langchain_errors():
            answer = service.client.embeddings(input, **service._arguments(**given))
        data = [EmbeddedInput(one["index"], one["embedding"]) for one in answer["data"]]
        usage: dict[str, Any] = dict(answer.get("usage") or {})
        return EmbeddedInputs(data, answer.get("model", ""), usage)
