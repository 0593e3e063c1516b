#!/usr/bin/env python3
"""Where the instructions of one request go, by library and by room.

    python3 tests/bench/profile.py [--stream | --grpc]

Counted by callgrind over 250 requests less 50, as the benchmark's totals
are. Each instruction is counted once, where its source line stands: what is
inlined from Boost or the standard library counts there.
"""

import argparse
import re
import types
from collections import Counter
from pathlib import Path

import unary
from sides import harness

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = (
    ("libcurl", "libcurl"), ("libsqlite3", "SQLite"),
    ("libprotobuf", "protobuf"), ("libmimalloc", "memory"),
    ("libc.so", "C library (copies, comparisons, locks, system calls)"),
    ("libstdc++", "C++ library"), ("libabsl", "Abseil"),
    ("libcrypto", "OpenSSL"), ("libspdlog", "log"), ("libfmt", "log"),
    ("libre2", "RE2"), ("libgrpc", "gRPC"),
)
SOURCES = (
    ("/boost/asio/", "Asio, inlined"), ("/boost/", "Beast and Boost, inlined"),
    ("/absl/", "Abseil"), ("/google/protobuf/", "protobuf"),
    (".pb.", "protobuf"), ("/c++/", "C++ library, inlined"),
    ("/spdlog/", "log"), ("/fmt/", "log"),
)


def part(binary: str, source: str) -> str:
    for key, name in LIBRARIES:
        if key in binary:
            return name
    room = re.search(r"\b(adapters/\w+|router|server/\w+)/\w+\.(?:cc|h)$", source)
    if room:
        return room[1]
    for key, name in SOURCES:
        if key in source:
            return name
    return "the rest"


def read(out: Path) -> Counter:
    """Instructions by part of one callgrind file."""
    names = {}
    where = {"ob": "", "fl": ""}
    counts = Counter()
    call = False
    for line in out.read_text().splitlines():
        field = re.match(r"(ob|fl|fi|fe)=\((\d+)\)(?: (.*))?$", line)
        if field:
            kind = "ob" if field[1] == "ob" else "fl"
            if field[3] is not None:
                names[kind, field[2]] = field[3]
            where[kind] = names[kind, field[2]]
        elif name := re.match(r"c?(ob|fi|fl)=\((\d+)\) (.*)$", line):
            names["ob" if name[1] == "ob" else "fl", name[2]] = name[3]
        elif line.startswith("calls="):
            call = True
        elif cost := re.match(r"[+\-*\d]\S* (\d+)$", line):
            if not call:
                counts[part(where["ob"], where["fl"])] += int(cost[1])
            call = False
    return counts


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--stream", action="store_true",
                        help="of one stream of 64 deltas")
    parser.add_argument("--grpc", action="store_true",
                        help="of one unary call over gRPC")
    chosen = parser.parse_args()
    door = "grpc" if chosen.grpc else "http"
    options = types.SimpleNamespace(
        scratch=harness.scratch("llm-bench-"))
    counts = []
    for requests in (50, 250):
        unary.counted(options, requests, chosen.stream, door)
        counts.append(read(options.scratch / "callgrind.out"))
    few, many = counts
    rows = {name: (many[name] - few[name]) / 200 for name in many}
    total = sum(rows.values())
    for name, count in sorted(rows.items(), key=lambda row: -row[1]):
        if count > 0.004 * total:
            print(f"{count:9,.0f} {100 * count / total:5.1f} %  {name}")
    print(f"{total:9,.0f} 100.0 %  in all")


if __name__ == "__main__":
    main()
