"""Where a part stood among the flat fields of its message.

The twin of the service's server/http/flat_place: messages have one text, one
reasoning and one list of calls; what stood between them (signed reasoning, a part that
only its maker understands) is beside them and says in `at` how much came before it, in
bytes of UTF-8. `check` stands for the text just before: who has edited the text is
found out, and the parts then go in front.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llm_service._stubs import chat_pb2 as pb

_TAIL = 16


def check_of(text: bytes) -> int:
    """FNV-1a of the last 16 bytes."""
    value = 2_166_136_261
    for byte in text[-_TAIL:]:
        value = ((value ^ byte) * 16_777_619) & 0xFFFFFFFF
    return value


class FlatEnd:
    """How far a message has come: where a part that came now would stand."""

    def __init__(self) -> None:
        self.content = 0
        self.reasoning = 0
        self.calls = 0
        self._order = 0
        self._tail = b""

    def add_content(self, text: str) -> None:
        """Counts text."""
        data = text.encode("utf-8")
        self.content += len(data)
        self._tail = (self._tail + data)[-_TAIL:]

    def add_reasoning(self, text: str) -> None:
        """Counts reasoning."""
        self.reasoning += len(text.encode("utf-8"))

    def take(self) -> dict[str, int]:
        """The place here, counted as taken."""
        at = {
            "content": self.content,
            "reasoning": self.reasoning,
            "calls": self.calls,
            "order": self._order,
            "check": check_of(self._tail),
        }
        self._order += 1
        return at


@dataclass
class Placed:
    """A part that came back beside the flat fields; `at` None: nobody knows where."""

    part: pb.Part
    at: Mapping[str, int] | None


def read_place(detail: Mapping[str, Any]) -> Mapping[str, int] | None:
    """`at` of a part that came back."""
    at = detail.get("at")
    names = ("content", "reasoning", "calls", "order", "check")
    if isinstance(at, Mapping) and all(isinstance(at.get(n), int) for n in names):
        return {name: at[name] for name in names}
    return None


_START = {"content": 0, "reasoning": 0, "calls": 0, "order": 0, "check": 0}


def _is_cut(text: bytes, at: int) -> bool:
    """False inside a character and outside the text."""
    return 0 <= at <= len(text) and (at == len(text) or text[at] & 0xC0 != 0x80)


def _fits(
    content: bytes,
    reasoning: bytes,
    calls: int,
    last: Mapping[str, int],
    one: Placed,
) -> bool:
    at = one.at or _START
    return (
        all(at[n] >= last[n] for n in ("content", "reasoning", "calls"))
        and _is_cut(content, at["content"])
        and _is_cut(reasoning, at["reasoning"])
        and at["calls"] <= calls
        and at["check"] == check_of(content[: at["content"]])
        and reasoning[last["reasoning"] : at["reasoning"]].endswith(
            one.part.reasoning.text.encode("utf-8")
        )
    )


def _add(out: pb.Message, kind: str, text: bytes) -> None:
    if text:
        getattr(out.parts.add(), kind).text = text.decode("utf-8")


def _take_own(since: bytes, part: pb.Part) -> bytes:
    """Takes the part's own reasoning off the end; a signature without a text proves
    all of it."""
    thought = part.reasoning
    if not thought.text and not thought.signature:
        return since
    if not thought.text:
        part.reasoning.text = since.decode("utf-8")
    return since[: len(since) - len(part.reasoning.text.encode("utf-8"))]


def add_in_place(
    text: str,
    thought: str,
    calls: list[pb.Part],
    placed: list[Placed],
    out: pb.Message,
) -> bool:
    """Adds all parts in the order of their places, the flat fields cut between them;
    calls after the last place stay in `calls`. False, and nothing is changed, where a
    place is missing or does not fit."""
    content, reasoning = text.encode("utf-8"), thought.encode("utf-8")
    if any(one.at is None for one in placed):
        return False
    placed = sorted(placed, key=lambda one: (one.at or _START)["order"])
    last: Mapping[str, int] = _START
    for one in placed:
        if not _fits(content, reasoning, len(calls), last, one):
            return False
        last = one.at or _START
    last = _START
    for one in placed:
        at = one.at or _START
        since = reasoning[last["reasoning"] : at["reasoning"]]
        _add(out, "reasoning", _take_own(since, one.part))
        _add(out, "text", content[last["content"] : at["content"]])
        out.parts.extend(calls[last["calls"] : at["calls"]])
        out.parts.append(one.part)
        last = at
    _add(out, "reasoning", reasoning[last["reasoning"] :])
    _add(out, "text", content[last["content"] :])
    del calls[: last["calls"]]
    return True
