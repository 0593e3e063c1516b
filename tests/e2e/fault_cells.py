"""The cells of the fault matrix: what the upstream does, how it is asked, who
stays to hear of it.

Nothing here knows what the service makes of it; that is fault_oracle.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import Callable

# How a call travels: asked whole and sent whole; asked whole and streamed
# upstream, as providers with known streams are; asked as a stream.
WHOLE, GATHERED, STREAM = "whole", "whole streamed upstream", "stream"
WAYS = (WHOLE, GATHERED, STREAM)
EVENTS = (GATHERED, STREAM)  # the ways whose upstream answers in events
DOORS = ("http", "grpc")

MODEL = "upstream-model"
PROMPT, COMPLETION = 10, 5  # tokens the simulator reports


def usage(prompt=PROMPT, completion=COMPLETION) -> dict:
    return {"prompt_tokens": prompt, "completion_tokens": completion,
            "total_tokens": prompt + completion}


def event(delta, finish=None) -> str:
    return "data: " + json.dumps({
        "id": "x", "object": "chat.completion.chunk", "created": 1,
        "model": MODEL, "choices": [
            {"index": 0, "delta": delta, "finish_reason": finish}]}) + "\n\n"


def usage_event(tokens=None) -> str:
    return "data: " + json.dumps({
        "id": "x", "object": "chat.completion.chunk", "created": 1,
        "model": MODEL, "choices": [], "usage": tokens or usage()}) + "\n\n"


DONE = "data: [DONE]\n\n"
ROLE = event({"role": "assistant", "content": ""})
FINISH = event({}, "stop")
SSE = {"content-type": "text/event-stream"}
JSON = {"content-type": "application/json"}


def events(text: str, tail=None) -> str:
    """A whole stream in two pieces of text."""
    half = len(text) // 2
    tail = usage_event() + DONE if tail is None else tail
    return (ROLE + event({"content": text[:half]})
            + event({"content": text[half:]}) + FINISH + tail)


def document(text: str, tokens=None) -> str:
    body = {"id": "x", "object": "chat.completion", "created": 1,
            "model": MODEL, "choices": [
                {"index": 0, "finish_reason": "stop",
                 "message": {"role": "assistant", "content": text}}]}
    return json.dumps(body | ({} if tokens == {} else
                              {"usage": tokens or usage()}))


def good(way: str, text="hello") -> dict:
    if way in EVENTS:
        return {"headers": SSE, "body": events(text)}
    return {"headers": JSON, "body": document(text)}


def before_content(way: str) -> int:
    """So many bytes of a good answer hold no content yet."""
    return len(ROLE) if way in EVENTS else 1


def after_content(way: str, text="hello") -> int:
    """So many bytes of a good answer hold some of the content."""
    if way in EVENTS:
        return len(ROLE + event({"content": text[:len(text) // 2]}))
    return document(text).index(text) + 3


def struck(fate: str, where: Callable) -> Callable:
    return lambda way: good(way) | {f"{fate}_after": where(way)}


def refusal(status: int, code=None, headers=None, **more) -> Callable:
    body = {"error": {"message": "no", "type": "scripted", "code": code,
                      "param": None, **more}}
    return lambda way: {"status": status, "body": body,
                        "headers": JSON | (headers or {})}


def said(body: str, headers=None) -> Callable:
    return lambda way: {"body": body, "headers": headers or JSON}


BOOM = 'data: {"error":{"message":"boom","type":"server_error","code":500}}\n\n'


@dataclass(frozen=True)
class Fault:
    """What an upstream does, in facts; `play` scripts it for a way."""

    name: str
    play: Callable
    # The attempt's outcome, in the words of its row.
    outcome: str
    # What the gateway owes a failed attempt: "stop"; "same": this one again
    # after a wait, then another; "next": another; "later": another, or this
    # one again once where there is none.
    move: str
    # The contract's case if this is all that candidates say.
    case: str = "provider_unavailable"
    status: int = 0  # that the upstream answers; 0: none
    ways: tuple = WAYS
    content: bool = False  # strikes after content
    tokens: tuple | None = None  # reported all the same
    slow: bool = False  # the attempt's own deadline ends it
    retry_after: float | None = None
    param: str = ""
    place: str = "simulator"  # refused, blackhole
    deadline: bool = False  # the caller's ends it
    only_leaving: str = ""


OK = "ok"


def fine(name, play, ways=WAYS, tokens=(PROMPT, COMPLETION)) -> Fault:
    return Fault(name, play, OK, "stop", OK, 200, ways, tokens=tokens)


def rejected(status, **more) -> Fault:
    return Fault(f"{status}", refusal(status, "scripted", **more),
                 "invalid_request", "stop", "provider_rejected", status,
                 param=more.get("param") or "")


def limited(name, after, move, **more) -> Fault:
    headers = {} if after is None else {"retry-after": str(after)}
    return Fault(name, refusal(429, "rate_limit_exceeded", headers),
                 "rate_limited", move, "provider_rate_limited", 429,
                 retry_after=after, **more)


FAULTS = [
    fine("ok", good),
    fine("ok in drips", lambda way: good(way) | {
        "pieces": [16], "piece_delay_ms": 2}),
    fine("ok without usage", lambda way: (
        {"headers": SSE, "body": events("hello", DONE)} if way in EVENTS else
        {"headers": JSON, "body": document("hello", {})}), tokens=None),
    fine("ok, usage twice", lambda way: {"headers": SSE, "body": events(
        "hello", usage_event(usage(7, 3)) + usage_event() + DONE)}, EVENTS),
    fine("ok, closed without [DONE]", lambda way: {
        "headers": SSE, "body": events("hello", usage_event()),
        "framing": "close"}, EVENTS),
    rejected(400, param="temperature"),
    Fault("400 context length", refusal(400, "context_length_exceeded"),
          "context_length", "next", "context_length_exceeded", 400),
    Fault("400 content filter", refusal(400, "content_filter"),
          "content_filter", "stop", "content_filter", 400),
    Fault("401", refusal(401, "invalid_api_key"), "bad_key", "next",
          status=401),
    Fault("402", refusal(402), "out_of_money", "next", status=402),
    Fault("403", refusal(403), "permission", "next", status=403),
    Fault("404", refusal(404, "model_not_found"), "model_not_found", "next",
          "provider_rejected", 404),
    Fault("408", refusal(408), "server_error", "same", status=408),
    rejected(409),
    rejected(413),
    rejected(422),
    limited("429", None, "later"),
    limited("429 for a second", 1, "later"),
    limited("429 for a minute", 60, "next"),
    limited("429, gone in the wait", 4, "later", only_leaving="wait"),
    Fault("429 out of money", refusal(429, "insufficient_quota"),
          "out_of_money", "next", status=429),
    Fault("500", refusal(500), "server_error", "same", status=500),
    Fault("503", refusal(503), "overloaded", "same", status=503),
    Fault("529", refusal(529), "overloaded", "same", status=529),
    Fault("cut before the head", lambda way: {"before_head": "close"},
          "transport", "same"),
    Fault("cut before content", struck("close", before_content),
          "incomplete", "later", status=200),
    Fault("cut after content", struck("close", after_content),
          "incomplete", "later", status=200, content=True),
    Fault("reset before the head", lambda way: {"before_head": "reset"},
          "transport", "same"),
    Fault("reset before content", struck("reset", before_content),
          "incomplete", "later", status=200),
    Fault("reset after content", struck("reset", after_content),
          "incomplete", "later", status=200, content=True),
    Fault("hang before the head", lambda way: {"before_head": "stall"},
          "timeout", "next", slow=True),
    Fault("stall before content", struck("stall", before_content),
          "timeout", "next", status=200, slow=True),
    Fault("stall after content", struck("stall", after_content),
          "timeout", "next", status=200, slow=True, content=True),
    Fault("garbage for a head", lambda way: {
        "raw": "\x00\x01garbage\r\n\r\n"}, "bad_answer", "next"),
    Fault("garbage for a body", said("<html>gateway</html>",
                                     {"content-type": "text/html"}),
          "bad_answer", "next", status=200),
    Fault("broken JSON", lambda way: (
        {"headers": SSE, "body": 'data: {"choices":[\n\n' + DONE}
        if way in EVENTS else {"headers": JSON, "body": '{"choices":['}),
          "bad_answer", "next", status=200),
    Fault("broken JSON after content", lambda way: {
        "headers": SSE, "body": events("hello")[:after_content(way)]
        + 'data: {"choices":[\n\n' + DONE},
          "bad_answer", "next", status=200, ways=EVENTS, content=True),
    Fault("error in a 200", said(
        '{"error":{"message":"boom","type":"server_error","code":500}}'),
          "server_error", "same", status=500),
    Fault("error event first", said(BOOM, SSE), "server_error", "same",
          status=500, ways=EVENTS),
    Fault("error event after content", lambda way: {
        "headers": SSE, "body": events("hello")[:after_content(way)] + BOOM},
          "server_error", "same", status=500, ways=EVENTS, content=True),
    Fault("empty answer", lambda way: (
        {"headers": SSE, "body": ROLE + FINISH + usage_event(usage(10, 0))
         + DONE} if way in EVENTS else
        {"headers": JSON, "body": document("", usage(10, 0))}),
          "empty_answer", "next", status=200, tokens=(10, 0)),
    Fault("connection refused", None, "connect", "same", place="refused"),
    Fault("connection that hangs", None, "connect", "same",
          place="blackhole"),
    Fault("the caller's deadline before the head",
          lambda way: {"before_head": "stall"}, "timeout", "stop", "timeout",
          deadline=True),
    Fault("the caller's deadline after content",
          struck("stall", after_content), "timeout", "stop", "timeout", 200,
          content=True, deadline=True),
]


@dataclass
class Cell:
    number: int
    fault: Fault
    way: str
    door: str
    fallback: bool
    # "": the caller stays. Else when it leaves: "held", while its last
    # attempt stands still; "race", as the upstream is about to strike;
    # "wait", between two attempts; "connecting".
    leaves: str = ""

    @property
    def model(self) -> str:
        return f"m{self.number}"

    @property
    def run(self) -> str:
        return f"cell-{self.number}"

    def provider(self, which: str) -> str:
        return f"c{self.number}{which}"

    @property
    def name(self) -> str:
        return ", ".join((
            self.fault.name, self.way, self.door,
            "with a fallback" if self.fallback else "alone",
            f"leaves ({self.leaves})" if self.leaves else "stays"))

    @property
    def committed(self) -> bool:
        """Content of the first attempt reaches the caller."""
        return self.way == STREAM and self.fault.content

    def attempts(self) -> str:
        """Who is asked when the caller stays: "aab"."""
        fault = self.fault
        if fault.move == "stop" or self.committed or fault.deadline:
            return "a"
        again = "a" if fault.move == "same" else ""
        if self.fallback:
            return "a" + again + "b"
        return "aa" if fault.move in ("same", "later") else "a"

    def holds_at(self) -> str:
        """Where the last attempt of a held cell stands still."""
        if self.attempts()[-1] == "b":
            return "content" if self.way == STREAM else "head"
        if self.fault.content:
            return "content"
        if self.fault.outcome == OK and self.way in EVENTS:
            return "content"
        return "head"


def hold(cell: Cell, text: str) -> dict:
    if cell.holds_at() == "head":
        return {"before_head": "stall"}
    return good(cell.way, text) | {
        "stall_after": after_content(cell.way, text)}


def about_to_strike(cell: Cell) -> dict:
    """The fault, a moment after the point where the caller leaves."""
    script = cell.fault.play(cell.way)
    if not cell.committed:
        return script | {"delay_ms": 100}
    for fate in ("close_after", "reset_after"):
        if fate in script:
            script = script | {fate: script[fate] + 10}
    return script | {"pieces": [after_content(cell.way), 1 << 20],
                     "piece_delay_ms": 100}


def leaves(cell: Cell) -> str | None:
    """When a caller of this cell may leave; None: such a cell does not exist,
    because nothing is under way that could be left."""
    fault = cell.fault
    if fault.only_leaving:
        return None if cell.fallback else fault.only_leaving
    if fault.deadline:
        return None
    asked = cell.attempts()
    if asked[-1] == "b":
        return "held"
    if fault.place == "blackhole":
        return "connecting"
    if fault.place == "refused":
        return None
    if len(asked) > 1 or fault.outcome == OK or fault.slow:
        return "held"
    return "race"


def all_cells() -> list[Cell]:
    cells = []
    for fault, door, fallback, leaving in itertools.product(
            FAULTS, DOORS, (False, True), (False, True)):
        for way in fault.ways:
            cell = Cell(len(cells), fault, way, door, fallback)
            if leaving:
                cell.leaves = leaves(cell) or ""
            if bool(cell.leaves) != leaving:
                continue
            if fault.only_leaving and not leaving:
                continue
            cells.append(cell)
    return cells


def scripts(cell: Cell) -> dict[str, list[dict]]:
    """What each lane of the cell is told to do, in order."""
    fault, asked = cell.fault, cell.attempts()
    if cell.leaves == "wait":
        return {"a": [fault.play(cell.way) | {"times": 0}], "b": []}
    if cell.leaves == "race":
        return {"a": [about_to_strike(cell)],
                "b": [good(cell.way, "from b") | {"times": 0}]}
    plan: dict[str, list[dict]] = {"a": [], "b": []}
    for place, lane in enumerate(asked):
        last = place == len(asked) - 1
        if cell.leaves == "held" and last:
            plan[lane].append(hold(cell, "hello" if lane == "a" else "from b"))
        elif lane == "a" and fault.play is not None:
            plan["a"].append(fault.play(cell.way))
        elif lane == "b":
            plan["b"].append(good(cell.way, "from b"))
    # More than expected would be noticed by its count; it must not be a
    # success by accident.
    if plan["a"]:
        plan["a"][-1] = plan["a"][-1] | {"times": 0}
    if plan["b"]:
        plan["b"][-1] = plan["b"][-1] | {"times": 0}
    return plan
