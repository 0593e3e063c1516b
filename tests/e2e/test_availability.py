"""Providers have bad days; callers do not notice.

For real, over both doors: three deployments that each fail a twentieth of
their requests answer at least 999 of 1,000 callers within their deadline, and
an outage of one is felt by no request that had time left.
"""

import http.client
import json
import threading
import time

import grpc
import pytest

import harness
from harness import report
from test_grpc import stubs  # noqa: F401  (a fixture)

CALLS = 6000
LONGEST = 60  # seconds for all of them
DEADLINE = 10  # seconds for each
CALLERS = 12  # at each door
MODELS = ("m", "w")  # in order, and by weight
# Before the first content: what comes after it cannot be taken back.
FAULTS = [
    {"status": 500, "body": "{}"},
    {"status": 503, "body": "busy"},
    {"status": 529, "body": "{}"},
    {"headers": {"content-type": "text/event-stream"},
     "body": 'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n',
     "close_after": 20},
    {"before_head": "reset"},
    {"before_head": "stall"},
]


@pytest.fixture
def providers():
    started = {name: harness.Simulator("--no-log", "--chars", "60",
                                       "--deltas", "4")
               for name in "abc"}
    yield started
    for simulator in started.values():
        simulator.close()


@pytest.fixture
def running(service, providers):
    short = ", timeouts: {connect: 1s, first_content: 1s, idle: 1s, total: 30s}"
    equal = ", ".join(f"{{provider: {name}, upstream: u, weight: 2}}"
                      for name in providers)
    return service(harness.config(
        "\n".join(harness.upstream(name, simulator.base_url("x"), short)
                  for name, simulator in providers.items()),
        f"m: {{deployments: [{equal.replace(', weight: 2', '')}]}}\n"
        f"w: {{deployments: [{equal}]}}",
        "general: {primary: [m]}",
        extra="routing: {default_task: general, max_attempts: 4, "
              "backoff_initial: 20ms}\n"))


class Crowd:
    """Callers at both doors that ask until they are told to stop."""

    def __init__(self, running, stubs):  # noqa: F811
        self.running, self.stubs = running, stubs
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.asked = self.answered = 0
        self.slowest = 0.0
        self.failures: list[str] = []
        self.channel = grpc.insecure_channel(running.addresses["grpc"])
        self.door = stubs.LlmService(self.channel)
        self.threads = [
            threading.Thread(target=self._live, args=(ask, number))
            for number in range(CALLERS) for ask in (self._http, self._grpc)]
        for thread in self.threads:
            thread.start()

    def _live(self, ask, number: int) -> None:
        mine = {"http": None}
        while not self.stop.is_set():
            number += 1
            began = time.monotonic()
            try:
                trouble = ask(MODELS[number % 2], number % 4 < 2, mine)
            except (OSError, http.client.HTTPException,
                    grpc.RpcError) as error:
                trouble, mine["http"] = repr(error), None
            took = time.monotonic() - began
            with self.lock:
                self.asked += 1
                self.answered += not trouble and took <= DEADLINE
                self.slowest = max(self.slowest, took)
                if trouble or took > DEADLINE:
                    self.failures.append(f"{took:.2f} s: {trouble}")

    def _http(self, model: str, stream: bool, mine: dict) -> str:
        if mine["http"] is None:
            mine["http"] = http.client.HTTPConnection(
                self.running.addresses["http"], timeout=2 * DEADLINE)
        mine["http"].request(
            "POST", "/v1/chat/completions", json.dumps({
                "model": model, "stream": stream,
                "messages": [{"role": "user", "content": "hello"}]}),
            {"Content-Type": "application/json",
             "x-llm-timeout": f"{DEADLINE}s"})
        reply = mine["http"].getresponse()
        body = reply.read().decode()
        good = reply.status == 200 and "aaaa" in body
        if stream:
            good = good and body.endswith("data: [DONE]\n\n")
        return "" if good else f"{reply.status} {body[-600:]}"

    def _grpc(self, model: str, stream: bool, mine: dict) -> str:
        chat = self.stubs.chat
        request = chat.ChatCompletionRequest(model=model, messages=[
            chat.Message(role="user", content="hello")])
        if stream:
            text = "".join(
                choice.delta.content for chunk in
                self.door.StreamChatCompletion(request, timeout=DEADLINE)
                for choice in chunk.choices)
        else:
            answer = self.door.ChatCompletion(request, timeout=DEADLINE)
            text = answer.choices[0].message.content
        return "" if set(text) == {"a"} else f"answered {text!r}"

    def wait_for(self, calls: int, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self.asked < calls and time.monotonic() < end:
            time.sleep(0.05)

    def leave(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(3 * DEADLINE)
        self.channel.close()


def upstream_attempts(running) -> tuple[int, int]:
    """Attempts, and those among them that failed."""
    made = failed = 0
    for line in running.metrics().splitlines():
        if line.startswith("llm_service_attempts_total{"):
            count = int(float(line.rsplit(" ", 1)[1]))
            made += count
            failed += 0 if 'outcome="ok"' in line else count
    return made, failed


def test_three_that_fail_a_twentieth_answer_nearly_all(running, providers,
                                                       stubs):  # noqa: F811
    for seed, simulator in enumerate(providers.values(), 20261126):
        reply = harness.call(f"{simulator.root}/_sim/mix?lane=x", {
            "rate": 0.05, "seed": seed, "faults": FAULTS})
        assert reply.status == 200, reply.text
    crowd = Crowd(running, stubs)
    crowd.wait_for(CALLS, LONGEST)
    crowd.leave()
    made, failed = upstream_attempts(running)
    share = crowd.answered / crowd.asked
    report(f"three providers at 5 %: {failed} of {made} attempts failed, "
           f"{crowd.answered} of {crowd.asked} calls answered in time "
           f"({100 * share:.3f} %), the slowest took {crowd.slowest:.1f} s")
    assert crowd.asked >= CALLS / 2
    assert failed > made / 100
    assert share >= 0.999, "\n".join(crowd.failures[:10])


OUTAGES = {
    "errors": {"status": 500, "body": "{}", "times": 0},
    "hangs": {"before_head": "stall", "times": 0},
    "is down": None,
}


@pytest.mark.parametrize("outage", OUTAGES)
def test_an_outage_of_one_is_felt_by_nobody(running, providers, stubs,
                                            outage):  # noqa: F811
    first = providers["a"]
    crowd = Crowd(running, stubs)
    crowd.wait_for(200, 10)
    before = crowd.asked
    if OUTAGES[outage] is None:
        harness.call(f"{first.root}/_sim/refuse?ms=4000", b"", method="POST")
    else:
        first.script("x", **OUTAGES[outage])
    crowd.wait_for(10**9, 4)
    if OUTAGES[outage] is not None:
        first.reset("x")
    during = crowd.asked - before
    crowd.wait_for(10**9, 2)
    crowd.leave()
    _, failed = upstream_attempts(running)
    report(f"one of three {outage}: {failed} attempts failed, "
           f"{len(crowd.failures)} of {crowd.asked} calls felt it ({during} "
           f"meanwhile), the slowest took {crowd.slowest:.1f} s")
    assert failed > 0
    assert not crowd.failures, "\n".join(crowd.failures[:10])
