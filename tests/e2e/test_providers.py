"""Looks at providers: the operator's test of a connection, and the service's
own probes of those in trouble [HLT-1, HLT-2]."""

import json
import subprocess
import time

import pytest

import harness
from harness import ADMIN_KEY, config, upstream

KEY = "sk-upstream-canary-0123456789"


@pytest.fixture
def sim():
    running = harness.Simulator()
    yield running
    running.close()


def start(service, sim, lane, extra=""):
    return service(
        config(upstream("up", sim.base_url(lane),
                        ', api_keys: ["env:UP_KEY"]'),
               "m: {deployments: [{provider: up, upstream: up-m}]}",
               extra=extra),
        env={"UP_KEY": KEY})


def cli(running, *arguments):
    return subprocess.run(
        [harness.SERVICE, *arguments, "--url", running.url("", "admin_http")],
        env={"LLM_SERVICE_ADMIN_KEY": ADMIN_KEY}, capture_output=True,
        text=True, timeout=60, check=False)


def answer(**message):
    return {"body": {
        "id": "r", "object": "chat.completion", "model": "up-m-0926",
        "choices": [{"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", **message}}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3,
                  "total_tokens": 10}}}


TOOL_CALL = answer(content=None, tool_calls=[{
    "id": "c1", "type": "function",
    "function": {"name": "report_word", "arguments": '{"word":"pong"}'}}])


def checks(done):
    return {check["name"]: check for check in json.loads(done.stdout)["checks"]}


def test_a_connection_that_works_passes_all_three_checks(service, sim):
    running = start(service, sim, "works")
    sim.script("works", **answer(content="pong"), times=2)
    sim.script("works", **TOOL_CALL)
    done = cli(running, "providers", "test", "up", "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    seen = checks(done)
    assert {name: one["outcome"] for name, one in seen.items()} == {
        "chat": "ok", "stream": "ok", "tool_call": "ok"}
    assert seen["chat"]["tokens"] == {"input": 7, "output": 3}
    asked = [json.loads(one["body"]) for one in sim.log("works")]
    assert [bool(one.get("tools")) for one in asked] == [False, False, True]
    # They are billed, and stand under their own name.
    rows = running.usage("?by=key")["groups"]
    assert [(row["keys"]["key"], row["requests"]) for row in rows] == [("probe", 3)]


def test_a_refused_key_is_said_in_the_providers_words_but_never_shown(
        service, sim):
    running = start(service, sim, "refuses")
    sim.script("refuses", status=401, times=0, body={"error": {
        "message": f"Incorrect API key provided: {KEY}. Find yours at x.",
        "type": "invalid_request_error", "code": "invalid_api_key"}})
    done = cli(running, "providers", "test", "up")
    assert done.returncode == 1
    assert "Incorrect API key provided" in done.stdout
    for text in (done.stdout, done.stderr, running.log(), running.metrics()):
        assert KEY not in text
    assert " 401 " in done.stdout


def test_a_model_that_calls_no_tool_fails_that_check_alone(service, sim):
    running = start(service, sim, "talks")
    sim.script("talks", **answer(content="pong"), times=0)
    done = cli(running, "providers", "test", "up", "--format", "json")
    assert done.returncode == 1
    seen = checks(done)
    assert seen["chat"]["outcome"] == seen["stream"]["outcome"] == "ok"
    assert seen["tool_call"]["failure"] == "no_tool_call"


def test_an_open_breaker_does_not_keep_an_operator_from_testing(service, sim):
    running = start(service, sim, "back")
    sim.script("back", status=500, body="down", times=8)
    for _ in range(4):
        running.chat("m")
    assert running.call("/readyz").json()["deployments"]["up/up-m"] != "healthy"
    sim.reset("back")
    sim.script("back", **answer(content="pong"), times=2)
    sim.script("back", **TOOL_CALL)
    done = cli(running, "providers", "test", "up")
    assert done.returncode == 0, done.stdout + done.stderr
    # It was traffic, so the provider is well again.
    assert running.chat("m").status == 200


def test_a_provider_that_is_not_configured_is_named_with_the_closest(
        service, sim):
    running = start(service, sim, "none")
    done = cli(running, "providers", "test", "uq")
    assert done.returncode == 1
    assert "did you mean up" in done.stderr, done.stderr


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within the bound"
        time.sleep(0.05)


def looks(running, verdict):
    return f'llm_service_probes_total{{provider="up",verdict="{verdict}"}}' in (
        running.metrics())


def test_a_provider_in_trouble_is_looked_at_for_nothing(service, sim):
    running = start(service, sim, "sick",
                    extra="routing: {probe_interval: 1s}\n")
    sim.script("sick", status=500, body="down", times=8)
    for _ in range(4):
        running.chat("m")
    asked = len(sim.log("sick"))
    # From now on: the list of models cannot be had, then it can.
    sim.reset("sick")
    sim.script("sick", status=503, body="down", times=2)
    until(lambda: looks(running, "down"))
    until(lambda: looks(running, "up"))
    since = sim.log("sick")[asked:]
    assert since and all(one["target"].endswith("/models") for one in since)
    assert all(KEY in str(one["headers"]) for one in since)
    # Nothing of it is billed, or seen as a call.
    rows = running.usage("?by=key")["groups"]
    assert all(row["keys"]["key"] != "probe" for row in rows)
    # The first call proves it.
    assert running.chat("m").status == 200
    until(lambda: running.call("/readyz").json()["deployments"]["up/up-m"] ==
          "healthy")


def test_a_provider_without_a_list_of_models_is_judged_by_traffic(service, sim):
    running = start(service, sim, "listless",
                    extra="routing: {probe_interval: 1s}\n")
    sim.script("listless", status=500, body="down", times=8)
    for _ in range(4):
        running.chat("m")
    sim.reset("listless")
    sim.script("listless", status=404, body="no such page", times=0)
    until(lambda: looks(running, "unknown"))
    health = running.call("/readyz").json()["deployments"]["up/up-m"]
    assert health != "healthy"
