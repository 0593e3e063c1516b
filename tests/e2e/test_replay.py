"""Every recorded `openai.chat` exchange, served by the simulator over TCP and
read through the release binary: both doors, whole and streamed callers, the
upstream bytes whole, one at a time and cut at random.

What an exchange must mean is worked out here, from the recording alone, by a
reader that shares nothing with the service. Prints how many of how many.
"""

import json
import re

import grpc
import pytest

import harness
from harness import config, report, sse, upstream
from test_grpc import stubs  # noqa: F401  (a fixture)

FOLDER = harness.SHARED / "recordings" / "openai.chat"
FILES = sorted(FOLDER.glob("*.json")) if FOLDER.is_dir() else []
pytestmark = pytest.mark.skipif(
    not FILES, reason="no recordings beside the project (../shared)")
SPLITS = {"whole": {}, "bytes": {"pieces": [1]}, "random": {"random_seed": 7}}
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


def same_arguments(a, b):
    if not (a or "").strip():
        a = "{}"
    if not (b or "").strip():
        b = "{}"
    try:
        return json.loads(a) == json.loads(b)
    except ValueError:
        return a == b


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


def compare(said, got):
    faults = []

    def check(name, want, have):
        if want != have:
            faults.append(f"{name}: want {want!r:.120} have {have!r:.120}")

    check("text", said.text.strip(), (got["text"] or "").strip())
    check("reasoning", said.reasoning.strip(),
          (got["reasoning"] or "").strip())
    check("refusal", said.refusal, got["refusal"] or "")
    check("finish", said.expected_finish(), got["finish"])
    check("calls", len(said.calls), len(got["calls"]))
    for want, (ident, name, arguments) in zip(said.calls, got["calls"]):
        check("name", want["name"], name)
        if want["id"] and want["id"] != "null":
            check("id", want["id"], ident)
        if not ident:
            faults.append("a call without id")
        if not same_arguments(want["arguments"], arguments):
            faults.append(f"arguments: {want['arguments']!r} {arguments!r}")
    if said.usage and sum(said.usage):
        check("usage", said.usage, got["usage"])
    return faults


def read_whole(body):
    choice = body["choices"][0]
    message = choice["message"]
    usage = body.get("usage") or {}
    return {
        "text": message.get("content"),
        "reasoning": message.get("reasoning_content"),
        "refusal": message.get("refusal"),
        "finish": choice["finish_reason"],
        "calls": [(c["id"], *pair(c)) for c in message.get("tool_calls") or []],
        "usage": (usage.get("prompt_tokens"), usage.get("completion_tokens")),
    }


def pair(call):
    inner = call.get("function") or call.get("custom") or {}
    return inner.get("name"), inner.get("arguments", inner.get("input"))


def read_stream(events):
    got = {"text": "", "reasoning": "", "refusal": "", "finish": None,
           "calls": [], "usage": (None, None)}
    calls = {}
    for event in events:
        if event == "[DONE]":
            break
        if "error" in event:
            return event
        usage = event.get("usage")
        if usage:
            got["usage"] = (usage["prompt_tokens"], usage["completion_tokens"])
        for choice in event["choices"]:
            if choice["index"] != 0:
                continue
            delta = choice["delta"]
            got["text"] += delta.get("content") or ""
            got["reasoning"] += delta.get("reasoning_content") or ""
            got["refusal"] += delta.get("refusal") or ""
            for call in delta.get("tool_calls") or []:
                known = calls.setdefault(call["index"], ["", "", ""])
                name, arguments = pair(call)
                known[0] += call.get("id") or ""
                known[1] += name or ""
                known[2] += arguments or ""
            if choice.get("finish_reason"):
                assert got["finish"] is None, "finish_reason twice"
                got["finish"] = choice["finish_reason"]
    got["calls"] = [tuple(calls[index]) for index in sorted(calls)]
    return got


def read_grpc(response):
    choice = response.choices[0]
    message = choice.message
    return {
        "text": message.content, "reasoning": message.reasoning_content,
        "refusal": message.refusal, "finish": choice.finish_reason,
        "calls": [(c.id, c.function.name or c.custom.name,
                   c.function.arguments or c.custom.input)
                  for c in message.tool_calls],
        "usage": (response.usage.prompt_tokens,
                  response.usage.completion_tokens),
    }


def ask_http(running, stream, messages=None):
    more = {"stream_options": {"include_usage": True}} if stream else {}
    reply = running.chat("m", stream=stream, **more)
    if reply.status != 200:
        return "error", reply.status
    if not stream:
        return "ok", read_whole(reply.json())
    events = sse(reply)
    got = read_stream(events)
    if "error" in got:
        return "error", None
    return ("ok", got) if events[-1] == "[DONE]" else ("error", "no DONE")


def ask_grpc(service, stubs, stream):  # noqa: F811
    chat = stubs.chat
    request = chat.ChatCompletionRequest(
        model="m", messages=[chat.Message(role="user", content="hello")],
        stream_options=chat.StreamOptions(include_usage=True))
    try:
        if not stream:
            return "ok", read_grpc(service.ChatCompletion(request, timeout=30))
        whole = chat.ChatCompletionChunk()
        text = {"text": "", "reasoning": "", "refusal": "", "finish": None}
        calls, usage = {}, (0, 0)
        for whole in service.StreamChatCompletion(request, timeout=30):
            if whole.HasField("usage"):
                usage = (whole.usage.prompt_tokens,
                         whole.usage.completion_tokens)
            for choice in whole.choices:
                if choice.index:
                    continue
                text["text"] += choice.delta.content
                text["reasoning"] += choice.delta.reasoning_content
                text["refusal"] += choice.delta.refusal
                text["finish"] = choice.finish_reason or text["finish"]
                for call in choice.delta.tool_calls:
                    known = calls.setdefault(call.index, ["", "", ""])
                    known[0] += call.id
                    known[1] += call.function.name or call.custom.name
                    known[2] += call.function.arguments or call.custom.input
        return "ok", {**text, "usage": usage, "calls": [
            tuple(calls[i]) for i in sorted(calls)]}
    except grpc.RpcError as error:
        return "error", error.code()


def judge(recorded, outcome):
    kind, want = expect(recorded)
    have, got = outcome
    if kind != have:
        return [f"want {kind} {want if kind == 'error' else ''} have {have} "
                f"{got if have == 'error' else ''}"]
    if kind == "error":
        if isinstance(got, int) and want is not None and got != want:
            return [f"status: want {want} have {got}"]
        return []
    return compare(want, got)


def response_script(response):
    headers = {k: v for k, v in response["headers"].items()
               if k.lower() in ("content-type", "retry-after")}
    body = response.get("raw")
    if body is None or response.get("body") is not None:
        body = json.dumps(response["body"], ensure_ascii=False)
    return {"status": response["status"], "headers": headers, "body": body,
            "times": 0}


def test_every_recording_replays_through_both_doors(service, simulator,
                                                    stubs):  # noqa: F811
    running = service(config(
        upstream("a", simulator.base_url("replay")),
        models="m: {provider: a, upstream: m}",
        extra="routing: {max_attempts: 1}\n"))
    door = stubs.LlmService(grpc.insecure_channel(running.addresses["grpc"]))
    wrong, tried = {}, 0
    for file in FILES:
        recorded = json.loads(file.read_text())
        for split, pieces in SPLITS.items():
            simulator.reset("replay")
            simulator.script("replay", **response_script(recorded["response"]),
                             **pieces)
            for stream in (False, True):
                for name, ask in (
                        ("http", lambda: ask_http(running, stream)),
                        ("grpc", lambda: ask_grpc(door, stubs, stream))):
                    tried += 1
                    faults = judge(recorded, ask())
                    if faults:
                        wrong.setdefault(file.stem, []).append(
                            (name, split, stream, faults))
    right = len(FILES) - len(wrong)
    report(f"recordings: {right} of {len(FILES)} openai.chat exchanges wholly "
           f"right ({tried} replays: two doors, whole and streamed callers, "
           "bytes whole, one by one and at random)")
    for stem, faults in wrong.items():
        print(stem, len(faults), faults[0])
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

