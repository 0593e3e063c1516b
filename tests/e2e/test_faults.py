"""Faults that are no cell of the matrix (test_fault_matrix): many callers at
once, answers in a form that was not asked for, providers that quote our key.
"""

import json
import threading

import pytest

import harness
from harness import config, upstream


def content(text, model="m", finish="stop"):
    return json.dumps({
        "id": "x", "object": "chat.completion", "created": 1, "model": model,
        "choices": [{"index": 0, "finish_reason": finish,
                     "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5,
                  "total_tokens": 15},
    })


def event(delta, finish=None, **more):
    return "data: " + json.dumps({
        "id": "x", "object": "chat.completion.chunk", "created": 1,
        "model": "m", "choices": [
            {"index": 0, "delta": delta, "finish_reason": finish}], **more,
    }) + "\n\n"


USAGE = {"usage": {"prompt_tokens": 10, "completion_tokens": 5,
                   "total_tokens": 15}}
GOOD = (event({"role": "assistant", "content": ""}) + event({"content": "he"})
        + event({"content": "llo"}) + event({}, "stop")
        + 'data: {"choices":[],' + json.dumps(USAGE)[1:] + "\n\n"
        + "data: [DONE]\n\n")
SSE = {"headers": {"content-type": "text/event-stream"}}
JSON = {"headers": {"content-type": "application/json"}}


@pytest.fixture
def running(simulator):
    # One for each test: a provider that failed cools down for a while.
    service = harness.Service(config(
        "\n".join(
            upstream(name, simulator.base_url(name),
                     ", timeouts: {connect: 2s, first_content: 2s, "
                     "idle: 2s, total: 20s}")
            for name in ("a", "b")),
        models="m:\n"
               "  deployments: [{provider: a, upstream: m}, "
               "{provider: b, upstream: m}]\n"
               "  price: {currency: USD, per_million: "
               '{input: "1", output: "2"}}\n'
               "only: {provider: a, upstream: unpriced}",
        tasks="general: {primary: [m]}",
        extra="routing: {default_task: general, max_attempts: 4}\n",
    ))
    yield service
    service.stop()
    simulator.reset()


def counts(running, simulator):
    """Attempt rows of the service and requests seen by the simulator."""
    groups = running.usage("?by=provider")["groups"]
    rows = sum(group["attempts"] for group in groups)
    seen = len(simulator.log("a")) + len(simulator.log("b"))
    return rows, seen


def test_a_cut_answer_is_never_a_clean_whole_answer(running, simulator):
    simulator.script("a", body=GOOD, close_after=len(GOOD) - 200, **SSE)
    simulator.script("b", body=GOOD, **SSE)
    body = running.chat("m").json()
    assert body["llm_service"]["provider"] == "b"


def test_a_masked_key_stays_masked(simulator, service):
    running = service(config(upstream("a", simulator.base_url("lone")),
                             models="only: {provider: a, upstream: m}"))
    simulator.script("lone", status=401,
                     body='{"error":{"message":"bad key sk-abc"}}')
    reply = running.chat("only")
    assert reply.status == 502
    assert "sk-abc" not in reply.text
    simulator.reset("lone")


def test_every_dispatch_has_its_row_under_concurrency(running, simulator):
    before = counts(running, simulator)
    simulator.script("a", status=503, body="{}", times=30)
    done = []

    def ask():
        done.append(running.chat("m").status)

    threads = [threading.Thread(target=ask) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = counts(running, simulator)
    assert done.count(200) == 40
    assert after[0] - before[0] == after[1] - before[1]


def test_costs_are_exact(running, simulator):
    simulator.script("a", body=content("hello", "unpriced"), **JSON)
    info = running.chat("only").json()["llm_service"]
    assert info["cost"] is None  # no price is known for it, and null is not 0
    simulator.script("a", body=content("hello"), times=2, **JSON)
    simulator.script("b", body=content("hello"), times=2, **JSON)
    info = running.chat("m").json()["llm_service"]
    # 10 x 1 USD + 5 x 2 USD per million
    assert info["cost"] == {"amount": "0.000020", "currency": "USD"}


def test_a_provider_that_quotes_our_key_does_not_show_it(simulator, service,
                                                        tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("dk-oddly-shaped")
    running = service(config(
        upstream("a", simulator.base_url("echo"),
                 f', api_keys: ["file:{secret}"]'),
        models="only: {provider: a, upstream: m}"))
    simulator.script("echo", status=400, body={"error": {
        "message": "bad key dk-oddly-shaped in header", "code": "x"}})
    reply = running.chat("only")
    assert reply.status == 400
    assert "dk-oddly-shaped" not in reply.text + running.log()
    assert any(h[1] == "Bearer dk-oddly-shaped"
               for h in simulator.log("echo")[-1]["headers"].items())
    simulator.reset("echo")
