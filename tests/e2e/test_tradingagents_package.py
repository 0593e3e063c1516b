"""llm_service.tradingagents as both projects use it (trading_graphs.py), over gRPC
and HTTP, with the run's report at the end. Use by address alone, without the package,
is in test_tradingagents.py."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.graph import START, StateGraph

import client_package
import harness
from llm_service.tradingagents import (
    NODE_TASKS,
    ChatDeepSeekLLMService,
    ChatTradingAgents,
)
from trading_graphs import (
    ASK,
    Graph,
    PortfolioDecision,
    State,
    cn_graph,
    cn_prefetches,
    create_llm_by_provider,
    environment,
    get_stock_fundamentals_unified,
    get_stock_market_data_unified,
    get_stock_news_unified,
    get_stock_sentiment_unified,
    lines_of,
    news_node,
    patched,
    shaped,
    signal,
    up_models,
)


@pytest.fixture(scope="module")
def running():
    service = harness.Service(
        harness.config("simulated: {}", auth="keys"), env=client_package.ENVIRONMENT
    )
    service.key = service.create_key("tradingagents")
    yield service
    service.stop()


@pytest.fixture(params=client_package.TRANSPORTS)
def where(request, running):
    return {**client_package.where(request.param, running), "api_key": running.key}


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


def test_a_configuration_that_is_handed_on_tags_streams_too(where):
    """Threads of one's own have no context: LangGraph's `config` takes its place."""
    llm = create_llm_by_provider("auto-quick", where)
    config = {"metadata": {"langgraph_node": "Trader"}}

    async def play():
        async for _ in llm.bind(temperature=0).astream("two", config):
            pass
        await llm.async_client.close()

    with llm.client.run() as run:
        llm.invoke("zero", config)
        list(llm.bind(temperature=0).stream("one", config))
        asyncio.run(play())
    (group,) = run.report["groups"]
    assert group["keys"]["agent"] == "Trader" and group["requests"] == 3


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


@pytest.mark.parametrize(
    "model, task", [("auto-deep", "trading_decision"), ("auto", "reflection")]
)
def test_a_runs_task_leaves_the_nodes_where_it_is_not_sent(where, model, task):
    """auto-quick and auto-deep are tasks of their own: a run's is not sent with them."""
    llm = create_llm_by_provider(model, where)
    graph = Graph()
    graph.speaker("Trader", llm, "decide")
    with llm.client.run(task_type="reflection") as run:
        graph.run()
    (group,) = run.usage(by=("agent", "task_type"))["groups"]
    assert group["keys"] == {"agent": "Trader", "task_type": task}


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


@pytest.mark.parametrize("key_of", ["quick_api_key", "deep_api_key", None])
def test_cns_memory_embeds_with_the_documented_lines(where, key_of):
    """Address and key are in the graph's configuration; over gRPC the address, and
    without keys there the key, are in the environment."""
    patch = patched("def patched(self, config):", "LLMServiceEmbeddings")
    memory = SimpleNamespace(
        llm_provider="llm_service", embedding="simulated-embedding"
    )
    config = {"backend_url": where.get("base_url", "")}
    if key_of:
        config[key_of] = where["api_key"]
    with pytest.MonkeyPatch.context() as env:
        for name in ("LLM_SERVICE_URL", "LLM_SERVICE_GRPC", "LLM_SERVICE_API_KEY"):
            env.delenv(name, raising=False)
        if not key_of:
            env.setenv("LLM_SERVICE_API_KEY", where["api_key"])
        if "grpc_target" in where:
            env.setenv("LLM_SERVICE_GRPC", where["grpc_target"])
        patch(memory, config)
        answer = memory.client.embeddings.create(model=memory.embedding, input="报告")
    assert len(answer.data[0].embedding) == 1536


def test_the_readmes_agent_runs(where):
    """examples/langchain_agent.py, as the package's README starts it."""
    pytest.importorskip("langchain.agents")
    names = {"grpc_target": "LLM_SERVICE_GRPC", "base_url": "LLM_SERVICE_URL"}
    address = {names[name]: where[name] for name in names if name in where}
    package = harness.ROOT / "clients" / "python"
    played = subprocess.run(
        [sys.executable, package / "examples" / "langchain_agent.py"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(client_package.SOURCE),
            "LLM_SERVICE_API_KEY": where["api_key"],
            **address,
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert played.returncode == 0, played.stderr
    assert "ai: price_of({'symbol': 'NVDA'})" in played.stdout
    assert "tool: NVDA closed" in played.stdout
    assert "market_analysis simulated 2 calls" in played.stdout
