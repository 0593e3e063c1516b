"""What Anthropic's Messages API refuses (2026-08-22), as functions that raise,
in the order the real one looks. The official package's types judge the shape.
"""

from __future__ import annotations

import re

import anthropic.types as types
from anthropic.types import message_create_params as params
from pydantic import ConfigDict, TypeAdapter, ValidationError
from typing_extensions import is_typeddict

from twin_server import Refusal

# The types do not say it, the API does: what they do not name is refused.
for _name in dir(types):
    if is_typeddict(getattr(types, _name)):
        getattr(types, _name).__pydantic_config__ = ConfigDict(
            extra="forbid", arbitrary_types_allowed=True)

# Gone from the package's signature, still taken for older models.
SAMPLING = ("temperature", "top_p", "top_k")
FIELDS = set(params.MessageCreateParamsBase.__annotations__) | {
    "stream", *SAMPLING}
BLOCKS = {
    "text": types.TextBlockParam, "image": types.ImageBlockParam,
    "document": types.DocumentBlockParam,
    "thinking": types.ThinkingBlockParam,
    "redacted_thinking": types.RedactedThinkingBlockParam,
    "tool_use": types.ToolUseBlockParam,
    "tool_result": types.ToolResultBlockParam,
    "search_result": types.SearchResultBlockParam,
    "server_tool_use": types.ServerToolUseBlockParam,
    "web_search_tool_result": types.WebSearchToolResultBlockParam,
}
_ADAPTERS = {name: TypeAdapter(kind) for name, kind in BLOCKS.items()}
_SHAPE = TypeAdapter(params.MessageCreateParamsNonStreaming)
SCHEMA_KEYS = set("""$ref $defs definitions type properties required items enum
    const anyOf allOf title description default format
    additionalProperties""".split())
SCHEMA_FORMATS = set("""date-time time date duration email hostname uri ipv4
    ipv6 uuid""".split())


def refuse(message, status=400, kind="invalid_request_error"):
    return Refusal(status, {
        "type": "error", "error": {"type": kind, "message": message},
        "request_id": "req_011Twin"}, {"request-id": "req_011Twin"})


def walk(value):
    """Makes pydantic look at what it would validate only when iterated."""
    if isinstance(value, dict):
        for inner in value.values():
            walk(inner)
    elif not isinstance(value, (str, bytes, int, float, type(None))):
        try:
            for inner in value:
                walk(inner)
        except TypeError:
            pass


def as_typed(adapter, value, where=""):
    try:
        walk(adapter.validate_python(value))
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join([where] * bool(where) + [
            str(p) for p in first["loc"] if "[" not in str(p)])
        word = ("Extra inputs are not permitted"
                if first["type"] == "extra_forbidden"
                else "Field required" if first["type"] == "missing"
                else first["msg"])
        raise refuse(f"{path}: {word}") from error


def check_shape(body):
    for name in body:
        if name not in FIELDS:
            raise refuse(f"{name}: Extra inputs are not permitted")
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            raise refuse(f"{name}: Field required")
    if not body["messages"]:
        raise refuse("messages: at least one message is required")
    for index, message in enumerate(body["messages"]):
        if message.get("role") not in ("user", "assistant"):
            raise refuse(f"messages.{index}.role: Input should be 'user' or "
                         "'assistant'")
        for place, block in enumerate(blocks_of(message)):
            kind = block.get("type")
            where = f"messages.{index}.content.{place}"
            if kind not in BLOCKS:
                raise refuse(f"{where}: Input tag '{kind}' found using 'type' "
                             "does not match any of the expected tags")
            as_typed(_ADAPTERS[kind], block, f"{where}.{kind}")
    as_typed(_SHAPE, {k: v for k, v in body.items()
                      if k not in ("stream", "messages", *SAMPLING)}
             | {"messages": []})


def blocks_of(message) -> list:
    content = message["content"]
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return content


def merged(messages) -> list:
    """(role, blocks, index of the first) with same roles together."""
    out = []
    for index, message in enumerate(messages):
        if out and out[-1][0] == message["role"]:
            out[-1][1].extend(blocks_of(message))
        else:
            out.append((message["role"], list(blocks_of(message)), index))
    return out


def check_texts(turns):
    for at, (role, blocks, index) in enumerate(turns):
        last = at == len(turns) - 1
        if not blocks and not (last and role == "assistant"):
            raise refuse(f"messages.{index}: all messages must have non-empty "
                         "content except for the optional final assistant "
                         "message")
        for block in blocks:
            for text in [block] if block["type"] == "text" else (
                    inner for inner in block.get("content") or []
                    if isinstance(inner, dict)
                    and inner.get("type") == "text"):
                if not text["text"]:
                    raise refuse("messages: text content blocks must be "
                                 "non-empty")
                if not text["text"].strip():
                    raise refuse("messages: text content blocks must contain "
                                 "non-whitespace text")


def check_system(body):
    system = body.get("system")
    for block in system if isinstance(system, list) else []:
        if not block["text"].strip():
            raise refuse("system: text content blocks must be non-empty")


def check_tool_order(turns):
    seen = set()
    for at, (role, blocks, index) in enumerate(turns):
        uses = [b["id"] for b in blocks if b["type"] == "tool_use"]
        for ident in uses:
            if not re.fullmatch(r"[a-zA-Z0-9_-]+", ident):
                raise refuse(f"messages.{index}.content.0.tool_use.id: String "
                             "should match pattern '^[a-zA-Z0-9_-]+$'")
            if ident in seen:
                raise refuse("messages: `tool_use` ids must be unique")
            seen.add(ident)
        after = turns[at + 1][1] if at + 1 < len(turns) else []
        answered = []
        for block in after:  # results come first
            if block["type"] != "tool_result":
                break
            answered.append(block["tool_use_id"])
        missing = [ident for ident in uses if ident not in answered]
        if missing:
            raise refuse(
                f"messages.{index}: `tool_use` ids were found without "
                "`tool_result` blocks immediately after: "
                f"{', '.join(missing)}. Each `tool_use` block must have a "
                "corresponding `tool_result` block in the next message.")
        check_results(turns, at, blocks, index)


def check_results(turns, at, blocks, index):
    before = {b["id"] for b in turns[at - 1][1]
              if b["type"] == "tool_use"} if at else set()
    got = [b["tool_use_id"] for b in blocks if b["type"] == "tool_result"]
    for place, ident in enumerate(got):
        if ident not in before:
            raise refuse(
                f"messages.{index}.content.{place}: unexpected `tool_use_id` "
                f"found in `tool_result` blocks: {ident}. Each `tool_result` "
                "block must have a corresponding `tool_use` block in the "
                "previous message.")
    if len(got) != len(set(got)):
        raise refuse(f"messages.{index}.content: each tool_use must have a "
                     "single result. Found multiple `tool_result` blocks "
                     "with the same id")


def check_tools(body, turns):
    tools = body.get("tools") or []
    names = [tool["name"] for tool in tools if "name" in tool]
    for index, tool in enumerate(tools):
        if "input_schema" not in tool:
            continue
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", tool["name"]):
            raise refuse(f"tools.{index}.custom.name: String should match "
                         "pattern '^[a-zA-Z0-9_-]{1,128}$'")
        if tool["input_schema"].get("type") != "object":
            raise refuse(f"tools.{index}.custom.input_schema.type: Input "
                         "should be 'object'")
        if tool.get("strict"):
            check_schema(tool["input_schema"],
                         f"tools.{index}.custom.input_schema")
    if len(names) != len(set(names)):
        raise refuse("tools: Tool names must be unique.")
    used = any(b["type"] in ("tool_use", "tool_result")
               for _, blocks, _ in turns for b in blocks)
    if used and not tools:
        raise refuse("Requests which include `tool_use` or `tool_result` "
                     "blocks must define tools")
    choice = body.get("tool_choice")
    if choice and not tools:
        raise refuse("tool_choice may only be specified while providing "
                     "tools.")
    if choice and choice["type"] == "tool" and choice["name"] not in names:
        raise refuse(f"Tool '{choice['name']}' not found in provided tools")


def marks_in(block):
    inside = block.get("content") if block["type"] == "tool_result" else []
    inside = inside if isinstance(inside, list) else []
    return sum("cache_control" in one for one in [block, *inside])


def check_cache(body, turns):
    count = sum(marks_in(block) for _, blocks, _ in turns for block in blocks)
    count += sum("cache_control" in tool for tool in body.get("tools") or [])
    if isinstance(body.get("system"), list):
        count += sum("cache_control" in block for block in body["system"])
    limit = 3 if body.get("cache_control") else 4
    if count > limit:
        raise refuse(f"A maximum of {limit} blocks with cache_control may be "
                     f"provided. Found {count}.")


def check_schema(schema, where="output_config.format.schema"):
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        if key not in SCHEMA_KEYS:
            raise refuse(f"{where}: For '{schema.get('type', 'object')}' "
                         f"type, property '{key}' is not supported")
        if key == "format" and value not in SCHEMA_FORMATS:
            raise refuse(f"{where}: String format '{value}' is not supported")
    if schema.get("type") == "object" and (
            schema.get("additionalProperties") is not False):
        raise refuse(f"{where}: For 'object' type, 'additionalProperties' "
                     "must be explicitly set to false")
    for name in ("properties", "$defs", "definitions"):
        for inner in schema.get(name, {}).values():
            check_schema(inner, where)
    for name in ("anyOf", "allOf"):
        for inner in schema.get(name, []):
            check_schema(inner, where)
    check_schema(schema.get("items"), where)


class Model:
    """What a Claude model takes (anthropic.md 3.4 to 3.6)."""

    def __init__(self, name):
        new = re.search(r"(opus|sonnet|fable|mythos)-5|opus-4-[78]", name)
        self.name, self.newest = name, bool(new)
        self.adaptive = bool(new or re.search(r"(opus|sonnet)-4-6", name))
        self.enabled = not new
        self.effort = self.adaptive or "opus-4-5" in name
        self.prefill = not self.adaptive
        self.structured = bool(self.adaptive or re.search(
            r"opus-4-[15]|(sonnet|haiku)-4-5", name))
        self.levels = ["low", "medium", "high", "max"] + ["xhigh"] * self.newest
        self.limit = 128000 if self.adaptive else 64000
        self.thinks_by_default = "sonnet-5" in name


def check_settings(body, model):
    for name in SAMPLING:
        if name in body and model.newest:
            raise refuse(f"`{name}` is deprecated for this model.")
    if "temperature" in body and "top_p" in body:
        raise refuse("`temperature` and `top_p` cannot both be specified for "
                     "this model. Please use only one.")
    if not 0 <= body.get("temperature", 0) <= 1:
        raise refuse("temperature: range: 0..1")
    if body["max_tokens"] > model.limit:
        raise refuse(f"max_tokens: {body['max_tokens']} > {model.limit}, which "
                     "is the maximum allowed number of output tokens for "
                     f"{model.name}")
    for text in body.get("stop_sequences") or []:
        if not text.strip():
            raise refuse("stop_sequences: each stop sequence must contain "
                         "non-whitespace")
    output = body.get("output_config") or {}
    if "effort" in output:
        if not model.effort:
            raise refuse("This model does not support the effort parameter.")
        if output["effort"] not in model.levels:
            raise refuse("This model does not support effort level "
                         f"'{output['effort']}'. Supported levels: "
                         f"{', '.join(sorted(model.levels))}.")
    if "format" in output:
        if not model.structured:
            raise refuse(f"'{model.name}' does not support output format.")
        check_schema(output["format"]["schema"])


def check_thinking(body, model):
    thinking = body.get("thinking") or {}
    kind = thinking.get("type")
    if kind == "adaptive" and not model.adaptive:
        raise refuse("adaptive thinking is not supported on this model")
    if kind != "enabled":
        return
    if not model.enabled:
        raise refuse('"thinking.type.enabled" is not supported for this '
                     'model. Use "thinking.type.adaptive" and '
                     '"output_config.effort" to control thinking behavior.')
    if thinking["budget_tokens"] < 1024:
        raise refuse("thinking.enabled.budget_tokens: Input should be greater "
                     "than or equal to 1024")
    if thinking["budget_tokens"] >= body["max_tokens"]:
        raise refuse("`max_tokens` must be greater than "
                     "`thinking.budget_tokens`.")
    if body.get("temperature", 1) != 1 or "top_k" in body:
        raise refuse("`temperature` may only be set to 1 when thinking is "
                     "enabled.")
    if not 0.95 <= body.get("top_p", 1) <= 1:
        raise refuse("`top_p` must be greater than or equal to 0.95 or unset "
                     "when thinking is enabled.")
    if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
        raise refuse("Thinking may not be enabled when tool_choice forces "
                     "tool use.")


def check_end(turns, model, thinking):
    role, blocks, _ = turns[-1]
    if turns[0][0] != "user":
        raise refuse('messages: first message must use the "user" role')
    if role != "assistant":
        return
    if not model.prefill or thinking:
        raise refuse("This model does not support assistant message prefill. "
                     "The conversation must end with a user message.")
    if blocks and blocks[-1].get("text", "").endswith((" ", "\n")):
        raise refuse("messages: final assistant content cannot end with "
                     "trailing whitespace")
