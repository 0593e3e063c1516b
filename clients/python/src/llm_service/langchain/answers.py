"""Answers and chunks of the clients, as LangChain's messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    InvalidToolCall,
    ToolCall,
    ToolCallChunk,
)
from langchain_core.messages.ai import (
    InputTokenDetails,
    OutputTokenDetails,
    UsageMetadata,
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from llm_service.langchain.requests import (
    CALL_EXTRAS,
    CARRIED,
    DETAIL_STRIDE,
    OTHERS,
)
from llm_service.types import ChatChunk, ChatResponse

MODEL_PROVIDER = "llm_service"
_PLACED = frozenset(("role", "content", "tool_calls", *CARRIED))
# Members of a stream's objects that come in pieces.
_TEXTS = frozenset(("text", "summary", "data", "signature", "transcript", "arguments"))
_CALL_PLACED = frozenset(("index", "id", "type", "function", "custom"))
# Of `llm_service` in an answer, besides model and cost.
_FACTS = (
    "provider",
    "request_id",
    "attempts",
    "task_type",
    "reason",
    "usage_source",
    "warning",
    "dropped",
)


def usage_metadata(usage: Mapping[str, Any]) -> UsageMetadata:
    """Token counts as LangChain has them: details are parts of the sums."""
    ins = usage.get("prompt_tokens_details") or {}
    outs = usage.get("completion_tokens_details") or {}
    before: InputTokenDetails = {"cache_read": ins.get("cached_tokens") or 0}
    if ins.get("cache_write_tokens"):
        before["cache_creation"] = ins["cache_write_tokens"]
    if ins.get("audio_tokens"):
        before["audio"] = ins["audio_tokens"]
    after: OutputTokenDetails = {"reasoning": outs.get("reasoning_tokens") or 0}
    if outs.get("audio_tokens"):
        after["audio"] = outs["audio_tokens"]
    given, made = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    return UsageMetadata(
        input_tokens=given,
        output_tokens=made,
        total_tokens=usage.get("total_tokens") or given + made,
        input_token_details=before,
        output_token_details=after,
    )


def _facts(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Who answered, at what cost; `cost` is an exact decimal as text, or None."""
    out: dict[str, Any] = {}
    if usage := answer.get("usage"):
        out["token_usage"] = usage
    for name in ("service_tier", "system_fingerprint"):
        if answer.get(name):
            out[name] = answer[name]
    info = answer.get("llm_service")
    if info is None:
        return out
    model = info.get("model") or answer.get("model") or ""
    cost = info.get("cost") or {}
    out.update(id=answer.get("id", ""), model=model, model_name=model)
    out.update(model_provider=MODEL_PROVIDER)
    out.update(cost=cost.get("amount"), currency=cost.get("currency"))
    out.update({name: info[name] for name in _FACTS if info.get(name) is not None})
    return out


def _ending(choice: Mapping[str, Any]) -> dict[str, Any]:
    names = ("finish_reason", "native_finish_reason", "logprobs")
    return {name: choice[name] for name in names if choice.get(name) is not None}


def _members(message: Mapping[str, Any]) -> dict[str, Any]:
    """What goes into `additional_kwargs`, calls left out."""
    out = {name: message[name] for name in CARRIED if message.get(name) is not None}
    others = {
        name: value
        for name, value in message.items()
        if name not in _PLACED and value is not None
    }
    return {**out, OTHERS: others} if others else out


def _call_extra(call: Mapping[str, Any]) -> dict[str, Any]:
    extra = {name: call[name] for name in call if name not in _CALL_PLACED}
    return {**extra, "type": "custom"} if "custom" in call else extra


def to_result(answer: ChatResponse) -> ChatResult:
    """A whole answer; generations are its choices."""
    facts = _facts(answer)
    generations = []
    for at, choice in enumerate(answer.get("choices") or ()):
        message = _message(choice.get("message") or {})
        message.response_metadata = {**_ending(choice), **facts}
        # The counts are of the whole answer: not once more for each choice.
        if at == 0 and answer.get("usage"):
            message.usage_metadata = usage_metadata(answer["usage"])
        generations.append(
            ChatGeneration(message=message, generation_info=_ending(choice))
        )
    output = {key: facts[key] for key in facts if key in ("token_usage", "model_name")}
    return ChatResult(generations=generations, llm_output=output)


def _message(given: Mapping[str, Any]) -> AIMessage:
    members = _members(given)
    calls: list[ToolCall] = []
    wrong: list[InvalidToolCall] = []
    extras: dict[str, dict[str, Any]] = {}
    for call in given.get("tool_calls") or ():
        extra = _call_extra(call)
        _read_call(call, extra, calls, wrong)
        if extra and call.get("id"):
            extras[call["id"]] = extra
    if extras:
        members[CALL_EXTRAS] = extras
    return AIMessage(
        content=given.get("content") or "",
        additional_kwargs=members,
        tool_calls=calls,
        invalid_tool_calls=wrong,
    )


def _read_call(
    call: Mapping[str, Any],
    extra: dict[str, Any],
    calls: list[ToolCall],
    wrong: list[InvalidToolCall],
) -> None:
    call_id = call.get("id")
    if custom := call.get("custom"):
        args: Any = {"__arg1": custom.get("input", "")}
        calls.append(_tool_call(custom.get("name", ""), args, call_id))
        return
    function = call.get("function") or {}
    name, text = function.get("name") or "", function.get("arguments") or ""
    problem = "arguments are no JSON object"
    try:
        args = json.loads(text) if text else {}
    except ValueError as error:
        args, problem = None, f"arguments are no JSON: {error}"
    if isinstance(args, dict):
        if text != json.dumps(args, ensure_ascii=False):
            extra["arguments"] = text
        calls.append(_tool_call(name, args, call_id))
        return
    wrong.append(
        InvalidToolCall(
            type="invalid_tool_call", name=name, args=text, id=call_id, error=problem
        )
    )


def _tool_call(name: str, args: dict[str, Any], call_id: str | None) -> ToolCall:
    return ToolCall(type="tool_call", name=name, args=args, id=call_id)


class ChunkReader:
    """Turns the chunks of one answer into LangChain's, whose sum is the message.

    LangChain adds chunks up by joining texts and lists and adding numbers, so each
    fact leaves in one chunk only.
    """

    def __init__(self) -> None:
        self._ids: dict[int, str] = {}
        self._said: set[Any] = set()
        self._open: list[int] = []  # custom tools' inputs that are being written
        self._kinds: dict[int, list[Any]] = {}  # of details, by their index

    def read(self, chunk: ChatChunk) -> ChatGenerationChunk | None:
        """None where a chunk says nothing (a second choice, an empty opening)."""
        facts, text = _facts(chunk), ""
        members: dict[str, Any] = {}
        pieces: list[ToolCallChunk] = []
        for choice in chunk.get("choices") or ():
            if choice.get("index"):
                continue
            delta = choice.get("delta") or {}
            facts = {**_ending(choice), **facts}
            text = delta.get("content") or ""
            members = self._members(delta)
            pieces = self._pieces(delta, members)
            if choice.get("finish_reason"):
                pieces += [_piece({}, index, '"}') for index in self._open]
                self._open = []
        # These do add up.
        adding = {"logprobs": facts.pop("logprobs")} if "logprobs" in facts else {}
        message = AIMessageChunk(
            content=text,
            additional_kwargs=members,
            tool_call_chunks=pieces,
            response_metadata={**self._once((), facts), **adding},
        )
        if "token_usage" in message.response_metadata:
            message.usage_metadata = usage_metadata(facts["token_usage"])
        if not (text or members or pieces or message.response_metadata):
            return None
        said = message.response_metadata
        ending = {k: said[k] for k in ("finish_reason",) if k in said}
        return ChatGenerationChunk(message=message, generation_info=ending or None)

    def _once(self, where: tuple[Any, ...], facts: dict[str, Any]) -> dict[str, Any]:
        """Those of the facts that were not said before."""
        new = {k: v for k, v in facts.items() if (*where, k) not in self._said}
        self._said.update((*where, k) for k in new)
        return new

    def _members(self, delta: Mapping[str, Any]) -> dict[str, Any]:
        members = _members(delta)
        details = members.get("reasoning_details")
        if isinstance(details, list):
            members["reasoning_details"] = [self._detail(one) for one in details]
        for name in ("audio", "function_call"):
            if isinstance(members.get(name), dict):
                members[name] = self._apart(name, members[name])
        if OTHERS in members:
            members[OTHERS] = self._news(members[OTHERS])
            if not members[OTHERS]:
                del members[OTHERS]
        return members

    def _news(self, others: dict[str, Any]) -> dict[str, Any]:
        """What nobody here knows: said again unchanged it is a state, not a piece."""
        out = {}
        for name, value in others.items():
            said = ("other", name, json.dumps(value, sort_keys=True))
            if said not in self._said:
                self._said.add(said)
                out[name] = value
        return out

    def _apart(self, where: Any, given: dict[str, Any]) -> dict[str, Any]:
        """Pieces of text, and of the rest what was not said before."""
        pieces = {k: v for k, v in given.items() if k in _TEXTS}
        same = {k: v for k, v in given.items() if k not in _TEXTS and v is not None}
        return {**self._once((where,), same), **pieces}

    def _detail(self, detail: Any) -> Any:
        """LangChain joins details of one index (OpenRouter has them), whatever their
        types, and their texts: those of a second type get an index of their own
        (DETAIL_STRIDE), and what is the same in all is said with the first."""
        if not isinstance(detail, dict) or not isinstance(detail.get("index"), int):
            return detail
        index = detail["index"]
        kinds = self._kinds.setdefault(index, [])
        kind = detail.get("type") or (kinds[-1] if kinds else None)
        if kind not in kinds:
            kinds.append(kind)
        index += DETAIL_STRIDE * kinds.index(kind)
        rest = {k: v for k, v in detail.items() if k != "index"}
        return {**self._apart(("detail", index), rest), "index": index}

    def _pieces(
        self, delta: Mapping[str, Any], members: dict[str, Any]
    ) -> list[ToolCallChunk]:
        pieces = []
        for call in delta.get("tool_calls") or ():
            index = call.get("index", 0)
            if call.get("id"):
                self._ids.setdefault(index, call["id"])
            args = (call.get("function") or {}).get("arguments")
            if "custom" in call:
                args = self._custom(index, call["custom"].get("input") or "")
            pieces.append(_piece(call, index, args))
            if index not in self._ids:
                continue
            extra = self._once(("call", index), _call_extra(call))
            if args and "custom" not in call:  # as the model wrote them
                extra["arguments"] = args
            if extra:
                extras = members.setdefault(CALL_EXTRAS, {})
                extras.setdefault(self._ids[index], {}).update(extra)
        return pieces

    def _custom(self, index: int, text: str) -> str:
        """LangChain reads arguments as JSON: a piece of the text in {"__arg1": …}."""
        opening = "" if index in self._open else '{"__arg1": "'
        if opening:
            self._open.append(index)
        return opening + json.dumps(text, ensure_ascii=False)[1:-1]


def _piece(call: Mapping[str, Any], index: int, args: str | None) -> ToolCallChunk:
    body = call.get("function") or call.get("custom") or {}
    return ToolCallChunk(
        type="tool_call_chunk",
        name=body.get("name"),
        args=args,
        id=call.get("id"),
        index=index,
    )
