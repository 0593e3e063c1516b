"""Parts of the package that need neither service nor transport."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import json
import pickle
import ssl
import sys
import threading
import time
import weakref
from pathlib import Path

import grpc
import httpx
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "clients/python/src"))

import llm_service  # noqa: E402
from llm_service import (  # noqa: E402
    _call,
    _encode,
    _fork,
    _grpc_aio,
    _grpc_sync,
    _http_aio,
    _http_wire,
    _settings,
)


@pytest.mark.parametrize(("typed", "meant"), [
    ("http://h:8004", "http://h:8004/v1"),
    ("http://h:8004/", "http://h:8004/v1"),
    ("http://h:8004/v1", "http://h:8004/v1"),
    (" http://h:8004/v1/ ", "http://h:8004/v1"),
    ("h:8004", "http://h:8004/v1"),
    ("localhost", "http://localhost/v1"),
    ("https://h/llm/v1", "https://h/llm/v1"),
    ("http://h/api/v1/", "http://h/api/v1"),
    ("http://h/v1/chat/completions", "http://h/v1"),
    ("http://h/v1/models/", "http://h/v1"),
    ("http://h/t/run=R,task=T", "http://h/t/run=R,task=T/v1"),
    ("http://[::1]:8004", "http://[::1]:8004/v1"),
])
def test_base_urls_as_people_type_them(typed, meant):
    assert _settings.http_url(typed) == meant


@pytest.mark.parametrize(("typed", "meant"), [
    ("h:9004", ("h:9004", False)),
    ("h", ("h:9004", False)),
    ("http://h:1/", ("h:1", False)),
    ("grpcs://h", ("h:9004", True)),
    ("https://h:1", ("h:1", True)),
    ("[::1]:9004", ("[::1]:9004", False)),
    ("[::1]", ("[::1]:9004", False)),
    ("unix:/run/llm.sock", ("unix:/run/llm.sock", False)),
    ("dns:///h:1", ("dns:///h:1", False)),
])
def test_grpc_targets_as_people_type_them(typed, meant):
    assert _settings.grpc_target(typed) == meant


@pytest.mark.parametrize("typed", ["ftp://h", "http://", "://"])
def test_what_is_no_address_is_refused(typed):
    with pytest.raises(ValueError):
        _settings.http_url(typed)
    with pytest.raises(ValueError):
        _settings.grpc_target("h:1/path")


@pytest.mark.parametrize(("arguments", "environment", "chosen"), [
    ({}, {}, "grpc"),
    ({"base_url": "h"}, {}, "http"),
    ({"grpc_target": "h"}, {}, "grpc"),
    ({"grpc_target": "h", "base_url": "h"}, {}, "grpc"),
    ({}, {"LLM_SERVICE_URL": "h"}, "http"),
    ({}, {"LLM_SERVICE_URL": "h", "LLM_SERVICE_GRPC": "h"}, "grpc"),
    ({"base_url": "h"}, {"LLM_SERVICE_GRPC": "h"}, "http"),
    ({"grpc_target": "h"}, {"LLM_SERVICE_URL": "h"}, "grpc"),
    ({"transport": "http"}, {}, "http"),
    ({"transport": "http", "base_url": "h"}, {"LLM_SERVICE_GRPC": "h"}, "http"),
])
def test_what_is_said_wins_over_the_environment(monkeypatch, arguments, environment,
                                                chosen):
    for name in ("LLM_SERVICE_URL", "LLM_SERVICE_GRPC"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert llm_service.Client(**arguments).transport == chosen


@pytest.mark.parametrize(("arguments", "words"), [
    ({"transport": "http", "grpc_target": "h"}, "needs base_url"),
    ({"transport": "grpc", "base_url": "h"}, "needs grpc_target"),
    ({"tls": True, "base_url": "http://h"}, "TLS was asked for"),
    ({"ca_file": "ca", "base_url": "http://h"}, "TLS was asked for"),
    ({"tls": True, "grpc_target": "http://h"}, "TLS was asked for"),
    ({"tls": True, "grpc_target": "grpc://h"}, "TLS was asked for"),
    ({"tls": False, "grpc_target": "grpcs://h"}, "is with TLS"),
    ({"base_url": "http://h:port"}, "is no number"),
    ({"base_url": "h:70000"}, "is no number"),
    ({"grpc_target": "h:port"}, "is no number"),
])
def test_addresses_that_contradict_are_refused(monkeypatch, arguments, words):
    for name in ("LLM_SERVICE_URL", "LLM_SERVICE_GRPC"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match=words):
        llm_service.Client(**arguments)


@pytest.mark.parametrize("arguments", [
    {"tls": True}, {"ca_file": "ca"}, {"cert_file": "c", "key_file": "k"}])
def test_an_address_without_a_scheme_is_with_tls_where_it_is_asked_for(
        monkeypatch, arguments):
    for name in ("LLM_SERVICE_URL", "LLM_SERVICE_GRPC"):
        monkeypatch.delenv(name, raising=False)
    settings = llm_service.Client(base_url="h:8004", **arguments)._settings
    assert settings.url == "https://h:8004/v1"
    settings = llm_service.Client(grpc_target="h", **arguments)._settings
    assert settings.tls and settings.url.startswith("https://")


def test_secrets_are_not_shown():
    settings = llm_service.Client(base_url="h", api_key=" sk-secret\n")._settings
    assert settings.api_key == "sk-secret" and "secret" not in repr(settings)
    for where in ({"base_url": "http://u:secret@h"}, {"grpc_target": "u:secret@h"}):
        with pytest.raises(ValueError, match="api_key") as raised:
            llm_service.Client(**where)
        assert "secret" not in str(raised.value)


def chat(model="", **options):
    return _call.chat_call([{"role": "user", "content": "x"}], model, options, None)


def test_a_misspelled_field_is_refused_and_extras_have_their_place():
    with pytest.raises(TypeError, match="temprature.*extra_body"):
        chat(temprature=1)
    assert chat(extra_body={"temprature": 1}).body["temprature"] == 1
    assert "temperature" not in chat(temperature=None).body
    assert chat(temperature=0).body["temperature"] == 0


def test_a_call_wins_over_its_run_and_a_model_with_a_task_over_both():
    token = _call.current_tags.set({"task_type": "t", "run_id": "r", "user": "",
                                    "metadata": {"a": "1", "b": "1"}})
    try:
        body = chat(metadata={"b": "2"}, agent="n").body
        assert (body["task_type"], body["run_id"], body["agent"]) == ("t", "r", "n")
        assert body["metadata"] == {"a": "1", "b": "2"} and "user" not in body
        assert chat(task_type="u").body["task_type"] == "u"
        assert "task_type" not in chat("auto:news").body
        assert chat("gpt-4o").body["task_type"] == "t"
    finally:
        _call.current_tags.reset(token)


def test_a_run_is_entered_once():
    run = llm_service.Client(base_url="127.0.0.1:1").run(user="u")
    with run:
        with pytest.raises(RuntimeError, match="once"):
            run.__enter__()
        assert chat().body["user"] == "u"
    with pytest.raises(RuntimeError, match="once"):
        run.__enter__()
    assert "run_id" not in chat().body
    assert isinstance(run.usage_error, llm_service.ServiceConnectionError)


@pytest.mark.parametrize("copied", [True, False])
def test_a_run_may_be_left_in_another_context(copied):
    """The report is made all the same, and what failed in the block is what is seen."""
    run, seen = llm_service.Client(base_url="127.0.0.1:1").run(user="u"), []
    here, there = contextvars.copy_context(), contextvars.Context()
    here.run(run.__enter__)
    if copied:
        there = here.run(contextvars.copy_context)

    def leave():
        run.__exit__(KeyError, KeyError(), None)
        seen.append(chat().body)

    there.run(leave)
    assert isinstance(run.usage_error, llm_service.ServiceConnectionError)
    assert "user" not in seen[0] and "run_id" not in seen[0]


def test_events_are_found_however_the_bytes_are_cut():
    text = ('data: {"a": "\u2028é"}\r\n\n: keep-alive\n\ndata:{"b":1}\n\n'
            "data: [DONE]\n\n").encode()
    for size in range(1, len(text)):
        events, heard = _http_wire.Events(), []
        for at in range(0, len(text), size):
            heard += events.feed(text[at:at + size])
        assert heard == [{"a": "\u2028é"}, {"b": 1}]
        events.end()


@pytest.mark.parametrize(("name", "value", "read"), [
    ("max_tokens", 10.0, 10), ("max_tokens", 10.5, None), ("max_tokens", True, None),
    ("temperature", 1, 1.0), ("temperature", True, None), ("logprobs", 1, None),
    ("user", b"x", None), ("seed", 2**70, None), ("seed", float("inf"), None)])
def test_values_are_read_as_the_http_door_reads_them(name, value, read):
    body = chat(**{name: value}).body
    if read is None:
        with pytest.raises(llm_service.InvalidRequestError) as raised:
            _encode.chat_request(body, None)
        assert raised.value.param == name
    else:
        assert getattr(_encode.chat_request(body, None), name) == read
    with pytest.raises(llm_service.InvalidRequestError):
        _encode.chat_request(chat(logit_bias={"1": True}).body, None)


def test_the_method_says_whether_it_is_a_stream():
    settings = llm_service.Client(base_url="h")._settings
    call = chat(extra_body={"stream": True})
    request = _http_wire.post(settings, "/chat/completions", call)
    assert "stream" not in json.loads(request.content)
    request = _http_wire.post(settings, "/chat/completions", call, stream=True)
    assert json.loads(request.content)["stream"] is True


def test_a_stream_without_its_end_is_no_whole_answer():
    events = _http_wire.Events()
    assert list(events.feed(b'data: {"a": 1}\n\n')) == [{"a": 1}]
    with pytest.raises(llm_service.ServiceConnectionError):
        events.end()


def test_a_large_event_costs_no_more_than_its_bytes():
    text = b'data: {"a": "' + b"x" * (31 << 20) + b'"}\n\n'
    events, heard, began = _http_wire.Events(), [], time.monotonic()
    for at in range(0, len(text), 1 << 14):
        heard += events.feed(text[at:at + (1 << 14)])
    assert len(heard[0]["a"]) == 31 << 20
    assert time.monotonic() - began < 8  # once 20 s and more, by its square


@pytest.mark.parametrize("event", [
    b'{"error": "x"}', b"[1]", b"7", b'"x"', b"null", b"<html>"])
def test_events_that_are_not_the_services_say_so(event):
    with pytest.raises(llm_service.ProtocolError):
        list(_http_wire.Events().feed(b"data: " + event + b"\n\n"))


def test_loops_that_are_over_are_let_go():
    class Connection:
        def __init__(self):
            self.loop = asyncio.get_running_loop()

    values = _call.PerLoop(Connection)
    seen = []

    async def use():
        assert values.get() is values.get()
        seen.append(weakref.ref(values.get()))

    for _ in range(3):
        asyncio.run(use())
    gc.collect()
    assert [one() is not None for one in seen] == [False, False, True]


def test_a_cancellation_is_not_lost_and_a_late_answer_is_closed():
    closed = []

    class Late(httpx.Response):
        async def aclose(self):
            closed.append(self)

    async def go():
        answer, tasks = asyncio.get_running_loop().create_future(), set()
        caller = asyncio.create_task(_http_aio._within(None, answer, tasks))
        await asyncio.sleep(0)
        answer.set_result(Late(200))
        caller.cancel()  # in the same turn of the loop
        with pytest.raises(asyncio.CancelledError):
            await caller
        for _ in range(3):
            await asyncio.sleep(0)
        assert len(closed) == 1 and not tasks

    asyncio.run(go())


class CallThatOnlyCancellingEnds:
    """Both of grpcio's kinds, as far as a stream uses them."""

    def __init__(self):
        self.cancelled = False

    def cancel(self):
        self.cancelled = True

    def __next__(self):
        assert self.cancelled
        raise grpc.RpcError

    async def read(self):
        assert self.cancelled
        raise asyncio.CancelledError


def closed_while_it_starts(stream_of):
    """A stream that another thread closes before it knows its call."""
    call = CallThatOnlyCancellingEnds()

    def start():
        closer = threading.Thread(target=close)
        closer.start()
        closer.join()
        return call

    stream = stream_of(start)
    close = getattr(stream, "drop", stream.close)
    return stream


def test_a_grpc_stream_closed_while_it_starts_ends_its_call():
    before = len(_fork._under_way)
    stream = closed_while_it_starts(_grpc_sync.GrpcStream)
    with pytest.raises(llm_service.ServiceConnectionError, match="closed"):
        stream.next()
    stream.close()
    assert len(_fork._under_way) == before


def test_a_grpc_stream_closed_before_its_call_counts_leaves_no_mark(monkeypatch):
    before = len(_fork._under_way)
    call = CallThatOnlyCancellingEnds()
    stream = llm_service.client.Stream(_grpc_sync.GrpcStream(lambda: call))
    begin = _fork.begin
    monkeypatch.setattr(_fork, "begin", lambda: (stream.close(), begin()))
    with pytest.raises(llm_service.ServiceConnectionError, match="closed"):
        next(stream)
    assert call.cancelled
    assert len(_fork._under_way) == before


def test_a_grpc_stream_that_cannot_start_leaves_no_mark():
    before = len(_fork._under_way)

    def start():
        stream.close()
        raise llm_service.ServiceConnectionError("no")

    stream = llm_service.client.Stream(_grpc_sync.GrpcStream(start))
    with pytest.raises(llm_service.ServiceConnectionError):
        next(stream)
    assert len(_fork._under_way) == before


def test_a_grpc_stream_of_a_closed_client_starts_nothing():
    client = llm_service.Client(grpc_target="127.0.0.1:1", transport="grpc")
    stream = client.stream([{"role": "user", "content": "hi"}])
    client.close()
    with pytest.raises(llm_service.ServiceConnectionError, match="is closed"):
        next(stream)


def test_a_grpc_aio_stream_dropped_while_it_starts_ends_its_call():
    stream = closed_while_it_starts(
        lambda start: _grpc_aio.GrpcAioStream(start, lambda: False))
    with pytest.raises(llm_service.ServiceConnectionError, match="closed"):
        asyncio.run(stream.next())


def test_what_cannot_travel_in_a_header_is_refused_at_once():
    with pytest.raises(ValueError, match="request_id"):
        chat(request_id="a\nb")
    with pytest.raises(ValueError, match="key"):
        llm_service.Client(api_key="\u5bc6\u94a5")


def test_a_grpcio_that_is_too_old_counts_as_absent(monkeypatch):
    monkeypatch.setattr(_settings, "version", lambda name: {
        "grpcio": "1.80.0", "protobuf": "8.0.1"}[name])
    assert not _settings.has_grpc()  # and one that is too new
    monkeypatch.setattr(_settings, "version", lambda name: "1.60.0")
    monkeypatch.delenv("LLM_SERVICE_GRPC", raising=False)
    assert llm_service.Client(base_url="h").transport == "http"
    assert llm_service.Client().transport == "http"
    with pytest.raises(ImportError, match="1.72.2"):
        llm_service.Client(transport="grpc")


def test_errors_travel_between_processes_whole():
    error = llm_service.RateLimitError("m", code="rate_limited", retry_after=2.0)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and vars(again) == vars(error)


def test_errors_of_the_tls_layer_are_connection_errors():
    """httpx lets some of them through as they are."""

    def fail(request):
        raise ssl.SSLError("alert certificate required")

    async def fail_async(request):
        fail(request)

    hello = [{"role": "user", "content": "x"}]
    with llm_service.Client(transport="http") as client:
        client._made._client._make = lambda: httpx.Client(
            transport=httpx.MockTransport(fail))
        for use in (lambda: client.chat(hello), lambda: list(client.stream(hello))):
            with pytest.raises(llm_service.ServiceConnectionError, match="alert"):
                use()

    async def go():
        async with llm_service.AsyncClient(transport="http") as client:
            client._made._client._make = lambda: httpx.AsyncClient(
                transport=httpx.MockTransport(fail_async))
            with pytest.raises(llm_service.ServiceConnectionError, match="alert"):
                await client.chat(hello)
            with pytest.raises(llm_service.ServiceConnectionError, match="alert"):
                await client.stream(hello).__anext__()

    asyncio.run(go())
