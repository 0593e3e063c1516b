"""Every recorded `openai.chat` exchange, served by the simulator over TCP and
read through the release binary: both doors, whole and streamed callers, the
upstream bytes whole, one at a time and cut at random.

What an exchange must mean is worked out here, from the recording alone, by a
reader that shares nothing with the service. Prints how many of how many.
"""

import json
import re

import pytest

import harness
from harness import config, report, upstream
from replay_doors import judge, replay_all
from test_grpc import stubs  # noqa: F401  (a fixture)

FOLDER = harness.SHARED / "recordings" / "openai.chat"
FILES = sorted(FOLDER.glob("*.json")) if FOLDER.is_dir() else []
pytestmark = pytest.mark.skipif(
    not FILES, reason="no recordings beside the project (../shared)")
FINISH = {
    "stop": "stop", "eos": "stop", "length": "length",
    "model_length": "length", "max_tokens": "length",
    "tool_calls": "tool_calls", "tool_use": "tool_calls",
    "function_call": "function_call", "content_filter": "content_filter",
    "end_turn": "stop",
}


class Meaning:
    """What one exchange says, in the fields a caller acts on."""

    def __init__(self):
        self.text = self.reasoning = self.refusal = ""
        self.calls, self.finish, self.usage, self.error = [], "", None, None
        self.media = False

    def feed_message(self, message):
        content = message.get("content")
        if isinstance(content, str):
            self.text += content
        elif isinstance(content, list):
            for part in content:
                if part.get("type") == "text":
                    self.text += part.get("text") or ""
                elif part.get("type") == "thinking":
                    for inner in part.get("thinking") or []:
                        self.reasoning += inner.get("text") or ""
        thought = message.get("reasoning_content") or message.get("reasoning")
        if isinstance(thought, str):
            self.reasoning += thought
        elif not thought and isinstance(message.get("reasoning_details"), list):
            for detail in message["reasoning_details"]:
                self.reasoning += (detail.get("text") or detail.get("summary")
                                   or "")
        self.refusal += message.get("refusal") or ""
        self.media |= bool(message.get("audio") or message.get("images"))
        for call in message.get("tool_calls") or []:
            self.feed_call(call)

    def feed_call(self, call):
        function = call.get("function") or call.get("custom") or {}
        arguments = function.get("arguments", function.get("input"))
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments)
        ident, index = call.get("id"), call.get("index")
        if self.streamed and index is not None:
            for known in self.calls:
                if known["index"] == index and (
                        not ident or ident == known["id"]
                        or ident == "null" or not known["id"]):
                    known["name"] = known["name"] or function.get("name") or ""
                    known["arguments"] += arguments or ""
                    return
        elif self.streamed and self.calls and not ident \
                and not function.get("name"):
            self.calls[-1]["arguments"] += arguments or ""
            return
        self.calls.append({"index": index, "id": ident,
                           "name": function.get("name") or "",
                           "arguments": arguments or ""})

    def feed_usage(self, usage):
        if not usage:
            return
        prompt = usage.get("prompt_tokens") or 0
        completion = usage.get("completion_tokens") or 0
        details = usage.get("completion_tokens_details") or {}
        reasoning = details.get("reasoning_tokens") or 0
        total = usage.get("total_tokens") or 0
        if reasoning and total - prompt >= completion + reasoning:
            completion += reasoning  # xAI counts reasoning outside
        # Gemini's compatible form names its thoughts in the total only; they
        # are billed as output.
        self.usage = (prompt, max(completion, total - prompt))

    def feed(self, body):
        if body.get("error"):
            self.error = body["error"]
            return
        for choice in body.get("choices") or []:
            if choice.get("error"):
                self.error = choice["error"]
            if (choice.get("index") or 0) == 0:
                self.feed_message(choice.get("message")
                                  or choice.get("delta") or {})
                if choice.get("finish_reason"):
                    self.finish = choice["finish_reason"]
            self.feed_usage(choice.get("usage"))
        self.feed_usage((body.get("x_groq") or {}).get("usage"))
        self.feed_usage(body.get("usage"))

    @classmethod
    def of(cls, response):
        said = cls()
        said.streamed = response.get("raw") is not None and (
            response["body"] is None if "body" in response else True)
        if said.streamed:
            for block in re.split(r"\r?\n\r?\n", response["raw"]):
                data = "\n".join(line[5:].lstrip(" ")
                                 for line in block.splitlines()
                                 if line.startswith("data:"))
                if data and data.strip() != "[DONE]":
                    said.feed(json.loads(data))
        elif isinstance(response["body"], dict):
            said.feed(response["body"])
        # Cut off inside its thoughts, a model never closes the tag.
        think = re.match(r"\s*<think>(.*?)(?:</think>\s*|$)", said.text,
                         re.S)
        if think and not said.reasoning:
            said.reasoning = think.group(1)
            said.text = said.text[think.end():]
        return said

    def expected_finish(self):
        finish = FINISH.get(self.finish, "stop")
        return "tool_calls" if self.calls and finish == "stop" else finish

    def is_empty(self):
        return not (self.text.strip() or self.calls or self.refusal
                    or self.media)


def expect(recorded):
    """("error", HTTP status) or ("ok", Meaning)."""
    response = recorded["response"]
    status = response["status"]
    said = Meaning.of(response)
    if status != 200:
        return "error", {400: 400, 404: 404, 429: 429}.get(status, 502)
    if said.error is not None:
        return "error", None  # which status depends on where it stood
    if said.is_empty() and not (
            said.finish in ("length", "max_tokens", "content_filter")):
        return "error", 502
    return "ok", said


def test_every_recording_replays_through_both_doors(service, simulator,
                                                    stubs):  # noqa: F811
    running = service(config(
        upstream("a", simulator.base_url("replay")),
        models="m: {provider: a, upstream: m}",
        extra="routing: {max_attempts: 1}\n"))
    wrong, tried = replay_all(
        FILES, running, simulator, stubs,
        lambda recorded, outcome: judge(expect(recorded), outcome))
    right = len(FILES) - len(wrong)
    report(f"recordings: {right} of {len(FILES)} openai.chat exchanges wholly "
           f"right ({tried} replays: two doors, whole and streamed callers, "
           "bytes whole, one by one and at random)")
    assert not wrong


# Fields that are ours to set, or that a compatible server spells differently.
# An empty list of tools is refused by OpenAI and left out.
OURS = {"model", "stream", "stream_options", "max_tokens",
        "max_completion_tokens"}


def test_every_recorded_request_reaches_the_provider_without_loss(service,
                                                                  simulator):
    running = service(config(
        upstream("a", simulator.base_url("requests")),
        models="m: {provider: a, upstream: m}"))
    wrong, tried = {}, 0
    for file in FILES:
        recorded = json.loads(file.read_text())
        body = (recorded.get("request") or {}).get("body")
        if not isinstance(body, dict) or "messages" not in body:
            continue
        tried += 1
        simulator.reset("requests")
        before = len(simulator.log("requests"))
        reply = running.call("/v1/chat/completions", {**body, "model": "m"})
        seen = simulator.log("requests")
        if len(seen) == before:
            wrong[file.stem] = f"not sent: {reply.status} {reply.text[:200]}"
            continue
        sent = json.loads(seen[-1]["body"])
        lost = [name for name, value in body.items()
                if name not in OURS and value not in (None, [])
                and sent.get(name) != value]
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        if limit and limit not in (sent.get("max_tokens"),
                                   sent.get("max_completion_tokens")):
            lost.append("max_tokens")
        if lost:
            wrong[file.stem] = [
                (n, body[n], sent.get(n)) for n in lost if n in body]
    report(f"requests: {tried - len(wrong)} of {tried} recorded requests "
           "reach the provider without loss")
    for stem, fault in wrong.items():
        print(stem, str(fault)[:400])
    assert not wrong

