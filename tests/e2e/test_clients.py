"""Real clients at pinned versions, unmodified, against the real service."""

import asyncio
import json
import os
import subprocess
import sys

import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openai import (
    AsyncOpenAI,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    OpenAI,
)
from pydantic import BaseModel, Field

import harness
from harness import config


@pytest.fixture(scope="module")
def running():
    service = harness.Service(config("simulated: {}", auth="keys"))
    service.key = service.create_key("clients")
    yield service
    service.stop()


@pytest.fixture
def client(running):
    return OpenAI(base_url=running.url("/v1"), api_key=running.key,
                  max_retries=0)


TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "enum": ["Bern"]}},
            "required": ["city"],
        },
    },
}


def test_openai_python_whole_and_streamed_agree(client):
    messages = [{"role": "user", "content": "Describe the market"}]
    whole = client.chat.completions.create(model="auto", messages=messages)
    text = ""
    usage = None
    for chunk in client.chat.completions.create(
        model="auto", messages=messages, stream=True,
        stream_options={"include_usage": True},
    ):
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
        usage = chunk.usage or usage
    assert text == whole.choices[0].message.content
    assert usage.total_tokens == whole.usage.total_tokens
    assert whole.model_extra["llm_service"]["provider"] == "simulated"


def test_openai_python_async(running):
    async def ask():
        async with AsyncOpenAI(base_url=running.url("/v1"),
                               api_key=running.key) as client:
            return await asyncio.gather(*[
                client.chat.completions.create(
                    model="auto",
                    messages=[{"role": "user", "content": f"question {i}"}],
                )
                for i in range(20)
            ])

    answers = asyncio.run(ask())
    assert len({a.id for a in answers}) == 20


def test_openai_python_tool_loop(client):
    messages = [{"role": "user", "content": "Weather in Bern?"}]
    first = client.chat.completions.create(
        model="auto", messages=messages, tools=[TOOL]
    ).choices[0]
    assert first.finish_reason == "tool_calls"
    call = first.message.tool_calls[0]
    assert json.loads(call.function.arguments) == {"city": "Bern"}
    messages += [
        first.message,
        {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
    ]
    second = client.chat.completions.create(
        model="auto", messages=messages, tools=[TOOL]
    ).choices[0]
    assert second.finish_reason == "stop"
    assert second.message.content


def test_openai_python_parses_structured_output(client):
    class Verdict(BaseModel):
        action: str
        confidence: float = Field(ge=0, le=1)

    parsed = client.chat.completions.parse(
        model="auto", messages=[{"role": "user", "content": "decide"}],
        response_format=Verdict,
    )
    assert 0 <= parsed.choices[0].message.parsed.confidence <= 1


def test_openai_python_stream_helper_accumulates_tool_calls(client):
    with client.chat.completions.stream(
        model="auto", messages=[{"role": "user", "content": "Weather?"}],
        tools=[TOOL],
    ) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.tool_calls[0].function.name == (
        "get_weather"
    )


def test_openai_python_sees_its_own_error_types(running, client):
    with pytest.raises(AuthenticationError):
        OpenAI(base_url=running.url("/v1"), api_key="sk-" + "0" * 48,
               max_retries=0).models.list()
    with pytest.raises(NotFoundError) as missing:
        client.chat.completions.create(
            model="no-such-model", messages=[{"role": "user", "content": "x"}]
        )
    assert missing.value.code == "model_not_found"
    with pytest.raises(BadRequestError):
        client.chat.completions.create(model="auto", messages="text")


def test_openai_python_lists_models(client):
    assert "simulated" in [model.id for model in client.models.list()]


def test_langchain_invokes_streams_and_binds_tools(running):
    @tool
    def get_price(ticker: str) -> str:
        """Last price of a ticker."""
        return f"{ticker}: 100"

    model = ChatOpenAI(model="auto-quick", base_url=running.url("/v1"),
                       api_key=running.key, max_tokens=4000, temperature=0.7)
    question = HumanMessage("What is the price of NVDA?")
    assert model.invoke([question]).content
    assert "".join(c.content for c in model.stream([question]))

    bound = model.bind_tools([get_price])
    first = bound.invoke([question])
    assert first.tool_calls[0]["name"] == "get_price"
    history = [question, first] + [
        ToolMessage(get_price.invoke(call["args"]), tool_call_id=call["id"])
        for call in first.tool_calls
    ]
    final = bound.invoke(history)
    assert final.content and not final.tool_calls
    assert final.usage_metadata["total_tokens"] > 0
    # CN's analysts do this: tool messages in the history, no tools declared.
    assert model.invoke(history).content


@pytest.mark.parametrize("method", ["function_calling", "json_schema",
                                    "json_mode"])
def test_langchain_structured_output(running, method):
    class Plan(BaseModel):
        """A trading plan."""

        action: str
        target: float

    model = ChatOpenAI(model="auto-deep", base_url=running.url("/v1"),
                       api_key=running.key)
    prompt = 'Answer in JSON like {"action": "hold", "target": 1.5}'
    plan = model.with_structured_output(Plan, method=method).invoke(prompt)
    assert isinstance(plan, Plan)


def test_path_tags_attribute_a_client_that_can_only_set_a_url(running):
    url = running.url("/t/run=tagged-1,agent=trader,task=trading_decision/v1")
    model = ChatOpenAI(model="auto", base_url=url, api_key=running.key)
    model.invoke("go")
    report = running.usage("?by=run_id,agent,task_type")
    keys = [group["keys"] for group in report["groups"]]
    assert {"run_id": "tagged-1", "agent": "trader",
            "task_type": "trading_decision"} in keys


def test_openai_node(running):
    node = harness.ROOT / "build" / "e2e" / "node"
    done = subprocess.run(
        ["node", harness.ROOT / "tests" / "e2e" / "node" / "client.mjs"],
        cwd=node, capture_output=True, text=True, timeout=60,
        env={**os.environ, "LLM_URL": running.url("/v1"),
             "LLM_KEY": running.key, "NODE_CLIENT_ROOT": str(node)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all node checks passed" in done.stdout


def test_cpp_stub_client(running):
    done = subprocess.run(
        [harness.BUILD / "clients" / "grpc_chat", running.addresses["grpc"]],
        capture_output=True, text=True, timeout=60,
        env={**os.environ, "LLM_KEY": running.key},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_readme_examples_run_as_written(running):
    env = {**os.environ, "LLM_URL": running.url("/v1"), "LLM_KEY": running.key,
           "LLM_GRPC": running.addresses["grpc"], "PYTHON": sys.executable}
    examples = harness.ROOT / "clients" / "python" / "examples"
    for command in ([sys.executable, examples / "openai_sdk.py"],
                    [examples / "grpc_chat.sh"]):
        done = subprocess.run(command, capture_output=True, text=True,
                              timeout=60, env=env)
        assert done.returncode == 0, done.stderr
        assert "Simulated answer" in done.stdout
