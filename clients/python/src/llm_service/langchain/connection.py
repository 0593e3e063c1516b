"""Where the service is: the fields that chat models and embeddings share."""

from __future__ import annotations

import atexit
import weakref
from collections import deque
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from langchain_core.utils import secret_from_env
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr

from llm_service.aio import AsyncClient
from llm_service.client import Client


Given = tuple[tuple[str, Any], ...]
Both = Client | AsyncClient

# Models are made by the dozen (LangChain's `configurable_fields` makes one for each
# call) and connections are dear: models of the same settings share their clients. The
# last few are kept for the next model. No locks here, which a fork could find locked;
# of two clients made at once one is used and the other never connects.
_shared: weakref.WeakValueDictionary[Any, Both] = weakref.WeakValueDictionary()
_kept: deque[Both] = deque(maxlen=32)
# Let go before the interpreter takes grpcio apart, which complains otherwise.
atexit.register(_kept.clear)

T = TypeVar("T", Client, AsyncClient)


class Clients:
    """The clients of one model and its copies, by the settings they were made for.

    A model goes on with what the environment said when it first called. Copies that
    say another address, key or deadline get clients of their own; a pickle leaves
    them behind.
    """

    def __init__(self) -> None:
        self._made: dict[Any, Both] = {}

    def get(self, kind: type[T], settings: Mapping[str, Any]) -> T:
        """The client for these settings; a new one where somebody has closed it."""
        given: Given = tuple(settings.items())
        client = self._made.get((kind, given))
        if not isinstance(client, kind) or client._closed:
            client = _find(kind, given)
            self._made[kind, given] = client
        return client

    def __copy__(self) -> Clients:
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> Clients:
        return self

    def __reduce__(self) -> tuple[type[Clients], tuple[()]]:
        return Clients, ()


def _find(kind: type[T], given: Given) -> T:
    made = kind(**dict(given))
    key = (kind, made._settings, given)
    known = _shared.get(key)
    if isinstance(known, kind) and not known._closed:
        return known
    _shared[key] = made
    _kept.append(made)
    return made


# Subclasses say it again: of two base classes Pydantic takes the last one's.
CONFIG = ConfigDict(
    arbitrary_types_allowed=True,
    extra="forbid",
    populate_by_name=True,
    protected_namespaces=(),
)


class ServiceConnection(BaseModel):
    """The address, key and default deadline; see `llm_service.Client` for each.

    What is not given comes from LLM_SERVICE_URL, LLM_SERVICE_GRPC and
    LLM_SERVICE_API_KEY.
    """

    model_config = CONFIG

    base_url: str | None = None
    grpc_target: str | None = None
    api_key: SecretStr | None = Field(
        default_factory=secret_from_env("LLM_SERVICE_API_KEY", default=None)
    )
    transport: Literal["auto", "grpc", "http"] = "auto"
    timeout: float | None = Field(default=None, alias="request_timeout")
    """Seconds until a call must be over: a deadline that reaches the provider."""
    tls: bool | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    _clients: Clients = PrivateAttr(default_factory=Clients)

    def _settings(self) -> dict[str, Any]:
        key = self.api_key.get_secret_value() if self.api_key is not None else None
        # Empty is what callers say who have none: then the environment's counts.
        return {
            "base_url": self.base_url or None,
            "grpc_target": self.grpc_target or None,
            "api_key": key or None,
            "transport": self.transport,
            "timeout": self.timeout,
            "tls": self.tls,
            "ca_file": self.ca_file,
            "cert_file": self.cert_file,
            "key_file": self.key_file,
        }

    @property
    def client(self) -> Client:
        """The client behind this model: `with model.client.run(user=…) as run:`.

        Models of the same settings share it. Who closes it ends their running calls;
        the next call makes a new one."""
        return self._clients.get(Client, self._settings())

    @property
    def async_client(self) -> AsyncClient:
        """The asyncio client behind this model."""
        return self._clients.get(AsyncClient, self._settings())
