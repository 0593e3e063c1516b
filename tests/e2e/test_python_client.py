"""The Python package against the real service: what it sends and what comes back is
the same over gRPC and HTTP, sync and async."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
from decimal import Decimal

import harness
import pytest
from harness import config, upstream
from python_client_doors import DOORS, HELLO, Door, llm_service

PNG = base64.b64encode(b"\x89PNG\r\n").decode()
TOOL = {
    "type": "function",
    "function": {
        "name": "quote",
        "description": "A price.",
        "parameters": {
            "type": "object",
            "properties": {"b": {"const": "B"}, "a": {"const": 1}},
            "required": ["b", "a"],
        },
        "strict": True,
    },
}


@pytest.fixture(scope="module")
def running():
    service = harness.Service(config(
        "simulated: {}", auth="keys",
        models="sim-embed: {provider: simulated, upstream: sim-embed}\n"
               "priced: {provider: simulated, upstream: priced, price: "
               '{currency: USD, per_million: {input: "1", output: "2"}}}'))
    service.key = service.create_key("package")
    yield service
    service.stop()


def settled(answer: dict) -> dict:
    """An answer without what differs from call to call."""
    out = {k: v for k, v in answer.items() if k not in ("id", "created")}
    if "llm_service" in out:
        out["llm_service"] = {k: v for k, v in out["llm_service"].items()
                              if k not in ("request_id", "overhead_us")}
    return out


def same_at_all_doors(running, method, *args, **kw):
    return [Door(door, running, running.key).ask(method, *args, **kw)
            for door in DOORS]


def test_an_answer_is_the_same_dict_at_every_door(running):
    answers = same_at_all_doors(running, "chat", HELLO, timeout=20)
    assert all(settled(a) == settled(answers[0]) for a in answers)
    assert answers[0]["llm_service"]["attempts"] == 1
    assert answers[0]["choices"][0]["finish_reason"] == "stop"
    assert len({a["id"] for a in answers}) == len(DOORS)


def test_a_stream_is_the_same_chunks_at_every_door(running):
    heard = [Door(door, running, running.key).hear(
        False, timeout=20, stream_options={"include_usage": True}) for door in DOORS]
    first = [settled(chunk) for chunk in heard[0].chunks]
    assert all([settled(c) for c in h.chunks] == first for h in heard)
    whole = Door("grpc", running, running.key).ask("chat", HELLO)
    assert heard[0].text == llm_service.text_of(whole)
    assert first[-1]["usage"] == whole["usage"] and first[-1]["choices"] == []


@pytest.mark.parametrize("door", DOORS)
def test_a_tool_loop(running, door):
    way = Door(door, running, running.key)
    answer = way.ask("chat", HELLO, tools=[TOOL], timeout=20)
    message = answer["choices"][0]["message"]
    call = message["tool_calls"][0]
    assert json.loads(call["function"]["arguments"]) == {"b": "B", "a": 1}
    assert answer["choices"][0]["finish_reason"] == "tool_calls"
    again = [*HELLO, message,
             {"role": "tool", "tool_call_id": call["id"], "content": "42"}]
    heard = way.hear(False, again, tools=[TOOL], timeout=20)
    assert heard.error is None and heard.text


def test_embeddings_are_the_same_floats(running):
    answers = same_at_all_doors(running, "embeddings", ["one", "two"],
                                model="sim-embed", timeout=20)
    assert all(settled(a) == settled(answers[0]) for a in answers)
    assert [one["index"] for one in answers[0]["data"]] == [0, 1]
    assert all(isinstance(x, float) for x in answers[0]["data"][0]["embedding"])
    tokens = same_at_all_doors(running, "embeddings", [[1, 2], [3]],
                               model="sim-embed")
    assert all(settled(a) == settled(tokens[0]) for a in tokens)


def test_models_are_the_same(running):
    listed = same_at_all_doors(running, "models")
    assert listed[0] and all(one == listed[0] for one in listed)
    assert {"id", "health", "capabilities", "providers"} <= set(listed[0][0])


def test_usage_is_exact_and_the_same(running):
    Door("grpc", running, running.key).ask("chat", HELLO, model="priced")
    asked = {"by": ["model", "task_type"], "where": {"model": "priced"}}
    reports = same_at_all_doors(running, "usage", **asked)
    assert reports[0]["groups"] and all(one == reports[0] for one in reports)
    assert isinstance(reports[0]["total"]["cost"], Decimal)
    assert reports[0]["total"]["cost"] > 0
    with pytest.raises(llm_service.InvalidRequestError):
        Door("http", running, running.key).ask("usage", start="yesterday")


def spent(report) -> dict:
    return {group["keys"]["agent"]: group["requests"] for group in report["groups"]}


@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_a_run_tags_its_calls_and_ends_with_its_report(running, transport):
    way = Door(transport, running, running.key)
    with llm_service.Client(**way.options) as client:
        with client.run(user="u1", task_type="news_analysis", symbol="600519") as run:
            client.chat(HELLO, model="priced", agent="news")
            list(client.stream(HELLO, model="priced", agent="bull"))
            with client.run(run.run_id, agent="inner"):
                client.chat(HELLO, model="priced")
            assert run.usage()["total"]["requests"] == 3
        client.chat(HELLO, model="priced")
        assert spent(run.report) == {"news": 1, "bull": 1, "inner": 1}
        assert run.report["total"]["cost"] > 0
        by = client.usage(by=["task_type"], where={"run_id": run.run_id})
        assert by["groups"][0]["keys"] == {"task_type": "news_analysis"}


@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_an_async_run_reaches_the_tasks_started_in_it(running, transport):
    way = Door(transport, running, running.key)

    async def go():
        async with llm_service.AsyncClient(**way.options) as client:
            async with client.run("run-" + transport) as run:
                await asyncio.gather(*(
                    client.chat(HELLO, agent=f"a{i}") for i in range(5)))
            return run

    run = asyncio.run(go())
    assert spent(run.report) == {f"a{i}": 1 for i in range(5)}


def test_a_report_that_cannot_be_had_does_not_fail_the_run(running):
    with llm_service.Client(transport="http", base_url="http://127.0.0.1:9") as client:
        with client.run() as run:
            pass
    assert run.report is None
    assert isinstance(run.usage_error, llm_service.ServiceConnectionError)


@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_the_provider_class_of_the_design_document(running, transport):
    way = Door(transport, running, running.key)
    provider = llm_service.LLMServiceProvider(task_type="general", **way.options)
    answer = provider.chat_completion_sync(HELLO)
    assert answer["llm_service"]["task_type"] == "general"

    async def go():
        async with provider:
            with pytest.raises(TypeError, match="temprature"):
                await provider.chat_completion(HELLO, temprature=0.5)
            return await provider.chat_completion(
                HELLO, task_type="news_analysis", temperature=0.5, timeout=20)

    assert asyncio.run(go())["llm_service"]["task_type"] == "news_analysis"


@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_the_lines_of_the_readme_run_as_written(running, transport):
    text = (harness.ROOT / "clients/python/README.md").read_text()
    lines = text.split("<<'END'\n")[1].split("END\n")[0]
    where = {"LLM_SERVICE_GRPC": running.addresses["grpc"]}
    if transport == "http":
        where = {"LLM_SERVICE_URL": running.url("/v1")}
    said = subprocess.run(
        [sys.executable, "-c", lines], capture_output=True, text=True,
        env={"PYTHONPATH": str(harness.ROOT / "clients/python/src"),
             "LLM_SERVICE_API_KEY": running.key, **where})
    assert said.returncode == 0, said.stderr
    assert said.stdout.count("Simulated answer") == 2
    assert "cost: 0" in said.stdout and said.stdout.endswith("USD\n")


# --- what reaches the provider


CONVERSATION = [
    {"role": "system", "content": "Be brief. 简短。"},
    {"role": "user", "name": "ann", "content": [
        {"type": "text", "text": "What is this?", "cache_control": {"type": "x"}},
        {"type": "image_url",
         "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}},
        {"type": "file", "file": {"file_data": f"data:text/plain;base64,{PNG}",
                                  "filename": "a.txt"}},
        {"type": "novel_part", "novel": [1, {"b": 2, "a": None}]},
    ]},
    {"role": "assistant", "content": None, "reasoning_content": "thought",
     "novel": {"z": 1.5, "a": [True, None]},
     "tool_calls": [
         {"id": "c1", "type": "function", "novel": 1,
          "function": {"name": "quote", "arguments": '{"b":0.70}'}},
         {"id": "c2", "type": "function",
          "function": {"name": "quote", "arguments": "{not json"}}]},
    {"role": "tool", "tool_call_id": "c1", "content": "1"},
    {"role": "tool", "tool_call_id": "c2",
     "content": "2"},
    {"role": "assistant", "content": "Half \ud83d of it"},
    {"role": "user", "content": "go on"},
]
FIELDS = {
    "tools": [TOOL, {"type": "function", "function": {"name": "bare"}}],
    "tool_choice": {"type": "function", "function": {"name": "quote"}},
    "parallel_tool_calls": False, "max_completion_tokens": 77, "temperature": 0.5,
    "top_p": 1, "frequency_penalty": 0.25, "logit_bias": {"50256": -100},
    "logprobs": True, "top_logprobs": 2, "n": 1, "seed": 12345678901,
    "stop": ["a", "b"], "reasoning_effort": "low", "verbosity": "low",
    "service_tier": "flex", "store": False, "metadata": {"k": "v"}, "user": "u",
    "prompt_cache_key": "p",
    "response_format": {"type": "json_schema", "json_schema": {
        "name": "s", "schema": {"type": "object", "properties": {"z": {}, "a": {}}},
        "strict": True}},
    "extra_body": {"novel_field": {"deep": [1, 2.5, "x", None]}, "top_k": 5},
}


def sent(simulator, lane: str) -> list:
    """The bodies that reached the provider since the last look."""
    bodies = [json.loads(one["body"]) for one in simulator.log(lane)]
    simulator.reset(lane)
    return bodies


def test_the_provider_gets_the_same_request_from_every_door(service, simulator):
    running = service(config(
        "\n".join(upstream(f"p-{door}", simulator.base_url(f"p-{door}"))
                  for door in DOORS),
        models="\n".join(f"m-{door}: {{provider: p-{door}, upstream: m}}"
                         for door in DOORS)))
    seen = []
    for door in DOORS:
        heard = Door(door, running).hear(
            True, CONVERSATION, model=f"m-{door}", timeout=20, **FIELDS)
        assert heard.error is None, heard.error
        seen.append(sent(simulator, f"p-{door}")[-1])
    # A lone surrogate is no UTF-8: gRPC carries U+FFFD in its place.
    for body in seen:
        assert body["messages"][5]["content"] in ("Half \ud83d of it",
                                                  "Half \ufffd of it")
        body["messages"][5]["content"] = ""
    for body in seen[1:]:
        for mine, first in zip(body["messages"], seen[0]["messages"]):
            assert mine == first
        assert body == seen[0]
    assert seen[0]["novel_field"] == {"deep": [1, 2.5, "x", None]}
    assert seen[0]["messages"][2]["tool_calls"][1]["function"]["arguments"] == (
        "{not json")


def anthropic_stream(blocks: list) -> str:
    """Claude's events for blocks that are given whole."""
    events = [{"type": "message_start", "message": {
        "id": "m", "type": "message", "role": "assistant", "model": "claude",
        "content": [], "stop_reason": None, "usage": {"input_tokens": 5,
                                                      "output_tokens": 1}}}]
    for index, (start, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index,
                       "content_block": start})
        events += [{"type": "content_block_delta", "index": index, "delta": d}
                   for d in deltas]
        events.append({"type": "content_block_stop", "index": index})
    events += [{"type": "message_delta", "delta": {"stop_reason": "tool_use"},
                "usage": {"output_tokens": 9}}, {"type": "message_stop"}]
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)


def thinking(text: str, proof: str) -> tuple:
    return ({"type": "thinking", "thinking": "", "signature": ""},
            [{"type": "thinking_delta", "thinking": text},
             {"type": "signature_delta", "signature": proof}])


def words(text: str) -> tuple:
    return {"type": "text", "text": ""}, [{"type": "text_delta", "text": text}]


CLAUDE = anthropic_stream([
    thinking("First é.", "c2ln1"),
    words("Let me look. 看"),
    ({"type": "redacted_thinking", "data": "cmVkYWN0ZWQ="}, []),
    thinking("Second.", "c2ln2"),
    words("Asking."),
    ({"type": "tool_use", "id": "t1", "name": "quote", "input": {}},
     [{"type": "input_json_delta", "partial_json": '{"b":"B"}'}]),
])


def joined(chunks: list) -> dict:
    """The message that a stream's deltas make, as OpenAI's clients join them."""
    out: dict = {"role": "assistant", "tool_calls": []}
    for chunk in chunks:
        for choice in chunk["choices"]:
            delta = choice["delta"]
            for name in ("content", "reasoning_content"):
                out[name] = out.get(name, "") + (delta.get(name) or "")
            for name in ("reasoning_details", "opaque_parts"):
                out.setdefault(name, []).extend(delta.get(name, []))
            for call in delta.get("tool_calls", []):
                if call.get("id"):
                    out["tool_calls"].append(json.loads(json.dumps(call)))
                else:
                    out["tool_calls"][-1]["function"]["arguments"] += (
                        call["function"]["arguments"])
    return out


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "streamed"])
def test_signed_reasoning_goes_back_into_its_place_from_every_door(
        service, simulator, whole):
    """Blocks that lie between texts come back to Claude byte for byte, in order."""
    lanes = {door: f"claude-{door}-{whole}".lower() for door in DOORS}
    running = service(config(
        "\n".join(upstream(lane, simulator.base_url(lane)).replace(
            "dialect: openai", "dialect: anthropic") for lane in lanes.values()),
        models="\n".join(f"{lane}: {{provider: {lane}, upstream: claude}}"
                         for lane in lanes.values())))
    messages, seen = [], []
    for door, lane in lanes.items():
        simulator.script(lane, body=CLAUDE, times=2,
                         headers={"content-type": "text/event-stream"})
        way = Door(door, running)
        ask = {"model": lane, "tools": [TOOL], "reasoning_effort": "high",
               "timeout": 20}
        heard = way.hear(whole, HELLO, **ask)
        assert heard.error is None, heard.error
        message = (heard.answer["choices"][0]["message"] if whole
                   else joined(heard.chunks))
        messages.append(message)
        again = [*HELLO, message,
                 {"role": "tool", "tool_call_id": "t1", "content": "1"}]
        assert way.hear(whole, again, **ask).error is None
        seen.append(sent(simulator, lane)[-1])
    assert len(messages[0]["reasoning_details"]) == 3
    for message, body in zip(messages, seen):
        assert message == messages[0] and body == seen[0]
    kinds = [block["type"] for block in seen[0]["messages"][1]["content"]]
    assert kinds == ["thinking", "text", "redacted_thinking", "thinking", "text",
                     "tool_use"]
    assert seen[0]["messages"][1]["content"][0]["signature"] == "c2ln1"
