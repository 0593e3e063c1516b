"""The Python package's four ways to the service, driven alike.

A door answers a whole call, a stream or an error; what comes back must be the same at
all of them. The package is taken from the source tree; its installed form is tested by
tests/clients/python/test_package.py.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import harness

sys.path.insert(0, str(Path(harness.ROOT) / "clients" / "python" / "src"))

import llm_service  # noqa: E402

HELLO = [{"role": "user", "content": "hello"}]
DOORS = ("grpc", "grpc-aio", "http", "http-aio")


@dataclass
class Heard:
    """What a call came to."""

    answer: Any = None
    chunks: list[Any] = field(default_factory=list)
    error: llm_service.LLMServiceError | None = None

    @property
    def text(self) -> str:
        """Of the answer, or of the chunks together."""
        if self.answer is not None:
            return llm_service.text_of(self.answer)
        return "".join(llm_service.text_of(chunk) for chunk in self.chunks)


class Door:
    """One way in; every call with a client of its own."""

    def __init__(self, name: str, running: harness.Service, key: str = "", **more):
        self.name = name
        self.options = {
            "transport": name.removesuffix("-aio"),
            "base_url": running.url("/v1"),
            "grpc_target": running.addresses["grpc"],
            "api_key": key,
            **more,
        }

    def ask(self, method: str, *args, **kw) -> Any:
        """The result of one method; raises as it does."""
        if not self.name.endswith("-aio"):
            with llm_service.Client(**self.options) as client:
                return getattr(client, method)(*args, **kw)

        async def go():
            async with llm_service.AsyncClient(**self.options) as client:
                return await getattr(client, method)(*args, **kw)

        return asyncio.run(go())

    def hear(self, whole: bool, messages=None, **kw) -> Heard:
        """A chat, whole or streamed, with its error if there was one."""
        heard = Heard()
        messages = HELLO if messages is None else messages
        try:
            if whole:
                heard.answer = self.ask("chat", messages, **kw)
            else:
                self._stream(heard, messages, kw)
        except llm_service.LLMServiceError as error:
            heard.error = error
        return heard

    def _stream(self, heard: Heard, messages, kw) -> None:
        if not self.name.endswith("-aio"):
            with llm_service.Client(**self.options) as client:
                for chunk in client.stream(messages, **kw):
                    heard.chunks.append(chunk)
            return

        async def go():
            async with llm_service.AsyncClient(**self.options) as client:
                async for chunk in client.stream(messages, **kw):
                    heard.chunks.append(chunk)

        asyncio.run(go())
