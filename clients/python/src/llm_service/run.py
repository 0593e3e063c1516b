"""Runs: one analysis or conversation whose calls belong together.

    with client.run(user="u1", task_type="financial_analysis", symbol="AAPL") as run:
        client.chat(messages, agent="news")        # tagged by itself
        any_langchain_model.invoke("…")             # this package's: tagged too
    print(run.report["total"])

The tags are in a context variable: every call of any client of this package that is
made in the block has them, also in tasks started there; what a call names itself wins.
Threads take them along only with `contextvars.copy_context().run`, as LangGraph does.
"""

from __future__ import annotations

from collections.abc import Mapping

from llm_service.types import UsageReport


class Run:
    """A tagged run; made by `Client.run` and `AsyncClient.run`.

    Attributes:
      run_id: given, or a new UUID.
      report: the run's usage by model and agent, once the block has ended without
        an exception of its own; else None. `usage_error` says why it is missing.
    """

    run_id: str
    report: UsageReport | None
    usage_error: Exception | None
    tags: Mapping[str, str]
