#!/usr/bin/env python3
"""Plays calls of each kind to a service that counts what runs: see deploy/train.

Both doors, whole and streamed answers, OpenAI and Anthropic upstream, short and long
prompts: the loads of compare.py, whose figures mean nothing here. nginx is part of
them, as there. A minute.
"""

import tempfile
from pathlib import Path
from types import SimpleNamespace

import streams
import unary
from machine import raise_fd_limit
from sides import harness


def main():
    raise_fd_limit()
    scratch = Path(tempfile.mkdtemp(prefix="llm-train-"))
    options = SimpleNamespace(rounds=1, seconds=2, scratch=scratch)
    for section in (unary.cpu, unary.prompts, streams.cpu):
        section(options)
    counts = list((harness.BUILD / "server").rglob("*.gcda"))
    if not counts:
        raise SystemExit(f"nothing was counted: {harness.BUILD} is no build with "
                         "LLM_PROFILE=make")
    print(f"{len(counts)} files of the service were counted")


if __name__ == "__main__":
    main()
