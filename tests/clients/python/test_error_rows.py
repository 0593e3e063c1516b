"""Rows of the error table that this version of the service does not make itself, and
answers of what is not the service, played by stand-ins on both transports."""

from __future__ import annotations

import asyncio
import http.server
import json
import sys
import threading
from concurrent import futures
from pathlib import Path

import grpc
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "clients/python/src"))

import llm_service  # noqa: E402
from google.protobuf import any_pb2  # noqa: E402
from llm_service import _grpc_wire, errors  # noqa: E402
from llm_service._stubs import common_pb2, service_pb2_grpc  # noqa: E402

HELLO = [{"role": "user", "content": "hello"}]
# Every row of contract.md, section 5: code, HTTP status, gRPC status, exception.
ROWS = [
    ("invalid_request", 400, "INVALID_ARGUMENT", "InvalidRequestError"),
    ("invalid_api_key", 401, "UNAUTHENTICATED", "AuthenticationError"),
    ("model_not_allowed", 403, "PERMISSION_DENIED", "ModelNotAllowedError"),
    ("model_not_found", 404, "NOT_FOUND", "ModelNotFoundError"),
    ("body_too_large", 413, "RESOURCE_EXHAUSTED", "BodyTooLargeError"),
    ("rate_limited", 429, "RESOURCE_EXHAUSTED", "RateLimitError"),
    ("budget_exceeded", 429, "RESOURCE_EXHAUSTED", "BudgetExceededError"),
    ("context_length_exceeded", 400, "INVALID_ARGUMENT", "ContextLengthError"),
    ("content_filter", 400, "INVALID_ARGUMENT", "ContentFilterError"),
    ("provider_rejected", 422, "INVALID_ARGUMENT", "ProviderRejectedError"),
    ("provider_unavailable", 502, "UNAVAILABLE", "ProviderUnavailableError"),
    ("provider_rate_limited", 429, "RESOURCE_EXHAUSTED", "ProviderRateLimitError"),
    ("timeout", 504, "DEADLINE_EXCEEDED", "DeadlineError"),
    ("overloaded", 503, "UNAVAILABLE", "OverloadedError"),
]


def field(number: int, data: bytes) -> bytes:
    size, out = len(data), bytearray([number << 3 | 2])
    while size > 127:
        out.append(size & 127 | 128)
        size >>= 7
    return bytes(out) + bytes([size]) + data


class GrpcStandIn(service_pb2_grpc.LlmServiceServicer):
    """Fails each call as the request's model says: CODE, or CODE/no for no_retry."""

    def __init__(self):
        self.server = grpc.server(futures.ThreadPoolExecutor(4))
        service_pb2_grpc.add_LlmServiceServicer_to_server(self, self.server)
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def ChatCompletion(self, request, context):
        code, _, no = request.model.partition("/")
        row = next(row for row in ROWS if row[0] == code)
        detail = common_pb2.UpstreamError(
            code=code, request_id="r1", source="gateway", provider="p",
            upstream_status=422 if code == "provider_rejected" else 0,
            upstream_code="u", attempts=2, retry_after_s=1.5, param="f",
            no_retry=no == "no", message="words")
        packed = any_pb2.Any()
        packed.Pack(detail)
        status = getattr(grpc.StatusCode, row[2])
        details = b"\x08" + bytes([status.value[0]]) + field(2, b"words" * 50) + field(
            3, packed.SerializeToString())
        context.set_trailing_metadata((("grpc-status-details-bin", details),))
        context.abort(status, "words")

    def StreamChatCompletion(self, request, context):
        self.ChatCompletion(request, context)
        yield


class HttpStandIn(http.server.BaseHTTPRequestHandler):
    """The same over HTTP; a model that is no code is answered as nginx would."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        code, _, no = body["model"].partition("/")
        row = next((row for row in ROWS if row[0] == code), None)
        if row is None:
            self.answer(int(code), b"<html>not the service</html>", {})
            return
        envelope = {"error": {
            "message": "words", "type": "x", "param": "f", "code": code,
            "llm_service": {
                "request_id": "r1", "source": "gateway", "provider": "p",
                "upstream_status": 422 if code == "provider_rejected" else None,
                "upstream_code": "u", "attempts": 2, "retry_after_s": 1.5}}}
        headers = {"x-should-retry": "false"} if no == "no" else {}
        self.answer(row[1], json.dumps(envelope).encode(), headers)

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def doors():
    stand_in = GrpcStandIn()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), HttpStandIn)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield {"grpc": {"grpc_target": f"127.0.0.1:{stand_in.port}"},
           "http": {"base_url": f"http://127.0.0.1:{server.server_port}"}}
    stand_in.server.stop(None).wait()
    server.shutdown()
    server.server_close()
    thread.join()


def failure(where, transport, model, stream=False, aio=False):
    async def alone():
        async with llm_service.AsyncClient(transport=transport, **where) as client:
            if stream:
                return [one async for one in client.stream(HELLO, model=model)]
            return await client.chat(HELLO, model=model)

    with pytest.raises(llm_service.LLMServiceError) as raised:
        if aio:
            asyncio.run(alone())
        else:
            with llm_service.Client(transport=transport, **where) as client:
                if stream:
                    list(client.stream(HELLO, model=model))
                else:
                    client.chat(HELLO, model=model)
    return raised.value


@pytest.mark.parametrize("aio", [False, True], ids=["sync", "aio"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("transport", ["grpc", "http"])
@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_every_row_of_the_contract(doors, row, transport, stream, aio):
    code, status, _, name = row
    error = failure(doors[transport], transport, code, stream, aio)
    assert type(error) is getattr(llm_service, name)
    upstream = 422 if code == "provider_rejected" else None
    assert vars(error) == {
        "message": "words", "code": code, "status": status, "request_id": "r1",
        "source": "gateway", "provider": "p", "upstream_status": upstream,
        "upstream_code": "u", "attempts": 2, "retry_after": 1.5,
        "retryable": status in (429, 502, 503, 504), "param": "f", "delivered": 0,
    }
    final = failure(doors[transport], transport, f"{code}/no", stream, aio)
    assert final.retryable is False


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("status", "kind"), [
    (502, llm_service.ServiceConnectionError),
    (504, llm_service.ServiceConnectionError),
    (404, llm_service.ProtocolError),
    (401, llm_service.AuthenticationError),
    (413, llm_service.BodyTooLargeError),
    (429, llm_service.RateLimitError),
    (200, llm_service.ProtocolError),
])
def test_answers_that_are_not_of_the_service(doors, status, kind, stream):
    error = failure(doors["http"], "http", str(status), stream)
    if status == 200 and stream:
        assert type(error) is llm_service.ServiceConnectionError
        return
    assert type(error) is kind and error.status == status
    assert error.retryable is (status in (429, 502, 504))


def test_every_code_of_the_table_has_its_own_exception():
    kinds = [type(errors.make_error(code, "")) for code, *_ in ROWS]
    assert len(set(kinds)) == len(ROWS)
    assert type(errors.make_error("of a later version", "")) is errors.LLMServiceError


@pytest.mark.parametrize(("code", "words", "kind", "retryable"), [
    ("UNAVAILABLE", "failed to connect to all addresses; last error: refused",
     llm_service.ServiceConnectionError, True),
    ("UNAVAILABLE", "errors resolving nowhere:1",
     llm_service.ServiceConnectionError, True),
    ("UNAVAILABLE", "Received http2 header with status: 502",
     llm_service.ServiceConnectionError, True),
    ("UNAVAILABLE", "Socket closed", llm_service.ServiceConnectionError, False),
    ("UNAUTHENTICATED", "", llm_service.AuthenticationError, False),
    ("UNIMPLEMENTED", "", llm_service.ProtocolError, False),
])
def test_only_a_grpc_call_that_never_left_is_to_be_retried(code, words, kind,
                                                           retryable):
    error = _grpc_wire._bare_error(grpc.StatusCode[code], words)
    assert type(error) is kind and error.retryable is retryable


@pytest.mark.parametrize("aio", [False, True], ids=["sync", "aio"])
def test_a_stream_that_has_begun_is_not_to_be_retried(aio):
    class Broken:
        def __init__(self):
            self.left = [{"choices": []}]

        def next(self):
            if self.left:
                return self.left.pop()
            raise llm_service.ServiceConnectionError("x", retryable=True)

        def close(self):
            pass

    class AsyncBroken(Broken):
        async def next(self):
            return super().next()

        async def close(self):
            pass

    async def go():
        return [one async for one in llm_service.AsyncStream(AsyncBroken())]

    with pytest.raises(llm_service.ServiceConnectionError) as raised:
        asyncio.run(go()) if aio else list(llm_service.Stream(Broken()))
    assert raised.value.delivered == 1 and raised.value.retryable is False
