"""One service process for the whole fault matrix, and what was found in it.

Every cell has providers, lanes, a model and a run of its own, so that no
cell's health, keys or rows touch another's and all may run at once.
"""

from __future__ import annotations

import re
import socket
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import harness
from fault_callers import Heard, HttpCaller, GrpcCaller
from fault_cells import GATHERED, MODEL, STREAM, Cell, scripts

CALLERS = 40
DEADLINE = 1.5  # seconds, of the caller where a cell has one
CELL_KEY = "sk-canary-of-the-fault-matrix-0123456789"


class Refused:
    """A port nobody listens on, and that nobody else is given."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]


class Blackhole(Refused):
    """A port whose queue of connections is full: the next one hangs."""

    def __init__(self):
        super().__init__()
        self.socket.listen(0)
        self.fill = [socket.socket() for _ in range(2)]
        for filler in self.fill:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))

    def somebody_connects(self) -> bool:
        """Somebody's SYN is on its way here and not one of ours."""
        remote = f"0100007F:{self.port:04X} 02 "
        with open("/proc/net/tcp", encoding="ascii") as table:
            return sum(remote in line for line in table) > len([
                f for f in self.fill if self._waits(f)])

    @staticmethod
    def _waits(filler: socket.socket) -> bool:
        try:
            filler.getpeername()
            return False
        except OSError:
            return True


def timeouts(cell: Cell, lane: str) -> str:
    """Short where running out is the cell's fault, long everywhere else."""
    connect = content = "20s"
    if lane == "a" and cell.fault.slow and not (
            cell.leaves and cell.attempts() == "a"):
        content = "1200ms"
    if cell.fault.place == "blackhole" and cell.leaves != "connecting":
        connect = "400ms"
    return (f"timeouts: {{connect: {connect}, first_content: {content}, "
            f"idle: {content}, total: 25s}}")


class Lab:
    def __init__(self, all_cells: list[Cell], simulator, stubs):
        self.cells, self.simulator = all_cells, simulator
        self.refused = Refused()
        self.blackholes = {c.number: Blackhole() for c in all_cells
                           if c.fault.place == "blackhole"}
        self.service = harness.Service(self._config(),
                                       {"CELL_KEY": CELL_KEY})
        self.doors = {
            "http": HttpCaller(self.service.addresses["http"]),
            "grpc": GrpcCaller(self.service.addresses["grpc"], stubs)}
        self.heard: dict[int, Heard] = {}

    def _base_url(self, cell: Cell, lane: str) -> str:
        if lane == "a" and cell.fault.place == "refused":
            return f"http://127.0.0.1:{self.refused.port}/v1"
        if lane == "a" and cell.fault.place == "blackhole":
            port = self.blackholes[cell.number].port
            return f"http://127.0.0.1:{port}/v1"
        # A host of its own, as real providers have: connections that calls of
        # the same host share would make a dead one look merely stale.
        return self.simulator.base_url(cell.provider(lane)).replace(
            "127.0.0.1", cell.provider(lane) + ".localhost")

    def _config(self) -> str:
        providers, models = [], []
        for cell in self.cells:
            # The profile of a vendor whose streams are known to be whole.
            profile = ", profile: openai" if cell.way == GATHERED else ""
            lanes = "ab" if cell.fallback else "a"
            for lane in lanes:
                providers.append(harness.upstream(
                    cell.provider(lane), self._base_url(cell, lane),
                    f', api_keys: ["env:CELL_KEY"]{profile}, '
                    + timeouts(cell, lane)))
            deployments = ", ".join(
                f"{{provider: {cell.provider(lane)}, upstream: {MODEL}}}"
                for lane in lanes)
            models.append(
                f"{cell.model}: {{deployments: [{deployments}], price: "
                "{currency: USD, per_million: {input: \"1\", output: \"2\"}}}")
        return harness.config(
            "\n".join(providers), "\n".join(models),
            f"general: {{primary: [{self.cells[0].model}]}}",
            extra="routing: {default_task: general, max_attempts: 4, "
                  "max_retries_same: 1, backoff_initial: 20ms, "
                  "max_wait: 5s}\n")

    def run(self) -> None:
        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(self._run_cell, self.cells))
        self._collect()

    def _run_cell(self, cell: Cell) -> None:
        heard = self.heard[cell.number] = Heard()
        try:
            for lane, queue in scripts(cell).items():
                for script in queue:
                    self.simulator.script(cell.provider(lane), **script)
            door = self.doors[cell.door]
            if cell.leaves:
                first_chunk = cell.way == STREAM and (
                    cell.committed or cell.leaves == "held"
                    and cell.holds_at() == "content")
                door.leave(cell, heard, lambda: self._point(cell),
                           first_chunk)
            else:
                door.stay(cell, heard,
                          DEADLINE if cell.fault.deadline else None)
        except Exception as trouble:  # told as the cell's difference
            heard.trouble = f"{type(trouble).__name__}: {trouble}"

    def _point(self, cell: Cell) -> None:
        """Waits until the cell has come to where its caller leaves."""
        if cell.leaves == "connecting":
            return wait_for(self.blackholes[cell.number].somebody_connects)
        lane = cell.provider("a" if cell.leaves in ("race", "wait")
                             else cell.attempts()[-1])
        words = {"wait": {"answered"}, "held": {"stalled"}}.get(cell.leaves)
        wait_for(lambda: any(words is None or entry["outcome"] in words
                             for entry in self.simulator.log(lane)))
        if cell.leaves == "wait":
            # The upstream has answered; the service is to have heard it, too,
            # and now waits for seconds.
            threading.Event().wait(1)

    def _collect(self) -> None:
        """Everything that is left behind once all callers have gone."""
        database = sqlite3.connect(self.service.directory / "service.db")
        database.row_factory = sqlite3.Row

        def settled():
            # A report sees what was appended before it.
            self.usage = usage_by_run(self.service)
            stored = database.execute(
                "SELECT count(*) FROM requests").fetchone()[0]
            return stored >= len(self.cells)

        wait_for(settled, 30, hard=False)
        self.log: dict[str, list] = {}
        for entry in self.simulator.log(""):
            self.log.setdefault(entry["lane"], []).append(entry)
        self.attempts = by_run(database, "attempts", "ordinal")
        self.requests = by_run(database, "requests", "request_id")
        self.metrics = self.service.metrics()
        self.outcomes = series(self.metrics, "llm_service_attempts_total",
                               "provider", "outcome")
        self.fallbacks = series(self.metrics, "llm_service_fallbacks_total",
                                "provider")
        self.finished = series(self.metrics, "llm_service_requests_total",
                               "model", "outcome")
        self.service_log = self.service.log()

    def close(self) -> None:
        self.service.stop()


def wait_for(condition, timeout=10.0, hard=True) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            assert not hard, "waited in vain"
            return
        threading.Event().wait(0.02)


def by_run(database, table: str, order: str) -> dict[str, list]:
    rows: dict[str, list] = {}
    for row in database.execute(
            f"SELECT * FROM {table} ORDER BY {order}"):
        rows.setdefault(row["run_id"], []).append(row)
    return rows


def usage_by_run(service) -> dict[str, dict]:
    import json  # noqa: PLC0415  (decimals, unlike Reply.json)
    reply = service.call("/v1/usage?by=run_id", key=harness.ADMIN_KEY)
    assert reply.status == 200, reply.text
    groups = json.loads(reply.body, parse_float=Decimal)["groups"]
    return {group["keys"]["run_id"]: group for group in groups}


def series(text: str, family: str, *labels: str) -> dict:
    """The family's values by those labels, without those that are 0."""
    values: dict = {}
    for line in text.splitlines():
        found = re.match(rf"{family}{{(.*)}} (\S+)", line)
        if not found or float(found.group(2)) == 0:
            continue
        named = dict(re.findall(r'(\w+)="([^"]*)"', found.group(1)))
        key = tuple(named[label] for label in labels)
        values[key] = values.get(key, 0) + float(found.group(2))
    return values
