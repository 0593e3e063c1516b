"""Messages of a conversation: from OpenAI's JSON shape to ordered parts.

The twin of the service's server/http/parse_message and parse_content_part, so that a
conversation means the same over gRPC as over HTTP.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from llm_service._fields import (
    Reader,
    as_list,
    as_object,
    bad_field,
    dumps,
    raw,
    read_fields,
    scalar,
)
from llm_service._places import Placed, add_in_place, read_place
from llm_service._stubs import chat_pb2 as pb

# --- content parts


def _url(value: Any, path: str, out: pb.MediaPart) -> None:
    if not isinstance(value, str):
        raise bad_field(path, "must be a string")
    out.url = value


def _data(value: Any, path: str, out: pb.MediaPart) -> None:
    if isinstance(value, str) and value.startswith(("http://", "https://", "data:")):
        out.url = value
        return
    try:
        out.data = base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise bad_field(path, "must be base64 or a data: URL") from error


_URL_FIELDS: dict[str, Reader] = {"url": _url, "detail": scalar("detail")}
_AUDIO_FIELDS: dict[str, Reader] = {"data": _data, "format": scalar("mime_type")}
_FILE_FIELDS: dict[str, Reader] = {
    "file_id": scalar("file_id"),
    "file_data": _data,
    "filename": scalar("filename"),
}


def _media(kind: pb.MediaPart.Kind, known: dict[str, Reader], needs: str) -> Reader:
    def read(value: Any, path: str, out: pb.Part) -> None:
        out.media.kind = kind
        if known is _URL_FIELDS and isinstance(value, str):
            _url(value, path, out.media)
            return
        read_fields(value, path, known, out.media, extra=False)
        if out.media.WhichOneof("source") is None:
            raise bad_field(f"{path}.{needs}", "is missing")

    return read


def _text(value: Any, path: str, out: pb.Part) -> None:
    if not isinstance(value, str):
        raise bad_field(path, "must be a string")
    out.text.text = value


def _refusal(value: Any, path: str, out: pb.Part) -> None:
    if not isinstance(value, str):
        raise bad_field(path, "must be a string")
    out.refusal.text = value


def _skip(value: Any, path: str, out: Any) -> None:
    pass


# The types of parts, which are the names of the members that hold them, too.
_PART_KINDS: dict[str, Reader] = {
    "text": _text,
    "image_url": _media(pb.MediaPart.IMAGE, _URL_FIELDS, "url"),
    "input_audio": _media(pb.MediaPart.AUDIO, _AUDIO_FIELDS, "data"),
    "file": _media(pb.MediaPart.FILE, _FILE_FIELDS, "file_id"),
    "refusal": _refusal,
    "video_url": _media(pb.MediaPart.VIDEO, _URL_FIELDS, "url"),
}


def _content_part(value: Any, path: str, out: pb.Part) -> None:
    kind = as_object(value, path).get("type")
    if not isinstance(kind, str):
        raise bad_field(f"{path}.type", "must be a string")
    if kind not in _PART_KINDS:
        out.opaque.origin = "openai"
        out.opaque.json = dumps(value, path)
        return
    read_fields(value, path, {"type": _skip, kind: _PART_KINDS[kind]}, out)
    if out.WhichOneof("kind") is None:
        raise bad_field(f"{path}.{kind}", "is missing")


def _add_content(value: Any, path: str, out: pb.Message) -> None:
    if value is None:
        return
    if isinstance(value, str):
        out.parts.add().text.text = value
        return
    if not isinstance(value, (list, tuple)):
        raise bad_field(path, "must be a string, an array of parts or null")
    for index, one in enumerate(value):
        _content_part(one, f"{path}[{index}]", out.parts.add())


# --- tool calls


def _arguments(value: Any, path: str, out: pb.FunctionCall) -> None:
    # Text by contract; some callers have the object itself.
    out.arguments = value if isinstance(value, str) else dumps(value, path)


def _function(value: Any, path: str, out: pb.ToolCall) -> None:
    known = {"name": scalar("name"), "arguments": _arguments}
    out.function.SetInParent()
    read_fields(value, path, known, out.function, extra=False)


def _custom(value: Any, path: str, out: pb.ToolCall) -> None:
    known = {"name": scalar("name"), "input": scalar("input")}
    out.custom.SetInParent()
    read_fields(value, path, known, out.custom, extra=False)


_CALL_FIELDS: dict[str, Reader] = {
    "id": scalar("id"),
    "type": scalar("type"),
    "index": _skip,  # the position in the array is what counts
    "function": _function,
    "custom": _custom,
}


def _member(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _take_signature(call: Any, out: pb.ToolCall) -> None:
    """A signature as the service writes it, or as Google's own endpoint does. Only
    what is marked as the service's is taken out: the rest is the provider's."""
    content = _member(call, "extra_content")
    proof = _member(content, "google", "thought_signature")
    if not isinstance(proof, str):
        return
    ours = _member(content, "llm_service")
    out.signature = proof
    out.signature_origin = _member(ours, "origin") or "gemini"
    out.origin_model = _member(ours, "model") or ""
    if ours is None:
        return
    others = json.loads(out.extra_json)
    del others["extra_content"]
    out.extra_json = dumps(others) if others else ""


def _tool_calls(value: Any, path: str) -> list[pb.Part]:
    out: list[pb.Part] = []
    for index, one in enumerate(as_list(value, path) if value is not None else ()):
        here = f"{path}[{index}]"
        part = pb.Part()
        call = part.tool_call
        call.index = index
        read_fields(one, here, _CALL_FIELDS, call)
        _take_signature(one, call)
        if not call.type:
            call.type = "custom" if call.HasField("custom") else "function"
        if call.type == "function" and not call.HasField("function"):
            raise bad_field(f"{here}.function", "is missing")
        out.append(part)
    return out


# --- reasoning and what only its maker understands


def _origin_of(style: Any) -> str:
    style = style if isinstance(style, str) else ""
    if style.startswith("anthropic"):
        return "anthropic"
    return "gemini" if style.startswith("google") else "openai"


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _detail(value: Any) -> Placed | None:
    if not isinstance(value, Mapping):
        return None
    part = pb.Part()
    out = part.reasoning
    kind = value.get("type")
    if kind == "reasoning.text":
        out.text = _string(value.get("text"))
        out.signature = _string(value.get("signature"))
    elif kind == "reasoning.summary":
        out.text = _string(value.get("summary"))
        out.summary = True
    elif kind == "reasoning.encrypted":
        out.redacted_data = _string(value.get("data"))
    else:
        return None
    if out.signature or out.redacted_data:
        out.origin = _origin_of(value.get("format"))
        out.origin_model = _string(value.get("model"))
    out.SetInParent()
    return Placed(part, read_place(value))


def _opaque(value: Any, path: str) -> list[Placed]:
    out: list[Placed] = []
    for index, one in enumerate(as_list(value, path) if value is not None else ()):
        if not isinstance(_member(one, "origin"), str) or not isinstance(
            _member(one, "part"), Mapping
        ):
            raise bad_field(f"{path}[{index}]", "must have an origin and a part")
        part = pb.Part()
        part.opaque.origin = one["origin"]
        part.opaque.json = dumps(one["part"], path)
        if isinstance(one.get("extra"), Mapping):
            part.extra_json = dumps(one["extra"], path)
        out.append(Placed(part, read_place(one)))
    return out


def _join_text(text: str, details: list[Placed]) -> bool:
    """One signature proves the whole text. Of several nobody knows which piece each
    proves: they become proofs of no maker, which every dialect leaves out."""
    signed = [one.part.reasoning for one in details if one.part.reasoning.signature]
    if len(signed) == 1:
        signed[0].text = text
        return True
    for proof in signed:
        proof.redacted_data = proof.signature
        for name in ("signature", "origin", "origin_model"):
            setattr(proof, name, "")
    return False


def _add_reasoning(text: str | None, details: list[Placed], out: pb.Message) -> None:
    has_text = any(one.part.reasoning.text for one in details)
    if text is not None and not has_text and not _join_text(text, details):
        out.parts.add().reasoning.text = text
    out.parts.extend(one.part for one in details)


# --- the message

_MESSAGE_FIELDS: dict[str, Reader] = {
    "role": scalar("role"),
    "name": scalar("name"),
    "tool_call_id": scalar("tool_call_id"),
    "audio": raw("audio"),
    "annotations": raw("annotations"),
    "function_call": raw("function_call"),
    "content": _skip,
    "tool_calls": _skip,
    "refusal": _skip,
    "reasoning_content": _skip,
    "reasoning": _skip,
    "opaque_parts": _skip,
}


def _add_parts(value: Mapping[str, Any], path: str, out: pb.Message) -> None:
    name = "reasoning_content"
    if value.get(name) is None:
        name = "reasoning"
    thought = value.get(name)
    if thought is not None and not isinstance(thought, str):
        raise bad_field(f"{path}.{name}", "must be a string")
    listed = value.get("reasoning_details")
    found = map(_detail, listed) if isinstance(listed, (list, tuple)) else ()
    details = [one for one in found if one is not None]
    opaque = _opaque(value.get("opaque_parts"), f"{path}.opaque_parts")
    calls = _tool_calls(value.get("tool_calls"), f"{path}.tool_calls")
    content = value.get("content")
    flat = content is None or isinstance(content, str)
    if not (
        flat
        and (details or opaque)
        and add_in_place(content or "", thought or "", calls, details + opaque, out)
    ):
        _add_reasoning(thought, details, out)
        out.parts.extend(one.part for one in opaque)
        _add_content(content, f"{path}.content", out)
    refusal = value.get("refusal")
    if refusal is not None:
        _refusal(refusal, f"{path}.refusal", out.parts.add())
    out.parts.extend(calls)


def encode_message(value: Any, path: str, out: pb.Message) -> None:
    """One message of a request, in OpenAI's JSON shape."""
    read_fields(value, path, _MESSAGE_FIELDS, out)
    if not out.role:
        raise bad_field(f"{path}.role", "is missing")
    _add_parts(value, path, out)
