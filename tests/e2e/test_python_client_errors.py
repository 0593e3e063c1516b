"""Every row of the error table (contract section 5), through every door of the Python
package, whole and streamed: one exception with the same facts.

`rate_limited` and `budget_exceeded` are not made by this version of the service: their
answers are played by tests/clients/python/test_error_rows.py.
"""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import dataclass, field
from typing import Any

import harness
import pytest
from harness import config, upstream
from python_client_doors import DOORS, HELLO, Door, llm_service

CALLERS = [(door, whole) for door in DOORS for whole in (True, False)]


def refusal(status: int, code: str, **headers: str) -> dict[str, Any]:
    body = {"error": {"message": "no", "code": code, "type": "x"}}
    return {"status": status, "body": body, "headers": headers, "times": 0}


@dataclass
class Row:
    """A case: what the provider does, what the caller asks, what must come of it."""

    error: type[llm_service.LLMServiceError]
    code: str
    status: int
    source: str
    script: dict[str, Any] | None = None
    ask: dict[str, Any] = field(default_factory=dict)
    upstream_status: int | None = None
    retry_after: float | None = None
    param: str | None = None
    attempts: int | None = 0
    key: str = "good"
    local: bool = False  # over gRPC the package finds it out by itself


E = llm_service
ROWS = {
    "malformed": Row(
        E.InvalidRequestError, "invalid_request", 400, "client",
        ask={"priority": "soon"}, param="priority"),
    "malformed shape": Row(
        E.InvalidRequestError, "invalid_request", 400, "client",
        ask={"messages": [{"content": "x"}]}, param="messages[0].role", local=True),
    "malformed field": Row(
        E.InvalidRequestError, "invalid_request", 400, "client",
        ask={"temperature": "hot"}, param="temperature", local=True),
    "wrong key": Row(
        E.AuthenticationError, "invalid_api_key", 401, "client", key="wrong"),
    "no key": Row(
        E.AuthenticationError, "invalid_api_key", 401, "client", key="none"),
    "model not allowed": Row(
        E.ModelNotAllowedError, "model_not_allowed", 403, "client", key="narrow",
        param="model"),
    "unknown model": Row(
        E.ModelNotFoundError, "model_not_found", 404, "client",
        ask={"model": "nobody"}, param="model"),
    "unknown task": Row(
        E.ModelNotFoundError, "model_not_found", 404, "client",
        ask={"model": "auto", "task_type": "nothing"}, param="task_type"),
    "body too large": Row(
        E.BodyTooLargeError, "body_too_large", 413, "client",
        ask={"messages": [{"role": "user", "content": "x" * 270_000}]}),
    "context length": Row(
        E.ContextLengthError, "context_length_exceeded", 400, "provider",
        refusal(400, "context_length_exceeded"), upstream_status=400, attempts=1),
    "content filter": Row(
        E.ContentFilterError, "content_filter", 400, "provider",
        refusal(400, "content_filter"), upstream_status=400, attempts=1),
    **{
        f"provider refused {status}": Row(
            E.ProviderRejectedError, "provider_rejected", status, "provider",
            refusal(status, "odd"), upstream_status=status, attempts=1)
        for status in (400, 409, 413, 422)
    },
    **{
        f"provider refused our key {status}": Row(
            E.ProviderUnavailableError, "provider_unavailable", 502, "provider",
            refusal(status, "odd"), upstream_status=status, attempts=1)
        for status in (401, 402, 403)
    },
    "provider rate limited": Row(
        E.ProviderRateLimitError, "provider_rate_limited", 429, "provider",
        refusal(429, "rate", **{"retry-after": "77"}), upstream_status=429,
        retry_after=77, attempts=1),
    "provider failed": Row(
        E.ProviderUnavailableError, "provider_unavailable", 502, "provider",
        refusal(500, "odd"), upstream_status=500, attempts=None),
    "deadline": Row(
        E.DeadlineError, "timeout", 504, "provider",
        {"before_head": "stall", "times": 0}, ask={"timeout": 0.7}, attempts=1),
}
SCRIPTED = {name: row for name, row in ROWS.items() if row.script is not None}


def lane(name: str, door: str, whole: bool) -> str:
    kind = "whole" if whole else "streamed"
    return f"{name} {door} {kind}".replace(" ", "-")


@pytest.fixture(scope="module")
def lab(simulator):
    lanes = [lane(name, *caller) for name in SCRIPTED for caller in CALLERS]
    running = harness.Service(config(
        "simulated: {}\n" + "\n".join(
            upstream(one, simulator.base_url(one)) for one in lanes),
        models="\n".join(f"{one}: {{provider: {one}, upstream: m}}" for one in lanes),
        auth="keys",
    ), env={"LLM_SERVICE_SERVER_MAX_BODY": "256KiB"})
    for name, row in SCRIPTED.items():
        for caller in CALLERS:
            simulator.script(lane(name, *caller), **row.script)
    keys = {"good": running.create_key("good"), "wrong": "sk-" + "x" * 48,
            "none": "", "narrow": running.create_key("n", models=[lanes[0]])}
    yield running, keys
    running.stop()
    simulator.reset()


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "streamed"])
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", ROWS)
def test_every_row_is_one_exception_with_its_facts(lab, name, door, whole):
    running, keys = lab
    row = ROWS[name]
    ask = {"timeout": 30, "model": "simulated", **row.ask}
    if row.script is not None:
        ask["model"] = lane(name, door, whole)
    heard = Door(door, running, keys[row.key]).hear(whole, **ask)
    error = heard.error
    assert type(error) is row.error, error
    assert (error.code, error.status, error.source) == (
        row.code, row.status, row.source)
    assert error.upstream_status == row.upstream_status
    assert error.param == row.param
    assert error.provider == (ask["model"] if row.script else None)
    if row.attempts is None:
        assert error.attempts >= 1
    else:
        assert error.attempts == row.attempts
    if row.retry_after is None:
        assert error.retry_after is None
    else:
        assert row.retry_after - 2 <= error.retry_after <= row.retry_after
    # The service has made the retries there were to make.
    assert error.retryable is False
    assert error.message and str(error) == error.message
    assert error.delivered == 0 and heard.chunks == []
    if not (row.local and door.startswith("grpc")):
        assert error.request_id


@pytest.mark.parametrize("door", DOORS)
def test_a_deadline_error_is_a_timeout_error_too(lab, door):
    running, keys = lab
    model = lane("deadline", door, True)
    with pytest.raises(TimeoutError):
        Door(door, running, keys["good"]).ask(
            "chat", HELLO, model=model, timeout=0.3)


@pytest.mark.parametrize("door", DOORS)
def test_a_message_far_beyond_the_limit_is_too_large_as_well(lab, door):
    # grpcio's server refuses it without a detail; the meaning is the same.
    running, keys = lab
    heard = Door(door, running, keys["good"]).hear(
        True, [{"role": "user", "content": "x" * 3_000_000}])
    assert type(heard.error) is E.BodyTooLargeError
    assert heard.error.code == "body_too_large" and heard.error.status == 413


def test_who_comes_beyond_the_limit_is_told_when_to_come_again(service, simulator):
    simulator.script("held", before_head="stall", times=0)
    running = service(config(upstream("held", simulator.base_url("held")),
                             models="m: {provider: held, upstream: m}"),
                      env={"LLM_SERVICE_SERVER_MAX_IN_FLIGHT": "1"})
    holder = threading.Thread(target=running.chat, args=("m",),
                              kwargs={"headers": {"x-llm-timeout": "3s"}})
    holder.start()
    while "llm_service_inflight_requests 1" not in running.metrics():
        assert holder.is_alive()
    for door in DOORS:
        error = Door(door, running).hear(True, model="m", timeout=20).error
        assert type(error) is E.OverloadedError
        assert (error.code, error.status) == ("overloaded", 503)
        assert error.source == "gateway" and error.provider is None
        assert error.retry_after == 1 and error.retryable is True
    holder.join()
    simulator.reset("held")


def event(**delta) -> str:
    return "data: " + json.dumps({
        "id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}) + "\n\n"


def test_a_stream_that_breaks_delivers_what_came_and_then_its_error(
        service, simulator):
    body = event(role="assistant", content="he") + event(content="llo")
    lanes = [f"cut-{door}" for door in DOORS]
    running = service(config(
        "\n".join(upstream(one, simulator.base_url(one)) for one in lanes),
        models="\n".join(f"{one}: {{provider: {one}, upstream: m}}"
                         for one in lanes)))
    for door, one in zip(DOORS, lanes):
        simulator.script(one, body=body, close_after=len(body),
                         headers={"content-type": "text/event-stream"})
        heard = Door(door, running).hear(False, model=one, timeout=20)
        assert heard.text == "hello"
        error = heard.error
        assert type(error) is E.ProviderUnavailableError
        assert (error.code, error.status, error.source, error.provider) == (
            "provider_unavailable", 502, "provider", one)
        assert error.delivered == len(heard.chunks) > 0
        assert error.retryable is False and error.request_id
        simulator.reset(one)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "streamed"])
def test_nobody_there_is_a_connection_error(door, whole):
    class Nowhere:
        addresses = {"grpc": ""}

        def url(self, path):
            return self.addresses["http"] + path

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        nowhere = Nowhere()
        nowhere.addresses = {"grpc": address, "http": f"http://{address}"}
        error = Door(door, nowhere).hear(whole, timeout=20).error
    assert type(error) is E.ServiceConnectionError
    assert isinstance(error, ConnectionError) and error.retryable is True


@pytest.mark.parametrize("door", ["http", "http-aio"])
def test_a_wrong_address_says_so(lab, door):
    running, keys = lab
    wrong = Door(door, running, keys["good"], base_url=running.url("/nowhere"))
    error = wrong.hear(True).error
    assert type(error) is E.NotFoundError and error.code == "not_found"


@pytest.mark.parametrize("door", DOORS)
def test_one_repeat_key_for_two_requests_is_refused(lab, door):
    running, keys = lab
    same = {"model": "simulated", "idempotency_key": f"k-{door}"}
    ask = Door(door, running, keys["good"]).hear
    first, again = ask(True, **same), ask(True, **same)
    assert again.answer["id"] == first.answer["id"]
    other = ask(True, [{"role": "user", "content": "other"}], **same).error
    assert type(other) is E.InvalidRequestError and other.status == 400
