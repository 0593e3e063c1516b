#!/usr/bin/env python3
"""What one build of the service costs beside another, in one table.

    python3 tests/bench/beside.py OLD NEW [--rounds 16]

OLD and NEW are programs (build/release/server/llm-service, build/trained/…, one
kept from before a change). Both run at once on one core, load and upstream on the
other, and are asked in turn, the first of each round asked second in the next: the
machine's speed wanders by more than most changes are worth. Read the ratio, taken
within a round, and in how many rounds NEW was the cheaper.
"""

import argparse
import contextlib
from pathlib import Path

import sides
import streams
import unary
from machine import raise_fd_limit, spread
from sides import harness

CHAT = "/v1/chat/completions"


def url(gateway) -> str:
    return f"http://127.0.0.1:{gateway.port}{CHAT}"


def works(options) -> dict:
    """Of each kind of work: its unit and what measures it on one service."""
    body = sides.chat_body(1700)
    words = options.scratch / "text"
    words.write_text(sides.text(1700))

    def deltas(gateway, model):
        return streams.delta_cpu(gateway.pid, streams.flags_of(
            options, model, gateway, CHAT, sides.chat_body(1700, True, model),
            f"Authorization: Bearer {gateway.key}"))

    return {
        "unary HTTP, 16 connections": ("CPU µs/request", lambda one:
            unary.http_cpu(one.pid, url(one), body, one.key, 16,
                           options.seconds)),
        "unary gRPC, 16 connections": ("CPU µs/request", lambda one:
            unary.grpc_cpu(one, words, options.seconds)),
        "unary HTTP, 1 connection, p50": ("µs", lambda one:
            sides.wrk(url(one), body, one.key, 1, options.seconds)[1]["p50"]),
        "50 streams at 5 ms, openai upstream": (
            "CPU µs/delta", lambda one: deltas(one, "m")),
        "50 streams at 5 ms, anthropic upstream": (
            "CPU µs/delta", lambda one: deltas(one, "c")),
        "50 streams at 5 ms, gRPC, openai upstream": (
            "CPU µs/delta", lambda one:
            streams.grpc_delta_cpu(one, words, "m")),
    }


def measured(run, sides_of: dict, rounds: int) -> dict:
    """The figures of both, in turn, after one run each to warm up."""
    got = {name: [] for name in sides_of}
    for gateway in sides_of.values():
        run(gateway)
    for turn in range(rounds):
        for name in sorted(sides_of, reverse=turn % 2 == 1):
            got[name].append(run(sides_of[name]))
    return got


def compare(options, running: contextlib.ExitStack) -> None:
    """Prints the table; what it starts ends with `running`."""
    upstream = sides.simulator("--chars", "640", "--deltas", str(streams.DELTAS),
                               "--interval-ms", "5", "--stamp")
    running.callback(upstream.close)
    upstream.script("claude", **streams.anthropic_script(5))
    both = {name: sides.gateway_of(getattr(options, name).resolve(), upstream.port)
            for name in ("old", "new")}
    for one in both.values():
        running.callback(one.close)
    print(f"{'work':42}{'unit':16}{'old':>8}{'new':>8}  ratio")
    for work, (unit, run) in works(options).items():
        got = measured(run, both, options.rounds)
        ratios = [new / old for old, new in zip(got["old"], got["new"])]
        over = spread(ratios)
        print(f"{work:42}{unit:16}{spread(got['old'])['median']:8.1f}"
              f"{spread(got['new'])['median']:8.1f}  {over['median']:.3f} "
              f"({over['min']:.2f}-{over['max']:.2f}), new cheaper in "
              f"{sum(one < 1 for one in ratios)} of {len(ratios)}", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=2,
                        help="of each measurement of unary calls")
    options = parser.parse_args()
    for program in (options.old, options.new):
        if not program.is_file():
            parser.error(f"{program} is no program: build it first")
    raise_fd_limit()
    options.scratch = harness.scratch("llm-bench-")
    with contextlib.ExitStack() as running:
        compare(options, running)


if __name__ == "__main__":
    main()
