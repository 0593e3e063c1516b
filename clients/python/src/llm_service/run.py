"""Runs: one analysis or conversation whose calls belong together.

    with client.run(user="u1", task_type="financial_analysis", symbol="AAPL") as run:
        client.chat(messages, agent="news")        # tagged by itself
        any_langchain_model.invoke("…")             # this package's: tagged too
    print(run.report["total"])

The tags are in a context variable: every call of any client of this package that is
made in the block has them, also in tasks started there; what a call names itself wins.
Threads take them along only with `contextvars.copy_context().run`, as LangGraph does.
A run inside of a run adds to its tags and has a run_id of its own; with
`run_id=outer.run_id` its calls count for the outer run. A Run is entered once.
"""

from __future__ import annotations

import contextvars
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llm_service._call import current_tags
from llm_service.types import Dimension, UsageReport

if TYPE_CHECKING:
    from llm_service.aio import AsyncClient
    from llm_service.client import Client

_BY: tuple[Dimension, ...] = ("model", "agent")
_REPORT_TIMEOUT = 10.0


class _Tagged:
    """What both kinds of run have in common."""

    def __init__(
        self,
        run_id: str | None,
        metadata: Mapping[str, str] | None,
        symbol: str,
        **tags: str,
    ) -> None:
        self.run_id = run_id or str(uuid.uuid4())
        self.report: UsageReport | None = None
        self.usage_error: Exception | None = None
        self._tags = {name: value for name, value in tags.items() if value}
        self._tags["run_id"] = self.run_id
        self._metadata = dict(metadata or {})
        if symbol:
            self._metadata["symbol"] = symbol
        self._token: contextvars.Token[Mapping[str, Any]] | None = None
        self._outer: Mapping[str, Any] = {}
        self._ours: Mapping[str, Any] = {}
        self._entered = False

    @property
    def tags(self) -> dict[str, Any]:
        """What calls in the block are tagged with."""
        return {**self._tags, "metadata": dict(self._metadata)}

    def _enter(self) -> None:
        if self._entered:
            raise RuntimeError("a run is entered once; make another with run()")
        self._entered = True
        self._outer = current_tags.get()
        metadata = {**self._outer.get("metadata", {}), **self._metadata}
        self._ours = {**self._outer, **self._tags, "metadata": metadata}
        self._token = current_tags.set(self._ours)

    def _exit(self) -> None:
        token, self._token = self._token, None
        if token is None:
            return
        try:
            current_tags.reset(token)
        except ValueError:
            # Left in another context, as by a fixture or generator that another task
            # ends. Where that context has our tags, it must lose them, too.
            if current_tags.get() is self._ours:
                current_tags.set(self._outer)


class Run(_Tagged):
    """A tagged run; made by `Client.run`.

    Attributes:
      run_id: given, or a new UUID.
      report: the run's usage by model and agent, once the block has ended (unless by
        KeyboardInterrupt and the like); None where it could not be had.
      usage_error: why it could not: a report that fails does not fail the run.
    """

    def __init__(self, client: Client, run_id: str | None, **tags: Any) -> None:
        super().__init__(run_id, tags.pop("metadata"), tags.pop("symbol"), **tags)
        self._client = client

    def usage(self, by: tuple[Dimension, ...] = _BY) -> UsageReport:
        """The run's usage so far."""
        return self._client.usage(
            by=by, where={"run_id": self.run_id}, timeout=_REPORT_TIMEOUT
        )

    def __enter__(self) -> Run:
        self._enter()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._exit()
        if kind is None or issubclass(kind, Exception):
            try:
                self.report = self.usage()
            except Exception as error:
                self.usage_error = error


class AsyncRun(_Tagged):
    """The same for asyncio; made by `AsyncClient.run`."""

    def __init__(self, client: AsyncClient, run_id: str | None, **tags: Any) -> None:
        super().__init__(run_id, tags.pop("metadata"), tags.pop("symbol"), **tags)
        self._client = client

    async def usage(self, by: tuple[Dimension, ...] = _BY) -> UsageReport:
        """The run's usage so far."""
        return await self._client.usage(
            by=by, where={"run_id": self.run_id}, timeout=_REPORT_TIMEOUT
        )

    async def __aenter__(self) -> AsyncRun:
        self._enter()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._exit()
        if kind is None or issubclass(kind, Exception):
            try:
                self.report = await self.usage()
            except Exception as error:
                self.usage_error = error
