"""Connections of the Python package: cancellation, deadlines, threads, forks, event
loops, TLS, large messages, the end."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import harness
import pytest
from certificates import Authority
from harness import config, upstream
from python_client_doors import DOORS, HELLO, Door, llm_service

TRANSPORTS = ("grpc", "http")
BEGINNING = "".join("data: " + json.dumps({
    "id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
    "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}) + "\n\n"
    for delta in ({"role": "assistant", "content": "he"}, {"content": "llo"}))
HELD = {"body": BEGINNING, "stall_after": len(BEGINNING), "times": 0,
        "headers": {"content-type": "text/event-stream"}}
MUTE = {"before_head": "stall", "times": 0}


@pytest.fixture(scope="module")
def running(simulator):
    """Lanes that begin an answer and stop, or say nothing at all."""
    lanes = ["held", "mute", "wide"]
    service = harness.Service(config(
        "simulated: {}\n" + "\n".join(
            upstream(lane, simulator.base_url("life-" + lane)) for lane in lanes),
        models="\n".join(f"{lane}: {{provider: {lane}, upstream: m}}"
                         for lane in lanes),
        tasks="general: {primary: [simulated]}"))
    simulator.script("life-held", **HELD)
    simulator.script("life-mute", **MUTE)
    yield service
    service.stop()
    simulator.reset()


def client(running, transport, **more):
    return llm_service.Client(**Door(transport, running, **more).options)


def aclient(running, transport, **more):
    return llm_service.AsyncClient(**Door(transport, running, **more).options)


def until(true, timeout=20):
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Leavers:
    """Counts the callers that a lane saw leaving, from now on."""

    def __init__(self, simulator, lane):
        self.simulator, self.lane = simulator, "life-" + lane
        self.before = self.count("client_left")

    def count(self, outcome):
        return sum(one["outcome"] == outcome
                   for one in self.simulator.log(self.lane))

    def one_left(self):
        until(lambda: self.count("client_left") == self.before + 1)


# --- leaving


@pytest.mark.parametrize("how", ["close", "with", "drop", "break"])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_stream_that_is_left_ends_the_call_upstream(running, simulator, transport,
                                                      how):
    leavers = Leavers(simulator, "held")
    with client(running, transport) as way:
        stream = way.stream(HELLO, model="held")
        if how == "break":
            for _ in stream:
                break
        else:
            next(stream)
        if how == "close":
            stream.close()
            assert list(stream) == []
        elif how == "with":
            with stream:
                pass
        else:
            del stream
            gc.collect()
        leavers.one_left()
        # The client itself goes on.
        assert llm_service.text_of(way.chat(HELLO, model="simulated"))


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_stream_is_closed_from_another_thread(running, simulator, transport):
    leavers = Leavers(simulator, "held")
    with client(running, transport) as way:
        stream = way.stream(HELLO, model="held")
        heard, failed, begun = [], [], threading.Event()

        def listen():
            try:
                for chunk in stream:
                    heard.append(chunk)
                    if llm_service.text_of(chunk) == "llo":
                        begun.set()
            except llm_service.LLMServiceError as error:
                failed.append(error)

        thread = threading.Thread(target=listen)
        thread.start()
        assert begun.wait(20)
        stream.close()
        thread.join(20)
        assert not thread.is_alive()
        # Half an answer must not look like a whole one.
        assert type(failed[0]) is llm_service.ServiceConnectionError
        leavers.one_left()


@pytest.mark.parametrize("how", ["aclose", "drop", "cancel"])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_async_stream_that_is_left_ends_the_call_upstream(
        running, simulator, transport, how):
    leavers = Leavers(simulator, "held")

    async def go():
        async with aclient(running, transport) as way:
            stream = way.stream(HELLO, model="held")
            await stream.__anext__()
            if how == "aclose":
                await stream.aclose()
            elif how == "drop":
                del stream
                gc.collect()
            else:
                async def rest():
                    async for _ in stream:
                        pass

                task = asyncio.create_task(rest())
                await asyncio.sleep(0)  # it waits for the next chunk
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            await asyncio.to_thread(leavers.one_left)
            assert llm_service.text_of(await way.chat(HELLO, model="simulated"))

    asyncio.run(go())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_cancelled_task_ends_its_call_upstream(running, simulator, transport):
    leavers = Leavers(simulator, "mute")
    seen = len(simulator.log("life-mute"))

    async def go():
        async with aclient(running, transport) as way:
            task = asyncio.create_task(way.chat(HELLO, model="mute"))
            await asyncio.to_thread(
                until, lambda: len(simulator.log("life-mute")) > seen)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(leavers.one_left)

    asyncio.run(go())


@pytest.mark.parametrize("door", DOORS)
def test_a_deadline_within_a_stream_keeps_what_came(running, door):
    began = time.monotonic()
    heard = Door(door, running).hear(False, model="held", timeout=1)
    assert heard.text == "hello"
    assert type(heard.error) is llm_service.DeadlineError
    assert heard.error.delivered == len(heard.chunks)
    assert heard.error.code == "timeout" and heard.error.request_id
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("door", DOORS)
def test_a_deadline_holds_where_the_service_is_silent(door):
    """Nobody answers at all: the package's own clock ends the call."""
    class Silent:
        with_backlog = socket.create_server(("127.0.0.1", 0))
        host = "127.0.0.1:%d" % with_backlog.getsockname()[1]
        addresses = {"grpc": host}

        def url(self, path):
            return f"http://{self.host}{path}"

    for whole in (True, False):
        error = Door(door, Silent()).hear(whole, timeout=0.2).error
        assert isinstance(error, (llm_service.DeadlineError,
                                  llm_service.ServiceConnectionError))
        if door.startswith("http"):
            assert type(error) is llm_service.DeadlineError
    Silent.with_backlog.close()


def test_a_timeout_is_a_positive_number_of_seconds(running):
    with client(running, "http") as way:
        for bad in (0, -1, 1e12):
            with pytest.raises(ValueError):
                way.chat(HELLO, timeout=bad)
        with pytest.raises(TypeError):
            way.chat(HELLO, timeout="5s")


# --- threads, forks, loops


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_threads_share_a_client(running, transport):
    with client(running, transport) as way, ThreadPoolExecutor(16) as pool:
        texts = list(pool.map(
            lambda _: llm_service.text_of(way.chat(HELLO, model="simulated")),
            range(64)))
    assert len(set(texts)) == 1 and texts[0]


def forks(running, case, transport, url=True):
    """What python_client_forks.py says."""
    done = subprocess.run(
        [sys.executable, "python_client_forks.py", case, transport,
         running.addresses["grpc"], *([running.url("/v1")] if url else [])],
        capture_output=True, text=True, timeout=200,
        cwd=Path(__file__).parent)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# What the parent did before; then how its children call if it called over gRPC.
@pytest.mark.parametrize(("case", "then"), [
    ("used", "grpc"), ("stream", "http"), ("busy", None), ("aio", "http")])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_client_used_before_a_fork_works_on_both_sides(running, transport, case,
                                                         then):
    """As Celery's prefork workers and multiprocessing do."""
    said = forks(running, case, transport)
    text = said["text"]
    assert text and said["codes"] == [0, 0, 0]
    for used, heard in said["children"]:
        assert heard == [text, text, text]
        if transport == "http" or then:
            assert used == ("http" if transport == "http" else then)
    # The parent has not noticed.
    assert said["parent"] == transport and said["after"] == text
    assert text.endswith(said["rest"]) and said["rest"]


def test_a_child_that_grpcio_cannot_serve_says_so_instead_of_hanging(running):
    said = forks(running, "aio", "grpc", url=False)
    for used, why in said["children"]:
        assert used == "failed" and "LLM_SERVICE_URL" in why
    assert said["after"] == said["text"]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_event_loops_one_after_the_other_share_a_client(running, transport):
    way = aclient(running, transport)

    async def once():
        texts = await asyncio.gather(*(
            way.chat(HELLO, model="simulated") for _ in range(8)))
        return {llm_service.text_of(one) for one in texts}

    assert len(asyncio.run(once()) | asyncio.run(once())) == 1

    async def end():
        await once()
        await way.close()
        with pytest.raises(llm_service.ServiceConnectionError):
            await way.chat(HELLO)

    asyncio.run(end())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_event_loops_in_threads_share_a_client(running, transport):
    way = aclient(running, transport)

    def loop(_):
        return asyncio.run(way.chat(HELLO, model="simulated"))

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(loop, range(8)))
    assert len({llm_service.text_of(one) for one in answers}) == 1


@pytest.mark.parametrize("door", ["http", "http-aio"])
def test_streams_that_end_use_one_connection_again(service, door):
    running = service(config("simulated: {}"))

    def connections():
        (line,) = [one for one in running.metrics().splitlines()
                   if one.startswith("llm_service_connections ")]
        return int(line.split()[1])

    async def three():
        async with llm_service.AsyncClient(**Door(door, running).options) as way:
            for _ in range(3):
                assert [one async for one in way.stream(HELLO)]
            return await asyncio.to_thread(connections)

    if door == "http-aio":
        assert asyncio.run(three()) == 1
        return
    with client(running, door) as way:
        for _ in range(3):
            assert list(way.stream(HELLO))
        assert connections() == 1


# --- the end


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_closed_client_says_so(running, transport):
    way = client(running, transport)
    way.close()
    way.close()
    for use in (lambda: way.chat(HELLO), lambda: way.stream(HELLO), way.models):
        with pytest.raises(llm_service.ServiceConnectionError, match="closed"):
            use()


class Caller:
    """A call under way at one door, and what it comes to; the client is closed, or
    the stream alone."""

    def __init__(self, running, door, lane, whole):
        self.running, self.door, self.lane, self.whole = running, door, lane, whole

    def end(self, begun, what):
        """The exception that ends the call once `begun` has come back."""
        go = self._alone if self.door.endswith("-aio") else self._in_a_thread
        return go(begun, what)

    def _in_a_thread(self, begun, what):
        way = llm_service.Client(**Door(self.door, self.running).options)
        stream = way.stream(HELLO, model=self.lane)

        def use():
            try:
                way.chat(HELLO, model=self.lane) if self.whole else list(stream)
            except BaseException as error:
                return error

        with ThreadPoolExecutor(1) as pool:
            ended = pool.submit(use)
            begun()
            (way if what == "client" else stream).close()
            return ended.result(20)

    def _alone(self, begun, what):
        async def go():
            way = llm_service.AsyncClient(**Door(self.door, self.running).options)
            stream = way.stream(HELLO, model=self.lane)

            async def use():
                if self.whole:
                    await way.chat(HELLO, model=self.lane)
                async for _ in stream:
                    pass

            task = asyncio.create_task(use())
            await asyncio.to_thread(begun)
            await (way if what == "client" else stream).close()
            done = await asyncio.wait_for(
                asyncio.gather(task, return_exceptions=True), 20)
            await way.close()
            return done[0]

        return asyncio.run(go())


@pytest.mark.parametrize(("what", "lane", "whole"), [
    ("client", "held", False), ("client", "mute", False), ("client", "mute", True),
    ("stream", "mute", False)])
@pytest.mark.parametrize("door", DOORS)
def test_closing_ends_the_calls_under_way(running, simulator, door, what, lane, whole):
    """Also of a stream, or a client, that has not heard anything yet."""
    leavers = Leavers(simulator, lane)
    seen = len(simulator.log("life-" + lane))
    error = Caller(running, door, lane, whole).end(
        lambda: until(lambda: len(simulator.log("life-" + lane)) > seen), what)
    assert type(error) is llm_service.ServiceConnectionError, repr(error)
    leavers.one_left()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_service_that_comes_back_is_found_again(service, transport):
    running = service(config("simulated: {}"))
    text = running.config.read_text()
    for name in ("http", "grpc"):
        text = text.replace(f'{name}: {{listen: "127.0.0.1:0"}}',
                            f'{name}: {{listen: "{running.addresses[name]}"}}')
    with client(running, transport) as way:
        way.chat(HELLO)
        running.stop()
        with pytest.raises(llm_service.ServiceConnectionError):
            way.chat(HELLO)
        running.config.write_text(text)
        running.start()

        def back():
            try:
                return way.chat(HELLO, timeout=20)
            except llm_service.ServiceConnectionError:
                return None

        until(back)


# --- large messages, TLS


@pytest.mark.parametrize("door", DOORS)
def test_messages_up_to_the_limit_of_the_service(running, door):
    large = [{"role": "user", "content": "x" * (20 << 20)}]
    heard = Door(door, running).hear(True, large, model="wide", timeout=100)
    assert heard.error is None and heard.text
    too_large = [{"role": "user", "content": "x" * (33 << 20)}]
    heard = Door(door, running).hear(True, too_large, model="wide", timeout=100)
    assert type(heard.error) is llm_service.BodyTooLargeError


def test_tls_and_mutual_tls(service, tmp_path):
    pki = Authority(tmp_path / "pki")
    ours, mine = pki.sign("service"), pki.sign("caller")
    text = config("simulated: {}")
    for name in ("http", "grpc"):
        text = text.replace(
            f'{name}: {{listen: "127.0.0.1:0"}}',
            f'{name}: {{listen: "127.0.0.1:0", tls: {{cert_file: "{ours.cert}", '
            f'key_file: "{ours.key}", client_ca_file: "{pki.ca}"}}}}')
    running = service(text)
    url = running.url("/v1").replace("http://", "https://")
    shown = {"cert_file": str(mine.cert), "key_file": str(mine.key)}
    for door in DOORS:
        good = Door(door, running, base_url=url, ca_file=str(pki.ca), **shown)
        assert good.hear(True, timeout=20).text
        assert good.hear(False, timeout=20).text
        for more in ({"ca_file": str(pki.ca)}, {"tls": True, **shown}):
            bad = Door(door, running, base_url=url, **more)
            error = bad.hear(True, timeout=20).error
            assert type(error) is llm_service.ServiceConnectionError


# --- addresses


def test_addresses_come_from_the_environment(running, monkeypatch):
    for name in ("LLM_SERVICE_URL", "LLM_SERVICE_GRPC", "LLM_SERVICE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LLM_SERVICE_GRPC", running.addresses["grpc"])
    with llm_service.Client() as way:
        assert way.transport == "grpc" and way.chat(HELLO, model="simulated")
    monkeypatch.delenv("LLM_SERVICE_GRPC")
    for form in ("", "/", "/v1", "/v1/", "/api/v1", "/v1/chat/completions",
                 "/t/run=R1,task=general/v1"):
        monkeypatch.setenv("LLM_SERVICE_URL", running.url(form))
        with llm_service.Client() as way:
            assert way.transport == "http" and way.chat(HELLO, model="simulated")
    monkeypatch.setenv("LLM_SERVICE_URL", running.addresses["http"])
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with llm_service.Client() as way:  # proxies are for the world outside
        assert way.usage(where={"run_id": "R1"})["total"]["requests"] == 1
