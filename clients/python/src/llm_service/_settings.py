"""Where the service is and how to reach it, from arguments and environment."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Literal
from urllib.parse import urlsplit

from llm_service.errors import ServiceConnectionError

Transport = Literal["auto", "grpc", "http"]

_DEFAULT_URL = "http://127.0.0.1:8004"
_DEFAULT_GRPC = "127.0.0.1:9004"
_GRPC_PORT = "9004"
_ROUTES = ("/chat/completions", "/embeddings", "/models")


@dataclass(frozen=True)
class Settings:
    """What a transport needs; made by `resolve`."""

    transport: Literal["grpc", "http"]
    url: str  # ends in /v1
    target: str
    api_key: str
    tls: bool
    url_known: bool  # somebody named it; else it is a guess
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


# What the stubs load with; older ones count as absent.
_NEEDED = {"grpcio": (1, 72, 2), "protobuf": (6, 30)}


def has_grpc() -> bool:
    """Whether what the extra `grpc` installs is there."""
    for name, needed in _NEEDED.items():
        try:
            numbers = re.findall(r"\d+", version(name))[:3]
        except PackageNotFoundError:
            return False
        if tuple(map(int, numbers)) < needed:
            return False
    return True


def http_url(text: str) -> str:
    """The base of all routes, from what people type: with or without a scheme, /v1,
    a slash at the end, or the whole address of a route."""
    url = text.strip()
    if "://" not in url:
        url = "http://" + url
    url = url.rstrip("/")
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise ValueError(f"{text!r} is no http address")
    for route in _ROUTES:
        url = url.removesuffix(route).rstrip("/")
    return url if url.endswith("/v1") else url + "/v1"


def grpc_target(text: str) -> tuple[str, bool]:
    """A target for grpcio and whether it says TLS; port 9004 where none is given."""
    text = text.strip().rstrip("/")
    scheme, slashes, rest = text.partition("://")
    secure = bool(slashes) and scheme in ("https", "grpcs")
    if slashes and scheme in ("http", "https", "grpc", "grpcs"):
        text = rest
    elif slashes or text.startswith(("unix:", "dns:", "ipv4:", "ipv6:", "xds:")):
        return text, secure
    if "/" in text or not text:
        raise ValueError(f"{text!r} is no gRPC target: it is host:port")
    bracket = text.rpartition("]")[2] if text.startswith("[") else text
    if ":" not in bracket:
        text = f"{text}:{_GRPC_PORT}"
    return text, secure


def _choose(
    transport: Transport, base_url: str | None, target: str | None
) -> Literal["grpc", "http"]:
    if transport != "auto":
        if transport == "grpc" and not has_grpc():
            raise ImportError(
                "transport='grpc' needs grpcio 1.72.2 and protobuf 6.30 or newer: "
                "pip install 'llm-service-client[grpc]'"
            )
        return transport
    # What the caller says counts more than what is in the environment.
    named_url = base_url or (None if target else os.environ.get("LLM_SERVICE_URL"))
    named_target = target or (None if base_url else os.environ.get("LLM_SERVICE_GRPC"))
    if not has_grpc():
        if named_target and not named_url:
            raise ImportError(
                "a gRPC target needs grpcio (pip install 'llm-service-client[grpc]'); "
                "HTTP needs base_url or LLM_SERVICE_URL"
            )
        return "http"
    return "http" if named_url and not named_target else "grpc"


def over_http(settings: Settings) -> Settings:
    """The same service over HTTP, for a process in which grpcio cannot work."""
    if not settings.url_known:
        raise ServiceConnectionError(
            "grpcio does not work in a process that was forked after grpc.aio was "
            "used or in the middle of a call; with base_url or LLM_SERVICE_URL such a "
            "process calls over HTTP"
        )
    return replace(settings, transport="http")


def resolve(
    *,
    base_url: str | None,
    grpc_target_text: str | None,
    api_key: str | None,
    transport: Transport,
    tls: bool | None,
    ca_file: str | None,
    cert_file: str | None,
    key_file: str | None,
) -> Settings:
    """Arguments first, then environment, then loopback."""
    if (cert_file is None) != (key_file is None):
        raise ValueError("cert_file and key_file go together")
    if transport not in ("auto", "grpc", "http"):
        raise ValueError("transport is auto, grpc or http")
    env = os.environ
    chosen = _choose(transport, base_url, grpc_target_text)
    text = grpc_target_text or env.get("LLM_SERVICE_GRPC") or _DEFAULT_GRPC
    target, secure = grpc_target(text)
    key = env.get("LLM_SERVICE_API_KEY", "") if api_key is None else api_key
    if not key.isascii() or not key.isprintable():
        raise ValueError("the API key is not of printable ASCII characters")
    return Settings(
        transport=chosen,
        url=http_url(base_url or env.get("LLM_SERVICE_URL") or _DEFAULT_URL),
        target=target,
        api_key=key.strip(),
        url_known=bool(base_url or env.get("LLM_SERVICE_URL")),
        tls=(secure or ca_file is not None or cert_file is not None)
        if tls is None
        else tls,
        ca_file=ca_file,
        cert_file=cert_file,
        key_file=key_file,
    )
