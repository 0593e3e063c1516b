"""Strict twin of OpenAI's chat completions (2026-08-21), and what it shares
with other servers of the dialect.
"""

from __future__ import annotations

import json
import re
import time

from twin_server import NAMES, Refusal, Say, Turn, Twin, cut, event, mint

OPENAI_FIELDS = frozenset("""
    model messages audio frequency_penalty function_call functions logit_bias
    logprobs max_completion_tokens max_tokens metadata modalities moderation n
    parallel_tool_calls prediction presence_penalty prompt_cache_key
    prompt_cache_options prompt_cache_retention reasoning_effort
    response_format safety_identifier seed service_tier stop store stream
    stream_options temperature tool_choice tools top_logprobs top_p user
    verbosity web_search_options""".split())
MESSAGE_FIELDS = {
    "developer": {"role", "content", "name"},
    "system": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    # annotations: widely observed, clients send answers back whole.
    "assistant": {"role", "content", "name", "refusal", "audio", "tool_calls",
                  "function_call", "annotations"},
    "tool": {"role", "content", "tool_call_id"},
    "function": {"role", "content", "name"},
}
SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty",
            "logit_bias", "logprobs", "top_logprobs")
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def text_of(content) -> str:
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content or ""


def told_schema(messages) -> dict:
    """A JSON schema in the system's words, as a model would follow it."""
    for message in reversed(messages):
        text = text_of(message.get("content"))
        for start in re.finditer(r"\{", text):
            try:
                found = json.JSONDecoder().raw_decode(text[start.start():])[0]
            except ValueError:
                continue
            if "properties" in found:
                return found
    return {}


class CompatibleTwin(Twin):
    """The rules that both share: shape, order of tool messages, answers."""

    def error(self, message, param=None, code=None, status=400):
        return Refusal(status, {"error": {
            "message": message, "type": "invalid_request_error",
            "param": param, "code": code}})

    def check(self, seen):
        if not re.fullmatch(r"Bearer \S+", seen.headers.get(
                "authorization", "")):
            raise self.error("You didn't provide an API key.",
                             code="invalid_api_key", status=401)
        if seen.path != "/v1/chat/completions":
            raise self.error("Invalid URL (POST %s)" % seen.path, status=404)
        body = seen.body
        if not body.get("messages"):
            raise self.error("Invalid 'messages': empty array.", "messages",
                             "empty_array")
        self.check_fields(body)
        turn = Turn()
        self.check_messages(body["messages"], turn)
        self.check_tools(body)
        self.check_state(body)
        return Say(turn, bool(body.get("tools"))
                   and body.get("tool_choice") != "none",
                   self.forced(body), self.shape(body))

    def forced(self, body):
        choice = body.get("tool_choice")
        only = body.get("tools") or []
        if len(only) == 1 and choice in (None, "auto"):
            # What a model with one strange tool does without being forced.
            choice = only[0] if only[0]["function"]["name"] not in NAMES \
                else None
        name = (choice.get("function") or {}).get("name") if isinstance(
            choice, dict) else None
        for tool in body.get("tools") or []:
            known = tool["function"]
            if known["name"] == name or choice == "required":
                return known["name"], known.get("parameters") or {}
        return None

    def shape(self, body):
        asked = body.get("response_format") or {}
        if asked.get("type") == "json_object":
            if "json" not in json.dumps(body["messages"]).lower():
                raise self.error(
                    "'messages' must contain the word 'json' in some form, to "
                    "use 'response_format' of type 'json_object'.",
                    "messages")
            return told_schema(body["messages"])
        return (asked.get("json_schema") or {}).get("schema")

    def check_fields(self, body):
        raise NotImplementedError

    def check_state(self, body):
        """What must come back with the conversation."""

    def check_tools(self, body):
        if "tools" in body and not body["tools"]:
            raise self.error("Invalid 'tools': empty array. Expected an array "
                             "with minimum length 1, but got an empty array "
                             "instead.", "tools", "empty_array")
        for index, tool in enumerate(body.get("tools") or []):
            name = (tool.get("function") or tool.get("custom") or {}).get(
                "name", "")
            if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
                raise self.error(
                    f"Invalid 'tools[{index}].function.name': string does not "
                    "match pattern. Expected a string that matches the "
                    "pattern '^[a-zA-Z0-9_-]+$'.",
                    f"tools[{index}].function.name", "invalid_value")

    def check_messages(self, messages, turn):
        open_ids = []
        for index, message in enumerate(messages):
            role = message.get("role")
            self.check_message(message, index)
            if role == "tool":
                if message.get("tool_call_id") not in open_ids:
                    raise self.error(
                        "Invalid parameter: messages with role 'tool' must be "
                        "a response to a preceeding message with "
                        "'tool_calls'.", f"messages.[{index}].role")
                open_ids.remove(message["tool_call_id"])
                turn.results.append(text_of(message["content"]))
                continue
            self.check_answered(open_ids, index)
            if role == "user":
                turn.ask()
            calls = message.get("tool_calls") or []
            turn.rounds += bool(calls)
            open_ids = [call["id"] for call in calls]
            for call in calls:
                if not isinstance(call["function"]["arguments"], str):
                    raise self.error("Invalid type for 'messages"
                                     f"[{index}].tool_calls[0].function."
                                     "arguments': expected a string.")
        self.check_answered(open_ids, len(messages))

    def check_answered(self, open_ids, index):
        if open_ids:
            raise self.error(
                "An assistant message with 'tool_calls' must be followed by "
                "tool messages responding to each 'tool_call_id'. The "
                "following tool_call_ids did not have response messages: "
                + ", ".join(open_ids), f"messages.[{index}].role")

    def check_message(self, message, index):
        known = MESSAGE_FIELDS.get(message.get("role"))
        if known is None:
            raise self.error(f"Invalid value: '{message.get('role')}'.",
                             f"messages[{index}].role", "invalid_value")
        content = message.get("content")
        if content is None and not message.get("tool_calls"):
            raise self.error(
                "Invalid value for 'content': expected a string, got null.",
                f"messages.[{index}].content")
        for name in message:
            if name not in known:
                self.unknown_in_message(name, index)

    def unknown_in_message(self, name, index):
        raise self.error(f"Unknown parameter: 'messages[{index}].{name}'.",
                         f"messages[{index}].{name}", "unknown_parameter")

    # -- answers -----------------------------------------------------------
    def reasoning(self, body, say, ids):
        """Text that comes as reasoning_content, or ""."""
        return ""

    def usage(self, reasoning):
        return {"prompt_tokens": 120, "completion_tokens": 40,
                "total_tokens": 160,
                "prompt_tokens_details": {"cached_tokens": 64},
                "completion_tokens_details": {"reasoning_tokens": 16}}

    def answer(self, seen, say):
        body = seen.body
        calls = [{"id": mint(self.id_prefix), "type": "function",
                  "function": {"name": name, "arguments": json.dumps(args)}}
                 for name, args in say.calls]
        reasoning = self.reasoning(body, say, [c["id"] for c in calls])
        shell = {"id": mint("chatcmpl-"), "created": int(time.time()),
                 "model": body["model"], "system_fingerprint": "fp_twin"}
        finish = "tool_calls" if calls else "stop"
        if not body.get("stream"):
            message = {"role": "assistant", "content": say.text or None}
            if reasoning:
                message["reasoning_content"] = reasoning
            if calls:
                message["tool_calls"] = calls
            return "application/json", [self.before_body, json.dumps({
                **shell, "object": "chat.completion",
                "choices": [{"index": 0, "message": message, "logprobs": None,
                             "finish_reason": finish}],
                "usage": self.usage(reasoning)}).encode()]
        return "text/event-stream", list(self.stream(
            {**shell, "object": "chat.completion.chunk"}, body, say, calls,
            reasoning, finish))

    before_body = b""

    def stream(self, shell, body, say, calls, reasoning, finish):
        counts = (body.get("stream_options") or {}).get("include_usage")
        usage = {"usage": None} if counts else {}

        def chunk(delta, reason=None):
            return event({**shell, **usage, **self.padding(), "choices": [
                {"index": 0, "delta": delta, "logprobs": None,
                 "finish_reason": reason}]})

        yield from self.before_events
        yield chunk({"role": "assistant", "content": None if calls else "",
                     **({"reasoning_content": ""} if reasoning else {})})
        for piece in cut(reasoning):
            yield chunk({"content": None, "reasoning_content": piece})
        for piece in cut(say.text):
            yield chunk({"content": piece})
        for index, call in enumerate(calls):
            name, arguments = call["function"].values()
            yield chunk({"tool_calls": [{"index": index, **call, "function": {
                "name": name, "arguments": ""}}]})
            for piece in cut(arguments):
                yield chunk({"tool_calls": [{"index": index, "function": {
                    "arguments": piece}}]})
        yield chunk({}, finish)
        if counts:
            yield event({**shell, "choices": [],
                         "usage": self.usage(reasoning)})
        yield event("[DONE]")

    before_events = ()

    def padding(self):
        return {}


class OpenAiTwin(CompatibleTwin):
    id_prefix = "call_"

    def overloaded(self):
        return Refusal(503, {"error": {
            "message": "The server is currently overloaded.",
            "type": "service_unavailable_error", "param": None,
            "code": "server_is_overloaded"}})

    def check_fields(self, body):
        unknown = [name for name in body if name not in OPENAI_FIELDS]
        if unknown:
            raise self.error("Unrecognized request argument"
                             f"{'s' if len(unknown) > 1 else ''} supplied: "
                             + ", ".join(sorted(unknown)))
        if "stream_options" in body and not body.get("stream"):
            raise self.error(
                "The 'stream_options' parameter is only allowed when 'stream' "
                "is enabled.", "stream_options")
        if body.get("parallel_tool_calls") is not None and (
                not body.get("tools")):
            raise self.error("'parallel_tool_calls' is only allowed when "
                             "'tools' are specified.", "parallel_tool_calls")
        if body.get("metadata") and not body.get("store"):
            raise self.error("The 'metadata' parameter is only allowed when "
                             "'store' is enabled.", "metadata")
        effort = body.get("reasoning_effort")
        if effort is not None and effort not in EFFORTS:
            raise self.error(f"Invalid value: '{effort}'.",
                             "reasoning_effort", "invalid_value")
        self.check_model(body, effort)

    def check_model(self, body, effort):
        model = body["model"]
        found = re.match(r"gpt-(\d+)(?:\.(\d+))?(?!.*chat)", model)
        major, minor = ((int(found[1]), int(found[2] or 0)) if found
                        else (0, 0))
        reasons = major >= 5 or re.match(r"o\d", model)
        if not reasons:
            if effort is not None:
                raise self.error("Unrecognized request argument supplied: "
                                 "reasoning_effort")
            return
        if body.get("max_tokens") is not None:
            raise self.unsupported("max_tokens", "Use 'max_completion_tokens' "
                                   "instead.")
        if re.match(r"o3|o4-mini", model) and body.get("stop"):
            raise self.unsupported("stop")
        off_by_default = major == 5 and 1 <= minor <= 4
        thinking = effort != "none" and not (effort is None
                                             and off_by_default)
        if thinking or not off_by_default and minor < 5:
            for name in SAMPLING:
                if body.get(name) is not None:
                    raise self.unsupported(name)

    def unsupported(self, name, more=""):
        return self.error(f"Unsupported parameter: '{name}' is not supported "
                          f"with this model. {more}".strip(), name,
                          "unsupported_parameter")

    def padding(self):
        return {"obfuscation": mint("", 6)}
