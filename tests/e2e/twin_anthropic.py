"""Strict twin of Anthropic's Messages API (2026-08-22)."""

from __future__ import annotations

import base64
import json
import secrets

import twin_anthropic_rules as rules
from twin_anthropic_rules import refuse
from twin_server import NAMES, Say, Turn, Twin, cut, event, mint

OPAQUE = ("thinking", "redacted_thinking")


def result_text(block) -> str:
    content = block.get("content", "")
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content


def asks(blocks) -> bool:
    return any(block["type"] != "tool_result" for block in blocks)


class AnthropicTwin(Twin):
    base = ""

    def __init__(self):
        super().__init__()
        self.signed = {}   # signature or redacted data to its block
        self.by_call = {}  # tool_use id to the opaque blocks before it

    def overloaded(self):
        return refuse("Overloaded", 529, "overloaded_error")

    # -- judging -----------------------------------------------------------
    def check(self, seen):
        self.check_headers(seen)
        body = seen.body
        rules.check_shape(body)
        turns = rules.merged(body["messages"])
        model = rules.Model(body["model"])
        rules.check_texts(turns)
        rules.check_system(body)
        rules.check_settings(body, model)
        rules.check_thinking(body, model)
        rules.check_tool_order(turns)
        rules.check_tools(body, turns)
        rules.check_cache(body, turns)
        kind = (body.get("thinking") or {}).get("type")
        thinking = kind in ("enabled", "adaptive") or (
            kind is None and model.thinks_by_default)
        rules.check_end(turns, model, thinking)
        self.check_signatures(turns)
        self.check_running_turn(turns, kind)
        turn = Turn()
        for role, blocks, _ in turns:
            if role == "user":
                if asks(blocks):
                    turn.ask()
                turn.results += [result_text(b) for b in blocks
                                 if b["type"] == "tool_result"]
            else:
                turn.rounds += any(b["type"] == "tool_use" for b in blocks)
        may_call = bool(body.get("tools")) and (
            body.get("tool_choice") or {}).get("type") != "none"
        shape = ((body.get("output_config") or {}).get("format")
                 or {}).get("schema")
        if shape is None and "JSON" in json.dumps(body.get("system")):
            shape = {}  # told in words, as there is no JSON mode
        return Say(turn, may_call, forced(body), shape), thinking

    def check_headers(self, seen):
        if seen.path != "/v1/messages":
            raise refuse("Not Found", 404, "not_found_error")
        if not seen.headers.get("x-api-key"):
            raise refuse("x-api-key header is required", 401,
                         "authentication_error")
        if "anthropic-version" not in seen.headers:
            raise refuse("anthropic-version: header is required")
        if seen.headers["anthropic-version"] != "2023-06-01":
            raise refuse(f'anthropic-version: "'
                         f'{seen.headers["anthropic-version"]}" is not a '
                         "valid version")

    def check_signatures(self, turns):
        for role, blocks, index in turns:
            for place, block in enumerate(blocks):
                if block["type"] not in OPAQUE:
                    continue
                where = f"messages.{index}.content.{place}"
                if role != "assistant":
                    raise refuse(f"{where}: `thinking` blocks may only be in "
                                 "`assistant` messages")
                key = block.get("signature", block.get("data"))
                if key not in self.signed:
                    raise refuse(f"{where}: Invalid `"
                                 f"{'signature' if 'signature' in block else 'data'}"
                                 f"` in `{block['type']}` block")
                if block != self.signed[key]:
                    raise refuse(
                        f"{where}: `thinking` or `redacted_thinking` blocks "
                        "in the latest assistant message cannot be modified. "
                        "These blocks must remain as they were in the "
                        "original response.")

    def check_running_turn(self, turns, kind):
        """Of the assistant's messages since the last question."""
        running = []
        for role, blocks, index in turns:
            if role == "assistant":
                running.append((blocks, index))
            elif asks(blocks):
                running = []
        if kind == "disabled":
            return
        if kind == "enabled" and running:
            self.must_begin_thinking(running[0])
        for blocks, index in running:
            for block in blocks:
                wanted = self.by_call.get(block.get("id"), [])
                got = [b for b in blocks if b["type"] in OPAQUE]
                if wanted and got != wanted:
                    self.lost.append((block["id"], wanted, got))
                    if kind == "enabled":
                        self.must_begin_thinking((blocks, index))

    def must_begin_thinking(self, message):
        blocks, index = message
        if blocks[0]["type"] not in OPAQUE:
            raise refuse(
                f"messages.{index}.content.0.type: Expected `thinking` or "
                f"`redacted_thinking`, but found `{blocks[0]['type']}`. When "
                "`thinking` is enabled, a final `assistant` message must "
                "start with a thinking block (preceeding the lastmost set of "
                "`tool_use` and `tool_result` blocks). We recommend you "
                "include thinking blocks from previous turns. To avoid this "
                "requirement, disable `thinking`.")

    # -- answering ---------------------------------------------------------
    def answer(self, seen, judged):
        say, thinking = judged
        body = seen.body
        blocks = self.opaque(body, say, seen) if thinking else []
        opaque = list(blocks)
        if say.text:
            blocks.append({"type": "text", "text": say.text})
        for name, args in say.calls:
            ident = mint("toolu_01", 22)
            self.by_call[ident] = opaque
            blocks.append({"type": "tool_use", "id": ident, "name": name,
                           "input": args})
        message = {"id": mint("msg_01", 22), "type": "message",
                   "role": "assistant", "model": body["model"],
                   "content": blocks,
                   "stop_reason": "tool_use" if say.calls else "end_turn",
                   "stop_sequence": None, "stop_details": None,
                   "usage": self.usage(40)}
        if body.get("stream"):
            return "text/event-stream; charset=utf-8", list(
                self.stream(message))
        return "application/json", [json.dumps(message).encode()]

    def opaque(self, body, say, seen):
        """The blocks that open this message: thinking, in round 1 a redacted
        one; nothing between tools where thinking is not interleaved."""
        thinking = body.get("thinking") or {}
        if thinking.get("type") == "enabled" and say.step and (
                "interleaved-thinking-2025-05-14" not in seen.headers.get(
                    "anthropic-beta", "")):
            return []
        newest = rules.Model(body["model"]).newest
        shown = thinking.get(
            "display", "omitted" if newest else "summarized") == "summarized"
        block = {"type": "thinking",
                 "thinking": f"Step {say.step}: weigh it, “想一想”."
                 if shown else "", "signature": proof()}
        blocks = [block]
        if say.step == 1:
            blocks.append({"type": "redacted_thinking", "data": proof()})
        for made in blocks:
            self.signed[made.get("signature", made.get("data"))] = made
        return blocks

    def usage(self, output):
        return {"input_tokens": 20, "cache_creation_input_tokens": 36,
                "cache_read_input_tokens": 64,
                "cache_creation": {"ephemeral_5m_input_tokens": 36,
                                   "ephemeral_1h_input_tokens": 0},
                "output_tokens": output, "service_tier": "standard"}

    def stream(self, message):
        yield named({"type": "message_start", "message": {
            **message, "content": [], "stop_reason": None,
            "usage": self.usage(2)}})
        for index, block in enumerate(message["content"]):
            start, deltas = fragments(block)
            yield named({"type": "content_block_start", "index": index,
                         "content_block": start})
            if index == 0:
                yield named({"type": "ping"})
            for delta in deltas:
                yield named({"type": "content_block_delta", "index": index,
                             "delta": delta})
            yield named({"type": "content_block_stop", "index": index})
        yield named({"type": "message_delta", "delta": {
            "stop_reason": message["stop_reason"], "stop_sequence": None},
            "usage": {"output_tokens": message["usage"]["output_tokens"]}})
        yield named({"type": "message_stop"})


def forced(body):
    choice = body.get("tool_choice") or {}
    only = body.get("tools") or []
    if len(only) == 1 and only[0]["name"] not in NAMES and (
            choice.get("type", "auto") == "auto"):
        choice = {"type": "any"}  # as a model with one strange tool does
    for tool in only:
        if choice.get("type") == "any" or (choice.get("type") == "tool"
                                           and choice["name"] == tool["name"]):
            return tool["name"], tool["input_schema"]
    return None


def proof():
    return base64.b64encode(secrets.token_bytes(96)).decode()


def named(data):
    return event(data, data["type"])


def fragments(block):
    """(what a block's start shows, its deltas)."""
    kind = block["type"]
    if kind == "text":
        return {"type": kind, "text": ""}, [
            {"type": "text_delta", "text": piece}
            for piece in cut(block["text"])]
    if kind == "tool_use":
        return {**block, "input": {}}, [
            {"type": "input_json_delta", "partial_json": piece}
            for piece in ["", *cut(json.dumps(block["input"]))]]
    if kind == "thinking":
        return {"type": kind, "thinking": "", "signature": ""}, [
            *({"type": "thinking_delta", "thinking": piece}
              for piece in cut(block["thinking"])),
            {"type": "signature_delta", "signature": block["signature"]}]
    return block, []
