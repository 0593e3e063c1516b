"""One call on its way to a transport: its body, deadline and tags."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from llm_service import _fork
from llm_service.types import CallOptions, ChatFields

# The service ends a call at its deadline and says what came of it; this is how much
# longer we wait for its word before we end the call ourselves.
GRACE = 1.0

_TAGS = ("task_type", "run_id", "agent", "user", "metadata")
_WORDS = {"request_id": "x-request-id", "idempotency_key": "idempotency-key"}
_CHAT_NAMES = frozenset(ChatFields.__optional_keys__)
_EMBED_NAMES = frozenset(("dimensions",))
# Inherited members are not in __annotations__ of every TypedDict on Python 3.10.
_OPTION_NAMES = frozenset(CallOptions.__optional_keys__ | CallOptions.__required_keys__)

# The tags of the run around the code that is running; see run.py.
current_tags: contextvars.ContextVar[Mapping[str, Any]] = contextvars.ContextVar(
    "llm_service_tags", default={}
)


@dataclass(frozen=True)
class Call:
    """A request body in OpenAI's JSON shape, its deadline in seconds from now, and
    what goes beside it (HTTP header and gRPC metadata have the same names)."""

    body: Mapping[str, Any]
    timeout: float | None = None
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def patience(self) -> float | None:
        """Seconds after which we give up on the service itself."""
        return None if self.timeout is None else self.timeout + GRACE


def names_task(model: str) -> bool:
    """Whether a model is an alias with a task of its own, which a task that is sent
    beside it would replace, tier and all. Plain "auto" is none."""
    return model in ("auto-quick", "auto-deep") or model.startswith("auto:")


def _tags(model: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The run's tags under the call's own."""
    out = dict(current_tags.get())
    if names_task(model):
        out.pop("task_type", None)
    metadata = {**out.pop("metadata", {}), **(options.get("metadata") or {})}
    for name in _TAGS:
        if options.get(name) is not None:
            out[name] = options[name]
    if metadata:
        out["metadata"] = metadata
    return {name: value for name, value in out.items() if value}


def _check_timeout(timeout: Any) -> float | None:
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError("timeout is a number of seconds")
    if not 0 < timeout < 366 * 86400:
        raise ValueError("timeout must be positive and at most a year")
    return float(timeout)


def _word(name: str, value: Any) -> str:
    text = str(value)
    if not text.isascii() or not text.isprintable():
        raise ValueError(f"{name} must be of printable ASCII characters")
    return text


def _make(
    model: str,
    required: Mapping[str, Any],
    names: frozenset[str],
    options: Mapping[str, Any],
    timeout: float | None,
) -> Call:
    unknown = set(options) - names - _OPTION_NAMES
    if unknown:
        raise TypeError(
            f"unknown field {sorted(unknown)[0]!r}; what this package does not know "
            "goes into extra_body"
        )
    body = {"model": model or "auto", **required}
    for name in names | {"strict", "priority"}:
        if options.get(name) is not None:
            body[name] = options[name]
    body.update(_tags(model, options))
    body.update(options.get("extra_body") or {})
    own = options.get("timeout")
    words = {
        word: _word(name, options[name])
        for name, word in _WORDS.items()
        if options.get(name) is not None
    }
    return Call(body, _check_timeout(timeout if own is None else own), words)


def chat_call(
    messages: Sequence[Mapping[str, Any]],
    model: str,
    options: Mapping[str, Any],
    timeout: float | None,
) -> Call:
    """A chat call; TypeError for a name that is no option."""
    return _make(model, {"messages": list(messages)}, _CHAT_NAMES, options, timeout)


def embeddings_call(
    texts: Any,
    model: str,
    options: Mapping[str, Any],
    timeout: float | None,
) -> Call:
    """An embeddings call; TypeError for a name that is no option."""
    return _make(model, {"input": texts}, _EMBED_NAMES, options, timeout)


def report_call(timeout: float | None, **query: Any) -> Call:
    """A call for a list or report."""
    return Call(query, _check_timeout(timeout))


T = TypeVar("T")

# Everything that must be made anew in a forked child.
_forkable: weakref.WeakSet[PerProcess[Any]] = weakref.WeakSet()


class PerProcess(Generic[T]):
    """Something that is made at its first use, once for each process.

    A forked child leaves the parent's as it is, and does not even destroy it: closing
    a connection there would speak on the parent's socket."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._value: T | None = None
        self.reset()
        _forkable.add(self)

    def reset(self) -> None:
        """In a forked child: forgets the parent's."""
        if self._value is not None:
            _fork.leave(self._value)
        self._lock = threading.Lock()
        self._value = None
        self._pid = os.getpid()

    def get(self) -> T:
        """The value of this process."""
        if self._pid != os.getpid():  # forked by something that runs no hooks
            self.reset()
        with self._lock:
            if self._value is None:
                self._value = self._make()
            return self._value

    def take(self) -> T | None:
        """The value if there is one; it is made anew after this."""
        if self._pid != os.getpid():
            self.reset()
        with self._lock:
            value, self._value = self._value, None
            return value


class PerLoop(Generic[T]):
    """The same for each event loop of each process; safe for loops in threads."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        # Connections know their loop, so a weak dictionary would never let go.
        self._all: PerProcess[dict[asyncio.AbstractEventLoop, T]] = PerProcess(dict)
        self._lock: PerProcess[threading.Lock] = PerProcess(threading.Lock)

    def get(self) -> T:
        """The value of the running loop; forgets those of loops that are over."""
        loop = asyncio.get_running_loop()
        with self._lock.get():
            values = self._all.get()
            if loop not in values:
                for other in [one for one in values if one.is_closed()]:
                    del values[other]
                values[loop] = self._make()
            return values[loop]

    def take(self) -> T | None:
        """The running loop's value if there is one; those of others are left."""
        with self._lock.get():
            return self._all.get().pop(asyncio.get_running_loop(), None)


def _after_fork() -> None:
    for one in list(_forkable):
        one.reset()


_fork.after_fork(_after_fork)
