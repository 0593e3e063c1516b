"""A mix of every outcome through both doors, for as long as asked.

    LLM_BUILD=$PWD/build/release build/e2e/venv/bin/python tests/e2e/soak.py \
        --minutes 10

Prints resident memory, open files and calls by the minute and fails if memory
grows after the first. test_leaks.py uses the same mix by count.
"""

from __future__ import annotations

import argparse
import collections
import http.client
import json
import random
import sys
import threading
import time

import grpc

import harness
import wire
from harness import config, upstream

CHUNK = ('data: {"id":"x","choices":[{"index":0,"delta":{"content":"%s"},'
         '"finish_reason":null}]}\n\n')
SSE = {"headers": {"content-type": "text/event-stream"}}
SCRIPTS = {
    "ok": None,
    "bad": dict(status=400, body='{"error":{"message":"no"}}', times=0),
    "err": dict(status=500, body='{"error":{"message":"boom"}}', times=0),
    "limit": dict(status=429, headers={"retry-after": "1"}, body="{}",
                  times=0),
    "cut": dict(body=CHUNK % "a" * 9, close_after=300, times=0, **SSE),
    "reset": dict(body=CHUNK % "a" * 9, reset_after=300, times=0, **SSE),
    "stall": dict(body=CHUNK % "a" * 9, stall_after=300, times=0, **SSE),
    "long": dict(body=CHUNK % ("a" * 2000) * 1000 + "data: [DONE]\n\n",
                 times=0, **SSE),
}
# How often each happens, in hundredths.
WEIGHTS = {"ok": 34, "ok stream": 18, "bad": 6, "err": 5, "limit": 3,
           "cut": 6, "reset": 3, "leave": 5, "cancel": 5, "paused": 4,
           "too large": 4, "bad key": 4, "malformed": 3}


class Mix:
    """A service with its simulator, and workers that call it."""

    def __init__(self, workers=12):
        self.simulator = harness.Simulator("--chars", "200", "--deltas", "8")
        lanes = "\n".join(
            upstream(lane, self.simulator.base_url(lane),
                     ", timeouts: {connect: 5s, first_content: 10s, "
                     "idle: 10s, total: 20s}") for lane in SCRIPTS)
        models = "\n".join(f"{lane}: {{provider: {lane}, upstream: m}}"
                           for lane in SCRIPTS)
        self.service = harness.Service(config(
            lanes, models, auth="keys",
            extra="routing: {max_attempts: 2}\n"))
        for lane, script in SCRIPTS.items():
            if script:
                self.simulator.script(lane, **script)
        self.key = self.service.create_key("soak")
        self.workers = workers
        self.counts = collections.Counter()
        self.lock = threading.Lock()
        self.faults = []

    @property
    def pid(self):
        return self.service.process.pid

    def close(self):
        """The service's exit code: a leak checker speaks through it."""
        code = self.service.stop()
        self.simulator.close()
        return code

    def run(self, calls=None, seconds=None):
        """Until that many calls or seconds; the number of calls."""
        end = time.monotonic() + seconds if seconds else None
        left = [calls if calls is not None else sys.maxsize]
        before = self.counts.total()
        threads = [threading.Thread(target=self.work, args=[n, left, end])
                   for n in range(self.workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not self.faults, self.faults[:3]
        return self.counts.total() - before

    def work(self, number, left, end):
        caller = Caller(self, random.Random(number))
        while not self.faults:
            with self.lock:
                if left[0] <= 0:
                    break
                left[0] -= 1
            if end is not None and time.monotonic() >= end:
                break
            try:
                outcome = caller.once()
            except Exception as fault:  # noqa: BLE001 (told by run)
                self.faults.append(repr(fault))
                break
            with self.lock:
                self.counts[outcome] += 1
        caller.close()

    def quiesce(self):
        """Waits until nothing is in flight and no file is being closed."""
        wire.wait_for(
            lambda: "llm_service_inflight_requests 0" in self.service.metrics(),
            30, "calls in flight that nobody waits for")
        last = -1
        for _ in range(40):
            time.sleep(0.25)
            now = wire.open_files(self.pid)
            if now == last:
                return
            last = now


class Caller:
    """One worker: a kept connection and a channel of its own."""

    def __init__(self, mix: Mix, dice: random.Random):
        self.mix, self.dice = mix, dice
        self.address = mix.service.addresses["http"]
        self.link = None
        self.channel = grpc.insecure_channel(
            mix.service.addresses["grpc"],
            [("grpc.use_local_subchannel_pool", 1)])
        self.metadata = [("authorization", f"Bearer {mix.key}")]

    def close(self):
        if self.link:
            self.link.close()
        self.channel.close()

    def once(self) -> str:
        outcome = self.dice.choices(list(WEIGHTS), WEIGHTS.values())[0]
        by_grpc = self.dice.random() < 0.4
        if outcome in ("leave", "paused"):
            self.walk_away("stall" if outcome == "leave" else "long",
                           outcome == "paused")
        elif outcome == "cancel":
            self.cancel()
        elif outcome == "too large":
            self.refused("Content-Length: 99999999", b"", 413)
        elif outcome == "bad key":
            self.chat("ok", False, 401, key="sk-" + "x" * 48)
        elif outcome == "malformed":
            self.chat("ok", False, 400, body=b'{"model":"ok","messages":[')
        else:
            lane, _, stream = outcome.partition(" ")
            if by_grpc:
                self.call(lane, bool(stream) or lane == "cut")
            else:
                self.chat(lane, bool(stream))
        return outcome + (" grpc" if by_grpc else "")

    def chat(self, lane, stream, want=None, key=None, body=None):
        body = body or json.dumps({"model": lane, "stream": stream, "messages": [
            {"role": "user", "content": "x" * self.dice.randrange(2000)}],
            "run_id": f"r{self.dice.randrange(50)}"}).encode()
        if self.link is None:
            host, port = self.address.split(":")
            self.link = http.client.HTTPConnection(host, int(port), timeout=60)
        try:
            self.link.request("POST", "/v1/chat/completions", body, {
                "Authorization": f"Bearer {key or self.mix.key}"})
            answer = self.link.getresponse()
            answer.read()
        except http.client.IncompleteRead:
            answer = None
        if answer is None or answer.will_close:
            self.link.close()
            self.link = None
        if want is None:
            want = {"ok": 200, "bad": 400, "limit": 429}.get(lane)
        if want and answer is not None:
            assert answer.status == want, (lane, answer.status)

    def refused(self, header, body, want):
        got = wire.answers(wire.exchange(self.address, wire.request(
            "POST", "/v1/chat/completions", header,
            f"Authorization: Bearer {self.mix.key}") + body, 1))
        assert got[0].status == want

    def walk_away(self, lane, paused):
        with wire.connect(self.address) as link:
            link.sendall(wire.chat(self.mix.key, model=lane, stream=True))
            link.settimeout(0.3)
            try:
                link.recv(64)
            except TimeoutError:
                pass
            if paused:
                time.sleep(0.3)

    def message(self, lane):
        asked = b"".join(
            bytes([tag, len(text)]) + text.encode()
            for tag, text in ((0x0a, lane), (0x12, "\n\x04user\x12\x02hi")))
        return asked

    def call(self, lane, stream):
        try:
            if stream:
                for _ in self.channel.unary_stream(
                        "/llm.v1.LlmService/StreamChatCompletion")(
                            self.message(lane), metadata=self.metadata,
                            timeout=60):
                    pass
            else:
                self.channel.unary_unary("/llm.v1.LlmService/ChatCompletion")(
                    self.message(lane), metadata=self.metadata, timeout=60)
            assert lane not in ("bad", "err", "limit"), lane
        except grpc.RpcError as error:
            assert lane != "ok", error

    def cancel(self):
        lane = self.dice.choice(["stall", "long"])
        stream = self.channel.unary_stream(
            "/llm.v1.LlmService/StreamChatCompletion")(
                self.message(lane), metadata=self.metadata, timeout=60)
        try:
            next(stream)
            time.sleep(self.dice.random() * 0.2)
        except (grpc.RpcError, StopIteration):
            pass
        stream.cancel()


def soak(seconds: float, every: float, say=print) -> list:
    """Runs the mix; samples (calls, resident, files) each `every` seconds."""
    mix = Mix()
    samples = []
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end - every / 2:
            calls = mix.run(seconds=every)
            sample = (calls, wire.memory(mix.pid), wire.open_files(mix.pid))
            samples.append(sample)
            say(f"{len(samples) * every:4.0f} s: {calls} calls, RSS "
                f"{sample[1] / 2**20:.1f} MiB, {sample[2]} files")
        mix.quiesce()
        say(f"quiet: RSS {wire.memory(mix.pid) / 2**20:.1f} MiB, "
            f"{wire.open_files(mix.pid)} files; "
            f"{dict(sorted(mix.counts.items()))}")
        assert mix.close() == 0
    finally:
        if mix.service.process.poll() is None:
            mix.close()
    return samples


def check_flat(samples: list, warm: int) -> None:
    """Memory and files of the last sample against the first warm one."""
    first, last = samples[warm - 1], samples[-1]
    assert last[1] < first[1] * 1.10 + (8 << 20), samples
    assert last[2] < first[2] + 64, samples


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10)
    minutes = parser.parse_args().minutes
    check_flat(soak(minutes * 60, 60, lambda line: print(line, flush=True)), 1)
    print("flat")
