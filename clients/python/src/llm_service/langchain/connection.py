"""Where the service is: the fields that chat models and embeddings share."""

from __future__ import annotations

import threading
from typing import Any, Literal

from langchain_core.utils import secret_from_env
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr

from llm_service.aio import AsyncClient
from llm_service.client import Client


class Clients:
    """Both clients of one model, made when they are first needed.

    Copies of a model share them, as they share a service; a pickle leaves them behind.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sync: Client | None = None
        self._async: AsyncClient | None = None

    def sync(self, **settings: Any) -> Client:
        """The synchronous client."""
        with self._lock:
            if self._sync is None:
                self._sync = Client(**settings)
            return self._sync

    def asynchronous(self, **settings: Any) -> AsyncClient:
        """The asyncio client."""
        with self._lock:
            if self._async is None:
                self._async = AsyncClient(**settings)
            return self._async

    def __copy__(self) -> Clients:
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> Clients:
        return self

    def __reduce__(self) -> tuple[type[Clients], tuple[()]]:
        return Clients, ()


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
        return {
            "base_url": self.base_url or None,
            "grpc_target": self.grpc_target or None,
            "api_key": key,
            "transport": self.transport,
            "timeout": self.timeout,
            "tls": self.tls,
            "ca_file": self.ca_file,
            "cert_file": self.cert_file,
            "key_file": self.key_file,
        }

    @property
    def client(self) -> Client:
        """The client behind this model: `with model.client.run(user=…) as run:`."""
        return self._clients.sync(**self._settings())

    @property
    def async_client(self) -> AsyncClient:
        """The asyncio client behind this model."""
        return self._clients.asynchronous(**self._settings())
