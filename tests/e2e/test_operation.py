"""What keeps a service up under load, restarts and reloads: bulkheads, limits
that shed, idempotent retries, SIGHUP and SIGTERM while streams run."""

import contextlib
import http.client
import json
import re
import signal
import socket
import sqlite3
import threading
import time
import urllib.error

import grpc
import pytest

import harness
from harness import ADMIN_KEY, config, upstream
from test_grpc import stubs  # noqa: F401 - a fixture


@pytest.fixture
def sim():
    running = harness.Simulator("--deltas", "12", "--interval-ms", "15")
    yield running
    running.close()


def until(condition, seconds=20, what="not within the bound"):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def metric(running, name, **labels):
    """The sum of a metric's samples with these labels."""
    total = 0.0
    for line in running.metrics().splitlines():
        if re.match(rf"{name}[ {{]", line) and all(
                f'{key}="{value}"' in line for key, value in labels.items()):
            total += float(line.rsplit(" ", 1)[1])
    return total


def error(reply):
    return reply.json()["error"]


class Callers:
    """Threads whose results are looked at together."""

    def __init__(self):
        self.threads, self.results = [], []

    def start(self, function, *args, **kwargs):
        def run():
            try:
                self.results.append(function(*args, **kwargs))
            except Exception as caught:  # noqa: BLE001 - a result to look at
                self.results.append(caught)

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def join(self):
        for thread in self.threads:
            thread.join(60)
        return self.results


STALL = {"body": "data: ", "stall_after": 1, "times": 0}


# --- bulkheads


def test_one_hung_provider_takes_nobody_down(service, sim):
    sim.script("hung", **STALL)
    running = service(config(
        upstream("hung", sim.base_url("hung"),
                 ", max_in_flight: 3, max_queue: 2, queue_timeout: 1s") + "\n" +
        upstream("fine", sim.base_url("fine")),
        models="bad: {provider: hung, upstream: m}\n"
               "good: {provider: fine, upstream: m}"))
    callers = Callers()
    for _ in range(12):
        callers.start(running.chat, "bad", headers={"x-llm-timeout": "5s"})
    until(lambda: metric(running, "llm_service_provider_inflight_requests",
                         provider="hung") == 3)
    for _ in range(5):
        began = time.monotonic()
        assert running.chat("good").status == 200
        assert time.monotonic() - began < 5
    results = callers.join()
    statuses = sorted(reply.status for reply in results)
    assert statuses.count(503) == 9 and statuses.count(504) == 3, statuses
    for reply in results:
        if reply.status == 503:
            assert error(reply)["code"] == "overloaded"
            assert int(reply.headers["retry-after"]) >= 1
            assert "max_queue" in error(reply)["message"]
    assert len(sim.log("hung")) == 3
    assert metric(running, "llm_service_queue_wait_seconds_count",
                  provider="hung") == 9
    assert metric(running, "llm_service_queued_requests", provider="hung") == 0
    until(lambda: '"queue_ms":' in running.log())


def test_the_urgent_go_first_and_waiting_is_no_overhead(service, sim):
    sim.script("slow", body="{}", delay_ms=1500, status=500)
    running = service(config(
        upstream("slow", sim.base_url("slow"), ", max_in_flight: 1"),
        models="m: {provider: slow, upstream: m}",
        extra="routing: {max_attempts: 1}\n"))
    callers = Callers()
    callers.start(running.chat, "m", "holder")
    until(lambda: len(sim.log("slow")) == 1)
    order = [("low", {"priority": "low"}, {}),
             ("normal", {}, {}),
             ("high", {}, {"x-llm-priority": "high"}),
             ("urgent", {"priority": "urgent"}, {"x-llm-priority": "low"})]
    for count, (text, body, headers) in enumerate(order, 1):
        callers.start(running.chat, "m", text, headers=headers, **body)
        until(lambda n=count: metric(running, "llm_service_queued_requests") == n)
    replies = callers.join()
    asked = [json.loads(seen["body"])["messages"][0]["content"]
             for seen in sim.log("slow")]
    assert asked == ["holder", "urgent", "high", "normal", "low"]
    assert all("priority" not in seen["body"] for seen in sim.log("slow"))
    for reply in replies:
        assert int(reply.headers["x-llm-overhead-us"]) < 1_000_000
    for headers, body in (({"x-llm-priority": "soon"}, {}),
                          ({}, {"priority": "soon"}), ({}, {"priority": 7})):
        refused = running.chat("m", headers=headers, **body)
        assert refused.status == 400
        assert "low, normal, high or urgent" in error(refused)["message"]


def test_a_caller_who_leaves_the_line_is_out_within_a_second(service, sim):
    sim.script("hung", **STALL)
    running = service(config(
        upstream("hung", sim.base_url("hung"), ", max_in_flight: 1"),
        models="m: {provider: hung, upstream: m}"))
    host, port = running.addresses["http"].split(":")
    body = json.dumps({"model": "m", "messages": [
        {"role": "user", "content": "x"}]})
    sockets = []
    for count in range(2):
        raw = socket.create_connection((host, int(port)))
        raw.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        sockets.append(raw)
        until(lambda n=count: metric(
            running, "llm_service_queued_requests") == n and metric(
                running, "llm_service_provider_inflight_requests") == 1)
    sockets[1].close()
    until(lambda: metric(running, "llm_service_queued_requests") == 0, 2)
    sockets[0].close()
    until(lambda: metric(running, "llm_service_inflight_requests") == 0, 3)
    assert len(sim.log("hung")) == 1


# --- limits of the service


def test_calls_beyond_the_limit_are_shed_and_health_stays(service, sim):
    sim.script("hung", **STALL)
    running = service(
        config(upstream("hung", sim.base_url("hung")),
               models="m: {provider: hung, upstream: m}"),
        env={"LLM_SERVICE_SERVER_MAX_IN_FLIGHT": "3"})
    callers = Callers()
    for _ in range(3):
        callers.start(running.chat, "m", headers={"x-llm-timeout": "4s"})
    until(lambda: metric(running, "llm_service_inflight_requests") == 3)
    shed = running.chat("m")
    assert shed.status == 503 and shed.headers["retry-after"] == "1"
    assert error(shed)["code"] == "overloaded"
    assert "server.max_in_flight" in error(shed)["message"]
    for listener in ("http", "admin_http"):
        assert running.call("/healthz", listener=listener).status == 200
        assert running.call("/readyz", listener=listener).status == 200
    assert running.call("/admin/v1/keys", key=ADMIN_KEY,
                        listener="admin_http").status in (200, 400)
    assert metric(running, "llm_service_shed_total",
                  limit="server.max_in_flight") == 1
    assert metric(running, "llm_service_requests_total",
                  outcome="overloaded") == 1
    until(lambda: '"event":"refused"' in running.log())
    callers.join()


def test_connections_beyond_the_limit_are_told_so(service):
    running = service(config("simulated: {}"),
                      env={"LLM_SERVICE_SERVER_MAX_CONNECTIONS": "4"})
    host, port = running.addresses["http"].split(":")
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(socket.create_connection((host, int(port))))
        until(lambda: metric(running, "llm_service_connections") == 4)
        extra = stack.enter_context(socket.create_connection((host, int(port))))
        extra.settimeout(10)
        told = b""
        while chunk := extra.recv(4096):
            told += chunk
        assert told.startswith(b"HTTP/1.1 503 ") and b"Retry-After" in told
        assert b"server.max_connections" in told
        assert running.call("/readyz", listener="admin_http").status == 200
        assert metric(running, "llm_service_shed_total",
                      limit="server.max_connections") == 1
    until(lambda: metric(running, "llm_service_connections") == 0)
    assert running.chat().status == 200


def test_bodies_in_hand_are_bounded_together(service, sim):
    sim.script("hung", **STALL)
    running = service(
        config(upstream("hung", sim.base_url("hung")),
               models="m: {provider: hung, upstream: m}"),
        env={"LLM_SERVICE_SERVER_MAX_BODY": "2MiB",
             "LLM_SERVICE_SERVER_MAX_BODY_MEMORY": "3MiB"})
    callers = Callers()
    callers.start(running.chat, "m", "x" * 1_800_000,
                  headers={"x-llm-timeout": "4s"})
    until(lambda: metric(running, "llm_service_body_bytes") > 1_800_000)
    shed = running.chat("m", "x" * 1_800_000)
    assert shed.status == 503
    assert "server.max_body_memory" in error(shed)["message"]
    small = running.chat("m", "x", headers={"x-llm-timeout": "100ms"})
    assert small.status == 504
    callers.join()
    until(lambda: metric(running, "llm_service_body_bytes") == 0)
    assert metric(running, "llm_service_shed_total",
                  limit="server.max_body_memory") == 1


def test_every_limit_is_named_where_it_is_met(service):
    running = service(config("simulated: {}"),
                      env={"LLM_SERVICE_SERVER_MAX_BODY": "64KiB"})
    large = running.chat(text="x" * 70_000)
    assert large.status == 413 and "server.max_body" in error(large)["message"]
    head = running.call("/v1/models", headers={"x-long": "x" * 70_000})
    assert head.status == 431 and "65536 bytes" in error(head)["message"]
    many = running.call("/v1/models",
                        headers={f"x-{i}": "1" for i in range(120)})
    assert many.status == 431 and "100 headers" in error(many)["message"]


# --- idempotent retries


def keyed(running, repeat, model="m", text="hello", **more):
    headers = {"Idempotency-Key": repeat, **more.pop("headers", {})}
    return running.chat(model, text, headers=headers, **more)


def test_a_repeated_key_never_calls_upstream_again(service, sim):
    running = service(config(upstream("a", sim.base_url("once")),
                             models="m: {provider: a, upstream: m}"))
    for stream in (False, True):
        sim.reset("once")
        before = len(sim.log("once"))
        key = f"key-{stream}"
        first = keyed(running, key, stream=stream)
        again = keyed(running, key, stream=stream)
        assert first.status == again.status == 200
        assert "x-llm-idempotent-replay" not in first.headers
        assert again.headers["x-llm-idempotent-replay"] == "true"
        assert again.body == first.body
        assert len(sim.log("once")) == before + 1
        other = keyed(running, key, text="another question", stream=stream)
        assert other.status == 400
        assert error(other)["param"] == "Idempotency-Key"
        assert len(sim.log("once")) == before + 1
    # A replay is no request of the ledger's, and costs nothing.
    assert running.usage()["total"]["requests"] == 2
    assert metric(running, "llm_service_idempotent_replays_total") == 2
    until(lambda: running.log().count('"event":"replay"') == 2)
    assert "key-True" not in running.log()


def test_callers_in_flight_share_one_call(service, sim):
    running = service(config(upstream("a", sim.base_url("shared")),
                             models="m: {provider: a, upstream: m}"))
    callers = Callers()
    for _ in range(8):
        callers.start(keyed, running, "one", stream=True)
    replies = callers.join()
    assert [reply.status for reply in replies] == [200] * 8
    assert len({reply.body for reply in replies}) == 1
    assert replies[0].body.endswith(b"data: [DONE]\n\n")
    assert len(sim.log("shared")) == 1
    assert running.usage()["total"]["requests"] == 1


def test_the_first_caller_may_leave_while_another_waits(service, sim):
    running = service(config(upstream("a", sim.base_url("left")),
                             models="m: {provider: a, upstream: m}"))
    sim.script("left", delay_ms=1200, body=json.dumps({"choices": [{
        "index": 0, "finish_reason": "stop",
        "message": {"role": "assistant", "content": "done"}}]}))
    host, port = running.addresses["http"].split(":")
    body = json.dumps({"model": "m", "messages": [
        {"role": "user", "content": "hello"}]})
    raw = socket.create_connection((host, int(port)))
    raw.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
                f"Idempotency-Key: k\r\nContent-Length: {len(body)}\r\n\r\n"
                f"{body}".encode())
    until(lambda: len(sim.log("left")) == 1)
    callers = Callers()
    callers.start(keyed, running, "k")
    until(lambda: metric(running, "llm_service_inflight_requests") == 2)
    raw.close()
    (reply,) = callers.join()
    assert reply.status == 200
    assert reply.json()["choices"][0]["message"]["content"] == "done"
    assert [seen["outcome"] for seen in sim.log("left")] == ["answered"]


def test_who_leaves_and_retries_meets_the_same_call(service, sim):
    running = service(config(upstream("a", sim.base_url("retry")),
                             models="m: {provider: a, upstream: m}"))
    sim.script("retry", delay_ms=1200, body=json.dumps({"choices": [{
        "index": 0, "finish_reason": "stop",
        "message": {"role": "assistant", "content": "done"}}]}))
    host, port = running.addresses["http"].split(":")
    body = json.dumps({"model": "m", "messages": [
        {"role": "user", "content": "hello"}]})
    raw = socket.create_connection((host, int(port)))
    raw.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
                f"Idempotency-Key: k\r\nContent-Length: {len(body)}\r\n\r\n"
                f"{body}".encode())
    until(lambda: len(sim.log("retry")) == 1)
    raw.close()
    # It is seen that nobody waits any more.
    until(lambda: metric(running, "llm_service_inflight_requests") == 0)
    reply = keyed(running, "k")
    assert reply.status == 200
    assert reply.headers["x-llm-idempotent-replay"] == "true"
    assert [seen["outcome"] for seen in sim.log("retry")] == ["answered"]
    assert running.usage()["total"]["requests"] == 1
    # One request each: the one that left has the call's row, the other none.
    assert metric(running, "llm_service_requests_total") == 1


def test_a_call_left_alone_is_written_when_the_service_ends(service, sim):
    running = service(config(upstream("a", sim.base_url("alone")),
                             models="m: {provider: a, upstream: m}"))
    sim.script("alone", **STALL)
    host, port = running.addresses["http"].split(":")
    body = json.dumps({"model": "m", "messages": [
        {"role": "user", "content": "hello"}]})
    raw = socket.create_connection((host, int(port)))
    raw.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
                f"Idempotency-Key: k\r\nContent-Length: {len(body)}\r\n\r\n"
                f"{body}".encode())
    until(lambda: len(sim.log("alone")) == 1)
    raw.close()
    until(lambda: metric(running, "llm_service_inflight_requests") == 0)
    assert running.stop() == 0
    with sqlite3.connect(running.directory / "service.db") as store:
        rows = store.execute("SELECT outcome FROM requests").fetchall()
    assert len(rows) == 1 and rows[0][0] in ("overloaded", "client_cancelled")


def test_failures_that_may_heal_are_tried_again(service, sim):
    sim.script("heals", status=503, body="{}", times=1)
    running = service(config(upstream("a", sim.base_url("heals")),
                             models="m: {provider: a, upstream: m}",
                             extra="routing: {max_attempts: 1}\n"))
    assert keyed(running, "k").status == 502
    healed = keyed(running, "k")
    assert healed.status == 200
    assert "x-llm-idempotent-replay" not in healed.headers
    assert keyed(running, "k").headers["x-llm-idempotent-replay"] == "true"
    assert len(sim.log("heals")) == 2


def test_an_answer_too_large_to_keep_is_said_so_and_not_made_twice(
        service, sim):
    running = service(config(upstream("a", sim.base_url("large")),
                             models="m: {provider: a, upstream: m}"))
    sim.script("large", body=json.dumps({"choices": [{
        "index": 0, "finish_reason": "stop",
        "message": {"role": "assistant", "content": "x" * 3_000_000}}]}))
    assert len(keyed(running, "k").body) > 3_000_000
    again = keyed(running, "k")
    assert again.status == 409
    assert error(again)["code"] == "idempotency_conflict"
    assert again.headers["x-should-retry"] == "false"
    assert len(sim.log("large")) == 1


def test_the_keys_of_two_tenants_are_two(service):
    running = service(config("simulated: {}", auth="keys"))
    ours, theirs = running.create_key("ours"), running.create_key("theirs")
    until(lambda: running.chat(key=theirs).status == 200, 5)
    assert keyed(running, "k", "auto", key=ours).status == 200
    reply = keyed(running, "k", "auto", text="another", key=theirs)
    assert reply.status == 200
    assert "x-llm-idempotent-replay" not in reply.headers


def test_openai_sdk_with_a_key_of_its_own(service, sim):
    openai = pytest.importorskip("openai")
    sim.script("sdk", status=500, body="{}", times=1)
    running = service(config(upstream("a", sim.base_url("sdk")),
                             models="m: {provider: a, upstream: m}",
                             extra="routing: {max_attempts: 1}\n"))
    client = openai.OpenAI(base_url=running.url("/v1"), api_key="none",
                           max_retries=0)

    def ask():
        return client.chat.completions.with_raw_response.create(
            model="m", messages=[{"role": "user", "content": "hi"}],
            extra_headers={"Idempotency-Key": "sdk-1"})

    with pytest.raises(openai.InternalServerError):
        ask()
    first, again = ask(), ask()
    assert first.parse().id == again.parse().id
    assert again.headers["x-llm-idempotent-replay"] == "true"


def test_the_grpc_door_has_the_same_rules(service, sim, stubs):  # noqa: F811
    running = service(
        config(upstream("a", sim.base_url("grpc"), ", max_in_flight: 1"),
               models="m: {provider: a, upstream: m}"),
        env={"LLM_SERVICE_SERVER_MAX_IN_FLIGHT": "2"})
    channel = grpc.insecure_channel(running.addresses["grpc"])
    client = stubs.LlmService(channel)

    def request(text="hello", **more):
        return stubs.chat.ChatCompletionRequest(model="m", messages=[
            stubs.chat.Message(role="user", content=text)], **more)

    def ask(message, *metadata):
        return client.ChatCompletion.with_call(message, metadata=metadata)

    key = ("idempotency-key", "k")
    first, _ = ask(request(), key)
    again, call = ask(request(timeout={"seconds": 50}), key)
    assert again == first
    assert ("x-llm-idempotent-replay", "true") in call.initial_metadata()
    whole = [chunk.SerializeToString()
             for chunk in client.StreamChatCompletion(
                 request(), metadata=[("idempotency-key", "s")])]
    stream = client.StreamChatCompletion(
        request(), metadata=[("idempotency-key", "s")])
    assert [chunk.SerializeToString() for chunk in stream] == whole
    assert ("x-llm-idempotent-replay", "true") in stream.initial_metadata()
    assert len(sim.log("grpc")) == 2
    for message, metadata in ((request("other"), key),
                              (request(priority="soon"), ("a", "b")),
                              (request(), ("x-llm-priority", "soon"))):
        with pytest.raises(grpc.RpcError) as refused:
            ask(message, metadata)
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    sim.script("grpc", **STALL)
    held = [client.ChatCompletion.future(request(), timeout=20)
            for _ in range(2)]
    until(lambda: metric(running, "llm_service_queued_requests") == 1)
    with pytest.raises(grpc.RpcError) as shed:
        ask(request())
    assert shed.value.code() == grpc.StatusCode.UNAVAILABLE
    assert "server.max_in_flight" in shed.value.details()
    for call in held:
        call.cancel()
    until(lambda: metric(running, "llm_service_inflight_requests") == 0, 3)
    assert metric(running, "llm_service_queued_requests") == 0
    channel.close()


# --- SIGHUP


def stream_for(running, seconds, failures, answered, seed):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            reply = running.chat("m", f"question {seed}", stream=True)
        except (OSError, urllib.error.URLError, http.client.HTTPException) as e:
            failures.append(repr(e))
            continue
        if reply.status != 200 or not reply.body.endswith(b"[DONE]\n\n"):
            failures.append(reply.text[:300])
        else:
            answered.append(harness.sse(reply)[-2]["llm_service"]["request_id"])


def config_version(running):
    return running.call("/readyz").json()["config_version"]


def test_reloads_under_streaming_load_fail_nothing(service, sim):
    def text(alias):
        return config(upstream("a", sim.base_url("reload")),
                      models=f"m: {{provider: a, upstream: m, aliases: [{alias}]}}")

    running = service(text("zero"))
    failures, answered, callers = [], [], Callers()
    for seed in range(8):
        callers.start(stream_for, running, 5, failures, answered, seed)
    versions = {config_version(running)}
    for turn in range(6):
        running.config.write_text(text(f"name{turn}"))
        running.process.send_signal(signal.SIGHUP)
        until(lambda: config_version(running) not in versions)
        versions.add(config_version(running))
        route = running.call("/v1/route", {"model": f"name{turn}", "messages": [
            {"role": "user", "content": "x"}]}).json()
        assert route["config_version"] == config_version(running)
    callers.join()
    assert not failures, failures[:3]
    assert len(answered) > 20 and len(versions) == 7
    now = config_version(running)
    assert metric(running, "llm_service_build_info", config_version=now) == 1
    until(lambda: f"reloaded config_version={now}" in running.log())
    assert running.usage()["total"]["requests"] == len(answered)


def test_a_faulty_file_changes_nothing_and_says_what_is_wrong(service, sim):
    running = service(config(upstream("a", sim.base_url("bad")),
                             models="m: {provider: a, upstream: m}"))
    before = config_version(running)
    good = running.config.read_text()
    running.config.write_text(good.replace("provider: a,", "provider: nobody,")
                              + "colour: blue\n")
    running.process.send_signal(signal.SIGHUP)
    until(lambda: "reload refused" in running.log())
    until(lambda: "colour" in running.log() and "nobody" in running.log())
    assert config_version(running) == before
    assert running.chat("m").status == 200
    running.config.write_text(good.replace("upstream: m", "upstream: m2"))
    running.process.send_signal(signal.SIGHUP)
    until(lambda: config_version(running) != before)
    assert running.chat("m").status == 200


def test_a_file_key_rotates_by_reload_without_a_failed_request(
        service, sim, tmp_path):
    secret = tmp_path / "key"
    secret.write_text("old-key\n")
    running = service(config(
        upstream("a", sim.base_url("rotate"), f', api_keys: ["file:{secret}"]'),
        models="m: {provider: a, upstream: m}"))
    failures, answered, callers = [], [], Callers()
    for seed in range(6):
        callers.start(stream_for, running, 3, failures, answered, seed)

    def keys():
        return [dict(seen["headers"] if isinstance(seen["headers"], list)
                     else seen["headers"].items()) for seen in sim.log("rotate")]

    def used(key):
        return any(f"Bearer {key}" in json.dumps(head) for head in keys())

    until(lambda: used("old-key"))
    secret.write_text("new-key\n")
    running.process.send_signal(signal.SIGHUP)
    until(lambda: used("new-key"))
    callers.join()
    assert not failures, failures[:3]
    assert "Bearer new-key" in json.dumps(keys()[-1])
    assert "old-key" not in running.log() and "new-key" not in running.log()


# --- SIGTERM


def ready(running):
    try:
        return running.call("/readyz", timeout=5).status == 200
    except (OSError, urllib.error.URLError, http.client.HTTPException):
        return False


def test_a_second_sigterm_cuts_the_drain_short(service, sim):
    sim.script("hung", **STALL)
    running = service(config(
        upstream("hung", sim.base_url("hung")),
        models="m: {provider: hung, upstream: m}",
    ).replace("workers: 2", "workers: 2\n  drain: 600s"))
    callers = Callers()
    callers.start(running.chat, "m")
    until(lambda: len(sim.log("hung")) == 1)
    running.process.send_signal(signal.SIGTERM)
    until(lambda: "draining" in running.log())
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(45) == 0
    (reply,) = callers.join()
    assert reply.status == 503 and error(reply)["code"] == "overloaded"
    assert "told to stop again" in running.log()
    with sqlite3.connect(running.directory / "service.db") as store:
        rows = store.execute("SELECT outcome FROM requests").fetchall()
    assert rows == [("overloaded",)]


class Fleet:
    """Callers of two instances. Those that `follow` ask /readyz first; others
    take a 503 or a refused connection as advice to ask the other one."""

    def __init__(self, instances):
        self.instances, self.stop = instances, threading.Event()
        self.failures, self.answered = [], []

    def ask(self, running, turn):
        stream = turn % 2 == 0
        reply = running.chat("m", f"question {turn}", stream=stream)
        if reply.status == 503:
            return None
        if reply.status != 200:
            raise AssertionError(reply.text[:300])
        if not stream:
            return reply.json()["llm_service"]["request_id"]
        assert reply.body.endswith(b"[DONE]\n\n"), reply.text[-300:]
        return harness.sse(reply)[-2]["llm_service"]["request_id"]

    def attempt(self, running, turn, follow):
        if follow and not ready(running):
            return None
        try:
            return self.ask(running, turn)
        except urllib.error.URLError as refused:
            # Nothing was sent: the door is closed.
            if isinstance(refused.reason, ConnectionRefusedError) and not follow:
                return None
            raise

    def run(self, seed, follow):
        turn = seed
        while not self.stop.is_set():
            turn += 1
            deadline = time.monotonic() + 20
            answer = None
            try:
                while answer is None:
                    assert time.monotonic() < deadline, "nobody answers"
                    for running in (self.instances[turn % 2],
                                    self.instances[1 - turn % 2]):
                        answer = self.attempt(running, turn, follow)
                        if answer is not None:
                            break
            except Exception as caught:  # noqa: BLE001
                self.failures.append(repr(caught))
                continue
            self.answered.append(answer)


def test_a_rolling_restart_under_streaming_load_fails_nothing(service, tmp_path):
    simulator = harness.Simulator("--deltas", "20", "--interval-ms", "30")
    instances = []
    for _ in range(2):
        with harness.socket_port() as port:
            text = config(upstream("a", simulator.base_url("roll")),
                          models="m: {provider: a, upstream: m}")
            text = text.replace('http: {listen: "127.0.0.1:0"}',
                                f'http: {{listen: "127.0.0.1:{port}"}}', 1)
            text = text.replace('"service.db"',
                                json.dumps(str(tmp_path / "one.db")))
            text = text.replace("  workers: 2", "  workers: 2\n  drain: 15s")
        instances.append(service(text))
    fleet = Fleet(instances)
    callers = Callers()
    for seed in range(8):
        callers.start(fleet.run, seed, seed % 2 == 0)
    for running in instances * 2:
        before = len(fleet.answered)
        until(lambda n=before: len(fleet.answered) > n + 10)
        assert running.stop() == 0
        assert "stopped" in running.log()
        running.start()
    before = len(fleet.answered)
    until(lambda: len(fleet.answered) > before + 10)
    fleet.stop.set()
    callers.join()
    for running in instances:
        assert running.stop() == 0
    assert not fleet.failures, fleet.failures[:3]
    database = sqlite3.connect(tmp_path / "one.db")
    rows = dict(database.execute("SELECT request_id, outcome FROM requests"))
    assert len(fleet.answered) == len(set(fleet.answered))
    assert set(fleet.answered) == {
        request for request, outcome in rows.items() if outcome == "ok"}
    assert set(rows.values()) <= {"ok"}, set(rows.values())
    attempts = database.execute("SELECT count(*) FROM attempts").fetchone()[0]
    assert attempts == len(simulator.log("roll")) == len(fleet.answered)
    assert database.execute(
        "SELECT count(*) FROM attempts WHERE outcome = 'lost'").fetchone()[0] == 0
    harness.report(f"rolling restart: 4 restarts under load, "
                   f"{len(fleet.answered)} answered, none failed")
    simulator.close()


def test_readiness_ends_at_once_and_work_a_moment_later(service):
    running = service(config("slow: {dialect: simulated, "
                             "simulated: {latency: 4s}}\nsimulated: {}",
                             models="m: {provider: slow, upstream: m}\n"
                                    "q: {provider: simulated, upstream: q}"))
    callers = Callers()
    callers.start(running.chat, "m")
    until(lambda: metric(running, "llm_service_inflight_requests") == 1)
    running.process.send_signal(signal.SIGTERM)
    until(lambda: running.call("/readyz").status == 503, 1)
    assert running.call("/healthz").status == 200
    # Balancers have not heard of it yet: their calls are still answered.
    callers.start(running.chat, "m")
    assert running.chat("q").status == 200
    until(lambda: running.chat("q").status == 503, 3)
    assert [reply.status for reply in callers.join()] == [200, 200]
    assert running.process.wait(20) == 0
