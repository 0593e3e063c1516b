"""The twins of OpenAI and DeepSeek themselves: what the providers' pages call
wrong is refused in their words, and OpenAI's own client gets through a whole
tool loop. The other two are in test_strict_native_twins.py.
"""

import json

import pytest
from openai import OpenAI

from harness import call
from strict_providers import twins
from twin_server import ROUNDS

PARAMETERS = {"type": "object", "properties": {
    "ticker": {"type": "string"}, "days": {"type": "integer"},
    "note": {"type": "string"}}, "required": ["ticker"]}
NAMES = ("get_price", "get_news")
CALLS = [len(calls) for calls in ROUNDS]


@pytest.fixture(scope="module")
def all_twins():
    with twins() as made:
        yield made


@pytest.fixture
def twin(all_twins):
    all_twins.forget_requests()
    yield all_twins


def use(name, args):
    return f"{name} of {args['ticker']}"


def expected_report():
    return "Report: " + " | ".join(
        use(name, args) for calls in ROUNDS for name, args in calls)


FUNCTIONS = [{"type": "function", "function": {
    "name": name, "parameters": PARAMETERS}} for name in NAMES]


def openai_loop(base_url, model, keep):
    """Runs the loop with OpenAI's client; `keep` makes the message that goes
    back of the one that came."""
    client = OpenAI(base_url=base_url, api_key="k", max_retries=0)
    messages, calls = [{"role": "user", "content": "NVDA?"}], []
    for _ in range(9):
        with client.chat.completions.stream(
                model=model, messages=messages, tools=FUNCTIONS,
                reasoning_effort="medium") as stream:
            message = stream.get_final_completion().choices[0].message
        if not message.tool_calls:
            return message.content, calls
        calls.append(len(message.tool_calls))
        messages.append(keep(message))
        messages += [{"role": "tool", "tool_call_id": c.id, "content": use(
            c.function.name, json.loads(c.function.arguments))}
            for c in message.tool_calls]
    raise AssertionError("no end")


def plain(message):
    return {"role": "assistant", "content": message.content, "tool_calls": [
        {"id": c.id, "type": "function", "function": {
            "name": c.function.name, "arguments": c.function.arguments}}
        for c in message.tool_calls]}


def with_reasoning(message):
    return {**plain(message),
            "reasoning_content": message.model_extra["reasoning_content"]}


def test_openais_client_gets_through_openai(twin):
    text, calls = openai_loop(twin.oa.base_url, "gpt-5.4", plain)
    assert (text, calls) == (expected_report(), CALLS)
    twin.assert_content()


def test_deepseek_wants_its_reasoning_back(twin):
    text, calls = openai_loop(twin.ds.base_url, "deepseek-flash",
                              with_reasoning)
    assert (text, calls) == (expected_report(), CALLS)
    twin.assert_content()
    for keep in (plain, lambda m: {**with_reasoning(m),
                                   "reasoning_content": "other"}):
        with pytest.raises(Exception, match="must be passed back to the API"):
            openai_loop(twin.ds.base_url, "deepseek-flash", keep)


QUESTION = {"role": "user", "content": "hi"}
CALLED = {"role": "assistant", "content": None, "tool_calls": [
    {"id": "call_1", "type": "function",
     "function": {"name": "get_price", "arguments": "{}"}}]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "1"}


def post_openai(one, **body):
    return call(one.base_url + "/chat/completions",
                {"messages": [QUESTION], **body},
                {"Authorization": "Bearer k"})


@pytest.mark.parametrize(("body", "words"), [
    ({"top_k": 1}, "Unrecognized request argument supplied: top_k"),
    ({"stream_options": {}}, "only allowed when 'stream' is enabled"),
    ({"tools": []}, "Invalid 'tools': empty array"),
    ({"parallel_tool_calls": True}, "only allowed when 'tools'"),
    ({"reasoning_effort": "low", "temperature": 1},
     "Unsupported parameter: 'temperature'"),
    ({"max_tokens": 9}, "Use 'max_completion_tokens' instead"),
    ({"messages": [QUESTION, CALLED]}, "did not have response messages: call_1"),
    ({"messages": [QUESTION, CALLED, QUESTION]},
     "did not have response messages: call_1"),
    ({"messages": [QUESTION, RESULT]}, "must be a response to a preceeding"),
    ({"messages": [QUESTION, {"role": "assistant", "content": "x",
                              "reasoning_content": "r"}, QUESTION]},
     "Unknown parameter: 'messages[1].reasoning_content'"),
    ({"messages": [{"role": "assistant", "content": None}]},
     "expected a string, got null"),
])
def test_openai_refuses(twin, body, words):
    reply = post_openai(twin.oa, model="gpt-5.4", **body)
    assert reply.status == 400 and words in reply.text


def test_openai_takes_sampling_where_reasoning_is_off(twin):
    for body in ({"model": "gpt-5.4", "temperature": 0.2},
                 {"model": "gpt-4o", "temperature": 0.2, "max_tokens": 9},
                 {"model": "gpt-5.5", "reasoning_effort": "none",
                  "top_p": 0.5}):
        assert post_openai(twin.oa, **body).status == 200
    assert post_openai(twin.oa, model="gpt-5.5", top_p=0.5).status == 400
    assert post_openai(twin.oa, model="gpt-5", temperature=0).status == 400


@pytest.mark.parametrize(("body", "words"), [
    ({"messages": [QUESTION, CALLED, RESULT]},
     "The `reasoning_content` in the thinking mode must be passed back"),
    ({"response_format": {"type": "json_schema"}},
     "This response_format type is unavailable now"),
    ({"tool_choice": "required", "tools": FUNCTIONS},
     "does not support this tool_choice"),
    ({"messages": [{"role": "developer", "content": "x"}]},
     "unknown variant `developer`"),
    ({"n": 2}, "only n = 1"),
])
def test_deepseek_refuses(twin, body, words):
    reply = post_openai(twin.ds, model="deepseek-flash", **body)
    assert reply.status in (400, 422) and words in reply.text


def test_deepseek_without_thinking_wants_nothing_back(twin):
    off = {"model": "deepseek-flash", "thinking": {"type": "disabled"}}
    assert post_openai(twin.ds, **off, messages=[
        QUESTION, CALLED, RESULT]).status == 200
    assert post_openai(twin.ds, **off, tools=FUNCTIONS,
                       tool_choice="required").status == 200
    # The stand-in where nobody knows what was thought.
    foreign = {**CALLED, "reasoning_content": ""}
    assert post_openai(twin.ds, model="deepseek-flash", messages=[
        QUESTION, foreign, RESULT]).status == 200
    twin.assert_content()
    post_openai(twin.ds, **off, seed=1)
    assert twin.ds.ignored == ["seed"]


def test_a_twin_can_be_overloaded_from_some_call_on(twin):
    twin.oa.fail_from(1)
    assert post_openai(twin.oa, model="gpt-4o").status == 200
    reply = post_openai(twin.oa, model="gpt-4o")
    assert reply.status == 503 and "overloaded" in reply.text
