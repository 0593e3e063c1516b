"""The service and the scripted provider of the LangChain tests, and what makes the
provider's answers. Test modules import its fixtures by name."""

from __future__ import annotations

import json

import pytest
from langchain_core.tools import tool

import client_package
import harness
from llm_service.langchain import ChatLLMService


@tool
def weather(city: str) -> str:
    """The weather of a city."""
    return f"{city}: 21 degrees"


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
        harness.config("\n".join(providers), "\n".join(models), auth="keys"),
        env=client_package.ENVIRONMENT,
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
