"""What both HTTP transports have in common: requests, events, errors."""

from __future__ import annotations

import array
import base64
import json
import socket
import ssl
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import httpx

from llm_service._call import Call
from llm_service._fields import dumps
from llm_service._settings import Settings
from llm_service._version import __version__
from llm_service.errors import (
    LLMServiceError,
    ProtocolError,
    ServiceConnectionError,
    make_error,
    own_deadline,
)

_CONNECT = 10.0
# How long the end of a stream may keep its caller, so that its connection is used
# again; a proxy may hold the connection long after the last event.
DRAIN = 0.2
# How a call can fail beneath us; ssl's own errors pass httpx unchanged at times.
# Ours are OSErrors, too, and must be let through before these are caught.
FAILURES = (httpx.HTTPError, httpx.StreamError, OSError)
# The kernel's pings find out who is gone while a call of minutes brings nothing.
_SOCKET_OPTIONS = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in (
            ("TCP_KEEPIDLE", 10),
            ("TCP_KEEPINTVL", 10),
            ("TCP_KEEPCNT", 3),
        )
        if hasattr(socket, name)
    ),
]


def transport_arguments(settings: Settings) -> dict[str, Any]:
    """Of httpx.HTTPTransport and its async twin. No retries, no bound on calls at
    once, and no proxies of the environment: they are meant for the world outside."""
    # The system's certificates, as curl has them, where the caller names none.
    verify = ssl.create_default_context(cafile=settings.ca_file)
    if settings.cert_file:
        verify.load_cert_chain(settings.cert_file, settings.key_file)
    return {
        "verify": verify,
        "trust_env": False,
        "retries": 0,
        "limits": httpx.Limits(max_connections=None, max_keepalive_connections=32),
        "socket_options": _SOCKET_OPTIONS,
    }


def _headers(settings: Settings, call: Call) -> dict[str, str]:
    headers = {"user-agent": f"llm-service-client/{__version__}", **call.words}
    if settings.api_key:
        headers["authorization"] = f"Bearer {settings.api_key}"
    if call.timeout is not None:
        headers["x-llm-timeout"] = f"{call.timeout:.6f}"
    return headers


def _timeout(call: Call) -> httpx.Timeout:
    connect = _CONNECT if call.patience is None else min(_CONNECT, call.patience)
    return httpx.Timeout(call.patience, connect=connect)


def post(settings: Settings, route: str, call: Call, **more: Any) -> httpx.Request:
    """A request with a JSON body."""
    body = {**call.body, "stream": None, **more}  # the method says whether it is one
    if body["stream"] is None:
        del body["stream"]
    text = dumps(body)
    try:
        content = text.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate: kept as its escape
        content = json.dumps(body).encode("ascii")
    headers = {**_headers(settings, call), "content-type": "application/json"}
    return _request("POST", settings, route, call, headers, content=content)


def get(
    settings: Settings, route: str, call: Call, query: Mapping[str, str]
) -> httpx.Request:
    """A request for a report."""
    headers = _headers(settings, call)
    return _request("GET", settings, route, call, headers, params=query)


def _request(
    method: str,
    settings: Settings,
    route: str,
    call: Call,
    headers: dict[str, str],
    **more: Any,
) -> httpx.Request:
    extensions = {"timeout": _timeout(call).as_dict()}
    return httpx.Request(
        method, settings.url + route, headers=headers, extensions=extensions, **more
    )


def usage_query(call: Call) -> dict[str, str]:
    """A usage report's query."""
    body = call.body
    query = {"from": body["from"], "to": body["to"], "by": ",".join(body["by"])}
    return {**{n: v for n, v in query.items() if v}, **body["where"]}


def exact(text: bytes) -> Any:
    """JSON whose decimals stay exact."""
    return json.loads(text, parse_float=Decimal)


def floats(text: str) -> list[float]:
    """A vector of little-endian float32 in base64."""
    values = array.array("f", base64.b64decode(text))
    if sys.byteorder == "big":
        values.byteswap()
    return values.tolist()


def embeddings(answer: httpx.Response) -> Any:
    """The answer with its vectors as lists."""
    body = parse(answer, "data")
    try:
        for one in body["data"]:
            if isinstance(one["embedding"], str):
                one["embedding"] = floats(one["embedding"])
    except (LookupError, TypeError, ValueError) as error:
        raise _foreign(answer) from error
    return body


def _foreign(answer: httpx.Response) -> ProtocolError:
    status = answer.status_code
    return ProtocolError(
        f"HTTP {status} is no answer of the service; is {answer.url} its address?",
        status=status,
    )


def parse(answer: httpx.Response, member: str, loads: Any = json.loads) -> Any:
    """The body of a good answer, which has `member`; raises for any other."""
    if answer.status_code != 200:
        raise answer_error(answer)
    try:
        body = loads(answer.content)
    except ValueError as error:
        raise ProtocolError(f"The answer is no JSON: {error}", status=200) from error
    if not isinstance(body, dict) or member not in body:
        raise _foreign(answer)
    return body


def _envelope_error(
    envelope: Mapping[str, Any], status: int | None, no_retry: bool
) -> LLMServiceError:
    ours = envelope.get("llm_service") or {}
    return make_error(
        envelope.get("code") or "",
        envelope.get("message") or "",
        status=status,
        no_retry=no_retry,
        request_id=ours.get("request_id") or "",
        source=ours.get("source") or "",
        provider=ours.get("provider"),
        upstream_status=ours.get("upstream_status"),
        upstream_code=ours.get("upstream_code"),
        attempts=ours.get("attempts") or 0,
        retry_after=ours.get("retry_after_s"),
        param=envelope.get("param"),
    )


def answer_error(answer: httpx.Response) -> LLMServiceError:
    """The exception for an answer that is not 200."""
    status = answer.status_code
    try:
        envelope = json.loads(answer.content)["error"]
        if "llm_service" in envelope:
            said = answer.headers.get("x-should-retry")
            return _envelope_error(envelope, status, said == "false")
    except (ValueError, LookupError, TypeError, AttributeError):
        pass
    where = f"HTTP {status} from what lies before the service"
    if status in _GATEWAYS:
        return ServiceConnectionError(where, status=status, retryable=True)
    if status in _BARE:
        code = _BARE[status]
        return make_error(code, where, status=status, no_retry=status != 429)
    return _foreign(answer)


# Of a proxy: it does not reach the service, or refuses the call by itself.
_GATEWAYS = (502, 503, 504)
_BARE = {401: "invalid_api_key", 413: "body_too_large", 429: "rate_limited"}


def http_error(error: Exception) -> LLMServiceError:
    """The exception for a call that got no answer."""
    if isinstance(error, (httpx.ReadTimeout, httpx.WriteTimeout)):
        return own_deadline()
    words = str(error) or type(error).__name__
    never_left = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
    return ServiceConnectionError(words, status=503, retryable=never_left)


class Events:
    """The chunks in a stream's bytes."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []  # of a line that has not ended
        self.done = False

    def feed(self, data: bytes) -> Iterator[Any]:
        """Yields what became whole; raises the error that came in band."""
        # Bytes are split and not text: other line ends may be inside of JSON texts.
        head, end, rest = data.rpartition(b"\n")
        if not end:
            self._pieces.append(data)
            return
        lines = b"".join([*self._pieces, head]).split(b"\n")
        self._pieces = [rest]
        for line in lines:
            if not line.startswith(b"data:"):
                continue
            text = line[5:].strip()
            if text == b"[DONE]":
                self.done = True
                return
            yield self._event(text)

    def _event(self, text: bytes) -> Any:
        try:
            event = json.loads(text)
        except ValueError as error:
            raise ProtocolError(f"An event is no JSON: {error}") from error
        if not isinstance(event, dict):
            raise ProtocolError("An event is no JSON object")
        if "error" in event and "choices" not in event:
            fault = event["error"]
            if not isinstance(fault, dict):
                raise ProtocolError(f"An error that is not the service's: {fault}")
            # Nothing is retried once a part of the answer is out.
            raise _envelope_error(fault, None, True)
        return event

    def end(self) -> None:
        """Raises if the stream ended before its end."""
        if not self.done:
            raise ServiceConnectionError("The stream broke off before its end")
