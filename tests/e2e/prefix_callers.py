"""A tool loop against `prefix_stub` as LangChain and as OpenAI's own client
carry it: an analyst of TradingAgents, in its words and shape.
"""

from __future__ import annotations

import json

from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openai import OpenAI
from pydantic import BaseModel, Field

from prefix_stub import TURNS


class Window(BaseModel):
    """起止日期"""

    start: str = Field(description="yyyy-mm-dd", pattern=r"^\d{4}-\d\d-\d\d$")
    weights: list[float] = Field(default=[1.0, 0.5], max_length=9)


@tool
def get_stock_market_data_unified(symbol: str, limits: list[float], why: str,
                                  window: Window | None = None) -> str:
    """统一的股票市场数据工具 – prices "as traded" \\ adjusted"""
    return f"{symbol}: 收盘价 1.50\t{limits} {why}"


@tool
def get_news(symbol: str, limits: list[float], why: str = "—") -> str:
    """News on a ticker."""
    return f"no news of {symbol} </script> \u2028 {why}"


TOOLS = [get_stock_market_data_unified, get_news]
BY_NAME = {t.name: t for t in TOOLS}
SYSTEM = "你是一位专业的股票分析师。\n\tUse \"tools\", then write – \U0001f600."
ASK = "请分析股票 600519 在 2026-01-15 的情况。"


def langchain(base_url, key, model, more, streamed=False):
    """One analyst of TradingAgents, as langchain_openai carries it."""
    bound = ChatOpenAI(
        model=model, base_url=base_url, api_key=key, temperature=0.7,
        max_tokens=4000, max_retries=0, timeout=30, extra_body=more,
    ).bind_tools(TOOLS)
    history = [SystemMessage(SYSTEM), HumanMessage(ASK)]
    for _ in range(TURNS):
        if streamed:
            answer = None
            for chunk in bound.stream(history):
                answer = chunk if answer is None else answer + chunk
        else:
            answer = bound.invoke(history)
        history.append(answer)
        history += [ToolMessage(BY_NAME[c["name"]].invoke(c["args"]),
                                tool_call_id=c["id"])
                    for c in answer.tool_calls]
    assert answer.content and not answer.tool_calls


def langchain_stream(*args):
    langchain(*args, streamed=True)


def sdk(base_url, key, model, more,
        keep=lambda m: m.model_dump(exclude_none=True)):
    """OpenAI's own client, whose caller keeps `keep` of every message."""
    client = OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=30)
    functions = [{"type": "function", "function": {
        "parameters": {**t.tool_call_schema.model_json_schema(),
                       "examples": [12345678901234567890, 1.0, -0.0, 1e-7]},
        "description": t.description, "name": t.name}} for t in TOOLS]
    history = [{"content": SYSTEM, "role": "system"},
               {"role": "user", "content": ASK}]
    for _ in range(TURNS):
        message = client.chat.completions.create(
            model=model, messages=history, tools=functions, extra_body=more,
        ).choices[0].message
        history.append(keep(message))
        history += [{"tool_call_id": c.id, "role": "tool", "content": BY_NAME[
            c.function.name].invoke(json.loads(c.function.arguments))}
            for c in message.tool_calls or ()]
    assert message.content and not message.tool_calls


def sdk_dump(*args):
    sdk(*args, keep=lambda m: m.model_dump())
