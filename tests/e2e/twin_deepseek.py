"""Strict twin of DeepSeek's chat completions (2026-11-20)."""

from __future__ import annotations

from twin_openai import CompatibleTwin
from twin_server import Refusal, mint

DEEPSEEK_FIELDS = frozenset("""
    model messages max_tokens temperature top_p frequency_penalty
    presence_penalty response_format stop stream stream_options tools
    tool_choice logprobs top_logprobs thinking reasoning_effort
    user_id""".split())


class DeepSeekTwin(CompatibleTwin):
    """Thinks unless told not to; wants its reasoning back."""

    id_prefix = "call_00_"
    before_body = b"\n\n"
    before_events = (b": keep-alive\n\n",)

    def __init__(self):
        super().__init__()
        self.issued = {}  # tool-call id to its message's reasoning

    def overloaded(self):
        return Refusal(503, {"error": {
            "message": "Service is too busy.", "type": "server_error",
            "param": None, "code": "service_unavailable_error"}})

    def thinks(self, body):
        return (body.get("thinking") or {}).get("type") != "disabled"

    def unknown_in_message(self, name, index):
        if name not in ("reasoning_content", "prefix"):
            self.ignored.append(f"messages[{index}].{name}")

    def check_fields(self, body):
        self.ignored += [n for n in body if n not in DEEPSEEK_FIELDS]
        kind = (body.get("response_format") or {}).get("type", "text")
        if kind not in ("text", "json_object"):
            raise self.error("This response_format type is unavailable now",
                             code="invalid_request_error")
        if (body.get("n") or 1) > 1:
            raise self.error("Invalid n value (currently only n = 1 is "
                             "supported)", code="invalid_request_error")
        choice = body.get("tool_choice")
        if self.thinks(body) and (choice == "required"
                                  or isinstance(choice, dict)):
            raise self.error("Thinking mode does not support this "
                             "tool_choice", code="invalid_request_error")
        if body.get("reasoning_effort") and not self.thinks(body):
            self.ignored.append("reasoning_effort")
        for message in body["messages"]:
            if message.get("role") == "developer":
                raise self.error("Failed to deserialize the JSON body into "
                                 "the target type: messages: unknown variant "
                                 "`developer`, expected one of `system`, "
                                 "`user`, `assistant`, `tool`", status=422)
            if isinstance(message.get("content"), list) and (
                    message["role"] != "user"):
                raise self.error("Failed to deserialize the JSON body into "
                                 "the target type: invalid type: sequence, "
                                 "expected a string", status=422)

    def check_state(self, body):
        if not self.thinks(body):
            return
        for message in body["messages"]:
            calls = message.get("tool_calls")
            if not calls:
                continue
            given = message.get("reasoning_content")
            if given is None:
                raise self.must_pass_back()
            issued = self.issued.get(calls[0]["id"])
            if issued is None or given == issued:
                continue
            if given:
                raise self.must_pass_back()
            # The page's stand-in for what nobody knows any more.
            self.lost.append((calls[0]["id"], issued, given))

    def must_pass_back(self):
        return self.error(
            "The `reasoning_content` in the thinking mode must be passed back "
            "to the API.", code="invalid_request_error")

    def reasoning(self, body, say, ids):
        if not self.thinks(body):
            return ""
        text = f"Step {say.step}: weigh it, 想一想 {mint('', 8)}."
        for ident in ids:
            self.issued[ident] = text
        return text

    def usage(self, reasoning):
        return {"prompt_tokens": 120, "completion_tokens": 40,
                "total_tokens": 160, "prompt_cache_hit_tokens": 64,
                "prompt_cache_miss_tokens": 56,
                "completion_tokens_details": {
                    "reasoning_tokens": 16 if reasoning else 0}}
