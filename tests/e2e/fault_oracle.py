"""What a cell of the fault matrix must come to, from the documents alone.

The contract's section 5 says what the caller hears; the style page's 3.4 and
the router's README say who is asked again and who next; usage_ledger.h and
failure.h give the words of the rows; prices are the test's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import fault_cells as cells
from fault_cells import GATHERED, OK, STREAM, Cell

LEFT = "client_cancelled"

# Contract, section 5: HTTP status and gRPC code of each case.
CONTRACT = {
    "context_length_exceeded": (400, "INVALID_ARGUMENT"),
    "content_filter": (400, "INVALID_ARGUMENT"),
    "provider_unavailable": (502, "UNAVAILABLE"),
    "provider_rate_limited": (429, "RESOURCE_EXHAUSTED"),
    "timeout": (504, "DEADLINE_EXCEEDED"),
}
# "provider refused the request: the same, mapped".
REJECTED = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 409: "ABORTED",
            413: "INVALID_ARGUMENT", 422: "INVALID_ARGUMENT"}

# Pico-units of a dollar per token, from the test's own price.
INPUT_PICO, OUTPUT_PICO = 1_000_000, 2_000_000


def verdict(case: str, upstream_status: int) -> tuple[int, str]:
    if case == "provider_rejected":
        return upstream_status, REJECTED[upstream_status]
    return CONTRACT[case]


@dataclass
class Attempt:
    """One row, one dispatch. Sets hold all that a race may come to."""

    lane: str  # a, b
    role: str
    outcomes: set
    statuses: set
    next: str = "stop"
    # "none", "provider", "estimated".
    source: str = "none"
    # The caller may have gone before anything was spent.
    maybe_nothing: bool = False
    tokens: tuple | None = None
    # The simulator's word for how it ended; empty: it never saw it.
    seen_as: set = field(default_factory=set)


@dataclass
class Expected:
    attempts: list[Attempt]
    outcomes: set  # of the request's row
    # What a caller hears who stays.
    http: int = 200
    grpc: str = "OK"
    code: str = ""
    in_band: bool = False
    upstream_status: int = 0
    retry_after: tuple | None = None  # above, up to
    param: str = ""
    text: str = ""
    provider: str = ""  # lane that answered or failed last
    source: str = "none"  # of the answer's usage


def reported(cell: Cell, attempt: Attempt) -> None:
    """What the attempt spent. Usage is the provider's where it said any,
    estimated where content came, and else none."""
    fault = cell.fault
    heard = cell.way in (GATHERED, STREAM)
    if attempt.lane == "b" or fault.outcome == OK:
        plain = attempt.lane == "b" or fault.tokens is not None
        attempt.source = "provider" if plain else "estimated"
        attempt.tokens = ((cells.PROMPT, cells.COMPLETION)
                          if attempt.lane == "b" else fault.tokens)
    elif fault.tokens is not None:
        attempt.source, attempt.tokens = "provider", fault.tokens
    elif fault.content and heard:
        attempt.source = "estimated"


def seen_as(cell: Cell) -> set:
    """How the simulator's log calls what it did."""
    fault = cell.fault
    if fault.place != "simulator":
        return set()
    if fault.slow or fault.deadline:
        return {"client_left"}
    script = fault.play(cell.way)
    if "raw" in script or "close_after" in script:
        return {"closed"}
    if "reset_after" in script:
        return {"reset"}
    if "before_head" in script:
        return {{"close": "closed", "reset": "reset"}[script["before_head"]]}
    # The service may close what it can make no use of.
    unusable = fault.outcome == "bad_answer" or "event" in fault.name
    return {"answered", "client_left"} if unusable else {"answered"}


def staying_attempts(cell: Cell) -> list[Attempt]:
    fault, asked, made = cell.fault, cell.attempts(), []
    for place, lane in enumerate(asked):
        before = asked[place - 1] if place else ""
        role = ("primary" if not place else
                "retry" if before == lane else "fallback")
        good = lane == "b"
        attempt = Attempt(lane, role, {OK if good else fault.outcome},
                          {200 if good else fault.status})
        attempt.seen_as = {"answered"} if good else seen_as(cell)
        reported(cell, attempt)
        if place + 1 < len(asked):
            attempt.next = ("retry" if asked[place + 1] == lane
                            else "next_deployment")
        made.append(attempt)
    return made


def held(cell: Cell, attempt: Attempt) -> None:
    """The last attempt stood still and its caller left."""
    content = cell.holds_at() == "content"
    attempt.outcomes = {LEFT}
    attempt.statuses = {200 if content else 0}
    attempt.seen_as = {"client_left"}
    attempt.tokens = None
    heard = content and cell.way in (GATHERED, STREAM)
    attempt.source = "estimated" if heard else "none"
    if content and cell.way != STREAM:
        # Only the upstream knows that it has written; the service may have
        # been told of the leaving first.
        attempt.statuses.add(0)
        attempt.maybe_nothing = True


def expect_leaving(cell: Cell) -> Expected:
    attempts = staying_attempts(cell)
    outcomes = {LEFT}
    if cell.leaves == "held":
        held(cell, attempts[-1])
    elif cell.leaves == "wait":
        attempts = attempts[:1]
        attempts[0].next = "stop"
    elif cell.leaves == "connecting":
        attempts = attempts[:1]
        attempts[0].outcomes, attempts[0].statuses = {LEFT}, {0}
        attempts[0].next = "stop"
    else:  # race: struck or gone, whichever was first
        attempts[0].outcomes |= {LEFT}
        # Gone before the head, after it, or after an error in a 200.
        attempts[0].statuses |= {200} if cell.committed else {0, 200}
        attempts[0].maybe_nothing = not cell.committed
        attempts[0].seen_as |= {"client_left"}
        outcomes |= {cell.fault.case}
    return Expected(attempts, outcomes)


def expect(cell: Cell) -> Expected:
    if cell.leaves:
        return expect_leaving(cell)
    fault = cell.fault
    attempts = staying_attempts(cell)
    last = attempts[-1]
    if OK in last.outcomes:
        return Expected(
            attempts, {OK}, text="from b" if last.lane == "b" else "hello",
            provider=last.lane, source=last.source)
    out = Expected(attempts, {fault.case}, code=fault.case, provider="a",
                   upstream_status=fault.status, param=fault.param)
    out.http, out.grpc = verdict(fault.case, fault.status)
    if cell.committed:
        # The status line is out: what a caller has is a part and an error.
        out.in_band, out.text = True, "he"
    if fault.case == "provider_rate_limited":
        # "429 + Retry-After": the provider's where it named one.
        out.retry_after = (0, fault.retry_after or 60)
    return out
