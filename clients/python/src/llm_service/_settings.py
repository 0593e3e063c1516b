"""Where the service is and how to reach it, from arguments and environment."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Literal
from urllib.parse import urlsplit

from llm_service.errors import ServiceConnectionError

Transport = Literal["auto", "grpc", "http"]

_DEFAULT_HTTP = "127.0.0.1:8004"
_DEFAULT_GRPC = "127.0.0.1:9004"
_GRPC_PORT = "9004"
_ROUTES = ("/chat/completions", "/embeddings", "/models")


@dataclass(frozen=True)
class Settings:
    """What a transport needs; made by `resolve`."""

    transport: Literal["grpc", "http"]
    url: str  # ends in /v1
    target: str
    api_key: str = field(repr=False)
    tls: bool
    url_known: bool  # somebody named it; else it is a guess
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


# What the stubs load with, and the first that they do not; others count as absent.
_NEEDED = {"grpcio": ((1, 72, 2), (2,)), "protobuf": ((6, 30), (8,))}


def has_grpc() -> bool:
    """Whether what the extra `grpc` installs is there."""
    for name, (first, beyond) in _NEEDED.items():
        try:
            numbers = re.findall(r"\d+", version(name))[:3]
        except PackageNotFoundError:
            return False
        if not first <= tuple(map(int, numbers)) < beyond:
            return False
    return True


def http_url(text: str, secure: bool = False) -> str:
    """The base of all routes, from what people type: with or without a scheme, /v1,
    a slash at the end, or the whole address of a route. `secure`: TLS was asked for,
    and no key may travel without it."""
    url = text.strip()
    if "://" not in url:
        url = ("https://" if secure else "http://") + url
    url = url.rstrip("/")
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("an address with a user or password; the key is api_key")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{text!r} is no http address")
    _check_port(parts.netloc)
    if secure and parts.scheme == "http":
        raise ValueError(f"TLS was asked for, and {text!r} is without it")
    for route in _ROUTES:
        url = url.removesuffix(route).rstrip("/")
    return url if url.endswith("/v1") else url + "/v1"


def _check_port(place: str) -> None:
    try:
        port = urlsplit("//" + place).port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError(f"the port of {place!r} is no number from 1 to 65535")


def _target(text: str, tls: bool | None) -> tuple[str, bool]:
    """A gRPC target and whether to speak TLS, where `tls` is what was asked for."""
    target, secure = grpc_target(text)
    if tls and text.strip().startswith(("http://", "grpc://")):
        raise ValueError(f"TLS was asked for, and {text!r} is without it")
    if tls is False and secure:
        raise ValueError(f"tls=False, and {text!r} is with TLS")
    return target, secure if tls is None else tls


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
    if "@" in text:
        raise ValueError("an address with a user or password; the key is api_key")
    bracket = text.rpartition("]")[2] if text.startswith("[") else text
    if ":" not in bracket:
        text = f"{text}:{_GRPC_PORT}"
    _check_port(text)
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
    key = (env.get("LLM_SERVICE_API_KEY", "") if api_key is None else api_key).strip()
    if not key.isascii() or not key.isprintable():
        raise ValueError("the API key is not of printable ASCII characters")
    chosen = _choose(transport, base_url, grpc_target_text)
    named_url = base_url or env.get("LLM_SERVICE_URL")
    named_target = grpc_target_text or env.get("LLM_SERVICE_GRPC")
    _check_named(chosen, named_url, named_target)
    # Own certificates are for TLS, too; tls=False with them is taken at its word.
    asked = True if tls is None and (ca_file or cert_file) else tls
    target, secure = _DEFAULT_GRPC, bool(asked)
    if chosen == "grpc" or grpc_target_text:
        target, secure = _target(named_target or _DEFAULT_GRPC, asked)
    return Settings(
        transport=chosen,
        url=http_url(named_url or _DEFAULT_HTTP, bool(asked)),
        target=target,
        api_key=key,
        url_known=bool(named_url),
        tls=secure,
        ca_file=ca_file,
        cert_file=cert_file,
        key_file=key_file,
    )


def _check_named(chosen: str, url: str | None, target: str | None) -> None:
    """A transport that was chosen by hand does not go to loopback, key and all, where
    an address of the other one was given."""
    if chosen == "http" and target and not url:
        raise ValueError("transport='http' needs base_url or LLM_SERVICE_URL")
    if chosen == "grpc" and url and not target:
        raise ValueError("transport='grpc' needs grpc_target or LLM_SERVICE_GRPC")
