"""The twins of Anthropic and Gemini themselves: what the providers' pages call
wrong is refused in their words, and the vendors' own clients get through a
whole tool loop.
"""

import anthropic
import pytest
from google import genai
from google.genai import types

from harness import call
from test_strict_twins import (  # noqa: F401  (two fixtures)
    CALLS,
    NAMES,
    PARAMETERS,
    all_twins,
    expected_report,
    twin,
    use,
)
from twin_gemini_rules import DUMMY

# -- Anthropic ---------------------------------------------------------------
CLAUDE_TOOLS = [{"name": name, "input_schema": PARAMETERS} for name in NAMES]
ENABLED = {"type": "enabled", "budget_tokens": 1024}


def claude_loop(base_url, keep=lambda blocks: blocks, **more):
    client = anthropic.Anthropic(base_url=base_url, api_key="k",
                                 max_retries=0)
    messages, calls = [{"role": "user", "content": "NVDA?"}], []
    for _ in range(9):
        with client.messages.stream(
                max_tokens=4000, messages=messages, tools=CLAUDE_TOOLS,
                **more) as stream:
            message = stream.get_final_message()
        uses = [b for b in message.content if b.type == "tool_use"]
        if not uses:
            return "".join(b.text for b in message.content
                           if b.type == "text"), calls
        calls.append(len(uses))
        blocks = [b.model_dump(exclude_none=True, include=set(
            ("type", "text", "thinking", "signature", "data", "id", "name",
             "input"))) for b in message.content]
        messages += [{"role": "assistant", "content": keep(blocks)}, {
            "role": "user", "content": [
                {"type": "tool_result", "tool_use_id": b.id,
                 "content": use(b.name, b.input)} for b in uses]}]
    raise AssertionError("no end")


@pytest.mark.parametrize("more", [
    {"model": "claude-sonnet-5", "thinking": {"type": "adaptive"}},
    {"model": "claude-haiku-4-5", "thinking": ENABLED},
    {"model": "claude-haiku-4-5", "thinking": ENABLED, "extra_headers": {
        "anthropic-beta": "interleaved-thinking-2025-05-14"}},
])
def test_anthropics_client_gets_through(twin, more):
    text, calls = claude_loop(twin.an.base_url, **more)
    assert (text, calls) == (expected_report(), CALLS)
    twin.assert_content()


def test_anthropic_wants_its_thinking_back_unchanged(twin):
    def drop(blocks):
        return [b for b in blocks if "thinking" not in b["type"]]

    def change(blocks):
        return [{**b, "thinking": "x"} if b["type"] == "thinking" else b
                for b in blocks]

    more = {"model": "claude-haiku-4-5", "thinking": ENABLED}
    with pytest.raises(anthropic.BadRequestError,
                       match="but found `text`. When `thinking` is enabled"):
        claude_loop(twin.an.base_url, drop, **more)
    with pytest.raises(anthropic.BadRequestError, match="cannot be modified"):
        claude_loop(twin.an.base_url, change, **more)
    # Adaptive thinking does without; the twin remembers that it was lost.
    twin.forget_requests()
    claude_loop(twin.an.base_url, drop, model="claude-sonnet-5",
                thinking={"type": "adaptive"})
    assert len(twin.an.lost) == 6 + 2 and not twin.an.refused


USE = {"type": "tool_use", "id": "t1", "name": "get_price", "input": {}}
DONE = {"type": "tool_result", "tool_use_id": "t1", "content": "1"}
SIGNED = {"type": "thinking", "thinking": "x", "signature": "bm90aGluZw=="}


def user(*blocks):
    return {"role": "user", "content": list(blocks) or "hi"}


def bot(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def text(words, **more):
    return {"type": "text", "text": words, **more}


CACHED = text("x", cache_control={"type": "ephemeral"})


def schema_format(**more):
    return {"output_config": {"format": {"type": "json_schema", "schema": {
        "type": "object", "properties": {"a": {"type": "string", **more}},
        "additionalProperties": False}}}}


@pytest.mark.parametrize(("body", "words"), [
    ({"seed": 1}, "seed: Extra inputs are not permitted"),
    ({"max_tokens": None}, "max_tokens: Field required"),
    ({"messages": [user(text("x", name="n"))]},
     "messages.0.content.0.text.name: Extra inputs are not permitted"),
    ({"messages": [{"role": "system", "content": "x"}]},
     "messages.0.role: Input should be 'user' or 'assistant'"),
    ({"messages": [bot(text("x")), user()]}, 'must use the \\"user\\" role'),
    ({"messages": [user(text(""))]}, "text content blocks must be non-empty"),
    ({"messages": [user(text(" "))]}, "must contain non-whitespace text"),
    ({"messages": [user(), bot(), user()]}, "must have non-empty content"),
    ({"messages": [user(), bot(USE), user()]},
     "`tool_use` ids were found without `tool_result` blocks immediately "
     "after: t1"),
    ({"messages": [user(), bot(USE), user(text("x"), DONE)]},
     "`tool_use` ids were found without"),
    ({"messages": [user(), bot(text("x")), user(DONE)]},
     "unexpected `tool_use_id` found"),
    ({"messages": [user(), bot({**USE, "id": "a.b"}), user(DONE)]},
     "String should match pattern '^[a-zA-Z0-9_-]+$'"),
    ({"messages": [user(), bot(USE), user(DONE), bot(USE), user(DONE)]},
     "`tool_use` ids must be unique"),
    ({"messages": [user(), bot(USE), user(DONE)], "tools": None},
     "must define tools"),
    ({"messages": [user(), bot({**USE, "input": "{}"}), user(DONE)]},
     "messages.1.content.0.tool_use.input"),
    ({"messages": [user(), bot(SIGNED, text("x")), user()]},
     "Invalid `signature` in `thinking` block"),
    ({"messages": [user(CACHED, CACHED, CACHED, CACHED, CACHED)]},
     "A maximum of 4 blocks with cache_control may be provided. Found 5."),
    ({"thinking": {**ENABLED, "budget_tokens": 1000}},
     "greater than or equal to 1024"),
    ({"thinking": ENABLED, "max_tokens": 1024}, "must be greater than"),
    ({"thinking": ENABLED, "temperature": 0.5},
     "`temperature` may only be set to 1"),
    ({"thinking": ENABLED, "tool_choice": {"type": "any"}},
     "Thinking may not be enabled when tool_choice forces tool use."),
    ({"thinking": ENABLED, "messages": [user(), bot(USE), user(DONE)]},
     "Expected `thinking` or `redacted_thinking`, but found `tool_use`"),
    ({"thinking": {"type": "adaptive"}}, "adaptive thinking is not supported"),
    ({"model": "claude-sonnet-5", "thinking": ENABLED},
     "is not supported for this model"),
    ({"model": "claude-sonnet-5", "temperature": 1}, "is deprecated"),
    ({"model": "claude-sonnet-5", "messages": [user(), bot(text("x"))]},
     "does not support assistant message prefill"),
    ({"temperature": 1, "top_p": 1}, "cannot both be specified"),
    ({"max_tokens": 64001}, "64001 > 64000"),
    ({"output_config": {"effort": "low"}}, "does not support the effort"),
    (schema_format(minLength=1), "property 'minLength' is not supported"),
    (schema_format(format="regex"), "String format 'regex'"),
    ({"tool_choice": {"type": "tool", "name": "other"}},
     "Tool 'other' not found"),
    ({"stop_sequences": ["\n"]}, "must contain non-whitespace"),
])
def test_anthropic_refuses(twin, body, words):
    whole = {"model": "claude-haiku-4-5", "max_tokens": 2000,
             "messages": [user()], "tools": CLAUDE_TOOLS, **body}
    reply = call(twin.an.base_url + "/v1/messages",
                 {k: v for k, v in whole.items() if v is not None},
                 {"x-api-key": "k", "anthropic-version": "2023-06-01"})
    assert reply.status == 400, reply.text
    assert words in reply.text


@pytest.mark.parametrize("headers", [
    {"anthropic-version": "2023-06-01"}, {"x-api-key": "k"},
    {"x-api-key": "k", "anthropic-version": "2020-01-01"}])
def test_anthropic_wants_its_headers(twin, headers):
    assert call(twin.an.base_url + "/v1/messages", {
        "model": "claude-haiku-4-5", "max_tokens": 1, "messages": [user()],
    }, headers).status in (400, 401)


# -- Gemini -------------------------------------------------------------------
DECLARED = [{"functionDeclarations": [
    {"name": name, "parametersJsonSchema": PARAMETERS} for name in NAMES]}]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("model", "thinking"), [
    ("gemini-3-flash-preview", {"thinking_level": "low"}),
    ("gemini-2.5-flash", {"thinking_budget": 1024})])
def test_googles_client_gets_through(twin, model, thinking, streamed):
    client = genai.Client(api_key="k", http_options=types.HttpOptions(
        base_url=twin.ge.root, api_version="v1beta"))
    settings = types.GenerateContentConfig(
        tools=[types.Tool(**tool) for tool in DECLARED],
        thinking_config={**thinking, "include_thoughts": True},
        automatic_function_calling={"disable": True})
    contents, calls, said = [types.UserContent("NVDA?")], [], ""
    for _ in range(9):
        parts, asked = [], {"model": model, "contents": contents,
                            "config": settings}
        for piece in (client.models.generate_content_stream(**asked)
                      if streamed else
                      [client.models.generate_content(**asked)]):
            parts += piece.candidates[0].content.parts
        # As Google's page has it: parts go back as they came, thoughts too.
        contents.append(types.ModelContent(parts))
        uses = [p.function_call for p in parts if p.function_call]
        said = "".join(p.text or "" for p in parts if not p.thought)
        if not uses:
            break
        calls.append(len(uses))
        contents.append(types.UserContent([types.Part(
            function_response=types.FunctionResponse(
                id=u.id, name=u.name, response={"output": use(
                    u.name, u.args)})) for u in uses]))
    assert (said, calls) == (expected_report(), CALLS)
    twin.assert_content()


def turn(*parts, role="user"):
    return {"role": role, "parts": list(parts) or [{"text": "hi"}]}


def asked_for(signature=None, **more):
    part = {"functionCall": {"name": "get_price", "args": {}, **more}}
    return part | ({"thoughtSignature": signature} if signature else {})


def told(**more):
    return {"functionResponse": {"name": "get_price",
                                 "response": {"output": "1"}, **more}}


def declared(**fields):
    return {"tools": [{"functionDeclarations": [
        {"name": "f", **fields}]}]}


def settings(**fields):
    return {"generationConfig": fields}


MODEL = {"role": "model"}


@pytest.mark.parametrize(("body", "words"), [
    ({"seed": 1}, 'Unknown name \\"seed\\": Cannot find field.'),
    (settings(maxTokens=1),
     "Unknown name \\\"maxTokens\\\" at 'generationConfig': Cannot find"),
    ({"contents": [turn({"text": "x", "name": "n"})]},
     "Unknown name \\\"name\\\" at 'contents[0].parts[0]'"),
    ({"contents": [turn(), turn({**asked_for(DUMMY), "extra_content": {}},
                                **MODEL), turn(told())]},
     "Unknown name \\\"extra_content\\\" at 'contents[1].parts[0]'"),
    (settings(audioTimestamp=True), "Unknown name"),
    ({"labels": {}}, "Unknown name"),
    ({"contents": [turn({"text": ""})]}, "required oneof field 'data'"),
    ({"contents": [turn(), {"role": "model", "parts": []}, turn()]},
     "must not be empty"),
    ({"contents": [turn(), turn(asked_for(), **MODEL), turn(told())]},
     "Function call is missing a thought_signature in functionCall parts."),
    ({"contents": [turn(), turn(asked_for("bm9uZQ=="), **MODEL),
                   turn(told())]}, "Thought signature is not valid"),
    ({"contents": [turn(), turn(asked_for(DUMMY), asked_for(), **MODEL),
                   turn(told())]},
     "number of function response parts is equal to the number"),
    ({"contents": [turn(), turn(asked_for(DUMMY), **MODEL), turn()]},
     "number of function response parts is equal to the number"),
    ({"contents": [turn(told())]}, "immediately after a function call turn"),
    ({"contents": [turn(), turn({"text": "x"}, **MODEL),
                   turn(asked_for(DUMMY), **MODEL), turn(told())]},
     "immediately after a user turn or after a function response turn"),
    ({"contents": [turn(), turn(asked_for(DUMMY, id="a"), **MODEL),
                   turn(told(id="b"))]}, "No function response"),
    (declared(parameters={"type": "object", "properties": {
        "a": {"const": 1}}}), 'Unknown name \\"const\\"'),
    (declared(parameters={"type": "object", "properties": {
        "a": {"type": ["string", "null"]}}}), "Invalid value at"),
    (declared(parametersJsonSchema={"type": "object", "not": {}}),
     'Unknown name \\"not\\"'),
    (declared(parameters={"type": "object"},
              parametersJsonSchema={"type": "object"}), "only one of"),
    (declared(parameters={"type": "object", "required": ["a"]}),
     "property is not defined: a"),
    (settings(thinkingConfig={"thinkingBudget": 1, "thinkingLevel": "low"}),
     "only one of thinking budget and thinking level"),
    ({"model": "gemini-2.5-flash",
      **settings(thinkingConfig={"thinkingLevel": "low"})},
     "Thinking level is not supported"),
    ({"model": "gemini-2.5-pro",
      **settings(thinkingConfig={"thinkingBudget": 0})}, "is invalid"),
    ({"model": "gemini-2.0-flash",
      **settings(thinkingConfig={"includeThoughts": True})},
     "thinking is not supported"),
    (settings(responseJsonSchema={"type": "object"}), "requires"),
    (settings(stopSequences=list("abcdef")), "at most 5"),
    ({"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
     "without function_declarations"),
])
def test_gemini_refuses(twin, body, words):
    whole = {"contents": [turn()], **body}
    model = whole.pop("model", "gemini-3-flash-preview")
    reply = call(f"{twin.ge.base_url}/models/{model}:generateContent", whole,
                 {"x-goog-api-key": "k"})
    assert reply.status == 400, reply.text
    assert words in reply.text


HISTORY = {"contents": [turn(), turn(asked_for(), **MODEL), turn(told())]}
JSON_ANSWER = settings(responseMimeType="application/json",
                       responseJsonSchema={"type": "object"})


@pytest.mark.parametrize(("tools", "status"), [
    ({}, 200), ({"tools": [{"functionDeclarations": [
        {"name": "get_price"}]}]}, 400)])
def test_gemini_takes_a_history_of_calls_and_json_without_declarations(
        twin, tools, status):
    reply = call(f"{twin.ge.base_url}/models/gemini-2.5-flash:"
                 "generateContent", {**HISTORY, **JSON_ANSWER, **tools},
                 {"x-goog-api-key": "k"})
    assert reply.status == status, reply.text
    assert status == 200 or "response mime type" in reply.text


def test_gemini_takes_the_documented_stand_in_and_only_its_own(twin):
    def ask(model, signature):
        return call(f"{twin.ge.base_url}/models/{model}:generateContent", {
            "contents": [turn(), turn(asked_for(signature), **MODEL),
                         turn(told())]}, {"x-goog-api-key": "k"})

    assert ask("gemini-3-flash-preview", DUMMY).status == 200
    assert ask("gemini-2.5-flash", None).status == 200
    first = call(f"{twin.ge.base_url}/models/gemini-3-flash-preview:"
                 "generateContent", {"contents": [turn()], "tools": DECLARED},
                 {"x-goog-api-key": "k"}).json()
    parts = first["candidates"][0]["content"]["parts"]
    result = told(id=parts[-1]["functionCall"]["id"])
    for model, status in (("gemini-3-flash-preview", 200),
                          ("gemini-3-pro-preview", 400)):
        assert call(f"{twin.ge.base_url}/models/{model}:generateContent", {
            "contents": [turn(), turn(*parts, role="model"), turn(result)],
        }, {"x-goog-api-key": "k"}).status == status
