"""Sockets of httpx's threads that know which call they serve.

httpx bounds each read and not the call, and shows a socket only once the headers have
come. Beneath it here is a network backend that asks, before each step, for the time
that the call has left, and whether it was closed meanwhile; and whoever closes a call
reaches the socket that its thread waits on.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

_here = threading.local()
# A write is bounded piece by piece.
_PIECE = 1 << 18


class Flight:
    """One call under way."""

    def __init__(self, patience: float | None) -> None:
        self.until = None if patience is None else time.monotonic() + patience
        self.closed = False
        self.stream: Watched | None = None

    @contextmanager
    def here(self) -> Iterator[None]:
        """What this thread does in the block is the call's."""
        outer = getattr(_here, "flight", None)
        _here.flight = self
        try:
            yield
        finally:
            _here.flight = outer

    def check(self, timeout: float | None, late: type[Exception]) -> float | None:
        """The time for the next step; raises where there is none."""
        if self.closed:
            raise httpcore.ReadError("closed")
        if self.until is None:
            return timeout
        left = self.until - time.monotonic()
        if left <= 0:
            raise late("the deadline of the call")
        return left if timeout is None else min(left, timeout)

    def close(self) -> None:
        """Ends the call; its thread hears of it at once. From any thread."""
        self.closed = True
        if self.stream is not None:
            self.stream.abort(self)


class Watched(httpcore.NetworkStream):
    """A connection; serves one call at a time."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner
        self._lock = threading.Lock()
        self._flight: Flight | None = None

    def _begin(self, timeout: float | None, late: type[Exception]) -> float | None:
        flight: Flight | None = getattr(_here, "flight", None)
        if flight is None:
            return timeout
        with self._lock:
            self._flight = flight
        # Before it is checked: who closes the call sees the one or the other.
        flight.stream = self
        return flight.check(timeout, late)

    def abort(self, flight: Flight) -> None:
        """Wakes the thread that waits; does nothing once another call is served."""
        with self._lock:
            sock = self._inner.get_extra_info("socket")
            if self._flight is not flight or sock is None:
                return
            try:  # past ssl's own, which forgets its keys under the reader's hands
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                pass

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Reads within the call's time."""
        return self._inner.read(max_bytes, self._begin(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Writes within the call's time."""
        for at in range(0, len(buffer), _PIECE):
            left = self._begin(timeout, httpcore.WriteTimeout)
            self._inner.write(buffer[at : at + _PIECE], left)

    def close(self) -> None:
        """Closes the connection."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """The same connection with TLS."""
        left = self._begin(timeout, httpcore.ConnectTimeout)
        return Watched(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks for."""
        return self._inner.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        return Watched(
            super().connect_tcp(host, port, timeout, local_address, socket_options)
        )


class WatchedTransport(httpx.HTTPTransport):
    """httpx's transport over watched connections: it has no argument for a backend."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        limits: httpx.Limits = arguments["limits"]
        self._pool = httpcore.ConnectionPool(
            ssl_context=arguments["verify"],
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            socket_options=arguments["socket_options"],
            network_backend=_Backend(),
        )
