"""The way in for TradingAgents and TradingAgents-CN; TRADINGAGENTS.md has the lines.

    from llm_service.tradingagents import LLMServiceClient         # TradingAgents
    from llm_service.tradingagents import ChatDeepSeekLLMService   # TradingAgents-CN

Every call is tagged with the node of the graph that makes it, as agent and as task,
so that usage and routing know the analysts without a change to their code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_service._call import current_tags, names_task
from llm_service.langchain import ChatLLMService, LLMServiceEmbeddings

__all__ = [
    "ChatDeepSeekLLMService",
    "ChatTradingAgents",
    "LLMServiceClient",
    "LLMServiceEmbeddings",
]

# The service's built-in tasks, by the names of the nodes in both graphs.
NODE_TASKS = {
    "Market Analyst": "market_analysis",
    "Social Analyst": "sentiment_analysis",
    "Social Media Analyst": "sentiment_analysis",
    "Sentiment Analyst": "sentiment_analysis",
    "News Analyst": "news_analysis",
    "Fundamentals Analyst": "fundamentals_analysis",
    "Bull Researcher": "bull_research",
    "Bear Researcher": "bear_research",
    "Research Manager": "research_management",
    "Trader": "trading_decision",
    "Aggressive Analyst": "risk_debate",
    "Conservative Analyst": "risk_debate",
    "Neutral Analyst": "risk_debate",
    "Risky Analyst": "risk_debate",
    "Safe Analyst": "risk_debate",
    "Portfolio Manager": "risk_management",
    "Risk Judge": "risk_management",
}


class ChatTradingAgents(ChatLLMService):
    """ChatLLMService that knows the graph's nodes.

    What a call or the model names itself wins, and so does a run that names an agent
    or, where its task is sent (not with "auto-quick", "auto-deep" and "auto:TASK"), a
    task.
    """

    tag_nodes: bool = True

    def _tags(self, metadata: Mapping[str, Any], model: str) -> dict[str, Any]:
        node = metadata.get("langgraph_node")
        if not self.tag_nodes or not isinstance(node, str):
            return {}
        run = dict(current_tags.get())
        if names_task(model):  # the run's task stays away; the node's may go
            run.pop("task_type", None)
        tags = {"agent": node, "task_type": NODE_TASKS.get(node)}
        return {name: tag for name, tag in tags.items() if tag and not run.get(name)}


class ChatDeepSeekLLMService(ChatTradingAgents):
    """The same under a name that TradingAgents-CN's agents know what to do with.

    They look for words in the model's class name: "DeepSeek" makes the news analyst
    fetch the news itself instead of losing a tool call; "DashScope" would have the
    fundamentals analyst put another model in its place, "Google" would send answers
    through a handler for Gemini's. Whatever model answers, this name is right.
    """


class LLMServiceClient:
    """TradingAgents' client of one model: what `create_llm_client` returns.

    It has the members of the project's BaseLLMClient and inherits nothing from it, so
    that this package loads without the project.
    """

    provider = "llm_service"

    def __init__(self, model: str, base_url: str | None = None, **kwargs: Any) -> None:
        """Connects nowhere yet.

        Args:
          model: "auto-quick", "auto-deep", or a model of the service.
          base_url: the service's address; None: LLM_SERVICE_URL or LLM_SERVICE_GRPC.
          **kwargs: of ChatTradingAgents (callbacks, temperature, timeout, …).
        """
        self.model = model
        self.base_url = base_url
        self.kwargs = kwargs

    def get_llm(self) -> ChatTradingAgents:
        """The model for the graph's agents."""
        given = {k: v for k, v in self.kwargs.items() if v is not None}
        return ChatTradingAgents(model=self.model, base_url=self.base_url, **given)

    def get_provider_name(self) -> str:
        """For the project's messages."""
        return self.provider

    def validate_model(self) -> bool:
        """Always: the service itself knows its models."""
        return True

    def warn_if_unknown_model(self) -> None:
        """Never: see validate_model."""
