"""The C++ client as a user has it: installed to a prefix, found by CMake, and
its Analysis Engine example run against the real service."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

import harness
from harness import config, upstream
from twin_server import Twin, cut, event, mint

EXAMPLE = harness.ROOT / "clients" / "cpp" / "examples" / "analysis_engine"
SYMBOLS = ("AAPL", "MSFT", "NVDA", "GOOGL", "AMZN")
PRICES = {"AAPL": 231.5, "MSFT": 428.2, "NVDA": 141.9, "GOOGL": 172.6,
          "AMZN": 202.9}


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=240,
                          check=False, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


LAUNCHER = "-DCMAKE_CXX_COMPILER_LAUNCHER=" + (shutil.which("ccache") or "")


def sanitizers():
    cache = (harness.BUILD / "CMakeCache.txt").read_text()
    return re.search(r"LLM_SANITIZE:STRING=(.*)", cache).group(1)


def fresh(name):
    """An empty directory: the same place every time, so that the compiler
    cache knows it."""
    where = harness.BUILD / name
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir()
    return where


def build_engine(where, flags=""):
    """The example, from nothing but its own sources and `where`/prefix."""
    source, built = where / "source", where / "build"
    shutil.copytree(EXAMPLE, source)
    run("cmake", "-S", source, "-B", built, "-G", "Ninja", LAUNCHER,
        f"-DCMAKE_PREFIX_PATH={where / 'prefix'}",
        f"-DCMAKE_CXX_FLAGS=-O0 {flags}")
    run("cmake", "--build", built)
    return built / "analysis_engine"


@pytest.fixture(scope="session")
def engine():
    where = fresh("e2e-cpp-client")
    run("cmake", "--install", harness.BUILD, "--component", "client",
        "--prefix", where / "prefix")
    # A library with sanitizers can only be linked by a program with them.
    kind = sanitizers()
    return build_engine(where, f"-fsanitize={kind}" if kind else "")


class Analyst(Twin):
    """A model that asks for both tools in one turn and then reports what they
    said; no analysis goes on before all of `together` have begun."""

    def __init__(self, together=1):
        super().__init__()
        self.all_begun = threading.Barrier(together)
        self.lock = threading.Lock()
        self.running = self.most = 0

    def check(self, seen):
        return seen.body["messages"]

    def answer(self, seen, messages):
        assert seen.body["stream"]
        return "text/event-stream", self.stream(messages)

    def stream(self, messages):
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        yield from self.chunks(messages)
        with self.lock:
            self.running -= 1

    def chunks(self, messages):
        def chunk(delta, finish=None, **more):
            return event({"id": "x", "object": "chat.completion.chunk",
                          "created": 1, "model": "m", **more, "choices": [
                              {"index": 0, "delta": delta,
                               "finish_reason": finish}]})

        results = [m["content"] for m in messages if m["role"] == "tool"]
        if results:
            for piece in cut("Report: " + " ".join(results) + "\nHOLD"):
                yield chunk({"content": piece})
            finish = "stop"
        else:
            self.all_begun.wait(30)
            symbol = messages[1]["content"].split()[1].rstrip(".")
            for i, name in enumerate(("get_price", "get_fundamentals")):
                yield chunk({"tool_calls": [{
                    "index": i, "id": mint("call_"), "type": "function",
                    "function": {"name": name, "arguments": ""}}]})
                for piece in cut(json.dumps({"symbol": symbol})):
                    yield chunk({"tool_calls": [{
                        "index": i, "function": {"arguments": piece}}]})
            finish = "tool_calls"
        yield chunk({}, finish)
        tokens = 100 * len(messages)
        yield event({"id": "x", "object": "chat.completion.chunk",
                     "created": 1, "model": "m", "choices": [], "usage": {
                         "prompt_tokens": tokens, "completion_tokens": 7,
                         "total_tokens": tokens + 7}})
        yield event("[DONE]")


@pytest.fixture
def analyst():
    twin = Analyst(len(SYMBOLS))
    yield twin
    twin.close()


def environment(running, key="", **more):
    return {"PATH": os.environ["PATH"],
            "LLM_GRPC": running.addresses["grpc"], "LLM_KEY": key,
            "LLM_RUN": "the-run", **more}


def analyse(engine, running, *symbols, key="", **more):
    """(exit code, standard output) of one run of the example."""
    done = subprocess.run(
        [engine, *symbols], capture_output=True, text=True, timeout=120,
        env=environment(running, key, **more), check=False)
    assert "Sanitizer" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def lane(service, simulator, name, **script):
    """A service whose model `m` is the simulator's lane with one script."""
    simulator.reset(name)
    simulator.script(name, **script)
    return service(config(upstream("p", simulator.base_url(name)),
                          models="m: {provider: p, upstream: m}"))


def outcomes(simulator, name):
    """The lane's outcomes, once each request has one."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        log = simulator.log(name)
        if log and all(entry.get("outcome") for entry in log):
            break
        time.sleep(0.02)
    return [entry.get("outcome") for entry in log]


STALL = {
    "headers": {"content-type": "text/event-stream"},
    "body": "".join(
        "data: " + json.dumps({"choices": [
            {"index": 0, "delta": {"content": text}}]}) + "\n\n"
        for text in ("The report\n", "begins")),
    "stall_after": 1_000_000, "times": 0,
}
STALL["stall_after"] = len(STALL["body"])


def test_five_analyses_run_at_once_and_their_usage_adds_up(
        engine, service, analyst):
    running = service(config(
        upstream("p", analyst.base_url),
        models='m: {provider: p, upstream: m, price: {currency: USD, '
               'per_million: {input: "2", output: "10"}}}', auth="keys"))
    key = running.create_key("engine")
    code, out = analyse(engine, running, key=key, LLM_MODEL="m")
    assert code == 0, out
    for symbol in SYMBOLS:
        # The usage of both streams came with them: 207 and 507.
        assert f"[{symbol}] done: 2 turns, 2 tool calls, 714 tokens" in out
        # The report was streamed, and it is made of the tools' results.
        report = out.split(f"[{symbol}] Report: ")[1].split("\n")[0]
        assert str(PRICES[symbol]) in report and "revenue_growth" in report
    # Each second request brought the calls and their results.
    second = [s.body["messages"] for s in analyst.served
              if s.body["messages"][-1]["role"] == "tool"]
    assert len(second) == 5 and len(analyst.served) == 10
    for messages in second:
        _, user, assistant, *results = messages
        symbol = user["content"].split()[1].rstrip(".")
        assert [c["id"] for c in assistant["tool_calls"]] == [
            r["tool_call_id"] for r in results]
        assert [c["function"]["arguments"] for c in assistant["tool_calls"]] \
            == [json.dumps({"symbol": symbol})] * 2
        assert json.loads(results[0]["content"]) == {
            "symbol": symbol, "price": PRICES[symbol], "currency": "USD"}
    # 2 messages and then 5: five times 200 and 500 in, twice 7 out.
    tokens_in, tokens_out = 5 * (200 + 500), 5 * 14
    assert re.search(rf"usage the-run m: 10 requests, {tokens_in} tokens in, "
                     rf"{tokens_out} out, 0\.007700* USD", out), out
    assert f"total: 10 requests, {tokens_in + tokens_out} tokens" in out
    (group,) = running.usage("?by=run_id,agent,model")["groups"]
    assert group["keys"] == {"run_id": "the-run", "agent": "equity_analyst",
                             "model": "m"}
    assert group["tokens"]["input"] == tokens_in
    assert group["tokens"]["output"] == tokens_out
    assert group["cost"] == pytest.approx(0.0077)


def test_a_longer_list_is_worked_through_five_at_a_time(engine, service):
    with contextlib.closing(Analyst()) as twin:
        running = service(config(upstream("p", twin.base_url),
                                 models="m: {provider: p, upstream: m}"))
        code, out = analyse(engine, running, *SYMBOLS * 3, LLM_MODEL="m")
    assert code == 0 and out.count("] done: 2 turns") == 15, out
    assert twin.most <= 5


def test_it_works_without_a_provider_too(engine, service):
    code, out = analyse(engine, service(config("simulated: {}")), "AAPL")
    assert code == 0 and "[AAPL] done: 2 turns, 2 tool calls" in out, out


def test_a_deadline_shorter_than_the_answer_ends_it_with_its_detail(
        engine, service, simulator):
    running = lane(service, simulator, "cpp-late", **STALL)
    code, out = analyse(engine, running, "AAPL", LLM_MODEL="m",
                        LLM_DEADLINE="1s")
    assert code == 1
    # What had come was streamed before.
    assert "[AAPL] The report" in out
    line = re.search(r"\[AAPL\] FAILED (.*)", out).group(1)
    assert line.startswith("DEADLINE_EXCEEDED timeout: "), line
    # The service's own detail, not the one that the library would make.
    assert "attempts 1" in line and "source client" not in line, line
    assert re.search(r"request [0-9a-f-]{36}\)", line), line
    assert outcomes(simulator, "cpp-late") == ["client_left"]


def test_ctrl_c_reaches_the_provider(engine, service, simulator):
    running = lane(service, simulator, "cpp-cancel", **STALL)
    process = subprocess.Popen(
        [engine, "AAPL", "MSFT"], stdout=subprocess.PIPE, text=True,
        env=environment(running, LLM_MODEL="m"))
    seen = [process.stdout.readline(), process.stdout.readline()]
    assert sorted(seen) == ["[AAPL] The report\n", "[MSFT] The report\n"]
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    for symbol in ("AAPL", "MSFT"):
        assert f"[{symbol}] FAILED CANCELLED: the call was cancelled" in out
    assert outcomes(simulator, "cpp-cancel") == ["client_left"] * 2


def test_a_second_ctrl_c_ends_the_program_at_once(engine):
    # Takes the connection and never says a word.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        process = subprocess.Popen(
            [engine, "AAPL"], stdout=subprocess.PIPE, text=True,
            env={"PATH": os.environ["PATH"],
                 "LLM_GRPC": "127.0.0.1:%d" % silent.getsockname()[1]})
        connection, _ = silent.accept()
        process.send_signal(signal.SIGINT)
        assert "[AAPL] FAILED CANCELLED" in process.stdout.readline()
        # It asks for the run's usage now, in vain.
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        connection.close()
    assert process.returncode == 130


@pytest.mark.parametrize("reason", ("length", "content_filter"))
def test_a_report_that_was_cut_is_no_success(
        engine, service, simulator, reason):
    events = [{"choices": [{"index": 0, "delta": {"content": "The rep"}}]},
              {"choices": [{"index": 0, "delta": {},
                            "finish_reason": reason}]}]
    running = lane(
        service, simulator, "cpp-cut", times=0,
        headers={"content-type": "text/event-stream"},
        body="".join(f"data: {json.dumps(e)}\n\n" for e in events)
        + "data: [DONE]\n\n")
    code, out = analyse(engine, running, "AAPL", LLM_MODEL="m")
    assert code == 1
    assert f"FAILED DATA_LOSS: the answer is not whole: finish reason " \
        f"'{reason}'" in out, out


def rejection(status, code, message="no"):
    return {"status": status, "times": 0,
            "headers": {"content-type": "application/json"},
            "body": {"error": {"message": message, "type": "x",
                               "param": None, "code": code}}}


FAILURES = (
    (rejection(400, "context_length_exceeded"),
     "INVALID_ARGUMENT context_length_exceeded: "),
    (rejection(400, "content_filter"), "INVALID_ARGUMENT content_filter: "),
    (rejection(422, "odd"), "INVALID_ARGUMENT provider_rejected: "),
    (rejection(401, "bad_key"), "UNAVAILABLE provider_unavailable: "),
    (rejection(500, "oops"), "UNAVAILABLE provider_unavailable: "),
    (rejection(429, "rate_limit_exceeded"),
     "RESOURCE_EXHAUSTED provider_rate_limited: "),
)


def test_a_providers_failure_is_readable(engine, service, simulator):
    providers, models = [], []
    for i, (script, _) in enumerate(FAILURES):
        simulator.reset(f"cpp-{i}")
        simulator.script(f"cpp-{i}", **script)
        providers.append(upstream(f"p{i}", simulator.base_url(f"cpp-{i}")))
        models.append(f"m{i}: {{provider: p{i}, upstream: m}}")
    running = service(config("\n".join(providers), "\n".join(models)))
    request_ids = []
    for i, (_, want) in enumerate(FAILURES):
        code, out = analyse(engine, running, "AAPL", LLM_MODEL=f"m{i}")
        assert code == 1
        line = re.search(r"\[AAPL\] FAILED (.*)", out).group(1)
        assert line.startswith(want), line
        assert "source provider, " in line
        assert re.search(r"attempts [1-9]", line), line
        request_ids.append(
            re.search(r"request ([0-9a-f-]{36})\)", line).group(1))
    # The same ids as in the service's own log.
    running.stop()
    assert [i for i in request_ids if i not in running.log()] == []


def test_the_callers_own_faults_are_readable(engine, service):
    running = service(config("simulated: {}", models=(
        "a: {provider: simulated, upstream: a}\n"
        "b: {provider: simulated, upstream: b}"), auth="keys").replace(
            "workers: 2", "workers: 2\n  max_body: 4KiB"))
    key = running.create_key("narrow", models=["a"])
    for want, more in (
            ("UNAUTHENTICATED invalid_api_key: ", {"key": "sk-wrong"}),
            ("UNAUTHENTICATED invalid_api_key: ", {"key": ""}),
            ("PERMISSION_DENIED model_not_allowed: ", {"LLM_MODEL": "b"}),
            ("NOT_FOUND model_not_found: ", {"LLM_MODEL": "nope"}),
            ("INVALID_ARGUMENT invalid_request: ", {"LLM_RUN": "r" * 2000}),
            ("RESOURCE_EXHAUSTED body_too_large: ", {"LLM_RUN": "r" * 5000})):
        code, out = analyse(engine, running, "AAPL",
                            **{"key": key, "LLM_MODEL": "a", **more})
        assert code == 1
        line = re.search(r"\[AAPL\] FAILED (.*)", out).group(1)
        assert line.startswith(want), line
        assert "(source client, " in line and "do not retry" in line, line


def test_a_service_that_shuts_down_says_so(engine, service, simulator):
    simulator.reset("cpp-drain")
    simulator.script("cpp-drain", **STALL)
    running = service(config(
        upstream("p", simulator.base_url("cpp-drain")),
        models="m: {provider: p, upstream: m}").replace(
            "workers: 2", "workers: 2\n  drain: 300ms"))
    process = subprocess.Popen(
        [engine, "AAPL"], stdout=subprocess.PIPE, text=True,
        env=environment(running, LLM_MODEL="m"))
    assert process.stdout.readline() == "[AAPL] The report\n"
    running.process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "[AAPL] FAILED UNAVAILABLE overloaded: " in out, out


MODELS = """
#include <iostream>
#include "llm_service/client.h"
int main(int, char** argv) {
  llm::client::ClientOptions options;
  options.target = argv[1];
  const auto client = llm::client::Client::Create(options);
  llm::client::ReceivedMetadata received;
  llm::client::CallOptions call;
  call.request_id = "mine-1";
  call.received = &received;
  const auto models = client->ListModels(call);
  if (!models.ok()) return 1;
  std::cout << received.find("x-request-id")->second << "\\n";
  for (const auto& model : models->data()) std::cout << model.id() << "\\n";
}
"""


@pytest.mark.parametrize("shared", ("OFF", "ON"))
def test_the_client_preset_is_all_that_it_takes(service, shared):
    """Built alone, as the README says; found by CMake and by pkg-config."""
    if sanitizers():
        pytest.skip("the preset has flags of its own")
    where = fresh(f"e2e-cpp-preset-{shared}")
    prefix = where / "prefix"
    run("cmake", "--preset", "client", "-B", where / "library",
        f"-DLLM_CLIENT_SHARED={shared}", cwd=harness.ROOT)
    run("cmake", "--build", where / "library")
    run("cmake", "--install", where / "library", "--prefix", prefix,
        "--component", "client")
    running = service(config("simulated: {}"))
    (packages,) = prefix.glob("lib*/**/pkgconfig")
    flags = run("pkg-config", "--cflags", "--libs", "llm_service_client", env={
        **os.environ, "PKG_CONFIG_PATH": str(packages)}).split()
    (where / "models.cc").write_text(MODELS)
    run("c++", "-std=c++17", where / "models.cc", *flags, "-o",
        where / "models")
    seen = run(where / "models", running.addresses["grpc"], env={
        "LD_LIBRARY_PATH": str(packages.parent)})
    assert seen.startswith("mine-1\n") and "simulated" in seen, seen
    if shared == "OFF":
        code, out = analyse(build_engine(where), running, "AAPL")
        assert code == 0 and "[AAPL] done: 2 turns" in out, out


def test_nobody_at_the_address_is_said_in_words(engine, service):
    running = service(config("simulated: {}"))
    running.stop()
    code, out = analyse(engine, running, "AAPL")
    assert code == 1
    assert f"FAILED UNAVAILABLE: from {running.addresses['grpc']}: " in out
