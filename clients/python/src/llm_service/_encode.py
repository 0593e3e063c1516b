"""Requests: from OpenAI's JSON shape to the proto.

The twin of the service's server/http/parse_chat_request and parse_embeddings: the same
fields, the same faults with the same `param`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from llm_service._encode_message import encode_message
from llm_service._fields import (
    Reader,
    as_list,
    as_object,
    bad_field,
    dumps,
    pairs,
    raw,
    read_fields,
    scalar,
    texts,
)
from llm_service._stubs import chat_pb2 as pb
from llm_service._stubs import embeddings_pb2, usage_pb2

# --- tools and formats

_FUNCTION_FIELDS: dict[str, Reader] = {
    "name": scalar("name"),
    "description": scalar("description"),
    "parameters": raw("parameters"),
    "strict": scalar("strict"),
}
_CUSTOM_FIELDS: dict[str, Reader] = {
    "name": scalar("name"),
    "description": scalar("description"),
    "format": raw("format"),
}


def _named(member: str, fields: dict[str, Reader], extra: bool) -> Reader:
    def read(value: Any, path: str, out: pb.Tool) -> None:
        tool = getattr(out, member)
        tool.SetInParent()
        read_fields(value, path, fields, tool, extra=extra)
        if not tool.name:
            raise bad_field(f"{path}.name", "is missing")

    return read


_TOOLS: dict[str, Reader] = {
    "function": _named("function", _FUNCTION_FIELDS, True),
    "custom": _named("custom", _CUSTOM_FIELDS, False),
}


def _tool(value: Any, path: str, out: pb.Tool) -> None:
    kind = as_object(value, path).get("type")
    if kind is not None and not isinstance(kind, str):
        raise bad_field(f"{path}.type", "must be a string")
    if kind is None and value.get("function") is not None:
        kind = "function"
    out.type = kind or ""
    if kind not in _TOOLS:
        out.other_json = dumps(value, path)
        return
    read_fields(value, path, {"type": scalar("type"), kind: _TOOLS[kind]}, out)
    if not out.HasField("function" if kind == "function" else "custom"):
        raise bad_field(f"{path}.{kind}", "is missing")


def _tools(value: Any, path: str, out: pb.ChatCompletionRequest) -> None:
    for index, one in enumerate(as_list(value, path)):
        _tool(one, f"{path}[{index}]", out.tools.add())


def _tool_choice(value: Any, path: str, out: pb.ChatCompletionRequest) -> None:
    if isinstance(value, str):
        out.tool_choice.mode = value
        return
    if not isinstance(value, Mapping):
        raise bad_field(path, "must be a string or an object")
    kind = value.get("type")
    inner = value.get(kind) if isinstance(kind, str) else None
    name = inner.get("name") if isinstance(inner, Mapping) else None
    if kind == "function" and isinstance(name, str):
        out.tool_choice.function = name
    elif kind == "custom" and isinstance(name, str):
        out.tool_choice.custom = name
    else:
        out.tool_choice.other_json = dumps(value, path)


def _nested(member: str, fields: dict[str, Reader], extra: bool = False) -> Reader:
    def read(value: Any, path: str, out: Any) -> None:
        inner = getattr(out, member)
        inner.SetInParent()
        read_fields(value, path, fields, inner, extra=extra)

    return read


_SCHEMA_FIELDS: dict[str, Reader] = {
    "name": scalar("name"),
    "description": scalar("description"),
    "schema": raw("schema"),
    "strict": scalar("strict"),
}
_FORMAT_FIELDS: dict[str, Reader] = {
    "type": scalar("type"),
    "json_schema": _nested("json_schema", _SCHEMA_FIELDS),
}


def _response_format(value: Any, path: str, out: pb.ChatCompletionRequest) -> None:
    _nested("response_format", _FORMAT_FIELDS, True)(value, path, out)
    if not out.response_format.type:
        raise bad_field(f"{path}.type", "is missing")


# --- the chat request


def _messages(value: Any, path: str, out: pb.ChatCompletionRequest) -> None:
    for index, one in enumerate(as_list(value, path)):
        encode_message(one, f"{path}[{index}]", out.messages.add())


def _stop(value: Any, path: str, out: pb.ChatCompletionRequest) -> None:
    texts("stop")([value] if isinstance(value, str) else value, path, out)


_SCALARS = (
    "model parallel_tool_calls max_completion_tokens max_tokens temperature top_p "
    "frequency_penalty presence_penalty logprobs top_logprobs n seed "
    "reasoning_effort verbosity service_tier store user safety_identifier "
    "prompt_cache_key prompt_cache_retention task_type run_id agent priority strict"
).split()
_RAWS = (
    "prompt_cache_options web_search_options moderation functions function_call"
).split()
_CHAT_FIELDS: dict[str, Reader] = {
    **{name: scalar(name) for name in _SCALARS},
    **{name: raw(name) for name in _RAWS},
    "messages": _messages,
    "tools": _tools,
    "tool_choice": _tool_choice,
    "response_format": _response_format,
    "logit_bias": pairs("logit_bias", (int, float)),
    "stop": _stop,
    "modalities": texts("modalities"),
    "audio": _nested("audio", {"voice": raw("voice"), "format": scalar("format")}),
    "prediction": _nested(
        "prediction", {"type": scalar("type"), "content": raw("content")}
    ),
    "metadata": pairs("metadata", str),
    "stream_options": _nested(
        "stream_options",
        {
            "include_usage": scalar("include_usage"),
            "include_obfuscation": scalar("include_obfuscation"),
        },
    ),
    "stream": lambda value, path, out: None,  # the call says so
}
_EMBED_SCALARS = "model dimensions user run_id agent task_type priority strict".split()


def _input(value: Any, path: str, out: embeddings_pb2.CreateEmbeddingsRequest) -> None:
    if isinstance(value, str):
        out.input.append(value)
        return
    items = as_list(value, path)
    if items and isinstance(items[0], int):
        items = [items]
    for one in items:
        if isinstance(one, str):
            out.input.append(one)
            continue
        try:
            out.token_inputs.add().tokens.extend(one)
        except (TypeError, ValueError) as error:
            raise bad_field(path, "must hold texts, or token numbers") from error
    if out.input and out.token_inputs:
        raise bad_field(path, "must hold texts or token lists, and not both")


_EMBED_FIELDS: dict[str, Reader] = {
    **{name: scalar(name) for name in _EMBED_SCALARS},
    "input": _input,
    "metadata": pairs("metadata", str),
    "encoding_format": lambda value, path, out: None,  # floats on this wire
}


def _clean(value: Any) -> Any:
    """Lone surrogates as U+FFFD: they are no UTF-8, which protobuf insists on."""
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, Mapping):
        return {_clean(name): _clean(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(one) for one in value]
    return value


def _encode(
    body: Mapping[str, Any],
    fields: dict[str, Reader],
    out: Any,
    timeout: float | None,
) -> None:
    try:
        read_fields(body, "", fields, out)
    except UnicodeEncodeError:
        out.Clear()
        read_fields(_clean(body), "", fields, out)
    if timeout is not None:
        seconds = int(timeout)
        out.timeout.seconds = seconds
        out.timeout.nanos = int((timeout - seconds) * 1e9)


def chat_request(
    body: Mapping[str, Any], timeout: float | None
) -> pb.ChatCompletionRequest:
    """The chat request of a JSON body."""
    out = pb.ChatCompletionRequest()
    _encode(body, _CHAT_FIELDS, out, timeout)
    if not out.messages:
        raise bad_field("messages", "must hold at least one message")
    return out


def embeddings_request(
    body: Mapping[str, Any], timeout: float | None
) -> embeddings_pb2.CreateEmbeddingsRequest:
    """The embeddings request of a JSON body."""
    out = embeddings_pb2.CreateEmbeddingsRequest()
    _encode(body, _EMBED_FIELDS, out, timeout)
    return out


def usage_request(query: Mapping[str, Any]) -> usage_pb2.GetUsageRequest:
    """A usage report's query: from, to, by (a list), where (pairs)."""
    out = usage_pb2.GetUsageRequest(to=query["to"], by=query["by"])
    setattr(out, "from", query["from"])
    for name, value in query["where"].items():
        out.filter[name] = value
    return out
