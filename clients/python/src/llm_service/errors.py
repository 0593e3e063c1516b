"""What can go wrong, as types: one for every row of the service's error table.

    LLMServiceError
      InvalidRequestError       400  the request is malformed (`param`)
        ContextLengthError           the prompt is too long for every candidate
        ContentFilterError           the provider's filter refused the prompt
      AuthenticationError       401  missing or wrong key
      ModelNotAllowedError      403  the key may not use this model
      ModelNotFoundError        404  unknown model or task
      BodyTooLargeError         413
      RateLimitError            429  the service's own limit
        ProviderRateLimitError       every candidate is rate limited
      BudgetExceededError       429
      ProviderRejectedError     4xx  the provider refused the request
      ProviderUnavailableError  502  every candidate failed
      DeadlineError             504  the caller's or the total deadline (a TimeoutError)
      OverloadedError           503  draining or overloaded
      NotFoundError, ConflictError   what the table has no row for: wrong path, used key
      ServiceConnectionError         no answer: refused, broken or closed connection
      ProtocolError                  an answer that is none of the service's

The service retries by itself; do not retry by yourself where `retryable` is False.
"""

from __future__ import annotations

from typing import Any


class LLMServiceError(Exception):
    """A call failed.

    Attributes:
      message: words for people.
      code: the service's word for the case ("rate_limited"), "" where it sent none.
      status: the HTTP status; over gRPC the status that HTTP would have had.
      request_id: names the call in the service's log and usage rows.
      source: "client", "gateway" or "provider": who is at fault.
      provider: the provider's id, or None.
      upstream_status: the HTTP status that the provider answered, or None.
      upstream_code: the provider's own error code, or None.
      attempts: upstream calls that were made for this request.
      retry_after: seconds after which a retry makes sense, or None.
      retryable: False where the service says that a retry by the caller is pointless.
      param: the request field at fault, or None.
      delivered: of a stream, the number of chunks that came before the failure.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        status: int | None = None,
        request_id: str = "",
        source: str = "",
        provider: str | None = None,
        upstream_status: int | None = None,
        upstream_code: str | None = None,
        attempts: int = 0,
        retry_after: float | None = None,
        retryable: bool = False,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.request_id = request_id
        self.source = source
        self.provider = provider
        self.upstream_status = upstream_status
        self.upstream_code = upstream_code
        self.attempts = attempts
        self.retry_after = retry_after
        self.retryable = retryable
        self.param = param
        self.delivered = 0


class InvalidRequestError(LLMServiceError):
    """The request is malformed; `param` names the field."""


class ContextLengthError(InvalidRequestError):
    """The prompt is too long for every candidate."""


class ContentFilterError(InvalidRequestError):
    """The provider's filter refused the prompt."""


class AuthenticationError(LLMServiceError):
    """The key is missing or wrong."""


class ModelNotAllowedError(LLMServiceError):
    """The key may not use this model."""


class NotFoundError(LLMServiceError):
    """There is no such thing."""


class ModelNotFoundError(NotFoundError):
    """The model or task is unknown."""


class ConflictError(LLMServiceError):
    """The request conflicts with another (idempotency keys)."""


class BodyTooLargeError(LLMServiceError):
    """The request is larger than the service's limit."""


class RateLimitError(LLMServiceError):
    """A rate limit of the service; see `retry_after`."""


class ProviderRateLimitError(RateLimitError):
    """Every candidate is rate limited; see `retry_after`."""


class BudgetExceededError(LLMServiceError):
    """The budget is used up."""


class ProviderRejectedError(LLMServiceError):
    """The provider refused the request; see `upstream_status`."""


class ProviderUnavailableError(LLMServiceError):
    """Every candidate failed."""


class DeadlineError(LLMServiceError, TimeoutError):
    """The deadline of the caller, or the service's own, has passed."""


class OverloadedError(LLMServiceError):
    """The service is draining or overloaded; see `retry_after`."""


class ServiceConnectionError(LLMServiceError, ConnectionError):
    """No answer: the connection was refused, broke or was closed."""


class ProtocolError(LLMServiceError):
    """The answer is none of the service's, or stopped in the middle."""


# The rows of the service's table: what the word means, and its HTTP status.
_ROWS: dict[str, tuple[type[LLMServiceError], int]] = {
    "invalid_request": (InvalidRequestError, 400),
    "invalid_api_key": (AuthenticationError, 401),
    "model_not_allowed": (ModelNotAllowedError, 403),
    "model_not_found": (ModelNotFoundError, 404),
    "body_too_large": (BodyTooLargeError, 413),
    "rate_limited": (RateLimitError, 429),
    "budget_exceeded": (BudgetExceededError, 429),
    "context_length_exceeded": (ContextLengthError, 400),
    "content_filter": (ContentFilterError, 400),
    "provider_rejected": (ProviderRejectedError, 400),
    "provider_unavailable": (ProviderUnavailableError, 502),
    "provider_rate_limited": (ProviderRateLimitError, 429),
    "timeout": (DeadlineError, 504),
    "overloaded": (OverloadedError, 503),
    # Beside the table.
    "idempotency_conflict": (ConflictError, 409),
    "not_found": (NotFoundError, 404),
    "client_cancelled": (ServiceConnectionError, 499),
}
_REJECTED = (400, 404, 409, 413, 422)
_HEALS = (429, 502, 503, 504)


def make_error(
    code: str,
    message: str,
    *,
    status: int | None = None,
    no_retry: bool = False,
    upstream_status: int | None = None,
    **facts: Any,
) -> LLMServiceError:
    """The exception for one row of the table; status None: that of the row."""
    kind, row_status = _ROWS.get(code, (LLMServiceError, 500))
    if code == "provider_rejected" and upstream_status in _REJECTED:
        row_status = upstream_status
    status = status or row_status
    return kind(
        message,
        code=code,
        status=status,
        upstream_status=upstream_status or None,
        retryable=not no_retry and status in _HEALS,
        **facts,
    )


def own_deadline() -> DeadlineError:
    """The deadline passed, and the service has not said so itself."""
    return DeadlineError(
        "The deadline passed without a word of the service",
        code="timeout",
        status=504,
        source="client",
    )
