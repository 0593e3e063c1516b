"""One provider misbehaves in each known way; callers get a clear end.

Every case also compares the service's rows with the simulator's own log:
exactly one row per dispatched attempt.
"""

import json
import socket
import threading
import time

import pytest

import harness
from harness import config, sse, upstream


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
FIRST = event({"role": "assistant", "content": ""})


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


# What provider "a" does; each must lead to an answer from "b".
FALLS_BACK = {
    "500": dict(status=500, body='{"error":{"message":"boom"}}', times=4),
    "503": dict(status=503, body="busy", times=4),
    "429": dict(status=429, headers={"retry-after": "30"},
                body='{"error":{"message":"slow down","code":"rate_limit_exceeded"}}'),
    "401": dict(status=401, body='{"error":{"message":"bad key"}}'),
    "402": dict(status=402, body='{"error":{"message":"no money"}}'),
    "404": dict(status=404, body='{"error":{"message":"no such model",'
                                 '"code":"model_not_found"}}'),
    "error in 200": dict(body='{"error":{"message":"boom","code":500}}',
                         times=4, **JSON),
    "error event first": dict(
        body='data: {"error":{"message":"boom","code":503}}\n\n', times=4,
        **SSE),
    "cut before content": dict(body=GOOD, close_after=len(FIRST), times=4,
                               **SSE),
    "reset before content": dict(body=GOOD, reset_after=10, times=4, **SSE),
    "stall before content": dict(body=GOOD, stall_after=len(FIRST), times=4,
                                 **SSE),
    "hang before the head": dict(body=GOOD, delay_ms=15000, times=4, **SSE),
    "empty answer": dict(body=content(""), times=4, **JSON),
    "html": dict(body="<html>gateway</html>", times=4,
                 headers={"content-type": "text/html"}),
    "garbage": dict(raw="\x00\x01garbage\r\n\r\n", times=4),
    "broken json": dict(body='{"choices":[', times=4, **JSON),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", FALLS_BACK)
def test_a_fault_before_content_falls_back(running, simulator, fault, stream):
    before = counts(running, simulator)
    simulator.script("a", **FALLS_BACK[fault])
    simulator.script("b", body=GOOD, times=0, **SSE)
    reply = running.chat("m", stream=stream)
    assert reply.status == 200, reply.text
    if stream:
        events = sse(reply)
        assert events[-1] == "[DONE]"
        text = "".join(c["delta"].get("content") or ""
                       for e in events[:-1] for c in e["choices"])
        info = events[-2]["llm_service"]
    else:
        text = reply.json()["choices"][0]["message"]["content"]
        info = reply.json()["llm_service"]
    assert text == "hello"
    assert info["provider"] == "b"
    assert info["attempts"] >= 2
    after = counts(running, simulator)
    assert after[0] - before[0] == after[1] - before[1] == info["attempts"]


def test_a_cut_after_content_is_told_in_band_and_never_replayed(running,
                                                               simulator):
    partial = FIRST + event({"content": "half"})
    simulator.script("a", body=GOOD.replace("he", "half", 1),
                     close_after=len(partial), **SSE)
    seen_b = len(simulator.log("b"))
    reply = running.chat("m", stream=True)
    assert reply.status == 200
    events = sse(reply)
    assert events[-1] != "[DONE]"
    assert events[-1]["error"]["code"] == "provider_unavailable"
    assert len(simulator.log("b")) == seen_b


def test_a_cut_answer_is_never_a_clean_whole_answer(running, simulator):
    simulator.script("a", body=GOOD, close_after=len(GOOD) - 200, **SSE)
    simulator.script("b", body=GOOD, **SSE)
    body = running.chat("m").json()
    assert body["llm_service"]["provider"] == "b"


# Lone provider "a": what the caller gets.
ENDS = [
    (dict(status=400, body='{"error":{"message":"bad temperature",'
                           '"param":"temperature","code":"invalid_value"}}'),
     400, "provider_rejected"),
    (dict(status=422, body='{"detail":[{"msg":"no"}]}'), 422,
     "provider_rejected"),
    (dict(status=400, body='{"error":{"message":"maximum context length is 8",'
                           '"code":"context_length_exceeded"}}'),
     400, "context_length_exceeded"),
    (dict(status=400, body='{"error":{"message":"filtered",'
                           '"code":"content_filter"}}'),
     400, "content_filter"),
    (dict(status=401, body='{"error":{"message":"bad key sk-abc"}}'), 502,
     "provider_unavailable"),
    (dict(status=429, headers={"retry-after": "77"}, body="{}", times=0), 429,
     "provider_rate_limited"),
    (dict(status=500, body="{}", times=0), 502, "provider_unavailable"),
]


@pytest.mark.parametrize(("script", "status", "code"), ENDS)
def test_the_last_word_is_the_contracts(simulator, service, script, status,
                                        code):
    running = service(config(upstream("a", simulator.base_url("lone")),
                             models="only: {provider: a, upstream: m}"))
    simulator.script("lone", **script)
    reply = running.chat("only")
    assert (reply.status, reply.json()["error"]["code"]) == (status, code)
    detail = reply.json()["error"]["llm_service"]
    assert detail["request_id"] == reply.headers["x-request-id"]
    assert detail["attempts"] >= 1
    if status == 429:
        assert int(reply.headers["retry-after"]) > 0
        assert reply.headers["x-should-retry"] == "false"
    assert "sk-abc" not in reply.text
    simulator.reset("lone")


def test_a_dead_provider_is_unavailable(service):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = service(config(upstream("a", f"http://127.0.0.1:{port}/v1"),
                             models="only: {provider: a, upstream: m}"))
    reply = running.chat("only")
    assert reply.status == 502
    assert reply.json()["error"]["code"] == "provider_unavailable"


def test_the_callers_deadline_is_a_504(running, simulator):
    simulator.script("a", body=GOOD, delay_ms=15000, times=0, **SSE)
    simulator.script("b", body=GOOD, delay_ms=15000, times=0, **SSE)
    start = time.monotonic()
    reply = running.chat("m", headers={"x-llm-timeout": "700ms"})
    assert reply.status == 504
    assert reply.json()["error"]["code"] == "timeout"
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("stream", [False, True])
def test_a_vanished_caller_closes_the_upstream(running, simulator, stream):
    simulator.script("a", body=GOOD, delay_ms=0, stall_after=len(FIRST),
                     times=0, **SSE)
    before = len(simulator.log("a"))
    host, port = running.addresses["http"].split(":")
    body = json.dumps({"model": "only", "stream": stream, "messages": [
        {"role": "user", "content": "x"}]}).encode()
    with socket.create_connection((host, int(port))) as caller:
        caller.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
            b"Content-Type: application/json\r\nContent-Length: "
            + str(len(body)).encode() + b"\r\n\r\n" + body)
        wait_for(lambda: len(simulator.log("a")) > before)
        time.sleep(0.2)
    left = time.monotonic()
    wait_for(lambda: simulator.log("a")[-1]["outcome"] == "client_left", 1.9)
    assert time.monotonic() - left < 2
    assert len(simulator.log("a")) == before + 1


def wait_for(condition, timeout=10.0):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


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
