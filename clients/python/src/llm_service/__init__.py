"""Client of LLM Service: chat, streams, tools, embeddings, models, usage.

Start at `Client` (client.py), `AsyncClient` (aio.py), `LLMServiceProvider`
(provider.py); failures are in errors.py, the shapes of dicts in types.py.
"""

from llm_service._version import __version__
from llm_service.aio import AsyncClient, AsyncStream
from llm_service.client import Client, Stream
from llm_service.errors import (
    AuthenticationError,
    BodyTooLargeError,
    BudgetExceededError,
    ConflictError,
    ContentFilterError,
    ContextLengthError,
    DeadlineError,
    InvalidRequestError,
    LLMServiceError,
    ModelNotAllowedError,
    ModelNotFoundError,
    NotFoundError,
    OverloadedError,
    ProtocolError,
    ProviderRateLimitError,
    ProviderRejectedError,
    ProviderUnavailableError,
    RateLimitError,
    ServiceConnectionError,
)
from llm_service.provider import LLMServiceProvider
from llm_service.run import AsyncRun, Run
from llm_service.types import text_of

__all__ = [
    "AsyncClient",
    "AsyncRun",
    "AsyncStream",
    "AuthenticationError",
    "BodyTooLargeError",
    "BudgetExceededError",
    "Client",
    "ConflictError",
    "ContentFilterError",
    "ContextLengthError",
    "DeadlineError",
    "InvalidRequestError",
    "LLMServiceError",
    "LLMServiceProvider",
    "ModelNotAllowedError",
    "ModelNotFoundError",
    "NotFoundError",
    "OverloadedError",
    "ProtocolError",
    "ProviderRateLimitError",
    "ProviderRejectedError",
    "ProviderUnavailableError",
    "RateLimitError",
    "Run",
    "ServiceConnectionError",
    "Stream",
    "__version__",
    "text_of",
]
