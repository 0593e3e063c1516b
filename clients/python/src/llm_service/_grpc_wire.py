"""What both gRPC transports have in common: channel options, metadata, errors."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError

from llm_service._call import Call
from llm_service._settings import Settings
from llm_service._stubs import common_pb2
from llm_service._version import __version__
from llm_service.errors import (
    BodyTooLargeError,
    LLMServiceError,
    ProtocolError,
    ServiceConnectionError,
    make_error,
    own_deadline,
)

# Ping every 10 s, also while a call of minutes brings nothing: what keeps the
# connection in the tables of what lies between, and finds out who is gone. The
# service limits messages; retries are its own; proxies of the environment are meant
# for the world outside; a subchannel of one's own is not shared across a fork.
OPTIONS: list[tuple[str, Any]] = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.enable_retries", 0),
    ("grpc.service_config_disable_resolution", 1),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.primary_user_agent", f"llm-service-client/{__version__}"),
]

_DETAILS = "grpc-status-details-bin"


def _system_roots() -> str | None:
    """The file that HTTP trusts, too (SSL_CERT_FILE, or the system's); None where there
    is none: grpcio then takes the list that it brings along."""
    named = ssl.get_default_verify_paths().cafile
    return named or next(filter(os.path.exists, _BUNDLES), None)


# Debian's; Python's own OpenSSL may know but the folder.
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")


def credentials(settings: Settings) -> grpc.ChannelCredentials:
    """TLS as the settings say."""

    def read(path: str | None) -> bytes | None:
        return Path(path).read_bytes() if path else None

    return grpc.ssl_channel_credentials(
        root_certificates=read(settings.ca_file or _system_roots()),
        private_key=read(settings.key_file),
        certificate_chain=read(settings.cert_file),
    )


def metadata(settings: Settings, call: Call) -> tuple[tuple[str, str], ...]:
    """The key and the call's words."""
    words = tuple(call.words.items())
    if settings.api_key:
        return (("authorization", f"Bearer {settings.api_key}"), *words)
    return words


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _details(status: bytes) -> Iterable[bytes]:
    """The `details` (field 3) of a google.rpc.Status, read by hand: a second
    definition of that message would clash with googleapis-common-protos."""
    at = 0
    while at < len(status):
        tag, at = _varint(status, at)
        size, at = _varint(status, at)
        if tag & 7 != 2:
            continue  # `code`, whose value is what was read as a size
        if tag >> 3 == 3:
            yield status[at : at + size]
        at += size


def _upstream_error(trailers: Any) -> common_pb2.UpstreamError | None:
    for name, value in trailers or ():
        if name != _DETAILS:
            continue
        try:
            for packed in _details(bytes(value)):
                detail = common_pb2.UpstreamError()
                if any_pb2.Any.FromString(packed).Unpack(detail):
                    return detail
        except (IndexError, DecodeError):
            return None
    return None


# How grpcio words that a call has not left: nobody listens, no route, a failed
# handshake or lookup, a proxy that does not reach the service (HTTP 502 to 504) or
# bounds calls (429).
_NOT_CONNECTED = (
    "failed to connect",
    "connections to all backends failing",
    "DNS resolution failed",
    "name resolution",
    "errors resolving",
    "HTTP response code 429",
    "HTTP response code 502",
    "HTTP response code 503",
    "HTTP response code 504",
    "http2 header with status: 429",
    "http2 header with status: 502",
    "http2 header with status: 503",
    "http2 header with status: 504",
)


def _bare_error(code: grpc.StatusCode, message: str) -> LLMServiceError:
    """A status that brought no detail: of grpcio itself, or of what lies between."""
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return own_deadline()
    if code is grpc.StatusCode.UNAVAILABLE:
        never_left = any(words in message for words in _NOT_CONNECTED)
        return ServiceConnectionError(message, status=503, retryable=never_left)
    if code is grpc.StatusCode.UNAUTHENTICATED:  # HTTP 401 of what lies between
        return make_error("invalid_api_key", message, no_retry=True)
    if code is grpc.StatusCode.CANCELLED:
        return ServiceConnectionError("The call was cancelled: " + message)
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than" in message:
        return BodyTooLargeError(
            message, code="body_too_large", status=413, source="client"
        )
    return ProtocolError(f"{code.name}: {message}")


def call_error(error: Any) -> LLMServiceError:
    """The exception for a failed call: a grpc.RpcError that is a call, too, or a
    grpc.aio.AioRpcError."""
    detail = _upstream_error(error.trailing_metadata())
    if detail is None:
        return _bare_error(error.code(), error.details() or "")
    return make_error(
        detail.code,
        detail.message,
        no_retry=detail.no_retry,
        request_id=detail.request_id,
        source=detail.source,
        provider=detail.provider or None,
        upstream_status=detail.upstream_status or None,
        upstream_code=detail.upstream_code or None,
        attempts=detail.attempts,
        retry_after=(
            detail.retry_after_s if detail.HasField("retry_after_s") else None
        ),
        param=detail.param or None,
    )
