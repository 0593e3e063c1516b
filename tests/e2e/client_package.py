"""The Python package from the source tree, and where a running service is for it.

Imported before `llm_service` by the tests that drive the package.
"""

from __future__ import annotations

import sys

import harness

SOURCE = harness.ROOT / "clients" / "python" / "src"
sys.path.insert(0, str(SOURCE))

TRANSPORTS = ("grpc", "http")
# Of a service under these tests: connections of event loops that are over are open
# until the garbage collector comes by (grpcio 1.75), and a drain waits for them.
ENVIRONMENT = {"LLM_SERVICE_SERVER_DRAIN": "1s"}


def where(transport: str, service: harness.Service) -> dict[str, str]:
    """The arguments of a client of `service` over one transport."""
    if transport == "grpc":
        return {"grpc_target": service.addresses["grpc"], "transport": "grpc"}
    return {"base_url": service.url("/v1"), "transport": "http"}
