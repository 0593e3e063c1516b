"""What a model said goes back to it on the next turn: reasoning, its proofs, calls,
over gRPC and HTTP."""

from __future__ import annotations

import json

import pytest
from langchain_core.messages import (
    AIMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    message_chunk_to_message,
)

from langchain_lab import (  # noqa: F401
    asked,
    call_delta,
    delta,
    make,
    make_other,
    other,
    running,
    script,
    sse,
    transport,
    weather,
)
from llm_service.langchain.answers import ChunkReader
from llm_service.langchain.requests import to_dicts


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


def added_up(*deltas):
    reader = ChunkReader()
    made = [reader.read({"choices": [{"delta": one}]}) for one in deltas]
    chunks = [one.message for one in made if one is not None]
    return message_chunk_to_message(sum(chunks[1:], chunks[0]))


def test_details_of_two_types_at_one_index_stay_apart():
    """OpenRouter counts summaries and encrypted thoughts from nought each."""
    same = {"index": 0, "format": "f1", "strength": 3, "whole": True}
    details = [
        {"type": "reasoning.summary", "summary": "Let me ", **same},
        {"type": "reasoning.summary", "summary": "see", **same},
        {"type": "reasoning.encrypted", "data": "ZA==", "id": "r1", **same},
    ]
    message = added_up(*[{"reasoning_details": [one]} for one in details])
    (sent,) = to_dicts([message])
    assert sent["reasoning_details"] == [
        {**details[0], "summary": "Let me see"},
        details[2],
    ]


def test_what_each_chunk_repeats_is_said_once():
    audio = {"id": "a1", "expires_at": 7}
    message = added_up(
        {"provider_state": "v1", "audio": {**audio, "transcript": "Hel"}},
        {"provider_state": "v1", "audio": {**audio, "transcript": "lo"}},
    )
    (sent,) = to_dicts([message])
    assert sent["provider_state"] == "v1"
    assert sent["audio"] == {**audio, "transcript": "Hello"}
    reader = ChunkReader()
    twice = [{"choices": [{"delta": {}, "finish_reason": "stop"}]}] * 2
    first, second = (reader.read(chunk) for chunk in twice)
    assert first.generation_info == {"finish_reason": "stop"} and second is None


def test_answers_of_other_models_make_a_history_that_can_be_sent():
    (sent,) = to_dicts(
        [
            AIMessage(
                [
                    {"type": "text", "text": "Hi", "annotations": []},
                    {"type": "refusal", "refusal": "Not that."},
                    {"type": "web_search_call", "id": "ws_1", "status": "completed"},
                    {"type": "image_generation_call", "result": "iVBORw0KGgo="},
                    {"executable_code": {"code": "1 + 1"}},
                    " there",
                ]
            )
        ]
    )
    assert sent == {"role": "assistant", "content": "Hi there", "refusal": "Not that."}


@pytest.mark.parametrize(
    "block",
    [
        {"type": "reasoning", "reasoning": "Hm."},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
        {"type": "thinking", "thinking": "Hm."},
        {"type": "reasoning_content", "reasoning_content": {"text": "Hm."}},
    ],
)
def test_unsigned_thoughts_of_other_models_are_reasoning(block):
    (sent,) = to_dicts([AIMessage([block, {"type": "text", "text": "Hi"}])])
    assert (sent["content"], sent["reasoning_content"]) == ("Hi", "Hm.")
    assert "reasoning_details" not in sent


def test_bedrocks_signed_thoughts_keep_their_proofs():
    signed = {"text": "Hm.", "signature": "c2ln"}
    block = {"type": "reasoning_content", "reasoning_content": signed}
    (sent,) = to_dicts([AIMessage([block])])
    (proof,) = sent["reasoning_details"]
    assert (proof["text"], proof["signature"]) == ("Hm.", "c2ln")


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
