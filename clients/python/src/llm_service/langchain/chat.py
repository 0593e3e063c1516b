"""The chat model for LangChain."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from contextvars import ContextVar
from typing import Any, cast

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableConfig, ensure_config
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

from llm_service.langchain import structured
from llm_service.langchain.answers import ChunkReader, to_result
from llm_service.langchain.connection import CONFIG, ServiceConnection
from llm_service.langchain.errors import langchain_errors
from llm_service.langchain.requests import to_dicts

# Fields that go into every request under their own names.
_SENT = (
    "temperature",
    "max_tokens",
    "top_p",
    "seed",
    "reasoning_effort",
    "task_type",
    "agent",
    "run_id",
    "user",
    "priority",
    "timeout",
    "extra_body",
)
# LangChain's own switches, which are also among the arguments of a call.
_STREAMING = frozenset(("stream", "stream_usage"))
# The metadata of the stream that is beginning.
_of_stream: ContextVar[Mapping[str, Any]] = ContextVar("llm_service_stream", default={})


class ChatLLMService(ServiceConnection, BaseChatModel):
    """A model of LLM Service, or a choice among them ("auto", "auto-quick", …).

    Keyword arguments of a call (`invoke(…, temperature=0, task_type="reasoning")`)
    and of `bind` are those of `llm_service.Client.chat`, `model` among them; a name
    that it does not know is a TypeError. A run around the call
    (`with model.client.run(…)`) tags it; but for the run's task where the model is
    "auto-quick", "auto-deep" or "auto:TASK", which are tasks of their own.

    In messages: `content` is text; reasoning is in `additional_kwargs`
    ("reasoning_content"), beside what models need back on the next turn
    ("reasoning_details", "opaque_parts", signatures of tool calls), which goes back
    by itself. `response_metadata` says who answered: finish_reason, model_name,
    provider, request_id, attempts, cost (exact decimal text) and currency,
    token_usage.

    May be shared between threads, copied and pickled. Models of the same settings
    (address, key, deadline, TLS) share their connections.
    """

    model_config = CONFIG

    model_name: str = Field(default="auto", alias="model")
    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: list[str] | str | None = Field(default=None, alias="stop_sequences")
    reasoning_effort: str | None = None
    streaming: bool = False
    """Whether `invoke` streams for callbacks that ask for tokens."""
    max_retries: int | None = None
    """Taken because LangChain's models have it, and unused: the service retries."""
    task_type: str | None = None
    agent: str | None = None
    run_id: str | None = None
    user: str | None = None
    priority: str | None = None
    extra_body: Mapping[str, Any] | None = None
    """More members of the request body, for the provider; a call's own join them."""
    model_kwargs: dict[str, Any] = Field(default_factory=dict)
    """More fields of `Client.chat` for every call."""

    @property
    def _llm_type(self) -> str:
        return "llm-service"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        names = ("model_name", "stop", "base_url", "grpc_target", *_SENT)
        given = {name: getattr(self, name) for name in names}
        return {
            **{name: value for name, value in given.items() if value is not None},
            **self.model_kwargs,
        }

    def _get_ls_params(
        self, stop: list[str] | None = None, **kwargs: Any
    ) -> LangSmithParams:
        params = LangSmithParams(
            ls_provider="llm_service",
            ls_model_name=kwargs.get("model") or self.model_name,
            ls_model_type="chat",
        )
        temperature = kwargs.get("temperature", self.temperature)
        if temperature is not None:
            params["ls_temperature"] = temperature
        limit = kwargs.get("max_tokens", self.max_tokens)
        if limit is not None:
            params["ls_max_tokens"] = limit
        if words := _words(stop) or _words(self.stop):
            params["ls_stop"] = words
        return params

    def _tags(self, metadata: Mapping[str, Any], model: str) -> dict[str, Any]:
        """Tags for a call of `model` whose LangChain configuration has this metadata;
        what the call or this object names wins. For subclasses."""
        return {}

    def _arguments(
        self,
        stop: list[str] | None,
        kwargs: Mapping[str, Any],
        metadata: Mapping[str, Any],
    ) -> dict[str, Any]:
        """The keyword arguments of Client.chat."""
        named: dict[str, Any] = {
            "model": self.model_name,
            "stop": stop or self.stop or None,
            **{name: getattr(self, name) for name in _SENT},
            **self.model_kwargs,
        }
        # Every integration has one of these; all of them mean max_tokens here.
        if kwargs.get("max_completion_tokens") is not None:
            named["max_tokens"] = None
        named.update({name: kwargs[name] for name in kwargs if name not in _STREAMING})
        if isinstance(named.get("response_format"), type):
            form = structured.response_format(named["response_format"], None)
            named["response_format"] = form
        if kwargs.get("extra_body") and self.extra_body:
            named["extra_body"] = {**self.extra_body, **kwargs["extra_body"]}
        named = {name: value for name, value in named.items() if value is not None}
        return {**self._tags(metadata, str(named["model"])), **named}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        arguments = self._arguments(stop, kwargs, _metadata(run_manager))
        with langchain_errors():
            return to_result(self.client.chat(to_dicts(messages), **arguments))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        arguments = self._arguments(stop, kwargs, _metadata(run_manager))
        with langchain_errors():
            answer = await self.async_client.chat(to_dicts(messages), **arguments)
            return to_result(answer)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        arguments = self._arguments(stop, kwargs, _metadata(run_manager))
        reader = ChunkReader()
        with (
            langchain_errors(),
            self.client.stream(to_dicts(messages), **_streamed(arguments)) as stream,
        ):
            for chunk in stream:
                made = reader.read(chunk)
                if made is None:
                    continue
                if run_manager:
                    run_manager.on_llm_new_token(made.text, chunk=made)
                yield made

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        arguments = self._arguments(stop, kwargs, _metadata(run_manager))
        reader = ChunkReader()
        with langchain_errors():
            called = self.async_client.stream(
                to_dicts(messages), **_streamed(arguments)
            )
            async with called as stream:
                async for chunk in stream:
                    made = reader.read(chunk)
                    if made is None:
                        continue
                    if run_manager:
                        await run_manager.on_llm_new_token(made.text, chunk=made)
                    yield made

    def stream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        """The answer's chunks; their sum is the message."""
        chunks = super().stream(input, config, stop=stop, **kwargs)
        # `_stream` reads the configuration when the first chunk is asked for.
        token = _of_stream.set(_configured(config))
        try:
            first = next(chunks, None)
        finally:
            _of_stream.reset(token)
        with closing(cast(Any, chunks)):
            if first is not None:
                yield first
                yield from chunks

    async def astream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """The answer's chunks; their sum is the message."""
        chunks = super().astream(input, config, stop=stop, **kwargs)
        token = _of_stream.set(_configured(config))
        try:
            first = await anext(chunks, None)
        finally:
            _of_stream.reset(token)
        async with aclosing(cast(Any, chunks)):
            if first is not None:
                yield first
                async for chunk in chunks:
                    yield chunk

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: dict[str, Any] | str | bool | None = None,
        parallel_tool_calls: bool | None = None,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with tools: functions, LangChain tools, Pydantic models or dicts.

        Args:
          tools: what the model may call.
          tool_choice: a tool's name, "auto", "none", "any" or "required" (True), or
            OpenAI's object.
          parallel_tool_calls: False: one call at a time.
          strict: ask for arguments that keep to the schema (OpenAI's `strict`).
          **kwargs: more arguments for every call.
        """
        made = [convert_to_openai_tool(tool, strict=strict) for tool in tools]
        choice = structured.tool_choice_of(tool_choice, made)
        if choice is not None and made:
            kwargs["tool_choice"] = choice
        if parallel_tool_calls is not None:
            kwargs["parallel_tool_calls"] = parallel_tool_calls
        return self.bind(**({"tools": made} if made else {}), **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type | None = None,
        *,
        include_raw: bool = False,
        method: structured.Method = "function_calling",
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """The model whose answers are objects of a schema.

        Args:
          schema: a Pydantic model, TypedDict, or JSON schema with a title.
          include_raw: answer {"raw", "parsed", "parsing_error"} instead of raising.
          method: "function_calling" (every model with tools), "json_schema" (the
            provider's own, where it has one) or "json_mode" (the prompt says the form).
          strict: OpenAI's `strict`; None leaves it out.
          **kwargs: more arguments for every call.
        """
        if schema is None and method != "json_mode":
            raise ValueError(f"method {method!r} needs a schema")
        if method == "function_calling":
            name = structured.tool_name(schema)
            bound = self.bind_tools(
                [schema],  # type: ignore[list-item]
                tool_choice=name,
                parallel_tool_calls=False,
                strict=strict,
                ls_structured_output_format={
                    "kwargs": {"method": method, "strict": strict},
                    "schema": schema,
                },
                **kwargs,
            )
        else:
            bound = self.bind(**structured.binding(schema, method, strict), **kwargs)
        parse = structured.parser(schema, method)
        return structured.with_raw(bound, parse) if include_raw else bound | parse

    def get_num_tokens(self, text: str) -> int:
        """An estimate without a tokenizer, as the service makes it where a provider
        counts nothing: a CJK character, or four others, are a token."""
        cjk = sum(1 for sign in text if "\u2e80" <= sign <= "\uffef")
        return cjk + (len(text) - cjk + 3) // 4


def _metadata(
    run: CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun | None,
) -> Mapping[str, Any]:
    # `stream` and `astream` hand no run on.
    return (run.metadata or {}) if run is not None else _of_stream.get()


def _configured(config: RunnableConfig | None) -> Mapping[str, Any]:
    """The call's metadata over those of the runnable around it, a graph's node."""
    around = ensure_config().get("metadata") or {}
    return {**around, **(ensure_config(config).get("metadata") or {})}


def _words(stop: list[str] | str | None) -> list[str]:
    return [stop] if isinstance(stop, str) else list(stop or ())


def _streamed(arguments: dict[str, Any]) -> dict[str, Any]:
    if arguments.get("n", 1) != 1:
        raise ValueError("a stream has one choice: n must be 1")
    # Else a stream's counts stay unknown to the caller.
    options = {"include_usage": True, **(arguments.get("stream_options") or {})}
    return {**arguments, "stream_options": options}
