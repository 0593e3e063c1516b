"""A compatible server that keeps every request body as it came, and cuts of
JSON text that keep its bytes.

It answers by the number of assistant messages in the request alone, always in
the same words, so that a conversation told twice is the same conversation.
"""

from __future__ import annotations

import hashlib
import json

from twin_server import Twin, cut, event

TURNS = 6  # the last one answers in words
# As a model writes arguments: never what a JSON library would write.
ARGUMENTS = ('{ "symbol":"600519",  "limits": [1.0, 1e2, '
             '12345678901234567890],"why":"\\u4ef7\\u683c \\/ 价格"}')
_decoder = json.JSONDecoder()


class PrefixStub(Twin):
    def __init__(self):
        super().__init__()
        self.reasons = False

    def check(self, seen):
        return sum(m["role"] == "assistant" for m in seen.body["messages"])

    def answer(self, seen, turn):
        message = {"role": "assistant", "content": None}
        if self.reasons:
            message["reasoning_content"] = f"第{turn}步: weigh it."
        if turn + 1 < TURNS and seen.body.get("tools"):
            names = [t["function"]["name"] for t in seen.body["tools"]]
            if turn % 2:
                message["content"] = "Let me look – 看一看 \U0001f600."
            message["tool_calls"] = [
                {"id": f"call_{turn}_{n}", "type": "function", "function": {
                    "name": names[n % len(names)], "arguments": ARGUMENTS}}
                for n in range(1 + turn % 2)]
        else:
            message["content"] = "# 报告\n\n| 价格 | 1.50 |\t\"买入\" \\ /\n"
        done = "tool_calls" if "tool_calls" in message else "stop"
        head = {"id": f"chatcmpl-{turn}", "created": 1, "model": "stub"}
        usage = {"prompt_tokens": 9, "completion_tokens": 9,
                 "total_tokens": 18}
        if seen.body.get("stream"):
            return "text/event-stream", stream(head, message, done, usage)
        return "application/json", [json.dumps({
            **head, "object": "chat.completion", "usage": usage, "choices": [
                {"index": 0, "message": message, "finish_reason": done}],
        }).encode()]


def stream(head, message, done, usage):
    head = {**head, "object": "chat.completion.chunk"}

    def chunk(delta, why=None):
        return event({**head, "choices": [
            {"index": 0, "delta": delta, "finish_reason": why}]})

    yield chunk({"role": "assistant"})
    for name in ("reasoning_content", "content"):
        for piece in cut(message.get(name) or ""):
            yield chunk({name: piece})
    for n, call in enumerate(message.get("tool_calls", ())):
        function = call["function"]
        yield chunk({"tool_calls": [{**call, "index": n, "function": {
            **function, "arguments": ""}}]})
        for piece in cut(function["arguments"]):
            yield chunk({"tool_calls": [
                {"index": n, "function": {"arguments": piece}}]})
    yield chunk({}, done)
    yield event({**head, "choices": [], "usage": usage})
    yield event("[DONE]")


def _skip(text, at):
    while text[at] in " \t\r\n":
        at += 1
    return at


def _values(text):
    """(begin, end) of every value in an array or object, names too."""
    at = _skip(text, 0) + 1
    while text[at := _skip(text, at)] not in "]}":
        if text[at] in ",:":
            at += 1
            continue
        _, end = _decoder.raw_decode(text, at)
        yield at, end
        at = end


def elements(text: str) -> list[str]:
    """The text of each element of an array."""
    return [text[begin:end] for begin, end in _values(text)]


def members(raw: bytes) -> dict[str, str]:
    """The text of each member's value in an object, in its order."""
    texts = elements(raw.decode())
    return {json.loads(name): value
            for name, value in zip(texts[::2], texts[1::2], strict=True)}


def head(raw: bytes, name="messages") -> bytes:
    """What precedes the elements of a top-level array."""
    text = raw.decode()
    spans = list(_values(text))
    for (begin, end), (value, _) in zip(spans[::2], spans[1::2], strict=True):
        if json.loads(text[begin:end]) == name:
            return text[:value + 1].encode()
    raise AssertionError(f"no {name}")


class Cut:
    """What a provider's cache goes by: the text of tools and messages."""

    def __init__(self, raw: bytes):
        found = members(raw)
        self.raw, self.names = raw, list(found)
        self.tools = elements(found.get("tools", "[]"))
        self.messages = elements(found["messages"])

    def hashes(self) -> list[str]:
        """Of tools and messages[0..k], for each k."""
        running = hashlib.sha256("".join(self.tools).encode())
        found = []
        for message in self.messages:
            running.update(message.encode())
            found.append(running.hexdigest())
        return found


def differences(one: bytes, other: bytes) -> list[str]:
    """Where two bodies would not share a prompt's cache: empty if nowhere."""
    a, b = Cut(one), Cut(other)
    found = []
    for name in ("tools", "messages"):
        left, right = getattr(a, name), getattr(b, name)
        if len(left) != len(right):
            found.append(f"{len(left)} {name} became {len(right)}")
        found += [f"{name}[{i}]: {x!r} became {y!r}" for i, (x, y) in
                  enumerate(zip(left, right, strict=False)) if x != y]
    assert found or a.hashes() == b.hashes()
    return found
