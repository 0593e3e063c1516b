"""What a forked child may do with grpcio, and what it must leave alone.

grpcio itself does not work in a child that was forked after grpc.aio was used (all
versions up to 1.85; its poller thread is gone), or in the middle of a call (seen with
1.75; newer ones are luckier): calls hang or crash. Such a child uses HTTP.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

# One entry for each gRPC call under way; appending and popping need no lock, which a
# fork could find locked.
_under_way: list[None] = []
_state = {"aio_used": False, "broken": False}
# Of parents: not even destroyed in a child, which would speak on their sockets.
_left: list[Any] = []
_hooks: list[Callable[[], None]] = []


def begin() -> None:
    """A gRPC call begins."""
    _under_way.append(None)


def end() -> None:
    """A gRPC call has ended."""
    if _under_way:  # empty in a child that was forked in the middle of it
        _under_way.pop()


def aio_is_used() -> None:
    """grpc.aio has started its poller."""
    _state["aio_used"] = True


def grpc_is_broken() -> bool:
    """Whether this process must not call over gRPC."""
    return _state["broken"]


def leave(value: Any) -> None:
    """Keeps something of the parent's for ever."""
    _left.append(value)


def after_fork(hook: Callable[[], None]) -> None:
    """Runs something in each child."""
    _hooks.append(hook)


def _in_child() -> None:
    if _under_way or _state["aio_used"]:
        _state["broken"] = True
    _under_way.clear()
    for hook in _hooks:
        hook()


os.register_at_fork(after_in_child=_in_child)
