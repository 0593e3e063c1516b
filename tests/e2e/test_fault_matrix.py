"""Every way an upstream can fail, by every way it can be asked: what the caller
hears, what the rows say, what the metrics count and what the simulator saw are
one story, and the contract's [LED-2, STR-4 to 7, TMO-2, TMO-3, ERR-1, ERR-2].

The cells are in fault_cells, what they must come to in fault_oracle.
"""

import math
from collections import Counter
from decimal import Decimal

import pytest

from fault_cells import EVENTS, MODEL, OK, PROMPT, COMPLETION, Cell, all_cells
from fault_lab import CELL_KEY, Lab
from fault_oracle import (INPUT_PICO, LEFT, OUTPUT_PICO, STREAM, Attempt,
                          Expected, expect)
from harness import report
from test_grpc import stubs  # noqa: F401  (a fixture)

CELLS = all_cells()
# The requirement is a second; a machine that builds at the same time is given
# another. The slowest is printed.
LEFT_WITHIN_US = 2_000_000


class Story(list):
    """Differences between what was found and what must be."""

    def same(self, what: str, found, wanted) -> None:
        if found != wanted:
            self.append(f"{what}: {found!r}, not {wanted!r}")

    def one_of(self, what: str, found, wanted: set) -> None:
        if found not in wanted:
            self.append(f"{what}: {found!r}, not one of {sorted(wanted)!r}")

    def holds(self, what: str, fact) -> None:
        if not fact:
            self.append(what)


def pico(cost: dict | None) -> int | None:
    if not cost:
        return None
    assert cost["currency"] == "USD"
    return int(Decimal(cost["amount"]) * 10**12)


def tokens(row) -> tuple:
    return (row["fresh_input"] or 0, row["output"] or 0)


def compare_error(cell: Cell, want: Expected, heard, story: Story) -> None:
    facts = heard.facts
    story.same("code", heard.error.get("code"), want.code)
    story.same("param", heard.error.get("param") or "", want.param)
    story.holds("a message", heard.error.get("message"))
    story.holds("a type", heard.error.get("type"))
    story.same("source", facts.get("source"), "provider")
    story.same("error's provider", facts.get("provider"),
               cell.provider(want.provider))
    story.same("upstream_status", facts.get("upstream_status"),
               want.upstream_status or None)
    story.same("error's attempts", facts.get("attempts"), len(want.attempts))
    story.same("in band", heard.in_band, want.in_band)
    story.same("a clean end", heard.done, False)
    after = facts.get("retry_after_s")
    if want.retry_after is None:
        story.same("retry_after_s", after, None)
    else:
        low, high = want.retry_after
        story.holds(f"retry_after_s {after} in {want.retry_after}",
                    after is not None and low < after <= high)
    if cell.door == "grpc":
        story.holds("grpc-retry-pushback-ms: -1", heard.no_retry)
    elif not want.in_band:
        story.holds("x-should-retry: false", heard.no_retry)
        story.same("request id", heard.headers.get("x-request-id"),
                   facts.get("request_id"))
        story.same("Retry-After", heard.headers.get("retry-after"),
                   None if after is None else str(math.ceil(after)))


def compare_answer(cell: Cell, want: Expected, heard, rows, story) -> None:
    info = heard.info
    story.same("error", heard.error, {})
    story.same("finish_reason", heard.finish, "stop")
    story.same("llm_service.provider", info.get("provider"),
               cell.provider(want.provider))
    story.same("llm_service.model", info.get("model"), cell.model)
    story.same("llm_service.attempts", info.get("attempts"),
               len(want.attempts))
    story.same("llm_service.usage_source", info.get("usage_source"),
               want.source)
    story.holds("llm_service.reason", info.get("reason"))
    story.same("llm_service.cost", pico(info.get("cost")),
               sum(row["cost_pico"] or 0 for row in rows))
    if want.source == "provider":
        story.same("usage", (int(heard.usage.get("prompt_tokens", 0)),
                             int(heard.usage.get("completion_tokens", 0))),
                   (PROMPT, COMPLETION))
    if cell.way == STREAM:
        story.holds("a clean end", heard.done)


def compare_heard(cell: Cell, want: Expected, lab: Lab, story: Story) -> None:
    heard = lab.heard[cell.number]
    if cell.door == "http":
        story.same("HTTP status", heard.http,
                   200 if want.in_band else want.http)
    else:
        story.same("gRPC status", heard.grpc, want.grpc)
    story.same("text", heard.text, want.text)
    if want.code:
        compare_error(cell, want, heard, story)
    else:
        compare_answer(cell, want, heard, lab.attempts.get(cell.run, []),
                       story)
    if not want.in_band:
        story.same("x-llm-attempts", heard.headers.get("x-llm-attempts"),
                   str(len(want.attempts)))
        story.same("x-llm-provider", heard.headers.get("x-llm-provider"),
                   cell.provider(want.provider))
        story.same("x-llm-model", heard.headers.get("x-llm-model"), cell.model)
    words = str(heard.error) + str(heard.facts) + str(heard.headers)
    story.holds("no key is shown", CELL_KEY not in words)


def compare_attempt(cell: Cell, place: int, want: Attempt, row,
                    story: Story) -> None:
    def same(what, found, wanted):
        story.same(f"attempt {place}: {what}", found, wanted)

    same("provider", row["provider"], cell.provider(want.lane))
    same("role", row["role"], want.role)
    same("ordinal", row["ordinal"], place)
    same("next", row["next"], want.next)
    same("door", row["door"], cell.door)
    same("model", (row["public_model"], row["upstream_model"]),
         (cell.model, MODEL))
    same("streamed upstream", bool(row["streamed_upstream"]),
         cell.way in EVENTS)
    story.one_of(f"attempt {place}: outcome", row["outcome"], want.outcomes)
    story.one_of(f"attempt {place}: HTTP status", row["http_status"],
                 want.statuses)
    gone = want.maybe_nothing and row["outcome"] == LEFT
    source = "none" if gone and row["output"] is None else want.source
    same("usage source", row["usage_source"], source)
    if source == "none":
        same("tokens", (row["fresh_input"], row["output"]), (None, None))
        same("cost", row["cost_pico"], None)
        return
    if want.tokens:
        same("tokens", tokens(row), want.tokens)
    else:
        story.holds("estimated tokens", min(tokens(row)) > 0)
    same("cost", (row["cost_pico"], row["currency"]),
         (tokens(row)[0] * INPUT_PICO + tokens(row)[1] * OUTPUT_PICO, "USD"))


def compare_rows(cell: Cell, want: Expected, lab: Lab, story: Story) -> None:
    rows = lab.attempts.get(cell.run, [])
    story.same("attempt rows", len(rows), len(want.attempts))
    for place, (wanted, row) in enumerate(zip(want.attempts, rows)):
        compare_attempt(cell, place, wanted, row, story)
    requests = lab.requests.get(cell.run, [])
    story.same("request rows", len(requests), 1)
    if len(requests) != 1:
        return
    row = requests[0]
    story.one_of("request's outcome", row["outcome"], want.outcomes)
    story.same("request's attempts", row["attempts"], len(rows))
    story.same("request's stream", bool(row["stream"]), cell.way == STREAM)
    story.same("request's model", row["requested_model"], cell.model)
    story.same("request's tokens", tokens(row), tuple(
        sum(tokens(r)[i] for r in rows) for i in (0, 1)))
    story.same("request's price is known", row["unpriced"], 0)
    if row["outcome"] == want.code:
        story.same("request's HTTP status", row["http_status"], want.http)
    sources = {r["usage_source"] for r in rows}
    story.same("request's usage source", row["usage_source"], next(
        s for s in ("estimated", "provider", "none") if s in sources))
    compare_usage(cell, rows, lab, story)


def compare_usage(cell: Cell, rows, lab: Lab, story: Story) -> None:
    group = lab.usage.get(cell.run, {})
    story.same("usage: requests, attempts", (
        group.get("requests"), group.get("attempts")), (1, len(rows)))
    if not group:
        return
    story.same("usage: tokens", (group["tokens"]["input"],
                                 group["tokens"]["output"]),
               tuple(sum(tokens(r)[i] for r in rows) for i in (0, 1)))
    story.same("usage: cost", int(Decimal(group["cost"]) * 10**12),
               sum(r["cost_pico"] or 0 for r in rows))
    story.same("usage: estimated, unpriced", (
        group["estimated_requests"], group["unpriced_requests"]),
        (int(any(r["usage_source"] == "estimated" for r in rows)), 0))


def compare_metrics(cell: Cell, lab: Lab, story: Story) -> None:
    """Counted as the rows say; the rows are compared above."""
    rows = lab.attempts.get(cell.run, [])
    for lane in "ab" if cell.fallback else "a":
        provider = cell.provider(lane)
        counted = {outcome: int(n) for (name, outcome), n in
                   lab.outcomes.items() if name == provider}
        story.same(f"attempts_total of {lane}", counted, dict(Counter(
            row["outcome"] for row in rows if row["provider"] == provider)))
        story.same(f"fallbacks_total of {lane}",
                   int(lab.fallbacks.get((provider,), 0)),
                   sum(row["next"] == "next_deployment" for row in rows
                       if row["provider"] == provider))
    outcomes = [r["outcome"] for r in lab.requests.get(cell.run, [])]
    story.same("requests_total", {
        outcome: int(n) for (model, outcome), n in lab.finished.items()
        if model == cell.model}, dict(Counter(outcomes)))


def compare_simulator(cell: Cell, want: Expected, lab: Lab,
                      story: Story) -> None:
    for lane in "ab":
        entries = lab.log.get(cell.provider(lane), [])
        seen = [a for a in want.attempts if a.lane == lane and a.seen_as]
        story.same(f"requests that {lane} saw", len(entries), len(seen))
        for attempt, entry in zip(seen, entries):
            story.one_of(f"{lane}'s end", entry["outcome"], attempt.seen_as)
            story.same(f"{lane} was asked in events",
                       '"stream":true' in entry["body"].replace(" ", ""),
                       cell.way in EVENTS)
            story.same(f"{lane} was shown its key", entry["headers"].get(
                "authorization"), f"Bearer {CELL_KEY}")
    if cell.leaves in ("held", "race"):
        last = lab.log.get(cell.provider(want.attempts[-1].lane), [])
        if last and last[-1]["outcome"] == "client_left":
            story.holds("the upstream is told within the bound",
                        lateness(cell, lab) < LEFT_WITHIN_US)


def lateness(cell: Cell, lab: Lab) -> int:
    """Microseconds from the caller's leaving to the upstream's knowing."""
    last = lab.log[cell.provider(expect(cell).attempts[-1].lane)][-1]
    return last["ended_us"] - lab.heard[cell.number].left_us


def tell(cell: Cell, lab: Lab) -> Story:
    story, want = Story(), expect(cell)
    trouble = lab.heard[cell.number].trouble
    story.holds(f"trouble: {trouble}", not trouble)
    if not cell.leaves:
        compare_heard(cell, want, lab, story)
    compare_rows(cell, want, lab, story)
    compare_metrics(cell, lab, story)
    compare_simulator(cell, want, lab, story)
    return story


@pytest.fixture(scope="module")
def stories(simulator, stubs):  # noqa: F811
    lab = Lab(CELLS, simulator, stubs)
    lab.run()
    told = {cell.number: tell(cell, lab) for cell in CELLS}
    right = sum(not story for story in told.values())
    report(f"fault matrix: {right} of {len(CELLS)} cells right")
    held = [lateness(c, lab) for c in CELLS if c.leaves == "held"
            and not lab.heard[c.number].trouble]
    report(f"fault matrix: {len(held)} callers left held calls, upstreams "
           f"knew within {max(held) / 1000:.0f} ms")
    assert CELL_KEY not in lab.service_log
    yield told
    lab.close()
    simulator.reset()


@pytest.mark.parametrize("cell", CELLS, ids=[cell.name for cell in CELLS])
def test_a_cell_is_right_for_all_who_look(stories, cell):
    assert not stories[cell.number], "\n".join(stories[cell.number])
