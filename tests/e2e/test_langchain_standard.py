"""LangChain's standard suite (langchain-tests) against the real service with its
simulated provider, over gRPC and over HTTP.

Run by the interpreter of build/e2e/langchain, which has what
clients/python/requirements-langchain.txt pins. The suite loads its pictures and
documents from the network; here they are made on the spot.

Nothing is expected to fail. Two of its tests skip themselves: test_serdes, since the
model does not offer LangChain's serialisation (is_lc_serializable is False; it is
pickled instead: test_langchain.py), and test_stream_time, a benchmark on recorded
HTTP, which gRPC is not.
"""

from __future__ import annotations

import httpx
import pytest
from langchain_tests.integration_tests import (
    ChatModelIntegrationTests,
    EmbeddingsIntegrationTests,
)
from langchain_tests.unit_tests import ChatModelUnitTests, EmbeddingsUnitTests

import client_package
import harness
from llm_service.langchain import ChatLLMService, LLMServiceEmbeddings

MODEL = "auto-quick"
OTHER_MODEL = "simulated-deep"  # reasons

# The first bytes are what anybody looks at: no model sees these.
FILES = {
    ".png": b"\x89PNG\r\n\x1a\n" + bytes(64),
    ".pdf": b"%PDF-1.4\n%%EOF\n",
    ".wav": b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(28),
}


@pytest.fixture(autouse=True)
def files_without_network(monkeypatch):
    def get(url, **_):
        return httpx.Response(200, content=FILES[url[-4:].lower()])

    monkeypatch.setattr(httpx, "get", get)
    monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "tests")


@pytest.fixture(scope="module", autouse=True)
def running():
    service = harness.Service(
        harness.config("simulated: {}", auth="keys"), env=client_package.ENVIRONMENT
    )
    service.key = service.create_key("langchain")
    _Chat.service = service
    yield service
    service.stop()


class _Chat:
    """What the suite asks of an integration, shared by its classes."""

    service = None
    transport = "http"

    @property
    def chat_model_class(self):
        return ChatLLMService

    @property
    def chat_model_params(self):
        return {"model": MODEL, **client_package.where(self.transport, self.service)}

    @property
    def supports_json_mode(self):
        return True

    @property
    def supports_image_inputs(self):
        return True

    @property
    def supports_image_urls(self):
        return True

    @property
    def supports_pdf_inputs(self):
        return True

    @property
    def supports_audio_inputs(self):
        return True

    @property
    def supports_image_tool_message(self):
        return True

    @property
    def supports_pdf_tool_message(self):
        return True

    @property
    def supports_anthropic_inputs(self):
        return True

    @property
    def supports_model_override(self):
        return True

    @property
    def model_override_value(self):
        return OTHER_MODEL

    @property
    def structured_output_kwargs(self):
        return {"method": "function_calling"}


class TestChatUnit(_Chat, ChatModelUnitTests):
    @property
    def init_from_env_params(self):
        return (
            {"LLM_SERVICE_API_KEY": "sk-env"},
            {"model": MODEL},
            {"api_key": "sk-env"},
        )


class _ChatIntegration(_Chat, ChatModelIntegrationTests):
    @property
    def chat_model_params(self):
        return {**super().chat_model_params, "api_key": self.service.key}


class TestChatOverGrpc(_ChatIntegration):
    transport = "grpc"


class TestChatOverHttp(_ChatIntegration):
    transport = "http"


class TestJsonSchemaOverGrpc(TestChatOverGrpc):
    @property
    def structured_output_kwargs(self):
        return {"method": "json_schema"}


class _Embed:
    transport = "http"

    @property
    def embeddings_class(self):
        return LLMServiceEmbeddings

    @property
    def embedding_model_params(self):
        where = client_package.where(self.transport, _Chat.service)
        return {**where, "api_key": _Chat.service.key}


class TestEmbeddingsUnit(_Embed, EmbeddingsUnitTests):
    pass


class TestEmbeddingsOverGrpc(_Embed, EmbeddingsIntegrationTests):
    transport = "grpc"


class TestEmbeddingsOverHttp(_Embed, EmbeddingsIntegrationTests):
    transport = "http"
