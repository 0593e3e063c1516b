"""llm_service.tradingagents as both projects use it: graphs of our own in the shape
of theirs (LangGraph, tool nodes, checks of class names), over gRPC and HTTP, with
the run's report at the end. Zero-code use by address is in test_tradingagents.py.

The facts that the stand-ins copy: which words in a class name CN's agents look for,
what UP's factory calls and reads, and the order of the calls of a run.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import textwrap
from types import SimpleNamespace
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode
from pydantic import BaseModel

import client_package
import harness
from llm_service.tradingagents import (
    NODE_TASKS,
    ChatDeepSeekLLMService,
    ChatTradingAgents,
)


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


@pytest.fixture(scope="module")
def running():
    service = harness.Service(harness.config("simulated: {}", auth="keys"))
    service.key = service.create_key("tradingagents")
    yield service
    service.stop()


@pytest.fixture(params=client_package.TRANSPORTS)
def where(request, running):
    return {**client_package.where(request.param, running), "api_key": running.key}


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


@contextlib.contextmanager
def environment(where):
    """Over gRPC the address is in the environment, as documented."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLM_SERVICE_API_KEY", where["api_key"])
        if "grpc_target" in where:
            patch.setenv("LLM_SERVICE_GRPC", where["grpc_target"])
        yield


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


@pytest.mark.parametrize(
    "debates, risk_rounds, calls", [(1, 1, 16), (1, 2, 19), (3, 3, 26)]
)
def test_a_whole_run_of_cn_reports_each_agent(where, debates, risk_rounds, calls):
    quick = create_llm_by_provider("auto-quick", where)
    deep = create_llm_by_provider("auto-deep", where)
    with quick.client.run(user="u1", symbol="600519") as run:
        state = cn_graph(quick, deep, debates, risk_rounds).run()
        assert signal(quick, state["reports"]["Risk Judge"])["action"] == "买入"
    assert all(state["reports"].values()), "an analyst's report is empty"
    assert "FINAL TRANSACTION PROPOSAL" in state["reports"]["Trader"]
    requests = {
        group["keys"]["agent"]: group["requests"] for group in run.report["groups"]
    }
    # The sequences of depths 1, 3 and 5.
    assert sum(requests.values()) == run.report["total"]["requests"] == calls
    assert requests["Market Analyst"] == requests["Fundamentals Analyst"] == 2
    assert requests["News Analyst"] == requests["Risk Judge"] == 1
    by = quick.client.usage(by=["task_type", "model"], where={"run_id": run.run_id})
    tasks = {g["keys"]["task_type"]: g["keys"]["model"] for g in by["groups"]}
    assert tasks["research_management"] == "simulated-deep"
    assert tasks["risk_management"] == "simulated-deep"
    assert tasks["market_analysis"] == tasks["risk_debate"] == "simulated"


def test_without_the_name_cn_would_lose_the_news(where):
    """Why the class is called what it is called."""
    plain = ChatTradingAgents(model="auto-quick", **where)
    assert not cn_prefetches(plain)
    assert news_node(plain)({})["reports"]["News Analyst"] == ""
    named = ChatDeepSeekLLMService(model="auto-quick", **where)
    assert news_node(named)({})["reports"]["News Analyst"]


@pytest.mark.parametrize("trap", ["DashScope", "Google", "OpenAI"])
def test_the_name_holds_no_word_that_sends_agents_elsewhere(trap):
    assert "DeepSeek" in ChatDeepSeekLLMService.__name__
    assert trap not in ChatDeepSeekLLMService.__name__


def test_agents_read_what_they_read_of_a_model(where):
    llm = create_llm_by_provider("auto-quick", where)
    assert (llm.model_name, llm.temperature, llm.max_tokens) == (
        "auto-quick",
        0.7,
        4000,
    )
    assert getattr(llm, "openai_api_base", None) is None


def create_llm_client(provider, model, base_url=None, **kwargs):
    """UP's factory with the documented branch."""
    function = patched(
        "def patched(provider, model, base_url=None, **kwargs):",
        "return LLMServiceClient",
        "    raise ValueError(provider)",
    )
    return function(provider, model, base_url, **kwargs)


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


@pytest.mark.parametrize("debates, risk_rounds, calls", [(1, 1, 15), (5, 5, 35)])
def test_a_whole_run_of_up_through_its_factory(where, debates, risk_rounds, calls):
    quick, deep = up_models(where)
    graph = Graph()
    graph.analyst(
        "Market Analyst",
        quick,
        [get_stock_market_data_unified, get_stock_sentiment_unified],
    )
    shaped(graph, "Sentiment Analyst", quick, PortfolioDecision)
    graph.analyst("News Analyst", quick, [get_stock_news_unified])
    graph.analyst("Fundamentals Analyst", quick, [get_stock_fundamentals_unified])
    for at in range(debates):
        for side in ("Bull", "Bear"):
            name = f"{side} Researcher {at}" if at else f"{side} Researcher"
            graph.speaker(name, quick, f"You are a {side} Analyst")
    shaped(graph, "Research Manager", deep, PortfolioDecision)
    shaped(graph, "Trader", quick, PortfolioDecision)
    for at in range(risk_rounds):
        for side in ("Aggressive", "Conservative", "Neutral"):
            name = f"{side} Analyst {at}" if at else f"{side} Analyst"
            graph.speaker(name, quick, f"You are the {side} risk analyst")
    shaped(graph, "Portfolio Manager", deep, PortfolioDecision)
    with quick.client.run() as run:
        state = graph.run()
    assert PortfolioDecision.model_validate_json(state["reports"]["Portfolio Manager"])
    counts = {g["keys"]["agent"]: g["requests"] for g in run.report["groups"]}
    # No structured call failed: there is none twice.
    assert sum(counts.values()) == calls
    assert counts["Market Analyst"] == 2 and counts["Research Manager"] == 1
    models = {g["keys"]["agent"]: g["keys"]["model"] for g in run.report["groups"]}
    assert models["Research Manager"] == models["Portfolio Manager"] == "simulated-deep"
    assert models["Trader"] == "simulated"


def test_an_asyncio_graph_tags_its_nodes_too(where):
    llm = create_llm_by_provider("auto-quick", where)

    async def node(state):
        await llm.ainvoke("one")
        async for _ in llm.astream("two"):
            pass
        return {}

    async def play():
        graph = StateGraph(State)
        graph.add_node("Bull Researcher", node)
        graph.add_edge(START, "Bull Researcher")
        async with llm.async_client.run() as run:
            await graph.compile().ainvoke({"messages": [], "reports": {}})
        await llm.async_client.close()
        return run

    (group,) = asyncio.run(play()).report["groups"]
    assert group["keys"]["agent"] == "Bull Researcher" and group["requests"] == 2


def test_a_structured_answer_that_fails_leaves_the_way_to_free_text(where):
    """UP repeats a failed structured call as free text: it must fail aloud."""
    llm = ChatTradingAgents(model="auto-quick", max_tokens=4, **where)
    answer = llm.with_structured_output(
        PortfolioDecision, method="json_schema", include_raw=True
    ).invoke("Decide")
    assert answer["parsed"] is None and answer["parsing_error"] is not None
    assert isinstance(answer["raw"], AIMessage)
    with pytest.raises(ValueError):
        llm.with_structured_output(PortfolioDecision, method="json_schema").invoke("x")
    assert llm.invoke("Decide").content


def test_tool_results_without_tools_are_taken(where):
    """CN's market analyst asks for its report without binding the tools again."""
    llm = create_llm_by_provider("auto-quick", where)
    first = llm.bind_tools([get_stock_market_data_unified]).invoke(ASK)
    results = [
        ToolMessage("收盘价 100", tool_call_id=call["id"]) for call in first.tool_calls
    ]
    last = llm.invoke([HumanMessage(ASK), first, *results, HumanMessage("写报告")])
    assert last.content and not last.tool_calls


def test_concurrent_runs_keep_their_calls_apart(where):
    """Concurrency is runs: each has its own tags and report."""
    quick = create_llm_by_provider("auto-quick", where)

    async def one(symbol):
        async with quick.async_client.run(symbol=symbol) as run:
            for _ in range(2):
                await quick.ainvoke(f"看 {symbol}")
        return run

    async def several():
        runs = await asyncio.gather(*(one(f"60051{n}") for n in range(5)))
        await quick.async_client.close()
        return runs

    runs = asyncio.run(several())
    assert [run.report["total"]["requests"] for run in runs] == [2] * 5
    assert len({run.run_id for run in runs}) == 5


def test_what_a_call_or_run_names_wins_over_the_node(where):
    llm = create_llm_by_provider("auto-quick", where)

    def node(state):
        llm.invoke("one", agent="mine", task_type="reflection")
        llm.invoke("two")
        return {}

    for tags, agents in (({}, {"mine", "Trader"}), ({"agent": "all"}, {"mine", "all"})):
        graph = Graph()
        graph.add("Trader", node)
        with llm.client.run(**tags) as run:
            graph.run()
        assert {g["keys"]["agent"] for g in run.report["groups"]} == agents


def test_every_task_of_a_node_is_known_to_the_service(running, where):
    llm = ChatTradingAgents(model="auto", **where)
    for task in sorted(set(NODE_TASKS.values())):
        assert llm.invoke("hi", task_type=task).response_metadata["task_type"] == task


def test_cns_graph_builds_both_tiers_with_the_documented_lines(where):
    names = {"create_llm_by_provider": None}
    block = textwrap.indent(lines_of("self.deep_thinking_llm, self.quick_"), "    ")
    exec(f"def patched(self):\n    if False:\n        pass\n{block}", names)
    calls = []
    names["create_llm_by_provider"] = lambda *args: calls.append(args) or args[1]
    for name in ("temperature", "max_tokens", "timeout"):
        names.update({f"deep_{name}": 1, f"quick_{name}": 2})
    config = {"llm_provider": "llm_service", "backend_url": "u", "quick_api_key": "k"}
    config.update(deep_think_llm="auto-deep", quick_think_llm="auto-quick")
    graph = SimpleNamespace(config=config)
    names["patched"](graph)
    assert (graph.deep_thinking_llm, graph.quick_thinking_llm) == (
        "auto-deep",
        "auto-quick",
    )
    assert calls == [
        ("llm_service", "auto-deep", "u", 1, 1, 1, None),
        ("llm_service", "auto-quick", "u", 2, 2, 2, "k"),
    ]


def test_cns_memory_embeds_with_the_documented_lines(where):
    patch = patched("def patched(self):", "LLMServiceEmbeddings")
    memory = SimpleNamespace(
        llm_provider="llm_service", embedding="simulated-embedding"
    )
    with environment({**where}), pytest.MonkeyPatch.context() as env:
        env.setenv("LLM_SERVICE_URL", where.get("base_url", ""))
        patch(memory)
        answer = memory.client.embeddings.create(model=memory.embedding, input="报告")
    assert len(answer.data[0].embedding) == 1536
