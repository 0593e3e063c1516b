"""Callers that carry a tool loop through the service, each keeping of an
answer what its kind keeps: LangChain (content and tool calls), a raw OpenAI
SDK (the whole message) and gRPC (the message, or its `parts` joined).
"""

from __future__ import annotations

import json

import grpc
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openai import OpenAI


@tool
def get_price(ticker: str, note: str = "") -> str:
    """Last price of a ticker."""
    return f"{ticker} at 100 {note}"


@tool
def get_news(ticker: str, days: int = 1, note: str = "") -> str:
    """News on a ticker."""
    return f"{days} days of {ticker} {note}"


TOOLS = {"get_price": get_price, "get_news": get_news}
SCHEMAS = {name: json.dumps(made.tool_call_schema.model_json_schema())
           for name, made in TOOLS.items()}


def use(name, args):
    return TOOLS[name].invoke(args)


class LangChain:
    """An unmodified ChatOpenAI: it drops what it does not know."""

    def __init__(self, running, streamed, **more):
        self.running, self.streamed, self.more = running, streamed, more

    def begin(self):
        self.history = []

    def ask(self, text):
        self.history.append(HumanMessage(text))

    def step(self, model):
        """(calls as name and arguments, text) of the next answer, whose calls
        are run and put into the history."""
        bound = ChatOpenAI(
            model=model, base_url=self.running.url("/v1"), api_key="none",
            reasoning_effort="medium", max_retries=0, timeout=30, **self.more,
        ).bind_tools(list(TOOLS.values()))
        if self.streamed:
            answer = None
            for chunk in bound.stream(self.history):
                answer = chunk if answer is None else answer + chunk
        else:
            answer = bound.invoke(self.history)
        assert not answer.invalid_tool_calls
        self.history.append(answer)
        calls = [(c["name"], c["args"]) for c in answer.tool_calls]
        for call in answer.tool_calls:
            self.history.append(ToolMessage(
                use(call["name"], call["args"]), tool_call_id=call["id"]))
        return calls, answer.content


class RawOpenAi:
    """Sends back every member of the message that it received."""

    def __init__(self, running, streamed=False, **more):
        self.client = OpenAI(base_url=running.url("/v1"), api_key="none",
                             max_retries=0, timeout=30)
        self.more = more

    def begin(self):
        self.history = []

    def ask(self, text):
        self.history.append({"role": "user", "content": text})

    def step(self, model):
        message = self.client.chat.completions.create(
            model=model, messages=self.history, reasoning_effort="medium",
            tools=[{"type": "function", "function": {
                "name": name, "parameters": json.loads(schema)}}
                for name, schema in SCHEMAS.items()],
            **self.more).choices[0].message
        self.history.append(message.model_dump())
        calls = []
        for call in message.tool_calls or []:
            args = json.loads(call.function.arguments)
            calls.append((call.function.name, args))
            self.history.append({
                "role": "tool", "tool_call_id": call.id,
                "content": use(call.function.name, args)})
        return calls, message.content or ""


class Grpc:
    """Sends the message back as it came; of a stream, its parts joined."""

    def __init__(self, running, stubs, streamed, keep_all=True):
        self.stubs, self.streamed, self.keep_all = stubs, streamed, keep_all
        self.channel = grpc.insecure_channel(running.addresses["grpc"])
        self.service = stubs.LlmService(self.channel)

    def begin(self):
        self.history = []

    def ask(self, text):
        self.history.append(self.stubs.chat.Message(role="user", content=text))

    def step(self, model):
        chat = self.stubs.chat
        request = chat.ChatCompletionRequest(
            model=model, messages=self.history, reasoning_effort="medium",
            tools=[chat.Tool(function=chat.FunctionTool(
                name=name, parameters=schema))
                for name, schema in SCHEMAS.items()])
        if self.streamed:
            message = chat.Message(role="assistant")
            for chunk in self.service.StreamChatCompletion(request,
                                                           timeout=30):
                for choice in chunk.choices:
                    join(chat, message.parts, choice.delta)
        else:
            message = self.service.ChatCompletion(
                request, timeout=30).choices[0].message
        found, text = calls_and_text(message)
        if not self.keep_all:  # as LangChain would
            message = chat.Message(role="assistant", content=text,
                                   tool_calls=[plain(chat, c) for c in found])
        self.history.append(message)
        calls = []
        for call in found:
            args = json.loads(call.function.arguments)
            calls.append((call.function.name, args))
            self.history.append(chat.Message(
                role="tool", tool_call_id=call.id,
                content=use(call.function.name, args)))
        return calls, text


def plain(chat, call):
    return chat.ToolCall(id=call.id, function=chat.FunctionCall(
        name=call.function.name, arguments=call.function.arguments))


def calls_and_text(message):
    if not message.parts:
        return list(message.tool_calls), message.content
    return ([p.tool_call for p in message.parts if p.HasField("tool_call")],
            "".join(p.text.text for p in message.parts if p.HasField("text")))


def join(chat, parts, delta):
    """Adds one chunk's delta: its parts, or else its flat fields."""
    pieces = list(delta.parts)
    if not pieces:
        if delta.HasField("reasoning_content"):
            pieces.append(chat.Part(reasoning=chat.ReasoningPart(
                text=delta.reasoning_content)))
        if delta.HasField("content"):
            pieces.append(chat.Part(text=chat.TextPart(text=delta.content)))
        pieces += [chat.Part(tool_call=c) for c in delta.tool_calls]
    for piece in pieces:
        if not append(parts[-1] if parts else None, piece):
            parts.append(piece)


def append(last, piece) -> bool:
    kind = piece.WhichOneof("kind")
    if last is None or last.WhichOneof("kind") != kind:
        return False
    if kind == "text":
        if last.text.signature or piece.text.signature:
            return False
        last.text.text += piece.text.text
    elif kind == "reasoning":
        old, new = last.reasoning, piece.reasoning
        if old.redacted_data or new.redacted_data or (
                old.signature and new.text):
            return False
        old.text += new.text
        old.signature += new.signature
        old.origin = old.origin or new.origin
        old.origin_model = old.origin_model or new.origin_model
    elif kind == "tool_call":
        if last.tool_call.index != piece.tool_call.index:
            return False
        last.tool_call.function.arguments += piece.tool_call.function.arguments
        for name in ("signature", "signature_origin", "origin_model"):
            setattr(last.tool_call, name, getattr(last.tool_call, name)
                    or getattr(piece.tool_call, name))
    else:
        return False
    return True
