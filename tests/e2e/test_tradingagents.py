"""The calls of both TradingAgents graphs, as their agents make them, against
the simulated provider: no parse failure, and twice the same.

Call sequences and tool schemas follow the two projects (call counts 16 to 38);
prompts are our own in the same shape and language.
"""

import json
import re

import pytest
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field

import harness
from harness import config, report


@tool
def get_stock_data(symbol: str, start_date: str, end_date: str) -> str:
    """Daily prices of a ticker between two dates (yyyy-mm-dd)."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", start_date)
    return f"{symbol} {start_date}..{end_date}: 100, 101, 99"


@tool
def get_indicators(symbol: str, indicator: str, curr_date: str,
                   look_back_days: int = 30) -> str:
    """One technical indicator."""
    return f"{indicator} of {symbol}: 55"


@tool
def get_news(ticker: str, start_date: str, end_date: str) -> str:
    """News on a ticker."""
    return "no news"


@tool
def get_fundamentals(ticker: str, curr_date: str) -> str:
    """Company fundamentals."""
    return "PE 20"


@tool
def get_balance_sheet(ticker: str, freq: str = "quarterly",
                      curr_date: str | None = None) -> str:
    """Balance sheet."""
    return "assets 5"


@tool
def get_stock_market_data_unified(ticker: str, start_date: str,
                                  end_date: str) -> str:
    """统一的股票市场数据工具"""
    return "收盘价 100"


@tool
def get_stock_fundamentals_unified(ticker: str, start_date: str = "",
                                   end_date: str = "",
                                   curr_date: str = "") -> str:
    """统一的股票基本面分析工具"""
    return "市盈率 20"


@tool
def get_stock_sentiment_unified(ticker: str, curr_date: str) -> str:
    """统一的股票情绪分析工具"""
    return "情绪平稳"


class ResearchPlan(BaseModel):
    """The research manager's plan."""

    recommendation: str = Field(pattern="^(Buy|Overweight|Hold|Sell)$")
    rationale: str
    strategic_actions: str


class TraderProposal(BaseModel):
    """The trader's proposal."""

    action: str
    reasoning: str
    entry_price: float | None = None
    stop_loss: float | None = None
    position_sizing: str | None = None


class PortfolioDecision(BaseModel):
    """The portfolio manager's decision."""

    rating: str
    executive_summary: str
    price_target: float | None = None
    time_horizon: str | None = None


class Calls:
    """Counts calls and keeps what came back."""

    def __init__(self, running, quick, deep):
        def model(name):
            return ChatOpenAI(model=name, base_url=running.url("/v1"),
                              api_key=running.key, temperature=0.7,
                              max_tokens=4000, timeout=60, max_retries=0)

        self.quick, self.deep = model(quick), model(deep)
        self.made, self.said = 0, []

    def note(self, message):
        self.made += 1
        self.said.append((message.content, [
            (c["name"], json.dumps(c["args"], sort_keys=True))
            for c in message.tool_calls]))
        assert not message.invalid_tool_calls
        return message

    def say(self, system, text, model=None):
        answer = self.note((model or self.quick).invoke(
            [SystemMessage(system), HumanMessage(text)]))
        assert answer.content
        return answer.content

    def structured(self, schema, text, model=None):
        result = (model or self.quick).with_structured_output(
            schema, method="function_calling", include_raw=True).invoke(text)
        assert result["parsing_error"] is None
        assert isinstance(result["parsed"], schema)
        self.note(result["raw"])
        return result["parsed"]

    def analyst(self, system, text, tools, final_has_tools=True, limit=6):
        by_name = {t.name: t for t in tools}
        history = [SystemMessage(system), HumanMessage(text)]
        bound = self.quick.bind_tools(tools)
        answer = self.note(bound.invoke(history))
        for _ in range(limit):
            if not answer.tool_calls:
                break
            history.append(answer)
            history += [ToolMessage(by_name[c["name"]].invoke(c["args"]),
                                    tool_call_id=c["id"])
                        for c in answer.tool_calls]
            answer = self.note(
                (bound if final_has_tools else self.quick).invoke(history))
        assert answer.content and not answer.tool_calls
        return answer.content


def cn_run(calls, debates, risk_rounds):
    system = "你是一位专业的股票分析师，请使用中文撰写详细报告。"
    ask = "请分析股票 600519 在 2026-01-15 的情况，给出完整的报告内容。"
    reports = [
        calls.analyst(system, ask, [get_stock_market_data_unified], False),
        calls.analyst(system, ask, [get_stock_sentiment_unified]),
        calls.say(system, ask + "新闻如下：公司发布公告。"),
        calls.analyst(system, ask, [get_stock_fundamentals_unified], False),
    ]
    shared = "\n".join(reports)
    debate = ""
    for _ in range(debates):
        debate += calls.say("你是一位看涨分析师", shared + debate)
        debate += calls.say("你是一位看跌分析师", shared + debate)
    plan = calls.say("你是研究经理，请给出投资计划", shared + debate, calls.deep)
    trade = calls.say("你是交易员，最后写 FINAL TRANSACTION PROPOSAL: "
                      "**买入/持有/卖出**", plan)
    assert "FINAL TRANSACTION PROPOSAL" in trade
    risk = ""
    for _ in range(risk_rounds):
        for side in ("激进", "保守", "中性"):
            risk += calls.say(f"你是{side}风险分析师", trade + risk)
    decision = calls.say("你是风险经理，请做出最终决定", trade + risk, calls.deep)
    signal = calls.say(
        '请从报告中提取投资决策，返回 JSON：{"action": "买入/持有/卖出", '
        '"target_price": 100.5, "confidence": 0.8, "risk_score": 0.4, '
        '"reasoning": "理由"}', decision)
    parsed = json.loads(re.search(r"\{.*\}", signal, re.S).group(0))
    assert parsed["action"] in ("买入", "持有", "卖出")
    assert isinstance(parsed["target_price"], float)


def up_run(calls, debates, risk_rounds, tool_rounds):
    system = "You are a trading analyst. Use the tools, then write a report."
    ask = "Analyse NVDA as of 2026-02-03."
    reports = []
    for _ in range(tool_rounds):
        reports.append(
            calls.analyst(system, ask, [get_stock_data, get_indicators]))
        ask += " Continue."
    reports += [
        calls.structured(ResearchPlan, "Sentiment of NVDA").rationale,
        calls.analyst(system, ask, [get_news]),
        calls.analyst(system, ask, [get_fundamentals, get_balance_sheet]),
    ]
    shared = "\n".join(reports)
    debate = ""
    for _ in range(debates):
        debate += calls.say("You are a Bull Analyst", shared + debate)
        debate += calls.say("You are a Bear Analyst", shared + debate)
    calls.structured(ResearchPlan, shared + debate, calls.deep)
    calls.structured(TraderProposal, shared)
    risk = ""
    for _ in range(risk_rounds):
        for side in ("aggressive", "conservative", "neutral"):
            risk += calls.say(f"You are the {side} risk analyst", risk or "go")
    calls.structured(PortfolioDecision, risk or shared, calls.deep)


RUNS = {
    "cn depth 1": (lambda c: cn_run(c, 1, 1), 16),
    "cn depth 3": (lambda c: cn_run(c, 1, 2), 19),
    "cn depth 5": (lambda c: cn_run(c, 3, 3), 26),
    "up default": (lambda c: up_run(c, 1, 1, 2), 17),
    "up 5/5": (lambda c: up_run(c, 5, 5, 2), 37),
}


@pytest.fixture(scope="module")
def running():
    service = harness.Service(config("simulated: {}", auth="keys"))
    service.key = service.create_key("tradingagents")
    yield service
    service.stop()


@pytest.mark.parametrize("name", RUNS)
def test_a_run_ends_without_a_parse_failure_and_twice_the_same(running, name):
    play, least = RUNS[name]
    outcomes = []
    for _ in range(2):
        calls = Calls(running, "auto-quick", "auto-deep")
        play(calls)
        assert calls.made >= least
        outcomes.append(calls.said)
    assert outcomes[0] == outcomes[1]
    report(f"TradingAgents {name}: {len(outcomes[0])} calls, twice the same")
