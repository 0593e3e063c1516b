"""What a new user does first: answers, usage, cost, metrics, clear errors."""

import json
import re
import signal
import subprocess
import threading
import time

import harness
from harness import ADMIN_KEY, config


def start(service):
    return service(config("simulated: {}", auth="keys"))


def test_a_key_made_by_command_line_answers_over_http(service):
    running = start(service)
    made = subprocess.run(
        [harness.SERVICE, "keys", "create", "--name", "first",
         "--url", running.url("", "admin_http")],
        env=running.env, capture_output=True, text=True, timeout=30,
    )
    assert made.returncode == 0, made.stderr
    key = re.search(r"sk-[A-Za-z0-9]{48}", made.stdout).group(0)
    assert len(key) == 51

    reply = running.chat(key=key, text="Say hello")
    assert reply.status == 200, reply.text
    body = reply.json()
    assert body["object"] == "chat.completion"
    assert body["choices"][0]["message"]["content"]
    assert body["choices"][0]["finish_reason"] == "stop"
    usage = body["usage"]
    assert usage["total_tokens"] == (
        usage["prompt_tokens"] + usage["completion_tokens"]
    )
    info = body["llm_service"]
    assert info["provider"] == "simulated"
    assert info["usage_source"] == "provider"
    assert info["attempts"] == 1
    assert info["request_id"] == reply.headers["x-request-id"]
    for header in ("x-llm-model", "x-llm-provider", "x-llm-attempts",
                   "x-llm-overhead-us"):
        assert header in reply.headers


def test_a_stream_ends_with_usage_when_asked_and_done(service):
    running = start(service)
    key = running.create_key()
    reply = running.chat(key=key, stream=True,
                         stream_options={"include_usage": True})
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.headers["x-llm-provider"] == "simulated"
    assert reply.headers["x-llm-attempts"] == "1"
    events = harness.sse(reply)
    assert events[-1] == "[DONE]"
    chunks = events[:-1]
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    finishes = [c["finish_reason"] for e in chunks for c in e["choices"]
                if c.get("finish_reason")]
    assert finishes == ["stop"]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] > 0
    assert chunks[-1]["llm_service"]["provider"] == "simulated"
    assert all("usage" not in c or c["usage"] is None for c in chunks[:-1])

    unasked = harness.sse(running.chat(key=key, stream=True))
    assert all(c["choices"] for c in unasked[:-1])
    assert unasked[-2]["llm_service"]["attempts"] == 1


def test_usage_adds_up_and_is_seen_by_its_owner_only(service):
    running = start(service)
    mine = running.create_key("mine")
    other = running.create_key("other")
    for _ in range(3):
        assert running.chat(key=mine, run_id="run-7").status == 200
    assert running.chat(key=other).status == 200
    report = running.usage("?by=model,run_id", key=mine)
    assert report["total"]["requests"] == 3
    assert report["groups"][0]["keys"]["run_id"] == "run-7"
    assert running.usage("", ADMIN_KEY)["total"]["requests"] == 4


def test_a_free_model_costs_zero_and_says_so(service):
    running = start(service)
    key = running.create_key()
    cost = running.chat(key=key).json()["llm_service"]["cost"]
    assert cost == {"amount": "0.000000", "currency": "USD"}


def test_metrics_show_the_requests(service):
    running = start(service)
    key = running.create_key()
    running.chat(key=key)
    text = running.metrics()
    for name in ("gen_ai_client_token_usage", "llm_service_requests_total",
                 "llm_service_attempts_total", "llm_service_build_info",
                 "gen_ai_server_request_duration_seconds",
                 "llm_service_inflight_requests",
                 "llm_service_ledger_rows_total"):
        assert name in text, name


def test_each_common_mistake_gets_its_own_clear_answer(service):
    running = start(service)
    key = running.create_key()

    wrong = running.chat(key="sk-" + "x" * 48)
    assert wrong.status == 401
    assert wrong.json()["error"]["code"] == "invalid_api_key"
    assert running.chat().status == 401

    unknown = running.chat(model="simulatd", key=key)
    assert unknown.status == 404
    error = unknown.json()["error"]
    assert error["code"] == "model_not_found"
    assert "simulated" in error["message"]

    broken = running.call("/v1/chat/completions", b'{"model": ', key)
    assert broken.status == 400
    assert broken.json()["error"]["code"] == "invalid_request"

    field = running.call("/v1/chat/completions",
                         {"model": "auto", "messages": "hello"}, key)
    assert field.status == 400
    assert field.json()["error"]["param"] == "messages"

    assert running.call("/nowhere", key=key).status == 404
    assert running.call("/v1/chat/completions", key=key).status == 405
    assert running.call("/admin/v1/keys", key=ADMIN_KEY).status == 404
    # Refused calls are seen too.
    for word in ("invalid_api_key", "model_not_found", "invalid_request"):
        assert f'outcome="{word}"' in running.metrics()
        wait_for(lambda: f'"{word}"' in running.log())


def test_a_revoked_key_stops_working(service):
    running = start(service)
    key = running.create_key("short-lived")
    listed = running.call("/admin/v1/keys", key=ADMIN_KEY,
                          listener="admin_http").json()["keys"]
    assert key not in json.dumps(listed)
    revoked = running.call(f"/admin/v1/keys/{listed[0]['id']}/revoke", b"{}",
                           ADMIN_KEY, "admin_http", method="POST")
    assert revoked.status == 200, revoked.text
    deadline = 100
    while running.chat(key=key).status == 200 and deadline:
        deadline -= 1
    assert running.chat(key=key).status == 401


def test_models_are_listed_in_openai_shape(service):
    running = start(service)
    key = running.create_key()
    listing = running.call("/v1/models", key=key).json()
    assert listing["object"] == "list"
    ids = [m["id"] for m in listing["data"]]
    assert "simulated" in ids
    one = running.call("/v1/models/simulated", key=key).json()
    assert one["id"] == "simulated"
    assert "capabilities" in one and "health" in one
    assert running.call("/api/v1/models", key=key).status == 200
    assert running.call("/v1/v1/models", key=key).status == 200


def test_route_explains_without_calling_anyone(service):
    running = start(service)
    key = running.create_key()
    reply = running.call("/v1/route", {
        "model": "auto", "messages": [{"role": "user", "content": "x"}],
        "task_type": "financial_analysis"}, key)
    assert reply.status == 200, reply.text
    assert "simulated" in reply.text
    assert running.usage()["total"]["requests"] == 0


def test_health_needs_no_key_and_readiness_tells_detail(service):
    running = start(service)
    assert running.call("/healthz").status == 200
    ready = running.call("/readyz")
    assert ready.status == 200
    assert ready.json()["ready"] is True


def test_secrets_and_prompts_stay_out_of_the_log(service):
    running = start(service)
    key = running.create_key()
    running.chat(key=key, text="PROMPT-CANARY-1234")
    running.chat(key="sk-" + "c" * 48, text="PROMPT-CANARY-1234")
    wait_for(lambda: "request_id" in running.log())
    log = running.log()
    assert "PROMPT-CANARY" not in log
    assert key not in log and ADMIN_KEY not in log


SLOW = ("simulated: {}\n"
        "drip: {dialect: simulated, simulated: {chunk_interval: 50ms}}")


def test_a_drain_lets_streams_finish_and_turns_readiness_off(service):
    running = service(config(SLOW, models="drip: {provider: drip}"))
    replies, unready = [], []
    caller = threading.Thread(target=lambda: replies.append(
        running.chat("drip", stream=True)))
    caller.start()
    wait_for(lambda: "llm_service_inflight_requests 1" in running.metrics())
    running.process.terminate()

    def refused():
        try:
            unready.append(running.call("/readyz").status)
        except OSError:
            return True
        return unready[-1] == 503

    wait_for(refused)
    caller.join()
    assert harness.sse(replies[0])[-1] == "[DONE]"
    assert running.process.wait(30) == 0


def test_a_reload_serves_the_new_file_and_refuses_a_bad_one(service):
    running = service(config("simulated: {}"))
    good = running.config.read_text()
    running.config.write_text(good + "\nnonsense: true\n")
    running.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "the old configuration stays" in running.log())
    assert "nonsense" in running.log()
    assert running.chat("added").status == 404

    running.config.write_text(
        good + "models:\n  added: {provider: simulated}\n")
    running.process.send_signal(signal.SIGHUP)
    wait_for(lambda: running.chat("added").status == 200)
    assert running.chat("simulated").status == 200


def wait_for(condition, timeout=20.0):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
