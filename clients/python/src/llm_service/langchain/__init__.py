"""LLM Service for LangChain and LangGraph (the extra `langchain` of the package).

    from llm_service.langchain import ChatLLMService

    model = ChatLLMService(model="auto-quick", base_url="http://127.0.0.1:8004/v1")
    model.bind_tools(tools).invoke("…")

`ChatLLMService` (chat.py) and `LLMServiceEmbeddings` (embeddings.py) speak gRPC or
HTTP as `llm_service.Client` does. Failures are the exceptions of llm_service.errors,
which are LangChain's own kinds too (errors.py).
"""

from llm_service.langchain.chat import ChatLLMService
from llm_service.langchain.embeddings import LLMServiceEmbeddings

__all__ = ["ChatLLMService", "LLMServiceEmbeddings"]
