"""Every field of OpenAI's chat request, to every strict provider: it arrives
(the body the provider gets is another), is ours, or is named in
`x-llm-dropped`; where it is named, a strict caller is refused [TRN-6].
"""

import json

import pytest

import harness
from harness import report
from strict_providers import MODELS, Twins

SCHEMA = {"type": "object", "properties": {"zqx": {"type": "string"}},
          "required": ["zqx"], "additionalProperties": False}
TOOL = {"type": "function", "function": {
    "name": "get_zqx", "description": "d", "parameters": SCHEMA}}
TOOLS = {"tools": [TOOL]}
THINK_OFF = {"reasoning_effort": "none"}
# Field: value, and what else it needs.
FIELDS = {
    "audio": ({"voice": "alloy", "format": "wav"},
              {"modalities": ["text", "audio"]}),
    "frequency_penalty": (0.37, THINK_OFF),
    "function_call": ("auto", {"functions": [TOOL["function"]]}),
    "functions": ([TOOL["function"]], {}),
    "logit_bias": ({"4711": 7}, THINK_OFF),
    "logprobs": (True, THINK_OFF),
    "max_completion_tokens": (1777, {}),
    "max_tokens": (1777, {}),
    "metadata": ({"zqx": "1"}, {"store": True}),
    "modalities": (["text"], {}),
    "moderation": ({"model": "zqx"}, {}),
    "n": (2, {}),
    "parallel_tool_calls": (False, TOOLS),
    "prediction": ({"type": "content", "content": "zqx"}, {}),
    "presence_penalty": (0.37, THINK_OFF),
    "prompt_cache_key": ("zqx", {}),
    "prompt_cache_options": ({"mode": "explicit", "ttl": "30m"}, {}),
    "prompt_cache_retention": ("24h", {}),
    "reasoning_effort": ("high", {}),
    "response_format": ({"type": "json_schema", "json_schema": {
        "name": "zqx", "schema": SCHEMA, "strict": True}}, {}),
    "safety_identifier": ("zqx", {}),
    "seed": (4711, {}),
    "service_tier": ("flex", {}),
    "stop": (["zqx"], {}),
    "store": (True, {}),
    "temperature": (0.37, THINK_OFF),
    "tool_choice": ("none", TOOLS),
    "tools": ([TOOL], {}),
    "top_logprobs": (3, {"logprobs": True, **THINK_OFF}),
    "top_p": (0.96, THINK_OFF),
    "user": ("zqx", {}),
    "verbosity": ("low", {}),
    "web_search_options": ({"search_context_size": "low"}, {}),
    # Other vendors' own.
    "top_k": (7, {}),
    "enable_thinking": (False, {}),
}
# Recorded here whether or not it is sent on.
OURS = {"user", "metadata"}
# Says what happens anyway.
IDLE = {"modalities"}


@pytest.fixture(scope="module")
def world():
    made = Twins()
    running = harness.Service(made.config(
        extra="routing: {max_attempts: 1}\n"),
        {"TWIN_KEY": "twin-key-0123456789"})
    running.twins = made
    yield running
    running.stop()
    made.close()


def send(world, model, fields, **headers):
    """(reply, the body the provider got or None)."""
    world.twins.forget_requests()
    reply = world.chat(model, "Answer in JSON.", headers=headers, **fields)
    twin = world.twins.of(model)
    assert not twin.refused, twin.refused
    assert not twin.ignored, twin.ignored
    if not twin.served:
        return reply, None
    seen = twin.served[-1]
    return reply, (seen.path, seen.body)


def dropped(reply):
    return {name.strip() for name in reply.headers.get(
        "x-llm-dropped", "").split(",") if name.strip()}


def names(found, field):
    return any(name == field or name.startswith(field + ".")
               for name in found)


def fate(world, model, field):
    """What became of one field: arrived, dropped, refused, ours, or lost."""
    value, needs = FIELDS[field]
    before, bare = send(world, model, needs)
    reply, body = send(world, model, {**needs, field: value})
    if reply.status != 200:
        error = reply.json()["error"]
        assert reply.status == 400, reply.text
        assert error["llm_service"]["source"] != "provider", reply.text
        assert names({error["param"]}, field) or before.status == 400
        return "refused"
    assert before.status == 200, before.text
    found = dropped(reply) - dropped(before)
    strict, _ = send(world, model, {**needs, field: value},
                     **{"x-llm-strict": "true"})
    if names(dropped(reply), field):
        assert strict.status == 400, (field, strict.text)
        assert names(found, field) or names(dropped(before), field)
        return "bent" if body != bare else "dropped"
    if not dropped(reply):
        assert strict.status == 200, (field, strict.text)
    if body != bare:
        return "arrived"
    return "ours" if field in OURS | IDLE else "lost"


@pytest.mark.parametrize("model", MODELS)
def test_every_field_arrives_or_is_named(world, model):
    fates, faults = {}, []
    for field in FIELDS:
        try:
            fates.setdefault(fate(world, model, field), []).append(field)
        except AssertionError as error:
            faults.append(f"{field}: {error}"[:600])
    for name, fields in sorted(fates.items()):
        print(f"{model}: {name}: {', '.join(fields)}")
    report(f"fields: {model}: " + ", ".join(
        f"{len(fields)} {name}" for name, fields in sorted(fates.items())))
    assert not faults, "\n".join(faults)
    assert "lost" not in fates, fates["lost"]


@pytest.mark.parametrize("model", MODELS)
def test_a_field_that_nobody_knows_stays_within_its_dialect(world, model):
    world.twins.forget_requests()
    reply = world.chat(model, zqx_unknown="zqx")
    twin = world.twins.of(model)
    if model == "openai":  # which judges for itself
        assert reply.status == 400 and "zqx_unknown" in reply.text
    elif model == "deepseek":
        assert twin.ignored == ["zqx_unknown"]
    else:
        assert reply.status == 200 and not twin.refused
        assert names(dropped(reply), "zqx_unknown")
        assert world.chat(model, zqx_unknown="zqx", headers={
            "x-llm-strict": "true"}).status == 400


@pytest.mark.parametrize("model", MODELS)
def test_json_numbers_and_unicode_arrive_as_they_were(world, model):
    text = "价格 1.50 – \U0001f600 \\u0000 \"quoted\""
    _, (_, body) = send(world, model, {"messages": [
        {"role": "system", "content": "Sys " + text},
        {"role": "user", "content": text}]})
    whole = json.dumps(body, ensure_ascii=False)
    assert json.dumps(text, ensure_ascii=False)[1:-1] in whole
