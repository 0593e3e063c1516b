"""A real Prometheus watches two instances that have good and bad moments.

Every recording rule and every query of the dashboard returns data, what goes
wrong raises its alert and nothing else does, and what documents name exists.
"""

from __future__ import annotations

import concurrent.futures
import datetime
import json
import math
import re
import signal
import sqlite3
import subprocess
import time
import urllib.parse

import pytest
import yaml

import harness
from harness import config, upstream
from test_alert_rules import OPERATIONS, PROMETHEUS, panels, rules

JSON = {"headers": {"content-type": "application/json"}}
SHORT = ", timeouts: {connect: 2s, first_content: 5s, idle: 5s, total: 20s}"
# What the traffic below gives reason for.
EXPECTED = {
    "LlmServiceErrorBudgetBurnFast", "LlmServiceErrorBudgetBurnSlow",
    "LlmServiceErrorBudgetBurnDays", "LlmServiceErrorBudgetBurnMonth",
    "LlmServiceLlmFailureRate", "LlmServiceBreakerOpen",
    "LlmServiceProviderUnhealthy", "LlmServiceProviderKeyRefused",
    "LlmServiceUnpricedModels", "LlmServiceUsageEstimated",
}
# A slow machine is no fault of the rules, and a mean takes its time.
OF_TIME = {"LlmServiceProviderKeysAllOut", "LlmServiceOverheadHigh",
           "LlmServiceFirstTokenSlow", "LlmServiceRequestsSlow",
           "LlmServiceQueueing"}
ALLOWED_LABELS = {
    "__name__", "instance", "job", "le", "provider", "model", "outcome",
    "currency", "status", "source", "limit", "reason", "verdict", "result",
    "version", "commit", "config_version", "gen_ai_operation_name",
    "gen_ai_provider_name", "gen_ai_request_model", "gen_ai_token_type",
}


def settings(simulator) -> str:
    lanes = {lane: simulator.base_url(lane)
             for lane in ("good", "bad", "locked", "slow")}
    return config(
        "\n".join((
            upstream("good", lanes["good"], SHORT),
            upstream("bad", lanes["bad"], SHORT),
            upstream("locked", lanes["locked"],
                     ', api_keys: ["env:LOCKED_KEY"]' + SHORT),
            upstream("slow", lanes["slow"], ", currency: CNY, max_in_flight: 1"
                     + SHORT),
            "simulated: {}")),
        models="""\
m:
  provider: good
  upstream: m
  price: {currency: USD, per_million: {input: "1", output: "2"}}
yuan:
  provider: slow
  upstream: m
  price: {currency: CNY, per_million: {input: "1", output: "2"}}
second:
  deployments: [{provider: bad, upstream: m}, {provider: good, upstream: m}]
  price: {currency: USD, per_million: {input: "1", output: "2"}}
dead: {provider: bad, upstream: m}
shut: {provider: locked, upstream: m}
unpriced: {provider: good, upstream: nobody-knows-its-price}""",
        extra="""routing: {max_retries_same: 0, probe_interval: 1s}
embeddings: {cache: {max_bytes: 1MiB, ttl: 1h}}
""")


class Prometheus:
    """A running Prometheus with the project's rules, on a port of its own."""

    def __init__(self, directory, targets):
        with harness.socket_port() as port:
            self.root = f"http://127.0.0.1:{port}"
        path = directory / "prometheus.yaml"
        path.write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(PROMETHEUS / "rules.yaml")],
            "scrape_configs": [{"job_name": "llm-service",
                                "static_configs": [{"targets": targets}]}]}))
        self.log = directory / "prometheus.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={path}",
                 f"--storage.tsdb.path={directory / 'data'}",
                 f"--web.listen-address={self.root[7:]}"],
                stdout=log, stderr=subprocess.STDOUT)

    def api(self, path, **query):
        url = f"{self.root}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        answer = harness.call(url).json()
        assert answer["status"] == "success", (query, answer)
        return answer["data"]

    def query(self, expression: str) -> list[dict]:
        return self.api("query", query=expression)["result"]

    def value(self, expression: str) -> float:
        """Of a query with one result; NaN without any."""
        found = self.query(expression)
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else math.nan

    def active(self) -> dict[str, str]:
        """Alerts that are pending or firing."""
        return {alert["labels"]["alertname"]: alert["state"]
                for alert in self.api("alerts")["alerts"]}

    def close(self):
        self.process.terminate()
        self.process.wait(20)


def until(condition, seconds=40):
    """Asks again until it holds; what it last gave."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "never came true"
        time.sleep(0.1)
    return found


def finite(series: dict) -> bool:
    return math.isfinite(float(series["value"][1]))


class Watched:
    """Two instances, their simulator and the Prometheus that watches."""

    def __init__(self, directory, simulator):
        self.simulator = simulator
        simulator.script("bad", status=500, body="{}", times=0)
        simulator.script("locked", status=401, body="{}", times=0, **JSON)
        self.instances = [
            harness.Service(settings(simulator), env={"LOCKED_KEY": "sk-none"})
            for _ in range(2)]
        self.prometheus = Prometheus(
            directory, [one.addresses["metrics"] for one in self.instances])

    def close(self):
        self.prometheus.close()
        for one in self.instances:
            if one.process.poll() is None:
                one.stop()

    def traffic(self):
        for one in self.instances:
            for _ in range(12):
                assert one.chat("m").status == 200
                assert one.chat("second").status == 200
                assert one.chat("unpriced").status == 200
                assert one.chat("m", stream=True).status == 200
            for _ in range(6):
                assert one.chat("dead").status in (502, 503)
            for _ in range(2):
                assert one.chat("shut").status == 502
                assert one.chat("nobody").status == 404
                once = {"Idempotency-Key": f"key-{time.monotonic_ns()}"}
                for _ in range(2):
                    assert one.chat("m", headers=once).status == 200
                for text in ("a", "a"):
                    assert one.call("/v1/embeddings", {
                        "model": "simulated-embedding", "input": text,
                    }).status == 200
            self.in_line(one)
            self.without_usage(one)

    def in_line(self, one):
        """Two callers at a provider that takes one: the second waits."""
        self.simulator.script("slow", delay_ms=100, times=2, **JSON, body={
            "id": "x", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": "hi"}}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5,
                      "total_tokens": 15}})
        together([lambda: one.chat("yuan")] * 2)

    def without_usage(self, one):
        self.simulator.script("good", times=6, **JSON, body={
            "id": "x", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": "hi"}}]})
        for _ in range(6):
            assert one.chat("m").status == 200

    def scraped(self):
        """Waits until Prometheus has seen what happened, and judged it."""
        began = self.prometheus.value("vector(time())")
        count = len(self.instances)
        until(lambda: self.prometheus.value(
            'count(timestamp(up{job="llm-service"}) > %f)' % began) == count)
        seen = self.prometheus.value("vector(time())")
        until(lambda: all(
            timestamp(group["lastEvaluation"]) > seen
            for group in self.prometheus.api("rules")["groups"]))


def together(calls):
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        for reply in pool.map(lambda call: call(), calls):
            assert reply.status == 200, reply.text


def timestamp(text: str) -> float:
    # Nine digits of a second are more than fromisoformat takes.
    short = re.sub(r"(\.\d{6})\d*", r"\1", text)
    return datetime.datetime.fromisoformat(short.replace("Z", "+00:00")).timestamp()


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    simulator = harness.Simulator()
    running = Watched(tmp_path_factory.mktemp("prometheus"), simulator)
    try:
        until(lambda: running.prometheus.process.poll() is not None
              or answers(running.prometheus))
        until(lambda: running.prometheus.value("sum(up)") == 2)
        running.scraped()
        running.quiet = running.prometheus.active()
        running.traffic()  # makes the series: a rate needs a first sample
        running.scraped()
        running.traffic()
        running.scraped()
        yield running
    finally:
        running.close()
        simulator.close()


def answers(prometheus) -> bool:
    try:
        return harness.call(prometheus.root + "/-/ready").status == 200
    except OSError:
        return False


def test_without_traffic_nothing_is_wrong(watched):
    assert watched.quiet == {}


def test_both_instances_are_scraped(watched):
    assert watched.prometheus.value("job:llm_service_instances_up:sum") == 2


def test_no_rule_fails(watched):
    for group in watched.prometheus.api("rules")["groups"]:
        for rule in group["rules"]:
            assert rule["health"] == "ok", rule


@pytest.mark.parametrize(
    "record", [rule["record"] for rule in rules() if "record" in rule])
def test_every_recording_rule_returns_data(watched, record):
    found = watched.prometheus.query(record)
    assert any(finite(series) for series in found), found


def test_what_goes_wrong_raises_its_alert_and_nothing_else_does(watched):
    def expected_alone():
        # Keeps the breaker open, whose mean over time counts, until every
        # fifth upstream call has failed.
        for one in watched.instances * 5:
            one.chat("dead")
        active = {name: state
                  for name, state in watched.prometheus.active().items()
                  if name not in OF_TIME}
        assert set(active) <= EXPECTED
        return set(active) == EXPECTED and active

    active = until(expected_alone)
    # The only ones here without a time that they must last.
    assert active["LlmServiceProviderKeyRefused"] == "firing"
    assert active["LlmServiceErrorBudgetBurnFast"] == "pending"


def test_an_alert_comes_with_its_figures(watched):
    (refused,) = [
        alert for alert in watched.prometheus.api("alerts")["alerts"]
        if alert["labels"]["alertname"] == "LlmServiceProviderKeyRefused"]
    assert refused["labels"]["provider"] == "locked"
    assert refused["labels"]["reason"] == "bad_key"
    assert refused["annotations"]["description"].startswith(
        "1 of the keys of locked")


QUERIES = [pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")
           for panel in panels() for target in panel["targets"]]


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_of_the_dashboard_returns_data(watched, query):
    for variable, value in (("$__rate_interval", "10m"), ("$job", "llm-service"),
                            ("$instance", ".*")):
        query = query.replace(variable, value)
    assert "$" not in query
    found = watched.prometheus.query(query)
    assert any(finite(series) for series in found), (query, found)


def test_costs_are_those_of_the_ledger(watched):
    """Sums of the counters, currency by currency."""
    native: dict[str, float] = {}
    for one in watched.instances:
        for group in one.usage("?by=model")["groups"]:
            for currency, cost in group["cost_native"].items():
                native[currency] = native.get(currency, 0) + cost
    found = watched.prometheus.query("sum by (currency) (llm_service_cost_total)")
    counted = {series["metric"]["currency"]: float(series["value"][1])
               for series in found}
    assert set(counted) == {"USD", "CNY"}
    for currency, cost in counted.items():
        assert cost == pytest.approx(native[currency], abs=1e-12)


def names_in(text: str) -> set[str]:
    """Metrics of the service that a text names, without suffixes."""
    found = re.findall(
        r"(?<![\w:.-])(?:llm_service|gen_ai|process)_[a-z0-9_]+(?![\w:(])", text)
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in found}


def families(watched) -> dict[str, str]:
    """Name and type, as /metrics declares them."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$",
                           watched.instances[0].metrics(), re.M))


def test_rules_and_dashboard_name_only_metrics_that_exist(watched):
    known = set(families(watched))
    labels = {name for name in ALLOWED_LABELS if name.startswith("gen_ai_")}
    for text in (json.dumps([query.values for query in QUERIES]),
                 json.dumps([rule["expr"] for rule in rules()])):
        named = names_in(text) - labels
        assert len(named) > 15
        assert named <= known, named - known


def test_the_runbook_lists_every_metric_with_its_type_and_labels(watched):
    text = OPERATIONS.read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|([^|]*)\|", text, re.M)
    assert {name: kind for name, kind, _ in rows} == families(watched)
    for name, _, listed in rows:
        series = watched.prometheus.query(
            f'{{__name__=~"{name}(_count)?", job="llm-service"}}')
        assert series, name
        labels = {label for one in series for label in one["metric"]}
        labels -= {"__name__", "job", "instance"}
        assert labels == set(re.findall(r"`(\w+)`", listed)), name


def test_the_number_of_series_depends_on_the_configuration_alone(watched):
    """[MET-1] Whoever calls, and whatever is asked for."""
    one = watched.instances[0]

    def lines():
        return len(one.metrics().splitlines())

    def ask(number):
        name = f"name-{number}"
        one.chat(name, user=name, run_id=name, agent=name, task_type=name,
                 metadata={name: name})
        one.chat("m", user=name, run_id=name, agent=name,
                 metadata={name: name}, headers={"x-request-id": name})

    ask(0)
    before = lines()
    for number in range(1, 50):
        ask(number)
    assert lines() == before
    assert set(watched.prometheus.api("labels", **{
        "match[]": '{job="llm-service", __name__!~"ALERTS.*|.*:.*"}'})
    ) <= ALLOWED_LABELS


def test_a_store_that_another_program_locks_shows(watched):
    one = watched.instances[0]
    name = one.addresses["metrics"]
    up = f'llm_service_ledger_store_up{{instance="{name}"}}'
    waiting = f'llm_service_ledger_queue_rows{{instance="{name}"}}'
    store = sqlite3.connect(one.directory / "service.db", isolation_level=None)
    try:
        store.execute("BEGIN EXCLUSIVE")
        assert one.chat("m").status == 200  # callers do not wait for it
        until(lambda: watched.prometheus.value(up) == 0)
        until(lambda: "LlmServiceLedgerStoreDown" in watched.prometheus.active())
        assert watched.prometheus.value(waiting) > 0
    finally:
        store.close()
    until(lambda: watched.prometheus.value(up) == 1)
    until(lambda: watched.prometheus.value(waiting) == 0)
    until(lambda: "LlmServiceLedgerStoreDown" not in watched.prometheus.active())


def test_a_drain_is_seen_to_its_end(watched):
    one = watched.instances[0]
    name = one.addresses["metrics"]
    watched.simulator.script("slow", before_head="stall", times=1)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        call = pool.submit(one.chat, "yuan")
        until(lambda: watched.prometheus.value(
            f'llm_service_inflight_requests{{instance="{name}"}}') == 1)
        one.process.send_signal(signal.SIGTERM)
        until(lambda: watched.prometheus.value(
            f'llm_service_draining{{instance="{name}"}}') == 1)
        until(lambda: "LlmServiceDrainingStuck" in watched.prometheus.active())
        assert call.result().status in (502, 504)
    assert one.stop() == 0


def test_an_instance_that_dies_is_missed_and_its_calls_are_counted(watched):
    """The last one here: afterwards there is no instance."""
    one = watched.instances[1]
    name = one.addresses["metrics"]
    watched.simulator.script("slow", before_head="stall", times=1)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        call = pool.submit(one.chat, "yuan")
        until(lambda: metric_of(one, "llm_service_inflight_requests") == 1)
        one.kill9()
        assert call.exception() is not None
    until(lambda: watched.prometheus.value(f'up{{instance="{name}"}}') == 0)
    until(lambda: "LlmServiceDown" in watched.prometheus.active())
    one.start()
    # The call's row and that of its attempt.
    until(lambda: metric_of(one, "llm_service_ledger_rows_lost_total") == 2)


def metric_of(one, name: str) -> float:
    (line,) = re.findall(rf"^{name} (\S+)$", one.metrics(), re.M)
    return float(line)
