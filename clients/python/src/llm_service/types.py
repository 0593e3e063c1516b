"""The shapes of requests and answers.

Decision: requests and answers are plain dicts in OpenAI's JSON shape, the same on
both transports; the classes here only name their members for type checkers
(`TypedDict`; at run time they are dict). Reasons: a message that was received goes
back into the conversation as it is, with members that this package has never heard
of; everything that takes OpenAI's JSON takes it; nothing is lost by a model class.
Downside: `answer["choices"][0]["message"]["content"]`; `text_of(answer)` is short for
that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

Json = Any
# A message as OpenAI's API takes it: {"role": …, "content": …, …}. Assistant
# messages of an answer are sent back as they were received.
MessageLike = Mapping[str, Any]
Priority = Literal["low", "normal", "high", "urgent"]
Dimension = Literal[
    "model",
    "day",
    "hour",
    "user",
    "key",
    "org",
    "task_type",
    "run_id",
    "agent",
    "provider",
]


class FunctionCall(TypedDict, total=False):
    """What to call; `arguments` is JSON text as the model wrote it."""

    name: str
    arguments: str


class ToolCall(TypedDict, total=False):
    """A call the model asks for; `index` is in the deltas of streams only."""

    index: int
    id: str
    type: str
    function: FunctionCall
    custom: dict[str, str]
    extra_content: dict[str, Any]


class Message(TypedDict, total=False):
    """An assistant's message, or in a stream the piece to append (`delta`).

    `reasoning_details` and `opaque_parts` are proofs and parts that only their
    maker understands: send them back with the message.
    """

    role: str
    content: str | None
    refusal: str | None
    reasoning_content: str
    reasoning_details: list[dict[str, Any]]
    opaque_parts: list[dict[str, Any]]
    images: list[dict[str, Any]]
    tool_calls: list[ToolCall]
    annotations: list[dict[str, Any]]
    audio: dict[str, Any]
    function_call: FunctionCall


class Choice(TypedDict, total=False):
    """One answer. finish_reason: stop, length, tool_calls, content_filter, …"""

    index: int
    message: Message
    finish_reason: str | None
    native_finish_reason: str
    logprobs: dict[str, Any] | None


class ChunkChoice(TypedDict, total=False):
    """A piece of one answer."""

    index: int
    delta: Message
    finish_reason: str | None
    native_finish_reason: str
    logprobs: dict[str, Any] | None


class Usage(TypedDict, total=False):
    """Token counts as OpenAI defines them."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: dict[str, int]
    completion_tokens_details: dict[str, int]
    web_searches: int


class Cost(TypedDict):
    """An exact decimal as text, and its ISO 4217 currency."""

    amount: str
    currency: str


class ServiceInfo(TypedDict, total=False):
    """Who answered, why, and what it cost (`cost` is None where unknown)."""

    request_id: str
    model: str
    provider: str
    task_type: str
    attempts: int
    reason: str
    cost: Cost | None
    usage_source: str
    warning: str
    dropped: list[str]
    cached_inputs: int
    overhead_us: int


class ChatResponse(TypedDict, total=False):
    """A whole answer."""

    id: str
    object: str
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    service_tier: str
    system_fingerprint: str
    llm_service: ServiceInfo


class ChatChunk(TypedDict, total=False):
    """A piece of an answer; the last one carries `llm_service`."""

    id: str
    object: str
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Usage
    service_tier: str
    system_fingerprint: str
    llm_service: ServiceInfo


class Embedding(TypedDict):
    """The vector of one input."""

    object: str
    index: int
    embedding: list[float]


class EmbeddingsResponse(TypedDict, total=False):
    """Vectors, one for each input, in their order."""

    object: str
    data: list[Embedding]
    model: str
    usage: Usage
    llm_service: ServiceInfo


class Model(TypedDict, total=False):
    """A model that the key may use; `pricing` is USD per token, as text."""

    id: str
    object: str
    created: int
    owned_by: str
    context_length: int
    max_output_tokens: int
    pricing: dict[str, str]
    capabilities: list[str]
    health: str
    aliases: list[str]
    providers: list[str]


class UsageTotal(TypedDict, total=False):
    """Sums; `cost` is an exact decimal.Decimal in the report's currency."""

    requests: int
    tokens: int
    cost: Any


class UsageGroup(TypedDict, total=False):
    """The sums of one combination of keys."""

    keys: dict[str, str]
    requests: int
    attempts: int
    tokens: dict[str, int]
    cost: Any
    cost_native: dict[str, Any]
    unpriced_requests: int
    estimated_requests: int
    unconverted_requests: int


class UsageReport(TypedDict, total=False):
    """What was used, and what it cost."""

    total: UsageTotal
    models: dict[str, UsageTotal]
    currency: str
    groups: list[UsageGroup]


class ChatFields(TypedDict, total=False):
    """OpenAI's fields of a chat request that are passed by keyword.

    A name that is not here is refused (a misspelled `temprature` would go unseen
    otherwise); fields that this package does not know go into `extra_body`.
    """

    tools: Sequence[Mapping[str, Any]]
    tool_choice: str | Mapping[str, Any]
    parallel_tool_calls: bool
    response_format: Mapping[str, Any]
    max_completion_tokens: int
    max_tokens: int
    temperature: float
    top_p: float
    frequency_penalty: float
    presence_penalty: float
    logit_bias: Mapping[str, float]
    logprobs: bool
    top_logprobs: int
    n: int
    seed: int
    stop: str | Sequence[str]
    reasoning_effort: str
    verbosity: str
    modalities: Sequence[str]
    audio: Mapping[str, Any]
    prediction: Mapping[str, Any]
    service_tier: str
    store: bool
    safety_identifier: str
    prompt_cache_key: str
    prompt_cache_retention: str
    prompt_cache_options: Mapping[str, Any]
    web_search_options: Mapping[str, Any]
    moderation: Any
    functions: Sequence[Mapping[str, Any]]
    function_call: str | Mapping[str, Any]
    stream_options: Mapping[str, Any]


class UntaskedOptions(TypedDict, total=False):
    """What a call may carry beside OpenAI's fields; all by keyword.

    Tags (task_type, run_id, agent, user, metadata) are recorded with the usage;
    those not given come from the run around the call (see `run`).
    timeout: seconds from now until the call must be over, as a deadline that
      reaches the provider; shortens what the service allows, never lengthens.
    strict: refuse instead of dropping a field that the provider does not take.
    priority: who goes first where calls wait for a provider at its limit.
    idempotency_key: calls with one key share one upstream call.
    request_id: kept by the service and named in answers and errors.
    extra_body: more members of the request body, for the provider.
    """

    run_id: str
    agent: str
    user: str
    metadata: Mapping[str, str]
    timeout: float
    strict: bool
    priority: Priority
    idempotency_key: str
    request_id: str
    extra_body: Mapping[str, Any]


class CallOptions(UntaskedOptions, total=False):
    """The same, and the task to route by."""

    task_type: str


class ProviderArguments(ChatFields, UntaskedOptions, total=False):
    """All keyword arguments of LLMServiceProvider beside its own parameters."""


class ChatArguments(ChatFields, CallOptions, total=False):
    """All keyword arguments of `chat` and `stream`."""


class EmbeddingArguments(CallOptions, total=False):
    """All keyword arguments of `embeddings`."""

    dimensions: int


def text_of(answer: Mapping[str, Any]) -> str:
    """The text of an answer's first choice, or of a chunk; "" where there is none."""
    for choice in answer.get("choices") or ():
        part = choice.get("message") or choice.get("delta") or {}
        return part.get("content") or ""
    return ""
