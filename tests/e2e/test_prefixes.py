"""A provider's prompt cache hits with us where it hits without us [TRN-7]: in
OpenAI's dialect tools and messages arrive with their bytes and in their order,
and a longer conversation begins with the bytes of the shorter.
"""

import csv
import itertools
import json

import pytest
from langchain_openai import ChatOpenAI

import harness
from harness import config, report
from prefix_callers import (
    ASK,
    TOOLS,
    langchain,
    langchain_stream,
    sdk,
    sdk_dump,
)
from prefix_stub import TURNS, Cut, PrefixStub, differences, elements, members
from prefix_stub import head as head_of

PROFILES = ("plain", "openai", "deepseek", "qwen")
# DeepSeek and Qwen would reason, and then want another history.
QUIET = {"plain": {}, "openai": {}, "qwen": {"enable_thinking": False},
         "deepseek": {"thinking": {"type": "disabled"}}}


CALLERS = (langchain, langchain_stream, sdk, sdk_dump)


class World:
    """The stub behind services of one configuration, two keys each."""

    def __init__(self, profiles=PROFILES, services=2):
        self.profiles, self.stub = profiles, PrefixStub()
        providers = "\n".join(
            f'{name}: {{dialect: openai, base_url: "{self.stub.base_url}", '
            f'api_keys: ["env:TWIN_KEY"]'
            + (f", profile: {name}}}" if name != "plain" else "}")
            for name in profiles)
        models = "\n".join(f"to-{name}: {{provider: {name}, upstream: stub}}"
                           for name in profiles)
        self.services = [harness.Service(
            config(providers, models, auth="keys"),
            {"TWIN_KEY": "twin-key-0123456789"}) for _ in range(services)]
        self.doors = [(s.url("/v1"), s.create_key(name))
                      for s in self.services for name in ("one", "two")]

    def direct(self):
        return self.stub.base_url, "k"

    def heard(self, play, door, *more):
        """The bodies that the stub saw while `play` ran."""
        self.stub.forget_requests()
        play(*door, *more)
        assert not self.stub.refused, self.stub.refused
        return [seen.raw for seen in self.stub.served]

    def close(self):
        for service in self.services:
            service.stop()
        self.stub.close()


@pytest.fixture(scope="module")
def world():
    made = World()
    yield made
    made.close()


def assert_grows(bodies):
    """A longer conversation begins with the bytes of the shorter."""
    for short, long in itertools.pairwise(bodies):
        a, b = Cut(short), Cut(long)
        assert a.names == b.names
        assert head_of(short) == head_of(long)
        assert a.tools == b.tools
        assert len(b.messages) > len(a.messages)
        assert b.hashes()[:len(a.messages)] == a.hashes(), (
            differences(short, long))
        # Not in each message alone: as one run of bytes.
        run = head_of(short).decode() + ",".join(a.messages)
        assert short.startswith(run.encode())
        assert long.startswith(run.encode())


@pytest.mark.parametrize("play", CALLERS)
@pytest.mark.parametrize("name", PROFILES)
def test_a_tool_loop_is_the_same_with_and_without_us(world, name, play):
    more = QUIET[name]
    without = world.heard(play, world.direct(), "stub", more)
    seen = [world.heard(play, door, f"to-{name}", more)
            for door in world.doors]
    assert len(without) == TURNS
    for bodies in seen:
        for ours, theirs in zip(bodies, without, strict=True):
            assert not differences(theirs, ours)
        assert_grows(bodies)
    # Whoever calls, and whichever process is asked: not a byte differs.
    assert all(bodies == seen[0] for bodies in seen)


@pytest.mark.parametrize("play", (langchain, sdk))
@pytest.mark.parametrize("name", PROFILES)
def test_reasoning_that_comes_along_moves_nothing(world, name, play):
    """Of models that reason: what a client brings back may be left out, but
    then from the first turn to the last."""
    world.stub.reasons = True
    try:
        assert_grows(world.heard(play, world.doors[0], f"to-{name}", {}))
    finally:
        world.stub.reasons = False


def test_reasoning_that_deepseek_wants_back_goes_as_it_came(world):
    world.stub.reasons = True
    try:
        without = world.heard(sdk, world.direct(), "stub", {})
        bodies = world.heard(sdk, world.doors[0], "to-deepseek", {})
        for ours, theirs in zip(bodies, without, strict=True):
            assert json.loads(ours)["messages"][-1] == (
                json.loads(theirs)["messages"][-1])
            assert not differences(theirs, ours)
    finally:
        world.stub.reasons = False


def test_of_other_vendors_likewise():
    world = World(("vllm", "zhipu", "siliconflow", "openrouter", "groq", "xai",
                   "ollama", "volcengine", "minimax", "together",
                   "fireworks"), 1)
    try:
        for play in (langchain, sdk):
            without = world.heard(play, world.direct(), "stub", {})
            for name in world.profiles:
                bodies = world.heard(play, world.doors[0], f"to-{name}", {})
                for ours, theirs in zip(bodies, without, strict=True):
                    assert not differences(theirs, ours), name
                assert_grows(bodies)
    finally:
        world.close()


# -- bytes that no library writes --------------------------------------------
RAW_TOOLS = r"""[
 { "function" : {"parameters":{"required":["z","a"],"properties":{
   "z":{"maximum":1.0,"type":"number","enum":[1.0,1e2,1E+2,-0.0,1.50,0.1e-7,
   12345678901234567890]},"a":{"anyOf":[{"$ref":"#/$defs/Q"},{"type":"null"}],
   "default":null}},"$defs":{"Q":{"type":"object","properties":{"\u00e9\/":
   {"description":"\u4ef7 价 \ud83d\ude00 😀 \u0000\u001f\/ / \"","type":
   "array","items":{"type":"array","items":{"const":{"b":[],"a":{ }}}}}}}},
   "type":"object"},"name":"get_price","description":"Last\tprice"
   },"type":"function"},
	{"type":"function","function":{"name":"a_first","parameters":{}}},
 {"type":"function","function":{"description":"","name":"none"}}]"""
RAW_MESSAGES = [
    r'{ "content":"Be \u00e9xact – 价 \u2028 \/ / 😀 \ud83d\ude00.",'
    '\r\n"role" :\t"system"}',
    r'{"role":"user","content":"  NVDA\u003f \ud83d  ","name":"u_1"}',
    r'{"tool_calls":[ {"function":{"arguments":"{ \"z\": 1.0,\"a\":'
    r'1e2,  \"n\":12345678901234567890,\"e\":\"\\u00e9\\/\"}\n","name":'
    r'"get_price"},"type":"function","id":"call_\u0031"}],"role":"assistant"}',
    r'{"content":"{\"p\":1.50, \"q\":[1e2]}","tool_call_id":"call_1",'
    r'"role":"tool"}',
    '{"role":"assistant","content":"Let me \\u006cook.","tool_calls":['
    '{"id":"b","type":"function","function":{"name":"none","arguments":""}},'
    '{"id":"a","type":"function","function":{"name":"a_first",'
    '"arguments":"not json"}}]}',
    '{"role":"tool","tool_call_id":"a","content":"2"}',
    '{"role":"tool","tool_call_id":"b","content":""}',
    '{"role":"assistant","content":"Sell\\r\\n","refusal":null}',
    '{"role":"user","content":"And\\tnow?"}',
    '{"role":"assistant","content":"","x":1}',
    '{"role":"user","content":"一"}',
]
ENDS = (2, 4, 7, 9, 11)


def spelled(model, count, more="", gap="\n , "):
    """One request as nobody would write it."""
    return (f' {{"temperature" : 0.50,"tools": {RAW_TOOLS}, "model":'
            f'"{model}" ,{more} "messages" :\t[ '
            f'{gap.join(RAW_MESSAGES[:count])} ] }}\n').encode()


def post(base_url, key, body):
    reply = harness.call(base_url + "/chat/completions", body,
                         {"Authorization": f"Bearer {key}"})
    assert reply.status == 200, reply.text


def post_all(base_url, key, model, more):
    for count in ENDS:
        post(base_url, key, spelled(model, count, more))


@pytest.mark.parametrize("name", PROFILES)
def test_odd_spelling_arrives_as_it_was(world, name):
    """Only the white space between elements goes, the same in each turn."""
    quiet = json.dumps(QUIET[name])[1:-1]
    more = [quiet + "," if quiet else "", '"stream":true,' +
            (quiet + "," if quiet else "")]
    seen = [world.heard(post_all, door, f"to-{name}", m)
            for door in world.doors for m in more]
    for bodies in seen:
        for count, raw in zip(ENDS, bodies, strict=True):
            assert Cut(raw).tools == elements(RAW_TOOLS)
            assert Cut(raw).messages == RAW_MESSAGES[:count]
            assert not differences(spelled("stub", count), raw)
        assert_grows(bodies)
    # Streamed or whole, whoever calls: the same up to the end of the tools.
    for bodies, first in itertools.product(seen, seen[:1]):
        for one, other in zip(bodies, first, strict=True):
            tools = members(one)["tools"].encode()
            until = one.index(tools) + len(tools)
            assert one[:until] == other[:until]
    assert all(bodies == seen[0] for bodies in seen[::2])


def post_turn(base_url, key, model, turn):
    post(base_url, key, (
        f'{{"model":"{model}","messages":[{{"role":"user","content":"a"}},'
        f'{turn},{{"role":"user","content":"b"}}]}}').encode())


@pytest.mark.parametrize("name", ("openai", "qwen"))
def test_reasoning_that_is_not_taken_leaves_the_rest_as_it_was(world, name):
    said = '{\n "role": "assistant",\n "content": "x\\u00e9"'
    turn = said + ',\n "reasoning_content": "r"\n}'
    [raw] = world.heard(post_turn, world.doors[0], f"to-{name}", turn)
    assert Cut(raw).messages[1] == said + "\n}"


def test_the_comparison_sees_every_change():
    """What a gateway that writes requests anew would do."""
    raw = spelled("stub", 11)
    assert not differences(raw, raw)
    planted = [
        json.dumps(json.loads(raw)).encode(),
        json.dumps(json.loads(raw), ensure_ascii=True,
                   sort_keys=True).encode()]
    for old, new in (
            (b"1.0,1e2", b"1.0,100.0"), (b"\\u00e9x", "éx".encode()),
            (b"\\u4ef7 ", "价 ".encode()), (b"\\/", b"/"), (b"1.50", b"1.5"),
            (b"12345678901234567890", b"1.2345678901234567e19"),
            (b'"name":"none"}}', b'"name":"none" }}'), (b"-0.0", b"0.0"),
            (b'"role" :\t"system"', b'"role":"system"'),
            (b"call_\\u0031", b"call_1"), (b',"x":1', b""),
            (b'"refusal":null', b'"refusal": null')):
        assert old in raw, old
        planted.append(raw.replace(old, new, 1))
    first, second = (m.encode() for m in RAW_MESSAGES[5:7])
    planted.append(raw.replace(first, b"@").replace(second, first).replace(
        b"@", second))
    for body in planted:
        assert body != raw and differences(raw, body)
        assert Cut(body).hashes()[-1] != Cut(raw).hashes()[-1]
    shorter, longer = (
        (f'{{"model":"m","messages":[{",".join(RAW_MESSAGES[:count])}],'
         f'"tools":{RAW_TOOLS}}}').encode() for count in (9, 11))
    assert_grows([shorter, longer])
    for broken in (json.dumps(json.loads(longer)).encode(), shorter,
                   longer.replace(b'"m"', b'"m" '),
                   longer.replace(b"NVDA", b"nvda"),
                   longer.replace(b'},{"role":"user"', b'}, {"role":"user"'),
                   longer.replace(b"1.50", b"1.5")):
        assert broken != longer
        with pytest.raises(AssertionError):
            assert_grows([shorter, broken])


# -- a whole analysis --------------------------------------------------------
def analysis(rows):
    """The calls of one run in their sizes: (messages, whether with tools)."""
    history = {}
    for row in rows:
        agent, kind = row["agent"], row["kind"]
        text = "报告 “1.50”。\n" * (int(row["input_tokens"]) // 6)
        messages = history.get(agent, [
            {"role": "system", "content": f"你是{agent}。"},
            {"role": "user", "content": ASK if kind == "tool_call" else text}])
        if agent in history:
            messages = [*messages, {
                "role": "assistant", "content": "", "tool_calls": [{
                    "type": "function", "id": "call_1", "function": {
                        "name": "get_news", "arguments": '{"symbol": "价"}'}}],
            }, {"content": text, "role": "tool", "tool_call_id": "call_1"}]
        if kind == "tool_call":
            history[agent] = messages
        yield messages, kind == "tool_call" or (
            agent in history and "no tools" not in kind)


@pytest.mark.parametrize("name", PROFILES)
def test_a_whole_analysis_is_the_same_with_and_without_us(world, name):
    path = harness.SHARED / "workload" / "tradingagents_cn_depth3.csv"
    if not path.exists():
        pytest.skip("no workload beside the project")
    with open(path, encoding="utf-8") as lines:
        calls = list(analysis(csv.DictReader(lines)))

    def play(base_url, key, model):
        client = ChatOpenAI(model=model, base_url=base_url, api_key=key,
                            max_retries=0, timeout=30, extra_body=QUIET[name])
        for messages, with_tools in calls:
            (client.bind_tools(TOOLS) if with_tools else client).invoke(
                messages)

    without = world.heard(play, world.direct(), "stub")
    bodies = world.heard(play, world.doors[0], f"to-{name}")
    assert len(bodies) == len(calls) > 15
    for ours, theirs in zip(bodies, without, strict=True):
        assert not differences(theirs, ours)
    report(f"prefixes: {name}: {len(bodies)} calls of an analysis, "
           f"{sum(map(len, bodies)) >> 10} KiB, hash as without us")
