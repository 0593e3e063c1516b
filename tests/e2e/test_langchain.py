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
from langchain_core.messages import AIMessage
from langchain_core.runnables import ConfigurableField
from langchain_core.tools import tool
from pydantic import BaseModel, SecretStr

import client_package
import harness
import llm_service
from langchain_lab import (  # noqa: F401
    call_delta,
    delta,
    make,
    running,
    script,
    sse,
    transport,
    usage_chunk,
    weather,
)
from llm_service.langchain import ChatLLMService, LLMServiceEmbeddings

TOOLS_LOOP = "What is the weather('Paris')?"


class Plan(BaseModel):
    """A plan."""

    action: str
    reason: str


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


def test_a_broken_call_is_a_parsing_error(make, simulator):
    call = call_delta("call_a", "Plan", '{"action": ')
    body = sse(delta(role="assistant"), delta(**call), delta("tool_calls"))
    script(simulator, body, body)
    shaped = make(model="scripted-model").with_structured_output
    answer = shaped(Plan, include_raw=True).invoke("A plan")
    assert answer["parsed"] is None and answer["raw"].invalid_tool_calls
    assert "'Plan' is broken" in str(answer["parsing_error"])
    with pytest.raises(ValueError, match="broken"):
        shaped(Plan).invoke("A plan")


def test_a_class_is_a_response_format(make):
    answer = make(model="simulated").invoke("A plan", response_format=Plan)
    assert Plan.model_validate_json(answer.content)


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


def test_langchains_own_switches_are_no_fields(make):
    model = make(model="simulated")
    for stream in (True, False):
        assert model.invoke("hi", stream=stream, stream_usage=True).content
        assert model.bind(stream=stream).invoke("hi").content


def test_members_for_the_provider_join_those_of_the_model(make, simulator):
    script(simulator, sse(delta(role="assistant", content="ok"), delta("stop")))
    model = make(model="scripted-model", extra_body={"top_k": 3, "min_p": 0.1})
    model.invoke("hi", extra_body={"top_k": 4})
    sent = json.loads(simulator.log("langchain")[-1]["body"])
    assert (sent["top_k"], sent["min_p"]) == (4, 0.1)


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


def test_a_copy_with_another_address_or_key_calls_that(make, running):
    model = make(model="simulated")
    assert model.invoke("hello")
    stranger = model.model_copy(update={"api_key": SecretStr("sk-wrong")})
    with pytest.raises(llm_service.AuthenticationError):
        stranger.invoke("hello")
    nowhere = {"base_url": "http://127.0.0.1:9", "transport": "http"}
    with pytest.raises(llm_service.ServiceConnectionError):
        model.model_copy(update=nowhere).invoke("hello")
    assert model.model_copy(update={"temperature": 1.0}).client is model.client
    assert model.invoke("hello")


def test_models_of_the_same_settings_share_their_clients(make):
    model = make(model="simulated")
    field = ConfigurableField(id="temperature")
    seen = set()

    class Watched(ChatLLMService):
        def _generate(self, *args, **kwargs):
            seen.add(self.client)
            return super()._generate(*args, **kwargs)

    changing = make(Watched, model="simulated").configurable_fields(temperature=field)
    for temperature in (0.1, 0.2, 0.3):
        config = {"configurable": {"temperature": temperature}}
        changing.invoke("hello", config)
    assert seen == {model.client}
    assert make(model="simulated", timeout=7).client is not model.client
    with model.client as closed:
        assert model.invoke("hello")
    assert model.client is not closed and model.invoke("hello")


def test_an_empty_key_is_none(make, running, transport):
    where = client_package.where(transport, running)
    with pytest.MonkeyPatch.context() as env:
        env.setenv("LLM_SERVICE_API_KEY", running.key)
        assert ChatLLMService(model="simulated", api_key="", **where).invoke("hello")


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
