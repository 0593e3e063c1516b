"""The package's exceptions as LangChain's own kinds.

LangChain's middleware (retries, summarising an overlong history) looks for kinds of
its own. What a model of this package raises is both: `except RateLimitError` of
llm_service.errors catches it, and `except ModelRateLimitError` of LangChain.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import langchain_core.exceptions as theirs

from llm_service import errors as ours

_KINDS = {
    ours.AuthenticationError: "ModelAuthenticationError",
    ours.ModelNotAllowedError: "ModelPermissionDeniedError",
    ours.InvalidRequestError: "ModelInvalidRequestError",
    ours.ContentFilterError: "ModelInvalidRequestError",
    ours.BodyTooLargeError: "ModelInvalidRequestError",
    ours.ProviderRejectedError: "ModelInvalidRequestError",
    ours.ContextLengthError: "ContextOverflowError",
    ours.ModelNotFoundError: "ModelNotFoundError",
    ours.RateLimitError: "ModelRateLimitError",
    ours.ProviderRateLimitError: "ModelRateLimitError",
    ours.BudgetExceededError: "ModelRateLimitError",
    ours.ProviderUnavailableError: "ModelAPIError",
    ours.OverloadedError: "ModelAPIError",
    ours.ProtocolError: "ModelAPIError",
    ours.DeadlineError: "ModelTimeoutError",
    ours.ServiceConnectionError: "ModelConnectionError",
}


def _twin(kind: type[ours.LLMServiceError], name: str) -> type[ours.LLMServiceError]:
    other = getattr(theirs, name, None)
    if other is None:  # an older langchain-core has none of them, or not this one
        return kind
    members = {"__module__": __name__, "__doc__": kind.__doc__}
    return type(kind.__name__, (kind, other), members)


_TWINS = {kind: _twin(kind, name) for kind, name in _KINDS.items()}
# A pickled exception is found by its name.
globals().update({kind.__name__: kind for kind in _TWINS.values()})


@contextmanager
def langchain_errors() -> Iterator[None]:
    """Makes what is raised in the block LangChain's kind too."""
    try:
        yield
    except ours.LLMServiceError as error:
        # The same object, so that its cause, notes and traceback stay. The classes
        # differ by one base without members.
        error.__class__ = _TWINS.get(type(error), type(error))
        # The service retries by itself and knows when another try is pointless.
        error.is_retryable = error.retryable  # type: ignore[attr-defined]
        raise
