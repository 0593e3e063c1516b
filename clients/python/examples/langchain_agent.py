#!/usr/bin/env python3
"""A LangChain agent with one tool; each call of its loop is tagged and paid for once.

Needs: this package's wheel with the extras grpc and langchain (see its README), and
langchain itself.
"""

from langchain.agents import create_agent
from langchain_core.tools import tool

from llm_service.langchain import ChatLLMService


@tool
def price_of(symbol: str) -> str:
    """The last closing price of a stock, by its ticker symbol."""
    return f"{symbol} closed at 187.20 USD."


model = ChatLLMService(model="auto", timeout=120)
agent = create_agent(model, [price_of], system_prompt="Answer in one sentence.")
question = {"role": "user", "content": "What did NVDA close at?"}

with model.client.run(user="me", task_type="market_analysis", symbol="NVDA") as run:
    for message in agent.invoke({"messages": [question]})["messages"]:
        calls = [
            f"{c['name']}({c['args']})" for c in getattr(message, "tool_calls", [])
        ]
        print(f"{message.type}: {message.content or ', '.join(calls)}")

print("cost:", run.report["total"]["cost"], run.report["currency"])
for group in run.usage(by=("task_type", "model"))["groups"]:
    of = group["keys"]
    print(of["task_type"], of["model"], group["requests"], "calls", group["tokens"])
