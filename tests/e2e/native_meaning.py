"""What a recorded exchange of Anthropic's or Gemini's says, worked out from
the recording alone by readers that share nothing with the service. They read
the providers' pages (anthropic.md, gemini.md), not the adapters.
"""

from __future__ import annotations

import json
import re

STATUS = {400: 400, 404: 404, 409: 409, 413: 413, 422: 422, 429: 429}


class Meaning:
    """In the fields that `replay_doors.compare` looks at."""

    table: dict = {}

    def __init__(self):
        self.text = self.reasoning = self.refusal = self.finish = ""
        self.calls, self.usage, self.error = [], None, None
        self.buckets = (0, 0, 0)  # cached, written to a cache, reasoning
        self.media = self.opaque = self.ended = False

    def call(self, ident, name, arguments):
        self.calls.append({"id": ident, "name": name, "arguments": arguments})

    def expected_finish(self):
        known = self.table.get(self.finish)
        if known in (None, "stop"):
            return "tool_calls" if self.calls else "stop"
        return known

    def is_empty(self):
        return not (self.text.strip() or self.calls or self.media)


def events(raw):
    for block in re.split(r"\r?\n\r?\n", raw):
        data = "\n".join(line[5:].lstrip(" ") for line in block.splitlines()
                         if line.startswith("data:"))
        if data.strip():
            yield json.loads(data)


class Claude(Meaning):
    table = {"end_turn": "stop", "stop_sequence": "stop",
             "pause_turn": "stop", "compaction": "stop",
             "max_tokens": "length", "tool_use": "tool_calls",
             "model_context_window_exceeded": "length",
             "refusal": "content_filter"}

    ident = None

    @classmethod
    def of(cls, response):
        said = cls()
        if response.get("body") is not None:
            said.feed_message(response["body"])
            said.ended = True
        else:
            said.feed_stream(response["raw"])
        said.count()
        return said

    def feed_message(self, message):
        for block in message["content"]:
            self.feed_block(block, json.dumps(block.get("input")))
        self.finish = message["stop_reason"] or ""
        self.explain(message)
        self.counts = dict(message.get("usage") or {})

    def explain(self, at):
        """Why the model refused stands where OpenAI has its refusals."""
        if at.get("stop_reason") == "refusal":
            self.refusal = (at.get("stop_details") or {}).get(
                "explanation") or ""

    def feed_block(self, block, arguments):
        kind = block["type"]
        if kind == "text":
            self.text += block["text"]
        elif kind == "thinking":
            self.reasoning += block["thinking"]
        elif kind == "tool_use":
            self.call(block["id"], block["name"], arguments)
        elif kind != "redacted_thinking":
            self.opaque = True

    def feed_stream(self, raw):
        self.counts, blocks, fragments = {}, {}, {}
        for event in events(raw):
            kind = event["type"]
            if kind == "message_start":
                ident = event["message"]["id"]
                if self.ident not in (None, ident):
                    self.error = {"type": "another message in an open one"}
                if self.ident is None:
                    self.feed_message(event["message"])
                self.ident = ident
            elif kind == "content_block_start":
                blocks[event["index"]] = dict(event["content_block"])
                fragments[event["index"]] = ""
            elif kind == "content_block_delta":
                block, delta = blocks[event["index"]], event["delta"]
                for name in ("text", "thinking"):
                    if name in delta and name in block:
                        block[name] += delta[name]
                fragments[event["index"]] += delta.get("partial_json") or ""
            elif kind == "message_delta":
                self.finish = event["delta"].get("stop_reason") or self.finish
                self.explain(event["delta"])
                self.counts.update({k: v for k, v in event["usage"].items()
                                    if v is not None})
            elif kind == "message_stop":
                self.ended = True
            elif kind == "error":
                self.error = event["error"]
        for index, block in blocks.items():
            given = block.get("input")
            self.feed_block(block, fragments[index] or json.dumps(given or {}))

    def count(self):
        def total(counts):
            got = [counts.get(name) or 0 for name in (
                "input_tokens", "cache_read_input_tokens",
                "cache_creation_input_tokens", "output_tokens")]
            return [sum(got[:3]), *got[1:]]

        prompt, cached, written, output = total(self.counts)
        steps = self.counts.get("iterations") or []
        kinds = {step["type"] for step in steps}
        if "compaction" in kinds and "fallback_message" not in kinds:
            # The top level leaves compaction out.
            each = [total(step) for step in steps
                    if step["type"] in ("compaction", "message")]
            prompt, cached, written, output = map(sum, zip(*each))
        details = self.counts.get("output_tokens_details") or {}
        self.usage = (prompt, output)
        self.buckets = (cached, written, details.get("thinking_tokens") or 0)


class Gemini(Meaning):
    table = {"STOP": "stop", "MAX_TOKENS": "length", **dict.fromkeys(
        "SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII IMAGE_SAFETY "
        "IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION MODEL_ARMOR BLOCKED".split(),
        "content_filter")}

    @classmethod
    def of(cls, response):
        said = cls()
        said.counts, said.open = {}, None
        whole = response.get("body") is not None
        for body in ([response["body"]] if whole
                     else events(response["raw"])):
            said.feed(body)
        said.ended = bool(said.finish)
        said.count()
        return said

    def feed(self, body):
        if body.get("error"):
            self.error = body["error"]
        if (body.get("promptFeedback") or {}).get("blockReason"):
            self.finish = "BLOCKED"
        for candidate in body.get("candidates") or []:
            if candidate.get("index"):
                continue
            for part in (candidate.get("content") or {}).get("parts") or []:
                self.feed_part(part)
            self.finish = candidate.get("finishReason") or self.finish
        self.counts.update({k: v for k, v in (
            body.get("usageMetadata") or {}).items() if v})

    def feed_part(self, part):
        if "text" in part:
            if part.get("thought"):
                self.reasoning += part["text"]
            else:
                self.text += part["text"]
        elif "functionCall" in part:
            self.feed_call(part["functionCall"])
        elif "inlineData" in part:
            self.media = True
        else:
            self.opaque = True

    def feed_call(self, call):
        """Whole, or in pieces that go on until one says no more."""
        if call.get("name"):
            self.open = call.get("args") or {}
            self.call(call.get("id"), call["name"], "")
        for piece in call.get("partialArgs") or []:
            put(self.open, piece)
        self.calls[-1]["arguments"] = json.dumps(self.open)

    def count(self):
        def get(name):
            return self.counts.get(name) or 0

        self.usage = (
            get("promptTokenCount") + get("toolUsePromptTokenCount"),
            get("candidatesTokenCount") + get("thoughtsTokenCount"))
        self.buckets = (get("cachedContentTokenCount"), 0,
                        get("thoughtsTokenCount"))


def put(root, piece):
    """Sets or appends one partial argument at its JSON path."""
    steps = [int(i) if i else name for name, i in re.findall(
        r"\.(\w+)|\[(\d+)\]", piece["jsonPath"])]
    at = root
    for step, after in zip(steps, steps[1:]):
        fresh = [] if isinstance(after, int) else {}
        if isinstance(at, list):
            if step == len(at):
                at.append(fresh)
        else:
            at.setdefault(step, fresh)
        at = at[step]
    last = steps[-1]
    value = next((piece[name] for name in (
        "stringValue", "numberValue", "boolValue") if name in piece), None)
    present = last < len(at) if isinstance(last, int) else last in at
    if present and isinstance(at[last], str) and isinstance(value, str):
        at[last] += value
    elif isinstance(at, list) and not present:
        at.append(value)
    else:
        at[last] = value


def expect(kind, response):
    """("error", HTTP status), ("ok", Meaning), or ("either", Meaning) for an
    answer that holds nothing but what only its provider understands."""
    if response["status"] != 200:
        return "error", STATUS.get(response["status"], 502)
    said = kind.of(response)
    if said.error is not None or not said.ended:
        return "error", None
    if said.is_empty() and said.expected_finish() not in (
            "length", "content_filter"):
        return ("either", said) if said.opaque else ("error", 502)
    return "ok", said
