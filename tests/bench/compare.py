#!/usr/bin/env python3
"""What the service costs beside the least a proxy can cost, in one table.

    tests/run && python3 tests/bench/compare.py [--rounds 5] [--only NAME…]

Every comparison is interleaved (nginx, service, nginx, service, …) in this one
run; figures are medians over the rounds, with their spread, and ratios are
taken within a round. The proxy under measurement has one worker on one core;
load and upstream have the other. Governance is on: a virtual key, routing,
price, journal, ledger on SQLite, metrics. Needs wrk, nginx and valgrind.
"""

import argparse
import json
from pathlib import Path

import copies
import memory
import streams
import unary
from machine import raise_fd_limit
from sides import harness

SECTIONS = {
    "unary": unary.cpu,
    "latency": unary.latency,
    "ledger": unary.ledger,
    "prompts": unary.prompts,
    "copies": copies.copies,
    "instructions": unary.instructions,
    "streams": streams.cpu,
    "lateness": streams.lateness,
    "loaded": streams.loaded,
    "memory": memory.per_stream,
    "idle": memory.idle,
    "route": memory.route,
}


def shown(value) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return (f"{shown(value['median'])} "
                f"({shown(value['min'])}-{shown(value['max'])})")
    if isinstance(value, float):
        return f"{value:.2f}" if value < 100 else f"{value:,.0f}"
    return f"{value:,}"


def verdict(row) -> str:
    if row.get("bound") is None:
        return ""
    value = row["ratio"] if row.get("ratio") is not None else row["service"]
    median = value["median"] if isinstance(value, dict) else value
    return "met" if median <= row["bound"] else "MISSED"


def print_table(rows) -> None:
    head = ("work", "unit", "nginx", "service", "ratio", "bound", "")
    lines = [head]
    for row in rows:
        lines.append((row["work"], row["unit"], shown(row.get("nginx")),
                      shown(row.get("service")), shown(row.get("ratio")),
                      shown(row.get("bound")), verdict(row)))
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width)
                        for cell, width in zip(line, widths)).rstrip())


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2,
                        help="of each measurement of unary calls")
    parser.add_argument("--open", type=int, default=9000,
                        help="streams held open for their memory")
    parser.add_argument("--only", nargs="*", choices=SECTIONS,
                        default=list(SECTIONS))
    parser.add_argument("--json", type=Path, help="also write the rows here")
    options = parser.parse_args()
    limit = raise_fd_limit()
    # Two for each stream in the proxy, and some.
    options.open = min(options.open, limit // 2 - 500)
    options.scratch = harness.scratch("llm-bench-")
    rows = []
    for name in SECTIONS:
        if name in options.only:
            print(f"… {name}", flush=True)
            rows += SECTIONS[name](options)
            if options.json:
                options.json.write_text(json.dumps(rows, indent=1))
    print()
    print_table(rows)


if __name__ == "__main__":
    main()
