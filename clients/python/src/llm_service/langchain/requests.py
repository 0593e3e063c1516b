"""LangChain's messages, as the dicts in OpenAI's shape that the clients take."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    convert_to_openai_messages,
)

# Members of an answer that only their maker understands or that OpenAI knows: they
# are in `additional_kwargs` and go back with the message.
CARRIED = (
    "reasoning_content",
    "reasoning_details",
    "opaque_parts",
    "refusal",
    "annotations",
    "audio",
    "images",
    "function_call",
)
# All other members of an answer's message.
OTHERS = "llm_service_message"
# By call id: what a LangChain tool call has no place for (signatures, the arguments
# as the model wrote them).
CALL_EXTRAS = "llm_service_tool_calls"
# Added to the index of a reasoning detail for each type before its own there; see
# ChunkReader, whose only way it is to keep LangChain from joining them.
DETAIL_STRIDE = 1_000_000

_WORDS = frozenset(("text", "text-plain"))

# Blocks that are no content of a user's either: they came over from an assistant.
_NO_CONTENT = frozenset(
    (
        "tool_use",
        "tool_call",
        "tool_call_chunk",
        "invalid_tool_call",
        "function_call",
        "server_tool_call",
        "server_tool_result",
        "thinking",
        "redacted_thinking",
        "reasoning",
        "reasoning_content",
        "non_standard",
    )
)


def to_dicts(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """The conversation; ValueError for a message of no known kind."""
    return [out for message in messages for out in _to_dicts(message)]


def _to_dicts(message: BaseMessage) -> Iterable[dict[str, Any]]:
    if isinstance(message, AIMessage):
        return [_named(message, _assistant(message))]
    if isinstance(message, ToolMessage):
        return [_tool(message)]
    if isinstance(message, FunctionMessage):
        content = _content(message.content)
        return [{"role": "function", "name": message.name, "content": content}]
    if isinstance(message, SystemMessage):
        role = message.additional_kwargs.get("__openai_role__", "system")
    elif isinstance(message, HumanMessage):
        return _human(message)
    elif isinstance(message, ChatMessage):
        role = message.role
    else:
        raise ValueError(f"a {type(message).__name__} cannot be sent to a model")
    return [_named(message, {"role": role, "content": _content(message.content)})]


def _named(message: BaseMessage, out: dict[str, Any]) -> dict[str, Any]:
    return {**out, "name": message.name} if message.name else out


def _human(message: HumanMessage) -> Iterable[dict[str, Any]]:
    """Anthropic's form has tool results among the user's blocks."""
    blocks = message.content if isinstance(message.content, list) else []
    results = [
        block
        for block in blocks
        if isinstance(block, dict) and block.get("type") == "tool_result"
    ]
    for block in results:
        content = block.get("content", "")
        yield {
            "role": "tool",
            "tool_call_id": block.get("tool_use_id", ""),
            "content": _content(content),
        }
    rest = [block for block in blocks if block not in results]
    if rest or not results:
        content = _content(rest if results else message.content)
        yield _named(message, {"role": "user", "content": content})


def _tool(message: ToolMessage) -> dict[str, Any]:
    content = _content(message.content)
    return {"role": "tool", "tool_call_id": message.tool_call_id, "content": content}


def _content(content: str | Sequence[Any]) -> str | list[dict[str, Any]]:
    if isinstance(content, str):
        return content
    return [part for block in content for part in _block(block)]


def _block(block: Any) -> list[dict[str, Any]]:
    if isinstance(block, str):
        return [{"type": "text", "text": block}]
    kind = block.get("type")
    if kind in _WORDS and isinstance(block.get("text"), str):
        out = {"type": "text", "text": block["text"]}
        if "cache_control" in block:  # Anthropic's, which the service passes on
            out["cache_control"] = block["cache_control"]
        return [out]
    if kind in _NO_CONTENT:
        return []
    # LangChain knows the forms of all its providers.
    made = convert_to_openai_messages(HumanMessage(content=[block]))
    parts = made["content"] if isinstance(made, dict) else []
    return [parts] if isinstance(parts, dict) else list(parts)


def _assistant(message: AIMessage) -> dict[str, Any]:
    known = message.additional_kwargs
    calls = [*_calls(message), *_anthropic_calls(message)]
    text = _assistant_text(message.content)
    out: dict[str, Any] = {"role": "assistant", "content": text or None}
    if not text and not calls:
        out["content"] = ""
    out.update(known.get(OTHERS) or {})
    out.update({name: known[name] for name in CARRIED if known.get(name) is not None})
    if "reasoning_content" not in out and (thought := _thought(message.content)):
        out["reasoning_content"] = thought
    details = out.get("reasoning_details") or _proofs(message.content)
    if details:
        out["reasoning_details"] = [_as_indexed(one) for one in details]
    if "refusal" not in out and (refusal := _refusal(message.content)):
        out["refusal"] = refusal
    if calls:
        out["tool_calls"] = calls
    return out


def _as_indexed(detail: Any) -> Any:
    """A detail under the index that its provider gave it."""
    if not isinstance(detail, dict) or not isinstance(detail.get("index"), int):
        return detail
    return {**detail, "index": detail["index"] % DETAIL_STRIDE}


def _blocks(content: str | Sequence[Any]) -> list[dict[str, Any]]:
    blocks = [] if isinstance(content, str) else content
    return [block for block in blocks if isinstance(block, dict)]


def _assistant_text(content: str | Sequence[Any]) -> str | list[dict[str, Any]]:
    """The words of an assistant, which are all the content that models take back.

    Whatever else other models' answers have (calls, thoughts, refusals, searches,
    made pictures) has a place of its own in the message, or none.
    """
    if isinstance(content, str):
        return content
    parts = [
        part
        for block in content
        if isinstance(block, str)
        or (block.get("type") in _WORDS and isinstance(block.get("text"), str))
        for part in _block(block)
        if part.get("type") == "text"
    ]
    if any("cache_control" in part for part in parts):
        return parts
    return "".join(part["text"] for part in parts)


def _refusal(content: str | Sequence[Any]) -> str:
    return "".join(
        block.get("refusal") or ""
        for block in _blocks(content)
        if block.get("type") == "refusal"
    )


def _thought(content: str | Sequence[Any]) -> str:
    """The reasoning of messages that other models, or output_version "v1", made."""
    return "".join(
        text
        for text, proof in map(_reasoned, _blocks(content))
        if not proof
    )


def _reasoned(block: Mapping[str, Any]) -> tuple[str, str]:
    """The thought in a block and its signature, in the forms of LangChain's models:
    its own and OpenAI's "reasoning", Anthropic's "thinking", Bedrock's."""
    kind = block.get("type")
    if kind == "reasoning":
        summary = block.get("summary") or ()
        texts = [one.get("text") or "" for one in _blocks(summary)]
        return block.get("reasoning") or "\n".join(texts), ""
    if kind == "thinking":
        return block.get("thinking") or "", block.get("signature") or ""
    inner = block.get("reasoning_content")
    if kind == "reasoning_content" and isinstance(inner, dict):
        return inner.get("text") or "", inner.get("signature") or ""
    return "", ""


def _proofs(content: str | Sequence[Any]) -> list[dict[str, Any]]:
    """The signed and redacted thoughts of LangChain's models of Claude."""
    out: list[dict[str, Any]] = []
    for block in _blocks(content):
        text, proof = _reasoned(block)
        if proof:
            out.append({"type": "reasoning.text", "text": text, "signature": proof})
        elif block.get("type") == "redacted_thinking":
            data = block.get("data") or ""
            out.append({"type": "reasoning.encrypted", "data": data})
    return [{**one, "format": "anthropic-claude-v1"} for one in out]


def _calls(message: AIMessage) -> Iterable[dict[str, Any]]:
    extras = message.additional_kwargs.get(CALL_EXTRAS) or {}
    for call in message.tool_calls:
        extra = dict(extras.get(call["id"]) or {})
        text = extra.pop("arguments", "")
        if extra.pop("type", "function") == "custom":
            made = {"name": call["name"], "input": call["args"].get("__arg1", "")}
            yield {"type": "custom", "id": call["id"], "custom": made, **extra}
            continue
        # The model's own text, unless somebody has changed the arguments since:
        # another text would be another prompt for a provider's cache.
        if not text or _parsed(text) != call["args"]:
            text = json.dumps(call["args"], ensure_ascii=False)
        yield _function(call["id"], call["name"], text, extra)
    for wrong in message.invalid_tool_calls:
        extra = dict(extras.get(wrong["id"]) or {})
        for name in ("arguments", "type"):
            extra.pop(name, None)
        args = wrong["args"] or ""
        yield _function(wrong["id"], wrong["name"] or "", args, extra)


def _function(
    call_id: str | None, name: str, arguments: str, extra: Mapping[str, Any]
) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"type": "function", "id": call_id, "function": function, **extra}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _anthropic_calls(message: AIMessage) -> Iterable[dict[str, Any]]:
    """Calls that are only among the content blocks, as Anthropic's model has them."""
    known = {call["id"] for call in message.tool_calls}
    blocks = message.content if isinstance(message.content, list) else []
    for block in blocks:
        if not isinstance(block, dict) or block.get("type") != "tool_use":
            continue
        if block.get("id") not in known:
            text = json.dumps(block.get("input") or {}, ensure_ascii=False)
            yield _function(block.get("id"), block.get("name", ""), text, {})
