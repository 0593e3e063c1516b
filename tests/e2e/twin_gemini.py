"""Strict twin of the Gemini Developer API (2026-08-22)."""

from __future__ import annotations

import base64
import json
import re
import secrets

import twin_gemini_rules as rules
from twin_gemini_rules import DUMMY, refuse
from twin_server import Say, Turn, Twin, cut, event, mint

HEAD = ("Function call is missing a thought_signature in functionCall parts. "
        "This is required for tools to work correctly, and missing "
        "thought_signature may lead to degraded model performance. Additional "
        "data, function call `default_api:{}` , position {}.")


def result_text(response) -> str:
    said = response["response"]
    for name in ("output", "result", "content"):
        if isinstance(said.get(name), str):
            return said[name]
    return json.dumps(said)


def asks(content) -> bool:
    return content.get("role", "user") == "user" and any(
        "functionResponse" not in part for part in content["parts"])


class GeminiTwin(Twin):
    base = "/v1beta"

    def __init__(self):
        super().__init__()
        self.signed = {}   # signature to (model, its part without it)
        self.by_call = {}  # (model, call's arguments as JSON) to signature

    def overloaded(self):
        return refuse("The model is overloaded. Please try again later.", 503,
                      "UNAVAILABLE")

    # -- judging -----------------------------------------------------------
    def check(self, seen):
        found = re.fullmatch(
            r"/v1beta/models/([^/:]+):(generateContent|"
            r"streamGenerateContent\?alt=sse)", seen.path)
        if not found:
            raise refuse("Requested entity was not found.", 404, "NOT_FOUND")
        if not seen.headers.get("x-goog-api-key"):
            raise refuse("Method doesn't allow unregistered callers.", 403,
                         "PERMISSION_DENIED")
        model, body = found[1], seen.body
        rules.check_shape(body)
        names = rules.check_tools(body, model)
        rules.check_config(body, model, names)
        contents = body["contents"]
        rules.check_contents(contents)
        self.check_signatures(contents, model)
        turn, running = Turn(), []
        for index, content in enumerate(contents):
            if asks(content):
                turn.ask()
                running = []
            turn.results += map(result_text, rules.responses_of(content))
            calls = rules.calls_of(content)
            turn.rounds += bool(calls)
            if calls:
                running.append((index, calls))
        self.check_running_turn(running, model)
        calling = (body.get("toolConfig") or {}).get(
            "functionCallingConfig") or {}
        return Say(turn, bool(names) and calling.get("mode") != "NONE",
                   forced(body, calling), shape(body)), model

    def check_signatures(self, contents, model):
        """Every signature is ours, of this model, on the part it came with."""
        for content in contents:
            for part in content["parts"]:
                signature = part.get("thoughtSignature")
                if signature is None or (signature == DUMMY
                                         and "functionCall" in part):
                    continue
                maker, issued = self.signed.get(plain(signature), (None, None))
                rest = {k: v for k, v in part.items()
                        if k != "thoughtSignature"}
                if maker != model or rest != issued:
                    raise refuse("Thought signature is not valid.")

    def check_running_turn(self, running, model):
        for index, calls in running:
            first = calls[0]
            signature = first.get("thoughtSignature")
            if signature is None and rules.third(model):
                raise refuse(HEAD.format(first["functionCall"]["name"],
                                         index + 1))
            issued = self.by_call.get((model, key_of(first["functionCall"])))
            if issued is not None and plain(signature or "") != issued:
                self.lost.append((first["functionCall"], issued, signature))

    # -- answering ---------------------------------------------------------
    def answer(self, seen, judged):
        say, model = judged
        thinking = (seen.body.get("generationConfig") or {}).get(
            "thinkingConfig") or {}
        parts = []
        if thinking.get("includeThoughts"):
            parts.append({"text": f"Step {say.step}: weigh it, 想一想.",
                          "thought": True})
        if say.text:
            parts.append({"text": say.text})
        for name, args in say.calls:
            call = {"name": name, "args": args}
            if rules.third(model):
                call = {"id": mint("", 8), **call}
            parts.append({"functionCall": call})
        streamed = "alt=sse" in seen.path
        thinks = thinking.get("thinkingBudget") != 0 and "2.0" not in model
        if thinks:
            self.sign(parts, say, model, streamed)
        if streamed:
            return "text/event-stream", list(self.stream(parts, model))
        return "application/json; charset=UTF-8", [json.dumps(
            self.whole(parts, model, "STOP"), ensure_ascii=False).encode()]

    def sign(self, parts, say, model, streamed):
        """On the first call; else on the last text, which a stream sends as
        an empty part of its own."""
        if say.calls:
            part = next(p for p in parts if "functionCall" in p)
        elif streamed:
            part = {"text": ""}
            parts.append(part)
        else:
            part = parts[-1]
        signature = base64.b64encode(secrets.token_bytes(72)).decode()
        self.signed[signature] = (model, dict(part))
        if say.calls:
            self.by_call[(model, key_of(part["functionCall"]))] = signature
        part["thoughtSignature"] = signature

    def whole(self, parts, model, finish):
        candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if finish:
            candidate["finishReason"] = finish
        return {"candidates": [candidate], "usageMetadata": {
            "promptTokenCount": 120, "candidatesTokenCount": 24,
            "totalTokenCount": 160, "cachedContentTokenCount": 64,
            "thoughtsTokenCount": 16}, "modelVersion": model,
            "responseId": mint("r", 20)}

    def stream(self, parts, model):
        pieces = []
        for part in parts:
            if part.get("text"):
                more = {k: v for k, v in part.items() if k != "text"}
                pieces += [{"text": piece, **more}
                           for piece in cut(part["text"])]
            else:
                pieces.append(part)
        for index, piece in enumerate(pieces):
            yield event(self.whole([piece], model, "STOP" if index == len(
                pieces) - 1 else None), end="\r\n\r\n")


def forced(body, calling):
    if calling.get("mode") != "ANY":
        return None
    allowed = calling.get("allowedFunctionNames")
    for tool in body.get("tools") or []:
        for known in tool.get("functionDeclarations") or []:
            if not allowed or known["name"] in allowed:
                return known["name"], known.get(
                    "parametersJsonSchema") or known.get("parameters") or {}
    return None


def shape(body):
    config = body.get("generationConfig") or {}
    if config.get("responseMimeType") != "application/json":
        return None
    return config.get("responseJsonSchema") or config.get(
        "responseSchema") or {}


def plain(signature):
    """Google's own client sends base64 in its URL-safe letters."""
    return signature.replace("-", "+").replace("_", "/")


def key_of(call):
    return json.dumps(call.get("args"), sort_keys=True)
