"""Tool loops with thinking models of every dialect, and switches between them
in mid-conversation, against twins that refuse like the real providers.

A loop is right when it makes the calls of the script, the last answer tells
every tool's result, and no twin refused a request, was sent a field that the
real one ignores, or missed reasoning that it had issued in the running loop.
"""

import contextlib
import itertools
import json
from typing import Literal

import pytest
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field

import harness
from harness import report
from strict_providers import DIALECTS, MODELS, Twins
from switch_callers import Grpc, LangChain, RawOpenAi, use
from test_grpc import stubs  # noqa: F401  (a fixture)
from twin_server import ROUNDS

SCRIPT = [[name for name, _ in calls] for calls in ROUNDS]
CALLERS = {
    "langchain": lambda running, stubs: LangChain(running, False),
    "langchain-stream": lambda running, stubs: LangChain(running, True),
    "raw": lambda running, stubs: RawOpenAi(running),
    "grpc": lambda running, stubs: Grpc(running, stubs, False),
    "grpc-stream": lambda running, stubs: Grpc(running, stubs, True),
    "grpc-flat": lambda running, stubs: Grpc(running, stubs, False, False),
}


@contextlib.contextmanager
def served(twins, text=None):
    running = harness.Service(text or twins.config(), {
        "TWIN_KEY": "twin-key-0123456789"})
    running.twins = twins
    try:
        yield running
    finally:
        running.stop()
        twins.close()


@pytest.fixture(scope="module")
def world():
    """The service, with four twins behind it."""
    with served(Twins()) as running:
        yield running


@pytest.fixture
def running(world):
    world.twins.forget_requests()
    yield world


def converse(caller, models):
    """One question; `models` names who is asked at each step."""
    told, text = [], ""
    for step, model in enumerate(models):
        calls, text = caller.step(model)
        assert [name for name, _ in calls] == (
            SCRIPT[step] if step < len(SCRIPT) else []), (step, model, text)
        told += [use(*call) for call in calls]
    assert text == "Report: " + " | ".join(told)


def conversation(caller, *questions):
    caller.begin()
    for models in questions:
        caller.ask("What about NVDA?")
        converse(caller, models)


@pytest.mark.parametrize("name", CALLERS)
@pytest.mark.parametrize("model", MODELS)
def test_a_thinking_tool_loop_completes(running, stubs, model,  # noqa: F811
                                        name):
    caller = CALLERS[name](running, stubs)
    conversation(caller, [model] * 4, [model] * 4)
    running.twins.assert_content()


# Whom each step asks: after the first tool call, after a tool result, there
# and back within one loop. A second question goes to the first again.
SCHEDULES = {"after-call": "ABBB", "after-result": "AABB",
             "there-back": "ABAA"}
PAIRS = list(itertools.permutations(DIALECTS, 2))
COMPLETED = []


@pytest.mark.parametrize("name", CALLERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("first", "second"), PAIRS,
                         ids=map("-to-".join, PAIRS))
def test_a_switch_in_mid_conversation(running, stubs, first,  # noqa: F811
                                      second, schedule, name):
    models = {"A": first, "B": second}
    caller = CALLERS[name](running, stubs)
    conversation(caller, [models[who] for who in SCHEDULES[schedule]],
                 [first] * 4, [second] * 4)
    running.twins.assert_content()
    COMPLETED.append((first, second, schedule, name))


@pytest.mark.parametrize("name", ["langchain", "raw", "grpc-stream"])
@pytest.mark.parametrize(("first", "second"), [
    ("gemini", "gemini-budget"), ("anthropic", "anthropic-budget")])
def test_a_switch_of_model_within_a_provider(running, stubs,  # noqa: F811
                                             first, second, name):
    """Gemini's signatures hold for one model; Claude's for all of them."""
    caller = CALLERS[name](running, stubs)
    conversation(caller, [first, second, second, second],
                 [second, first, first, first])
    for twin in running.twins.all.values():
        assert not twin.refused, twin.refused


@pytest.mark.parametrize(
    ("fails", "helps", "name"),
    [(*pair, name) for pair, name in zip(PAIRS, itertools.cycle(CALLERS))],
    ids=map("-to-".join, PAIRS))
def test_a_provider_that_fails_in_mid_loop_is_taken_over_from(
        stubs, fails, helps, name):  # noqa: F811
    """A service of its own, since a provider that failed stays out a while."""
    (a, upstream_a), (b, upstream_b) = MODELS[fails], MODELS[helps]
    made = Twins()
    text = made.config(more_models=(
        f"\neither: {{deployments: [{{provider: {a}, upstream: {upstream_a}}}"
        f", {{provider: {b}, upstream: {upstream_b}}}]}}"),
        tasks="t: {primary: [either], prefer: order}")
    with served(made, text) as running:
        failing, helping = made.all[a], made.all[b]
        failing.fail_from(1)
        conversation(CALLERS[name](running, stubs), ["auto:t"] * 4)
        assert {status for _, status, _ in failing.refused} <= {503, 529}
        assert failing.refused
        assert (len(failing.served), len(helping.served)) == (1, 3)
        assert not helping.refused and not helping.ignored
        assert not helping.lost


@pytest.mark.parametrize("model", MODELS)
def test_what_a_restart_made_us_forget_is_stood_in_for(model):
    """The memory of turns is the process's; what was in it is replaced by
    each vendor's documented stand-in, and the loop goes on."""
    made = Twins()
    with served(made) as running:
        caller = LangChain(running, False)
        caller.begin()
        caller.ask("What about NVDA?")
        calls, _ = caller.step(model)
        told = [use(*call) for call in calls]
        running.kill9()
        running.start()
        for _ in SCRIPT[1:]:
            calls, _ = caller.step(model)
            told += [use(*call) for call in calls]
        calls, text = caller.step(model)
        assert not calls and text == "Report: " + " | ".join(told)
        assert not any(twin.refused or twin.ignored
                       for twin in made.all.values())
        assert len(made.of(model).served) == len(SCRIPT) + 1


class Leg(BaseModel):
    """One leg of a plan."""

    ticker: str = Field(min_length=1, max_length=12, pattern="^[A-Z]*")
    weight: float = Field(ge=0, le=100, multiple_of=0.5)


class Plan(BaseModel):
    """A trading plan, with keywords that providers refuse."""

    action: Literal["Buy", "Hold", "Sell"]
    legs: list[Leg] = Field(min_length=1, max_length=9)
    stop_loss: float | None = Field(default=None, gt=0)
    note: str = Field(default="", examples=["x"])
    leader: Leg | None = None


@pytest.mark.parametrize("method", ["function_calling", "json_schema",
                                    "json_mode"])
@pytest.mark.parametrize("effort", [None, "medium"])
@pytest.mark.parametrize("model", MODELS)
def test_langchains_structured_output_from_every_model(running, model, effort,
                                                       method):
    """A forced tool, or a JSON schema, where thinking models refuse both
    [users.md 1.1]: any other way is silently twice the cost."""
    asked = ChatOpenAI(
        model=model, base_url=running.url("/v1"), api_key="none",
        reasoning_effort=effort, max_retries=0,
    ).with_structured_output(Plan, method=method, include_raw=True)
    got = asked.invoke("Answer in JSON.")
    running.twins.assert_content()
    if method == "json_mode":  # no schema goes along
        assert isinstance(json.loads(got["raw"].content), dict)
    else:
        assert got["parsing_error"] is None and isinstance(
            got["parsed"], Plan), got


def test_the_prefix_is_the_same_with_and_without_us(running):
    """What OpenAI hashes for its cache is what the client wrote [TRN-7]."""
    tools = ('[{"type":"function","function":{"name":"get_price",'
             '"parameters":{"type":"object","properties":{"z":{"type":'
             '"number","maximum":1.50},"a":{"type":"string"}},"required":'
             '["z","a"]},"description":"Last \\u4ef7 price"}}]')
    messages = [
        '{"role":"system","content":"Be \\u00e9xact \U0001f600."}',
        '{"role":"user","content":[{"type":"text","text":"one"},'
        '{"type":"text","text":"two"}]}',
        '{"role":"assistant","content":null,"tool_calls":[{"id":"call_1",'
        '"type":"function","function":{"name":"get_price","arguments":'
        '"{ \\"z\\": 1.50, \\"a\\": \\"b\\"}"}}]}',
        '{"role":"tool","tool_call_id":"call_1","content":"100"}',
        '{"role":"assistant","content":"100."}',
        '{"role":"user","content":"And now?"}',
    ]
    seen = []
    for count in (2, 4, 6, 6):
        body = (f'{{"model":"openai","messages":[{",".join(messages[:count])}'
                f'],"tools":{tools}}}').encode()
        reply = running.call("/v1/chat/completions", body)
        assert reply.status == 200, reply.text
        seen.append(running.twins.oa.served[-1].raw)
    sent = json.loads(body)
    got = json.loads(seen[-1])
    for name in ("messages", "tools"):  # member order and numbers too
        assert json.dumps(got[name]) == json.dumps(sent[name])
    # As bytes, a longer conversation begins with the shorter one.
    def prefix(raw):
        start = raw.index(b'"messages":[')
        return raw[start:raw.index(b'],"', raw.rindex(b'"content":'))]
    for shorter, longer in itertools.pairwise(seen):
        assert prefix(longer).startswith(prefix(shorter))
    assert b"1.50" in seen[-1]
    assert seen[-1] == seen[-2]


def test_how_many_switches_completed():
    count = len(PAIRS) * len(SCHEDULES) * len(CALLERS)
    report(f"switches: {len(COMPLETED)} of {count} conversations between "
           f"{len(DIALECTS)} strict providers completed")
