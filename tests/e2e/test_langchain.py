"""ChatLLMService and LLMServiceEmbeddings against the real service, over gRPC and
HTTP: what LangChain's own suite (test_langchain_standard.py) does not ask."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import subprocess
import sys
import time
from decimal import Decimal

import pytest
from langchain_core.messages import (
    AIMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    message_chunk_to_message,
)
from langchain_core.tools import tool
from pydantic import BaseModel

import client_package
import harness
import llm_service
from llm_service.langchain import ChatLLMService, LLMServiceEmbeddings
from llm_service.langchain.answers import ChunkReader
from llm_service.langchain.requests import to_dicts

TOOLS_LOOP = "What is the weather('Paris')?"


@tool
def weather(city: str) -> str:
    """The weather of a city."""
    return f"{city}: 21 degrees"


class Plan(BaseModel):
    """A plan."""

    action: str
    reason: str


def start(simulator):
    lane = simulator.base_url("langchain")
    providers = [
        "simulated: {}",
        harness.upstream("scripted", lane, ", currency: CNY"),
        harness.upstream("dead", "http://127.0.0.1:9/v1"),
        f'claude: {{dialect: anthropic, base_url: "{lane}"}}',
    ]
    price = '{currency: CNY, per_million: {input: "1", output: "2"}}'
    models = [
        f"scripted-model: {{provider: scripted, price: {price}}}",
        "dead-model: {provider: dead}",
        "claude-model: {provider: claude, upstream: claude}",
    ]
    service = harness.Service(
        harness.config("\n".join(providers), "\n".join(models), auth="keys")
    )
    service.key = service.create_key("langchain")
    return service


@pytest.fixture(scope="module")
def running(simulator):
    service = start(simulator)
    yield service
    service.stop()


@pytest.fixture(scope="module")
def other(simulator):
    """An instance that has seen none of the turns before."""
    service = start(simulator)
    yield service
    service.stop()


@pytest.fixture(params=client_package.TRANSPORTS)
def transport(request):
    return request.param


@pytest.fixture
def make(running, transport):
    return maker(running, transport)


@pytest.fixture
def make_other(other, transport):
    return maker(other, transport)


def maker(service, transport):
    def make(kind=ChatLLMService, **more):
        where = client_package.where(transport, service)
        return kind(**{"api_key": service.key, **where}, **more)

    return make


def sse(*chunks):
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join(lines) + "data: [DONE]\n\n"


def script(simulator, *bodies):
    """Each body answers one request."""
    simulator.reset("langchain")
    for body in bodies:
        simulator.script(
            "langchain", headers={"content-type": "text/event-stream"}, body=body
        )


def delta(finish=None, **members):
    choice = {"index": 0, "delta": members, "finish_reason": finish}
    return {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "scripted-model",
        "choices": [choice],
    }


def usage_chunk(**usage):
    return {**delta(), "choices": [], "usage": usage}


def call_delta(call_id, name, arguments, index=0, **more):
    function = {"name": name, "arguments": arguments}
    call = {"index": index, "id": call_id, "type": "function", "function": function}
    return {"tool_calls": [{**call, **more}]}


def asked(simulator):
    """The messages of each request that reached the provider."""
    return [json.loads(one["body"])["messages"] for one in simulator.log("langchain")]


def test_an_answer_says_who_made_it_at_what_cost(make, running, simulator):
    script(
        simulator,
        sse(
            delta(role="assistant", content="Hi"),
            delta("stop"),
            usage_chunk(
                prompt_tokens=100,
                completion_tokens=10,
                total_tokens=110,
                prompt_tokens_details={"cached_tokens": 40},
                completion_tokens_details={"reasoning_tokens": 4},
            ),
        ),
    )
    answer = make(model="scripted-model").invoke("hello")
    assert answer.content == "Hi"
    meta = answer.response_metadata
    assert meta["finish_reason"] == "stop"
    assert meta["model"] == meta["model_name"] == "scripted-model"
    assert meta["provider"] == "scripted" and meta["attempts"] == 1
    assert meta["request_id"] and meta["usage_source"] == "provider"
    assert Decimal(meta["cost"]) == Decimal("0.00012") and meta["currency"] == "CNY"
    assert meta["token_usage"]["prompt_tokens"] == 100
    counts = answer.usage_metadata
    assert (counts["input_tokens"], counts["output_tokens"]) == (100, 10)
    assert counts["input_token_details"]["cache_read"] == 40
    assert counts["output_token_details"]["reasoning"] == 4


@pytest.mark.parametrize("how", ["invoke", "stream", "ainvoke", "astream"])
def test_every_way_of_calling_gives_the_same_message(make, how):
    model = make(model="simulated-deep").bind_tools([weather])

    async def gather():
        if how == "ainvoke":
            return await model.ainvoke(TOOLS_LOOP)
        full = None
        async for chunk in model.astream(TOOLS_LOOP):
            full = chunk if full is None else full + chunk
        return full

    if how == "invoke":
        answer = model.invoke(TOOLS_LOOP)
    elif how == "stream":
        answer = None
        for chunk in model.stream(TOOLS_LOOP):
            answer = chunk if answer is None else answer + chunk
    else:
        answer = asyncio.run(gather())
    assert answer.content == ""
    assert [(c["name"], c["args"]) for c in answer.tool_calls] == [
        ("weather", {"city": "Paris"})
    ]
    assert answer.additional_kwargs["reasoning_content"].startswith("First the")
    meta = answer.response_metadata
    assert meta["finish_reason"] == "tool_calls"
    assert meta["model_name"] == "simulated-deep"
    assert meta["provider"] == "simulated" and meta["request_id"]
    assert answer.usage_metadata["output_token_details"]["reasoning"] > 0


def ask_first(model, turn, streamed):
    if not streamed:
        return model.invoke(turn)
    chunks = list(model.stream(turn))
    return message_chunk_to_message(sum(chunks[1:], chunks[0]))


@pytest.mark.parametrize("streamed", [False, True])
def test_what_a_model_needs_back_goes_back(make, make_other, simulator, streamed):
    """Reasoning and signatures on calls, as compatible servers have them; another
    instance of the service gets the second turn, so that its memory is no help."""
    signed = {"extra_content": {"google": {"thought_signature": "c2ln"}}}
    script(
        simulator,
        sse(
            delta(role="assistant", content=""),
            delta(reasoning_content="Let me "),
            delta(reasoning_content="see"),
            delta(**call_delta("call_a", "weather", '{"city":', **signed)),
            delta(tool_calls=[{"index": 0, "function": {"arguments": '"Paris"}'}}]),
            delta("tool_calls"),
        ),
        sse(delta(role="assistant", content="Warm."), delta("stop")),
    )
    turn = [HumanMessage("weather in Paris?")]
    model = make(model="scripted-model").bind_tools([weather])
    first = ask_first(model, turn, streamed)
    assert first.additional_kwargs["reasoning_content"] == "Let me see"
    result = weather.invoke(first.tool_calls[0])
    later = make_other(model="scripted-model").bind_tools([weather])
    assert later.invoke([*turn, first, result]).content == "Warm."
    sent = asked(simulator)[-1][1]
    assert sent["reasoning_content"] == "Let me see"
    (call,) = sent["tool_calls"]
    assert call["function"]["arguments"] == '{"city":"Paris"}'  # byte for byte
    assert call["extra_content"] == signed["extra_content"]


def test_pieces_of_a_stream_add_up_to_what_was_sent():
    """LangChain joins texts of one index: what each piece repeats is said once."""
    details = [
        {"type": "reasoning.text", "text": "Let me ", "index": 0, "format": "f1"},
        {"type": "reasoning.text", "text": "see", "index": 0, "format": "f1"},
        {"type": "reasoning.encrypted", "data": "ZA==", "index": 1, "format": "f1"},
    ]
    custom = {"index": 0, "id": "c", "type": "custom"}
    reader = ChunkReader()
    pieces = [
        *[{"delta": {"reasoning_details": [one]}} for one in details],
        {"delta": {"tool_calls": [{**custom, "custom": {"name": "sql", "input": ""}}]}},
        {"delta": {"tool_calls": [{"index": 0, "custom": {"input": 'a "b"'}}]}},
        {"delta": {}, "finish_reason": "tool_calls"},
    ]
    chunks = [reader.read({"choices": [piece]}).message for piece in pieces]
    message = message_chunk_to_message(sum(chunks[1:], chunks[0]))
    assert message.additional_kwargs["reasoning_details"] == [
        {**details[0], "text": "Let me see"},
        details[2],
    ]
    assert message.tool_calls[0]["args"] == {"__arg1": 'a "b"'}
    (sent,) = to_dicts([message])
    assert sent["tool_calls"] == [
        {"type": "custom", "id": "c", "custom": {"name": "sql", "input": 'a "b"'}}
    ]
    assert sent["reasoning_details"] == message.additional_kwargs["reasoning_details"]


def test_thoughts_of_langchains_anthropic_model_keep_their_proofs():
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    hidden = {"type": "redacted_thinking", "data": "eA=="}
    (sent,) = to_dicts([AIMessage([thought, hidden, {"type": "text", "text": "Hi"}])])
    assert sent["content"] == "Hi"
    assert sent["reasoning_details"] == [
        {
            "type": "reasoning.text",
            "text": "Hm.",
            "signature": "c2ln",
            "format": "anthropic-claude-v1",
        },
        {
            "type": "reasoning.encrypted",
            "data": "eA==",
            "format": "anthropic-claude-v1",
        },
    ]


def claude(*blocks):
    """Claude's events for blocks: (start, delta, ...)."""
    start = {"id": "m", "type": "message", "role": "assistant", "model": "claude"}
    start.update(content=[], stop_reason=None, usage={"input_tokens": 5})
    events = [{"type": "message_start", "message": start}]
    for index, (block, *deltas) in enumerate(blocks):
        at = {"index": index}
        events += [{"type": "content_block_start", **at, "content_block": block}]
        events += [{"type": "content_block_delta", **at, "delta": d} for d in deltas]
        events += [{"type": "content_block_stop", **at}]
    end = {"stop_reason": "tool_use"}
    events += [
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": 9}},
        {"type": "message_stop"},
    ]
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)


@pytest.mark.parametrize("streamed", [False, True])
def test_claudes_signed_thoughts_go_back_in_their_places(
    make, make_other, simulator, streamed
):
    answer = claude(
        (
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "First."},
            {"type": "signature_delta", "signature": "c2ln1"},
        ),
        ({"type": "text", "text": ""}, {"type": "text_delta", "text": "Let me look."}),
        ({"type": "redacted_thinking", "data": "cmVkYWN0"},),
        (
            {"type": "tool_use", "id": "t1", "name": "weather", "input": {}},
            {"type": "input_json_delta", "partial_json": '{"city":"Paris"}'},
        ),
    )
    script(simulator, answer, answer)
    turn = [HumanMessage("weather in Paris?")]
    how = {"model": "claude-model", "reasoning_effort": "high", "max_tokens": 5000}
    model = make(**how).bind_tools([weather])
    first = ask_first(model, turn, streamed)
    assert first.content == "Let me look."
    result = weather.invoke(first.tool_calls[0])
    make_other(**how).bind_tools([weather]).invoke([*turn, first, result])
    assert asked(simulator)[-1][1]["content"] == [
        {"type": "thinking", "thinking": "First.", "signature": "c2ln1"},
        {"type": "text", "text": "Let me look."},
        {"type": "redacted_thinking", "data": "cmVkYWN0"},
        {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Paris"}},
    ]


def test_a_call_whose_arguments_were_edited_is_sent_as_edited(make, simulator):
    script(
        simulator,
        sse(
            delta(role="assistant"),
            delta(**call_delta("call_a", "weather", '{"city":"Rome"}')),
            delta("tool_calls"),
        ),
        sse(delta(role="assistant", content="ok"), delta("stop")),
    )
    model = make(model="scripted-model").bind_tools([weather])
    first = model.invoke("weather?")
    first.tool_calls[0]["args"]["city"] = "Bern"
    model.invoke(["weather?", first, ToolMessage("cold", tool_call_id="call_a")])
    function = asked(simulator)[-1][1]["tool_calls"][0]["function"]
    assert json.loads(function["arguments"]) == {"city": "Bern"}


def test_broken_arguments_are_an_invalid_call_and_go_back(make, simulator):
    script(
        simulator,
        sse(
            delta(role="assistant"),
            delta(**call_delta("call_a", "weather", '{"city": ')),
            delta("tool_calls"),
        ),
        sse(delta(role="assistant", content="ok"), delta("stop")),
    )
    model = make(model="scripted-model").bind_tools([weather])
    first = model.invoke("weather?")
    assert not first.tool_calls
    assert first.invalid_tool_calls[0]["args"] == '{"city": '
    model.invoke(["weather?", first, ToolMessage("what?", tool_call_id="call_a")])
    function = asked(simulator)[-1][1]["tool_calls"][0]["function"]
    assert function["arguments"] == '{"city": '


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
@pytest.mark.parametrize("schema", [Plan, Plan.model_json_schema()])
def test_structured_answers_in_each_form(make, method, schema):
    model = make(model="simulated")
    shaped = model.with_structured_output(schema, method=method, include_raw=True)
    answer = shaped.invoke("A plan for AAPL")
    assert answer["parsing_error"] is None
    assert isinstance(answer["raw"], AIMessage)
    parsed = answer["parsed"]
    assert set(parsed if isinstance(parsed, dict) else dict(parsed)) == {
        "action",
        "reason",
    }
    assert isinstance(parsed, dict if isinstance(schema, dict) else Plan)


def test_json_mode_and_what_does_not_parse(make, simulator):
    prompt = 'Answer in JSON: {"action": "buy", "reason": "why"}'
    model = make(model="simulated")
    plan = model.with_structured_output(Plan, method="json_mode").invoke(prompt)
    assert plan.action == "buy"
    script(simulator, *[sse(delta(role="assistant", content="no"), delta("stop"))] * 2)
    scripted = make(model="scripted-model")
    for method in ("function_calling", "json_schema"):
        kept = scripted.with_structured_output(Plan, method=method, include_raw=True)
        answer = kept.invoke(prompt)
        assert answer["parsed"] is None and answer["raw"].content == "no"


def test_tool_choices_in_langchains_forms(make):
    @tool
    def time_of(city: str) -> str:
        """The time in a city."""
        return city

    model = make(model="simulated")

    def called(**how):
        answer = model.bind_tools([weather, time_of], **how).invoke("Rome or 'Bern'?")
        return [call["name"] for call in answer.tool_calls]

    assert called() == ["weather", "time_of"]
    assert called(parallel_tool_calls=False) == ["weather"]
    assert called(tool_choice="time_of") == ["time_of"]
    assert called(tool_choice="any") == called(tool_choice=True) == ["weather"]
    assert called(tool_choice="none") == []
    forced = {"type": "function", "function": {"name": "time_of"}}
    assert called(tool_choice=forced) == ["time_of"]
    with pytest.raises(ValueError, match="none of the tools"):
        model.bind_tools([weather], tool_choice="wether")


def test_failures_are_ours_and_langchains(make, running):
    import langchain_core.exceptions as theirs

    cases = [
        ({"model": "no-such-model"}, "ModelNotFoundError", "ModelNotFoundError"),
        ({"model": "dead-model"}, "ProviderUnavailableError", "ModelAPIError"),
    ]
    for fields, ours, kind in cases:
        model = make(**fields)
        ways = [
            lambda m=model: m.invoke("hi"),
            lambda m=model: list(m.stream("hi")),
            lambda m=model: asyncio.run(m.ainvoke("hi")),
        ]
        for way in ways:
            with pytest.raises(getattr(llm_service, ours)) as caught:
                way()
            assert caught.value.request_id
            if hasattr(theirs, kind):
                assert isinstance(caught.value, getattr(theirs, kind))
                assert caught.value.is_retryable is caught.value.retryable
    with pytest.raises(TypeError, match="temprature"):
        make(model="auto").invoke("hi", temprature=1)
    with pytest.raises(ValueError, match="temprature"):
        make(model="auto", temprature=1)
    wrong = {"api_key": "sk-wrong", **client_package.where("http", running)}
    with pytest.raises(llm_service.AuthenticationError):
        ChatLLMService(model="auto", **wrong).invoke("hi")


def test_a_deadline_reaches_the_provider(make, simulator):
    simulator.reset("langchain")
    simulator.script("langchain", before_head="stall")
    with pytest.raises(TimeoutError):
        make(model="scripted-model", timeout=0.5).invoke("hi")
    simulator.reset("langchain")


def test_a_stream_that_is_left_ends_the_call(make, simulator):
    body = sse(delta(role="assistant", content="one"), delta(content="two"))
    simulator.reset("langchain")
    simulator.script(
        "langchain",
        headers={"content-type": "text/event-stream"},
        body=body,
        stall_after=len(body) - 20,
    )
    stream = make(model="scripted-model").stream("hi")
    assert next(stream).content in ("", "one")
    stream.close()

    def left():
        return simulator.log("langchain")[-1]["outcome"] == "client_left"

    deadline = time.monotonic() + 20
    while not left() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert left()


def test_a_run_tags_every_call_and_reports_them(make):
    model = make(model="simulated", agent="default")
    with model.client.run(user="u7", task_type="news_analysis") as run:
        model.invoke("one")
        list(model.bind(agent="second").stream("two"))
        asyncio.run(model.ainvoke("three"))
        make(LLMServiceEmbeddings).embed_query("four")
    assert run.usage_error is None
    agents = {
        group["keys"]["agent"]: group["requests"] for group in run.report["groups"]
    }
    assert agents == {"default": 2, "second": 1, "": 1}
    by_task = model.client.usage(by=["task_type"], where={"run_id": run.run_id})
    assert "news_analysis" in {g["keys"]["task_type"] for g in by_task["groups"]}


def test_models_are_copied_and_pickled(make):
    model = make(model="simulated", temperature=0.2, max_tokens=50)
    first = model.invoke("hello").content
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert (other.model_name, other.temperature) == ("simulated", 0.2)
        assert other.max_tokens == 50
        assert other.invoke("hello").content == first
    assert model.model_copy(update={"temperature": 1.0}).invoke("hello")
    assert "sk-" not in repr(model)


def test_messages_in_all_their_forms_are_taken(make, simulator):
    script(simulator, sse(delta(role="assistant", content="ok"), delta("stop")))
    pixel = "iVBORw0KGgo="
    # Anthropic's form, which every LangChain knows.
    source = {"type": "base64", "media_type": "image/png", "data": pixel}
    make(model="scripted-model").invoke(
        [
            SystemMessage("be kind"),
            HumanMessage(
                [
                    {"type": "text", "text": "look"},
                    {"type": "image", "source": source},
                ]
            ),
            AIMessage([{"type": "text", "text": "a "}, {"type": "text", "text": "b"}]),
            ("human", "and?"),
        ]
    )
    system, look, answer, last = asked(simulator)[-1]
    assert system == {"role": "system", "content": "be kind"}
    assert look["content"][1]["image_url"]["url"] == f"data:image/png;base64,{pixel}"
    assert answer["content"] == "a b" and last["content"] == "and?"


def test_embeddings_also_in_the_shape_of_openais_client(make):
    model = make(LLMServiceEmbeddings, dimensions=8)
    vectors = model.embed_documents(["a", "b", "a"])
    assert vectors[0] == vectors[2] != vectors[1] and len(vectors[0]) == 8
    assert model.embed_documents([]) == []
    assert asyncio.run(model.aembed_query("a")) == vectors[0]
    small = make(LLMServiceEmbeddings, dimensions=8, chunk_size=2)
    assert small.embed_documents(["a", "b", "a"]) == vectors
    answer = model.embeddings.create(model="auto:embedding", input="a")
    assert answer.data[0].embedding == vectors[0]
    two = model.embeddings.create(input=["a", "b"], dimensions=4)
    assert [len(one.embedding) for one in two.data] == [4, 4]


def test_token_counts_are_estimated_without_a_tokenizer(make):
    model = make()
    assert model.get_num_tokens("abcdefgh") == 2
    assert model.get_num_tokens("分析 600519") == 2 + 2


def test_the_modules_pass_mypy_strict():
    pytest.importorskip("mypy")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml"],
        cwd=harness.ROOT / "clients" / "python",
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
