"""Whole answers: CPU, latency, long prompts, instructions."""

import re
import statistics
import subprocess
from pathlib import Path

import sides
from machine import spread
from sides import harness


def rounds_of(options, work: dict) -> dict:
    """Each side once to warm up, then in turn, `rounds` times."""
    for run in work.values():
        run()
    results = {name: [] for name in work}
    for _ in range(options.rounds):
        for name, run in work.items():
            results[name].append(run())
    return results


def row(work, unit, nginx, service, bound=None) -> dict:
    return {"work": work, "unit": unit, "nginx": spread(nginx),
            "service": spread(service),
            "ratio": spread([b / a for a, b in zip(nginx, service)]),
            "bound": bound}


class Stage:
    """An upstream, nginx and the service in front of it."""

    def __init__(self, *flags: str, buffering=True):
        self.upstream = sides.simulator(*flags)
        self.nginx = sides.Nginx(self.upstream.port, buffering)
        self.gateway = sides.Gateway(self.upstream.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.nginx.close()
        self.upstream.close()
        # Last, since it fails where the service did not end well.
        self.gateway.close()

    def url(self, side) -> str:
        return f"http://127.0.0.1:{side.port}/v1/chat/completions"

    def direct(self) -> str:
        return f"http://127.0.0.1:{self.upstream.port}/v1/chat/completions"


def http_cpu(pid, url, body, key, connections, seconds) -> float:
    """CPU µs of `pid` for each request of wrk's."""
    used, (requests, _) = sides.spent(
        pid, lambda: sides.wrk(url, body, key, connections, seconds))
    return used / requests


def grpc_cpu(gateway, words: Path, seconds) -> float:
    """CPU µs of the service for each unary call of 16 connections."""
    used, got = sides.spent(gateway.pid, lambda: sides.load(
        "grpc_load", "--port", gateway.grpc_port, "--text-file", words,
        "--key", gateway.key, "--connections", 16, "--seconds", seconds))
    return used / got["ended"]


def cpu(options):
    """1.7 KB up, 1 KB down: CPU per request, HTTP and gRPC."""
    rows = []
    with Stage("--chars", "620") as stage:
        body = sides.chat_body(1700)
        words = options.scratch / "text"
        words.write_text(sides.text(1700))

        def http_run(side, connections):
            return http_cpu(side.pid, stage.url(side), body,
                            stage.gateway.key, connections, options.seconds)

        def grpc_run():
            return grpc_cpu(stage.gateway, words, options.seconds)

        for connections in (16, 64):
            got = rounds_of(options, {
                "nginx": lambda: http_run(stage.nginx, connections),
                "service": lambda: http_run(stage.gateway, connections)})
            rows.append(row(f"unary HTTP, {connections} connections",
                            "CPU µs/request", got["nginx"], got["service"],
                            3.5))
        got = rounds_of(options, {
            "nginx": lambda: http_run(stage.nginx, 16), "service": grpc_run})
        rows.append(row("unary gRPC, 16 connections (nginx: HTTP)",
                        "CPU µs/request", got["nginx"], got["service"], 3.5))
    return rows


def ledger(options):
    """What the ledger takes of a core: requests a second with and without."""
    with Stage("--chars", "620") as stage:
        without = sides.Gateway(stage.upstream.port, ledger=False)
        body = sides.chat_body(1700)

        def run(side):
            # Both threads have one core, so its rows cost answers.
            return sides.wrk(stage.url(side), body, side.key, 16,
                             options.seconds)[0] / options.seconds

        got = rounds_of(options, {"with": lambda: run(stage.gateway),
                                  "without": lambda: run(without)})
        without.close()
    shares = [100 * (1 - b / a) for a, b in zip(got["without"], got["with"])]
    return [{"work": "ledger: share of throughput", "unit": "%",
             "nginx": None, "service": spread(shares), "bound": 15}]


def latency(options):
    """What each adds to one connection's requests."""
    with Stage("--chars", "620") as stage:
        body = sides.chat_body(1700)

        def run(url):
            return sides.wrk(url, body, stage.gateway.key, 1,
                             options.seconds)[1]

        got = rounds_of(options, {
            "direct": lambda: run(stage.direct()),
            "nginx": lambda: run(stage.url(stage.nginx)),
            "service": lambda: run(stage.url(stage.gateway))})
    rows = []
    for share in ("p50", "p99"):
        added = {name: [max(a[share] - d[share], 1)
                        for a, d in zip(got[name], got["direct"])]
                 for name in ("nginx", "service")}
        rows.append(row(f"latency added, 1 connection, {share}", "µs",
                        added["nginx"], added["service"], 4))
    return rows


def prompts(options):
    """CPU must grow no faster than the body."""
    rows = []
    with Stage("--chars", "620") as stage:
        for size, name in ((100_000, "100 KB"), (1_000_000, "1 MB")):
            body = sides.chat_body(size)

            def run(side):
                return http_cpu(side.pid, stage.url(side), body,
                                stage.gateway.key, 4,
                                options.seconds) / (len(body) / 1024)

            got = rounds_of(options, {
                "nginx": lambda: run(stage.nginx),
                "service": lambda: run(stage.gateway)})
            rows.append(row(f"prompt of {name}", "CPU µs/KiB", got["nginx"],
                            got["service"]))
    return rows


def ask_grpc(gateway, requests: int, scratch: Path) -> None:
    words = scratch / "text"
    words.write_text(sides.text(1700))
    sides.load("grpc_load", "--port", gateway.grpc_port, "--text-file", words,
               "--key", gateway.key, "--connections", 1, "--calls", requests)


def counted(options, requests: int, stream: bool, door="http") -> int:
    """Instructions of the whole service for so many requests."""
    out = options.scratch / "callgrind.out"
    upstream = harness.Simulator("--no-log", "--chars", "620")
    gateway = sides.gateway_under(
        f"--tool=callgrind --callgrind-out-file={out}", upstream.port,
        options.scratch)
    if door == "grpc":
        ask_grpc(gateway, requests, options.scratch)
    else:
        sides.ask(gateway, sides.chat_body(1700, stream), requests)
    gateway.service.stop(120)
    upstream.close()
    return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(),
                         re.M).group(1))


def instructions(options):
    """Figures that noise cannot move."""
    rows = []
    for stream, name in ((False, "one unary request"),
                         (True, "one stream of 64 deltas")):
        few, many = (counted(options, n, stream) for n in (50, 250))
        rows.append({"work": f"instructions of {name}", "unit": "",
                     "service": (many - few) // 200})
    return rows
