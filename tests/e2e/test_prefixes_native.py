"""In every dialect, and through both doors, a longer conversation begins with
the bytes of the shorter, so that the provider's cache hits [TRN-7]. Of OpenAI's
own dialect more is asked: test_prefixes.py.
"""

import itertools
import json

import pytest

from prefix_stub import elements, members
from prefix_stub import head as head_of
from strict_providers import MODELS, Twins
from switch_callers import Grpc, LangChain, RawOpenAi
from test_grpc import stubs  # noqa: F401  (a fixture)
from test_switches import conversation, served

NATIVE = {
    "langchain": lambda running, stubs: LangChain(running, False),
    "langchain-stream": lambda running, stubs: LangChain(running, True),
    "raw": lambda running, stubs: RawOpenAi(running),
    "grpc": lambda running, stubs: Grpc(running, stubs, False),
    "grpc-stream": lambda running, stubs: Grpc(running, stubs, True),
    "grpc-flat": lambda running, stubs: Grpc(running, stubs, False, False),
}


@pytest.fixture(scope="module")
def natives():
    with served(Twins()) as running:
        yield running


def assert_prompt_grows(bodies):
    """All that precedes the turns stays, and no turn is written otherwise;
    what came last may get company from the same side."""
    for short, long in itertools.pairwise(bodies):
        a, b = members(short), members(long)
        assert list(a) == list(b)
        turns = "contents" if "contents" in a else "messages"
        for name in a:
            assert name == turns or a[name] == b[name], name
        assert head_of(short, turns) == head_of(long, turns)
        old, new = elements(a[turns]), elements(b[turns])
        assert len(new) > len(old)
        assert old[:-1] == new[:len(old) - 1]
        assert new[len(old) - 1].startswith(old[-1].removesuffix("]}"))
        assert long.startswith(short[:short.index(old[-1].encode())])


@pytest.mark.parametrize("caller", NATIVE)
@pytest.mark.parametrize("model", MODELS)
def test_a_longer_conversation_begins_like_the_shorter(
        natives, stubs, model, caller):  # noqa: F811
    natives.twins.forget_requests()
    conversation(NATIVE[caller](natives, stubs), [model] * 4, [model] * 4)
    bodies = [seen.raw for seen in natives.twins.of(model).served]
    assert len(bodies) == 8
    assert_prompt_grows(bodies)
    assert not any(b"cache_control" in raw for raw in bodies)
    with pytest.raises(AssertionError):
        assert_prompt_grows([bodies[0], json.dumps(
            json.loads(bodies[1]), ensure_ascii=True, indent=1).encode()])


def test_only_the_callers_own_marks_reach_claude(natives):
    """Where they were put, and in every turn the same."""
    natives.twins.forget_requests()
    caller = RawOpenAi(natives)
    caller.begin()
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    caller.history += [
        {"role": "system", "content": [
            {"type": "text", "text": "Never marked."},
            {"type": "text", "text": "Long.", **mark}]},
        {"role": "user", "content": [
            {"type": "text", "text": "Report 价.", **mark},
            {"type": "text", "text": "What about NVDA?"}]}]
    for _ in range(4):
        caller.step("anthropic")
    bodies = [seen.raw for seen in natives.twins.an.served]
    assert_prompt_grows(bodies)
    for raw in bodies:
        body = json.loads(raw)
        assert raw.count(b"cache_control") == 2
        assert [b.get("cache_control") for b in body["system"]] == [
            None, mark["cache_control"]]
        assert body["messages"][0]["content"][0]["cache_control"] == (
            mark["cache_control"])
