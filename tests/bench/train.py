#!/usr/bin/env python3
"""Plays calls of each kind to a service that counts what runs: see deploy/train.

Both doors, whole and streamed answers, openai, anthropic and gemini upstream, short
and long prompts, embeddings: the loads of compare.py and beside.py, whose figures mean
nothing here. Some of them play to nginx too. A minute and a half.
"""

import json
import os
from types import SimpleNamespace

import sides
import streams
import unary
from machine import raise_fd_limit
from sides import harness

VECTORS = json.dumps({
    "object": "list", "model": "v", "usage": {"prompt_tokens": 7, "total_tokens": 7},
    "data": [{"object": "embedding", "index": 0,
              "embedding": [i / 4096 for i in range(1536)]}]})


def other_streams(options) -> None:
    """Streams that compare.py does not measure: over gRPC, and Gemini's."""
    words = options.scratch / "text"
    words.write_text(sides.text(1700))
    with unary.Stage("--chars", "640", "--deltas", str(streams.DELTAS),
                     "--interval-ms", "5", "--stamp") as stage:
        stage.upstream.script("claude", **streams.anthropic_script(5))
        stage.upstream.script("gem", **streams.gemini_script(5))
        for model in "mcg":
            streams.grpc_delta_cpu(stage.gateway, words, model)
        streams.delta_cpu(stage.gateway.pid, streams.flags_of(
            options, "g", stage.gateway, "/v1/chat/completions",
            sides.chat_body(1700, True, "g"),
            f"Authorization: Bearer {stage.gateway.key}"))


def embeddings(options) -> None:
    with unary.Stage() as stage:
        stage.upstream.script("quiet", body=VECTORS, times=0, headers={
            "content-type": "application/json"})
        sides.wrk(f"http://127.0.0.1:{stage.gateway.port}/v1/embeddings",
                  json.dumps({"model": "v", "input": sides.text(1700)}).encode(),
                  stage.gateway.key, 16, options.seconds)


def main():
    raise_fd_limit()
    options = SimpleNamespace(rounds=1, seconds=2,
                              scratch=harness.scratch("llm-train-"))
    # The programs beside the service count too, if they are of the same build.
    os.environ["GCOV_PREFIX"] = str(options.scratch / "counts-of-others")
    for section in (unary.cpu, unary.prompts, streams.cpu, other_streams,
                    embeddings):
        section(options)
    counts = list((harness.BUILD / "server").rglob("*.gcda"))
    if not counts:
        raise SystemExit(f"nothing was counted: {harness.BUILD} is no build with "
                         "LLM_PROFILE=make")
    print(f"{len(counts)} files of the service were counted")


if __name__ == "__main__":
    main()
