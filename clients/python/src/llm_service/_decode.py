"""Answers: from the proto to OpenAI's JSON shape, as the HTTP door renders them.

The twin of the service's server/http/render_*: callers see the same dicts on both
transports.
"""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

from llm_service._places import FlatEnd
from llm_service._stubs import (
    chat_pb2 as pb,
)
from llm_service._stubs import (
    embeddings_pb2,
    models_pb2,
    usage_pb2,
)
from llm_service.types import (
    ChatChunk,
    ChatResponse,
    EmbeddingsResponse,
    Model,
    UsageReport,
)


class _View:
    """The flat view of a message, and what stands beside it."""

    def __init__(self, message: pb.Message, whole: bool, end: FlatEnd) -> None:
        self.content: str | None = None
        self.reasoning: str | None = None
        self.refusal: str | None = None
        self.calls: list[pb.ToolCall] = []
        self.media: list[pb.MediaPart] = []
        self.proofs: list[dict[str, Any]] = []
        self.opaque: list[dict[str, Any]] = []
        self._whole = whole
        self._end = end
        for part in message.parts:
            self._add(part)
        if message.parts:
            return
        if message.HasField("content"):
            self._text(message.content)
        if message.HasField("reasoning_content"):
            self._thought(message.reasoning_content)
        if message.HasField("refusal"):
            self.refusal = message.refusal
        for call in message.tool_calls:
            self._call(call)

    def _text(self, text: str) -> None:
        self.content = (self.content or "") + text
        self._end.add_content(text)

    def _thought(self, text: str) -> None:
        self.reasoning = (self.reasoning or "") + text
        self._end.add_reasoning(text)

    def _call(self, call: pb.ToolCall) -> None:
        self.calls.append(call)
        if self._whole:
            self._end.calls += 1
        else:
            # The fragments of a stream's call have one index.
            self._end.calls = max(self._end.calls, call.index + 1)

    def _add(self, part: pb.Part) -> None:
        kind = part.WhichOneof("kind")
        if kind == "text":
            self._text(part.text.text)
            if part.text.signature:
                proof = pb.ReasoningPart(
                    redacted_data=part.text.signature,
                    origin=part.text.signature_origin,
                    origin_model=part.text.origin_model,
                )
                self.proofs.append(_proof(proof, self._end.take()))
        elif kind == "reasoning":
            self._thought(part.reasoning.text)
            if part.reasoning.signature or part.reasoning.redacted_data:
                self.proofs.append(_proof(part.reasoning, self._end.take()))
        elif kind == "refusal":
            self.refusal = (self.refusal or "") + part.refusal.text
        elif kind == "tool_call":
            self._call(part.tool_call)
        elif kind == "media":
            self.media.append(part.media)
        elif kind == "opaque":
            self._add_opaque(part)

    def _add_opaque(self, part: pb.Part) -> None:
        at = self._end.take()
        # A compatible server's own are message members, and among the extras.
        if part.opaque.origin not in ("anthropic", "gemini"):
            return
        out = {"origin": part.opaque.origin, "part": json.loads(part.opaque.json)}
        if part.extra_json:
            out["extra"] = json.loads(part.extra_json)
        self.opaque.append({**out, "at": at})


_FORMATS = {"anthropic": "anthropic-claude-v1", "gemini": "google-gemini-v1"}


def _proof(part: pb.ReasoningPart, at: dict[str, int]) -> dict[str, Any]:
    out: dict[str, Any]
    if part.redacted_data:
        out = {"type": "reasoning.encrypted", "data": part.redacted_data}
    else:
        out = {"type": "reasoning.text", "text": part.text}
        out["signature"] = part.signature
    out["format"] = _FORMATS.get(part.origin, "openai-responses-v1")
    if part.origin_model:
        out["model"] = part.origin_model
    out["at"] = at
    return out


def _tool_call(call: pb.ToolCall, whole: bool) -> dict[str, Any]:
    out: dict[str, Any] = {} if whole else {"index": call.index}
    if whole or call.id:
        out["id"] = call.id
    if whole or call.type:
        kind = "custom" if call.HasField("custom") else "function"
        out["type"] = call.type or kind
    if call.HasField("custom"):
        out["custom"] = _named(call.custom.name, "input", call.custom.input)
    elif call.HasField("function"):
        given = call.function.arguments
        out["function"] = _named(call.function.name, "arguments", given)
    extra = json.loads(call.extra_json) if call.extra_json else {}
    if call.signature and "extra_content" not in extra:
        ours = {"origin": call.signature_origin}
        if call.origin_model:
            ours["model"] = call.origin_model
        out["extra_content"] = {
            "google": {"thought_signature": call.signature},
            "llm_service": ours,
        }
    return {**out, **extra}


def _named(name: str, key: str, text: str) -> dict[str, str]:
    return {**({"name": name} if name else {}), key: text}


def _image(media: pb.MediaPart) -> dict[str, Any]:
    url = media.url
    if media.data:
        data = base64.b64encode(media.data).decode("ascii")
        url = f"data:{media.mime_type};base64,{data}"
    return {"type": "image_url", "image_url": {"url": url}}


def _message(message: pb.Message, whole: bool, end: FlatEnd) -> dict[str, Any]:
    view = _View(message, whole, end)
    out: dict[str, Any] = {}
    if message.role or whole:
        out["role"] = message.role or "assistant"
    # OpenAI's first delta has the role and empty content.
    opening = not whole and message.role and view.reasoning is None
    if opening and not view.calls and view.refusal is None and view.content is None:
        view.content = ""
    if view.content is not None or whole:
        out["content"] = view.content
    if view.refusal is not None or whole:
        out["refusal"] = view.refusal
    if view.reasoning is not None:
        out["reasoning_content"] = view.reasoning
    extra = json.loads(message.extra_json) if message.extra_json else {}
    if view.proofs and "reasoning_details" not in extra:
        out["reasoning_details"] = view.proofs
    if view.opaque:
        out["opaque_parts"] = view.opaque
    if view.media:
        out["images"] = [_image(media) for media in view.media]
    if view.calls:
        out["tool_calls"] = [_tool_call(call, whole) for call in view.calls]
    for name in ("annotations", "audio", "function_call"):
        if getattr(message, name):
            out[name] = json.loads(getattr(message, name))
    return {**out, **extra}


def _usage(usage: pb.Usage) -> dict[str, Any]:
    ins, outs = usage.prompt_tokens_details, usage.completion_tokens_details
    details = {"cached_tokens": ins.cached_tokens, "audio_tokens": ins.audio_tokens}
    for name in ("cache_write_tokens", "image_tokens"):
        if getattr(ins, name):
            details[name] = getattr(ins, name)
    out: dict[str, Any] = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": details,
        "completion_tokens_details": {
            "reasoning_tokens": outs.reasoning_tokens,
            "audio_tokens": outs.audio_tokens,
            "accepted_prediction_tokens": outs.accepted_prediction_tokens,
            "rejected_prediction_tokens": outs.rejected_prediction_tokens,
        },
    }
    if usage.web_searches:
        out["web_searches"] = usage.web_searches
    return out


def _service(info: pb.ServiceInfo) -> dict[str, Any]:
    cost = None
    if info.HasField("cost"):
        cost = {"amount": info.cost.amount, "currency": info.cost.currency}
    out: dict[str, Any] = {
        "request_id": info.request_id,
        "model": info.model,
        "provider": info.provider,
        "task_type": info.task_type,
        "attempts": info.attempts,
        "reason": info.reason,
        "cost": cost,
        "usage_source": info.usage_source or "none",
    }
    if info.warning:
        out["warning"] = info.warning
    if info.dropped:
        out["dropped"] = list(info.dropped)
    if info.cached_inputs:
        out["cached_inputs"] = info.cached_inputs
    out["overhead_us"] = info.overhead_us
    return out


def _choice_tail(choice: pb.Choice | pb.ChunkChoice) -> dict[str, Any]:
    out: dict[str, Any] = {
        "logprobs": json.loads(choice.logprobs) if choice.logprobs else None,
        "finish_reason": choice.finish_reason or None,
    }
    if choice.native_finish_reason:
        out["native_finish_reason"] = choice.native_finish_reason
    return {**out, **(json.loads(choice.extra_json) if choice.extra_json else {})}


def _answer(
    answer: pb.ChatCompletionResponse | pb.ChatCompletionChunk,
    kind: str,
    choices: list[dict[str, Any]],
) -> Any:
    out: dict[str, Any] = {
        "id": answer.id,
        "object": kind,
        "created": answer.created,
        "model": answer.model,
        "choices": choices,
    }
    if answer.HasField("usage"):
        out["usage"] = _usage(answer.usage)
    for name in ("service_tier", "system_fingerprint"):
        if getattr(answer, name):
            out[name] = getattr(answer, name)
    if answer.extra_json:
        out.update(json.loads(answer.extra_json))
    if answer.HasField("llm_service"):
        out["llm_service"] = _service(answer.llm_service)
    return out


def chat_response(answer: pb.ChatCompletionResponse) -> ChatResponse:
    """A whole answer."""
    choices = [
        {
            "index": choice.index,
            "message": _message(choice.message, True, FlatEnd()),
            **_choice_tail(choice),
        }
        for choice in answer.choices
    ]
    out: ChatResponse = _answer(answer, "chat.completion", choices)
    return out


def chat_chunk(chunk: pb.ChatCompletionChunk, ends: dict[int, FlatEnd]) -> ChatChunk:
    """A piece of an answer; `ends` is kept by the caller from chunk to chunk."""
    choices = []
    for choice in chunk.choices:
        end = ends.setdefault(choice.index, FlatEnd())
        delta = _message(choice.delta, False, end)
        choices.append({"index": choice.index, "delta": delta, **_choice_tail(choice)})
    out: ChatChunk = _answer(chunk, "chat.completion.chunk", choices)
    return out


def embeddings_response(
    answer: embeddings_pb2.CreateEmbeddingsResponse,
) -> EmbeddingsResponse:
    """Vectors of floats."""
    out: dict[str, Any] = {
        "object": "list",
        "data": [
            {
                "object": "embedding",
                "index": one.index,
                "embedding": list(one.embedding),
            }
            for one in answer.data
        ],
        "model": answer.model,
        "usage": {
            "prompt_tokens": answer.usage.prompt_tokens,
            "total_tokens": answer.usage.total_tokens,
        },
    }
    if answer.HasField("llm_service"):
        out["llm_service"] = _service(answer.llm_service)
    return out  # type: ignore[return-value]


def models(answer: models_pb2.ListModelsResponse) -> list[Model]:
    """The models, one dict each."""
    return [_model(one) for one in answer.data]


def _model(model: models_pb2.Model) -> Model:
    out: dict[str, Any] = {
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": model.owned_by,
    }
    for name in ("context_length", "max_output_tokens"):
        if getattr(model, name) > 0:
            out[name] = getattr(model, name)
    if model.HasField("pricing"):
        price = model.pricing
        out["pricing"] = {"prompt": price.prompt, "completion": price.completion}
        for name in ("input_cache_read", "input_cache_write"):
            if getattr(price, name):
                out["pricing"][name] = getattr(price, name)
    out["capabilities"] = list(model.capabilities)
    out["health"] = model.health or "unknown"
    out["aliases"] = list(model.aliases)
    out["providers"] = list(model.providers)
    return out  # type: ignore[return-value]


def usage_report(answer: usage_pb2.GetUsageResponse) -> UsageReport:
    """A usage report; costs are exact decimals."""
    return {
        "total": {
            "requests": answer.total.requests,
            "tokens": answer.total.tokens,
            "cost": Decimal(answer.total.cost or 0),
        },
        "models": {
            name: {"requests": one.requests, "cost": Decimal(one.cost or 0)}
            for name, one in sorted(answer.models.items())
        },
        "currency": answer.currency,
        "groups": [
            {
                "keys": dict(sorted(one.keys.items())),
                "requests": one.requests,
                "attempts": one.attempts,
                "tokens": {
                    "input": one.tokens.input,
                    "cached_input": one.tokens.cached_input,
                    "output": one.tokens.output,
                    "reasoning": one.tokens.reasoning,
                },
                "cost": Decimal(one.cost or 0),
                "cost_native": {
                    name: Decimal(cost)
                    for name, cost in sorted(one.cost_native.items())
                },
                "unpriced_requests": one.unpriced_requests,
                "estimated_requests": one.estimated_requests,
                "unconverted_requests": one.unconverted_requests,
            }
            for one in answer.groups
        ],
    }
