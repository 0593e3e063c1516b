"""Graphs in the shape of both TradingAgents, and their factories with the lines of
TRADINGAGENTS.md in place.

The facts that these stand-ins copy: which words in a class name CN's agents look for,
what UP's factory calls and reads, and the order of the calls of a run.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import textwrap
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode
from pydantic import BaseModel

import harness


@tool
def get_stock_market_data_unified(ticker: str, start_date: str, end_date: str) -> str:
    """统一的股票市场数据工具"""
    return f"{ticker} 收盘价 100"


@tool
def get_stock_sentiment_unified(ticker: str, curr_date: str) -> str:
    """统一的股票情绪分析工具"""
    return f"{ticker} 情绪平稳"


@tool
def get_stock_news_unified(stock_code: str, max_news: int = 10) -> str:
    """统一的股票新闻工具"""
    return f"{stock_code} 公司发布公告"


@tool
def get_stock_fundamentals_unified(ticker: str, curr_date: str = "") -> str:
    """统一的股票基本面分析工具"""
    return f"{ticker} 市盈率 20"


class PortfolioDecision(BaseModel):
    """The portfolio manager's decision."""

    rating: str
    executive_summary: str


class State(TypedDict, total=False):
    messages: Annotated[list[Any], add_messages]
    reports: Annotated[dict[str, str], lambda a, b: {**(a or {}), **(b or {})}]


ASK = "请分析股票 600519 在 2026-01-15 的情况，给出完整的报告内容。"


def lines_of(words):
    """The block of TRADINGAGENTS.md with these words, as it stands there."""
    text = (harness.ROOT / "clients" / "python" / "TRADINGAGENTS.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    (block,) = [block for block in blocks if words in block]
    return textwrap.dedent(block)


def patched(head, words, tail=""):
    """A function of a project with the documented lines in their place."""
    names = {"os": os}
    body = textwrap.indent(lines_of(words).replace("elif …\n", ""), "    ")
    exec(f"{head}\n{body}\n{tail}", names)  # what a reader pastes, run
    return names["patched"]


@contextlib.contextmanager
def environment(where):
    """Over gRPC the address is in the environment, as documented."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLM_SERVICE_API_KEY", where["api_key"])
        if "grpc_target" in where:
            patch.setenv("LLM_SERVICE_GRPC", where["grpc_target"])
        yield


def create_llm_by_provider(model, where):
    """CN's function with the documented branch, called as CN calls it."""
    function = patched(
        "def patched(provider, model, backend_url, temperature, max_tokens, timeout,"
        " api_key=None):",
        "return ChatDeepSeekLLMService",
    )
    with environment(where):
        url = where.get("base_url", "")
        made = function("llm_service", model, url, 0.7, 4000, 180, where["api_key"])
        made.client, made.async_client  # made while the address is known
        return made


def create_llm_client(provider, model, base_url=None, **kwargs):
    """UP's factory with the documented branch."""
    function = patched(
        "def patched(provider, model, base_url=None, **kwargs):",
        "return LLMServiceClient",
        "    raise ValueError(provider)",
    )
    return function(provider, model, base_url, **kwargs)


def cn_prefetches(llm):
    """What CN's news analyst asks before it fetches the news by itself."""
    name = llm.__class__.__name__
    return any(word in name for word in ("DashScope", "DeepSeek", "Zhipu"))


class Graph:
    """Nodes of the names that both projects give theirs."""

    def __init__(self):
        self.graph = StateGraph(State)
        self.last = START

    def add(self, name, node):
        self.graph.add_node(name, node)
        self.graph.add_edge(self.last, name)
        self.last = name

    def analyst(self, name, llm, tools):
        """Loops through a tool node until the model answers in words."""
        prompt = ChatPromptTemplate.from_messages(
            [
                ("system", "你是一位专业的股票分析师，可用工具：{tool_names}。"),
                MessagesPlaceholder("messages"),
            ]
        ).partial(tool_names=", ".join(t.name for t in tools))
        chain = prompt | llm.bind_tools(tools)

        def node(state):
            answer = chain.invoke({"messages": state["messages"]})
            report = "" if answer.tool_calls else answer.content
            return {"messages": [answer], "reports": {name: report}}

        def fresh(state):
            return {"messages": [HumanMessage(ASK)]}

        tool_node, begin = f"tools_{name}", f"begin_{name}"
        self.add(begin, fresh)
        self.add(name, node)
        self.graph.add_node(tool_node, ToolNode(tools))
        self.graph.add_edge(tool_node, name)
        done = f"clear_{name}"
        self.graph.add_node(done, lambda state: {})
        self.graph.add_conditional_edges(
            name,
            lambda state: tool_node if state["messages"][-1].tool_calls else done,
            [tool_node, done],
        )
        self.last = done

    def speaker(self, name, llm, text):
        def node(state):
            known = "\n".join(state["reports"].values())
            answer = llm.invoke(f"{text}\n{known}")
            assert isinstance(answer.content, str) and answer.content
            return {"reports": {name: answer.content}}

        self.add(name, node)

    def run(self, **config):
        self.graph.add_edge(self.last, END)
        made = self.graph.compile()
        start = {"messages": [HumanMessage(ASK)], "reports": {}}
        return made.invoke(start, {"recursion_limit": 100, **config})


def news_node(llm):
    """CN's news analyst: it trusts the class name, and without a prefetch throws a
    first answer that calls a tool away."""

    def node(state):
        if cn_prefetches(llm):
            news = get_stock_news_unified.invoke({"stock_code": "600519"})
            report = llm.invoke(f"请分析新闻：{news}").content
        else:
            report = llm.bind_tools([get_stock_news_unified]).invoke(ASK).content
        return {"reports": {"News Analyst": report}}

    return node


def signal(llm, decision):
    answer = llm.invoke(
        [
            ("system", '请返回 JSON：{"action": "买入/持有/卖出", "confidence": 0.8}'),
            ("human", decision),
        ]
    )
    return json.loads(re.search(r"\{.*\}", answer.content, re.S).group(0))


def cn_graph(quick, deep, debates, risk_rounds):
    graph = Graph()
    graph.analyst("Market Analyst", quick, [get_stock_market_data_unified])
    graph.analyst("Social Analyst", quick, [get_stock_sentiment_unified])
    graph.add("News Analyst", news_node(quick))
    graph.analyst("Fundamentals Analyst", quick, [get_stock_fundamentals_unified])
    graph.speaker("Bull Researcher", quick, "你是一位看涨分析师")
    graph.speaker("Bear Researcher", quick, "你是一位看跌分析师")
    for more in range(1, debates):
        graph.speaker(f"Bull {more}", quick, "你是一位看涨分析师")
        graph.speaker(f"Bear {more}", quick, "你是一位看跌分析师")
    graph.speaker("Research Manager", deep, "你是研究经理，请给出投资计划")
    graph.speaker("Trader", quick, "你是交易员，FINAL TRANSACTION PROPOSAL")
    for at in range(risk_rounds):
        for name in ("Risky Analyst", "Safe Analyst", "Neutral Analyst"):
            graph.speaker(f"{name} {at}" if at else name, quick, "你是风险分析师")
    graph.speaker("Risk Judge", deep, "你是风险经理，请做出最终决定")
    return graph


def up_models(where):
    url = where.get("base_url")
    with environment(where):
        clients = [
            create_llm_client("llm_service", model, url, callbacks=[], max_retries=2)
            for model in ("auto-quick", "auto-deep")
        ]
        assert all(client.validate_model() for client in clients)
        assert clients[0].get_provider_name() == "llm_service"
        models = [client.get_llm() for client in clients]
        for model in models:
            model.client  # made while the address is known
    return models


def shaped(graph, name, llm, schema):
    """UP's structured agents: any failure is silently a second call, free text."""
    model = llm.with_structured_output(schema)

    def node(state):
        text = "\n".join(state["reports"].values()) or ASK
        try:
            return {"reports": {name: model.invoke(text).model_dump_json()}}
        except Exception:
            return {"reports": {name: llm.invoke(text).content}}

    graph.add(name, node)
