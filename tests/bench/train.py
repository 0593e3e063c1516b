#!/usr/bin/env python3
"""Plays calls of each kind to a service that counts what runs: see deploy/train.

Both doors, whole and streamed answers, openai, anthropic and gemini upstream, short
and long prompts, embeddings: the loads of compare.py and beside.py, whose figures mean
nothing here. Some of them play to nginx too. A minute and a half.
"""

import contextlib
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


def others(options, running: contextlib.ExitStack) -> None:
    """What compare.py does not measure: streams over gRPC, Gemini, embeddings."""
    upstream = sides.simulator("--chars", "640", "--deltas", str(streams.DELTAS),
                               "--interval-ms", "5", "--stamp")
    running.callback(upstream.close)
    upstream.script("claude", **streams.anthropic_script(5))
    upstream.script("gem", **streams.gemini_script(5))
    upstream.script("quiet", body=VECTORS, times=0,
                    headers={"content-type": "application/json"})
    gateway = sides.Gateway(upstream.port, more=(
        f'gem: {{dialect: gemini, base_url: "{upstream.root}/lane/gem/v1beta", '
        'max_in_flight: 20000, api_keys: ["env:BENCH_KEY"]}',
        "g: {provider: gem}\nv: {provider: quiet, capabilities: [embeddings]}"))
    running.callback(gateway.close)
    words = options.scratch / "text"
    words.write_text(sides.text(1700))
    for model in "mcg":
        streams.grpc_delta_cpu(gateway, words, model)
    streams.delta_cpu(gateway.pid, streams.flags_of(
        options, "g", gateway, "/v1/chat/completions",
        sides.chat_body(1700, True, "g"),
        f"Authorization: Bearer {gateway.key}"))
    sides.wrk(f"http://127.0.0.1:{gateway.port}/v1/embeddings",
              json.dumps({"model": "v", "input": sides.text(1700)}).encode(),
              gateway.key, 16, options.seconds)


def main():
    raise_fd_limit()
    options = SimpleNamespace(rounds=1, seconds=2,
                              scratch=harness.scratch("llm-train-"))
    # The programs beside the service count too, if they are of the same build.
    os.environ["GCOV_PREFIX"] = str(options.scratch / "counts-of-others")
    for section in (unary.cpu, unary.prompts, streams.cpu):
        section(options)
    with contextlib.ExitStack() as running:
        others(options, running)
    counts = list((harness.BUILD / "server").rglob("*.gcda"))
    if not counts:
        raise SystemExit(f"nothing was counted: {harness.BUILD} is no build with "
                         "LLM_PROFILE=make")
    print(f"{len(counts)} files of the service were counted")


if __name__ == "__main__":
    main()
