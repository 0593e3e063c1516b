#!/usr/bin/env python3
"""Fails where a request takes over a tenth more instructions than committed.

    python3 tests/bench/check_instructions.py [--update]

Instructions of the whole service, counted by callgrind for one unary request
and one stream of 64 deltas: no noise moves them. --update writes what was
counted to instructions.json, for a change that is worth its price.
"""

import argparse
import json
import sys
import types
from pathlib import Path

import unary
from sides import harness

COMMITTED = Path(__file__).with_name("instructions.json")
MOST = 1.1


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--update", action="store_true")
    update = parser.parse_args().update
    options = types.SimpleNamespace(
        scratch=harness.scratch("llm-bench-"))
    counted = {row["work"]: row["service"] for row in unary.instructions(options)}
    if update:
        COMMITTED.write_text(json.dumps(counted, indent=1) + "\n")
        return 0
    committed = json.loads(COMMITTED.read_text())
    worse = 0
    for work, now in counted.items():
        before = committed[work]
        verdict = "worse" if now > MOST * before else "as committed"
        if now < before / MOST:
            verdict = "better: write it down with --update"
        print(f"{work}: {now:,} against {before:,}, {verdict}")
        worse += verdict == "worse"
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
