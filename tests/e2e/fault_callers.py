"""Callers of the fault matrix, one for each door: they ask, stay or leave, and
note what they heard in the same words."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass, field

import grpc
from google.protobuf import json_format
from grpc_status import rpc_status

from fault_cells import DONE, STREAM, Cell

PATIENCE = 30  # seconds; only what hangs takes as long


@dataclass
class Heard:
    http: int = 0
    grpc: str = ""
    error: dict = field(default_factory=dict)  # the envelope, or its like
    facts: dict = field(default_factory=dict)  # its llm_service
    headers: dict = field(default_factory=dict)
    no_retry: bool = False
    in_band: bool = False
    text: str = ""
    finish: str = ""
    usage: dict = field(default_factory=dict)
    info: dict = field(default_factory=dict)
    done: bool = False
    left_us: int = 0
    trouble: str = ""


class HttpCaller:
    def __init__(self, address: str):
        self.address = address

    def _send(self, cell: Cell, extra: dict) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self.address,
                                                timeout=PATIENCE)
        body = {"model": cell.model, "run_id": cell.run,
                "messages": [{"role": "user", "content": "hello"}]}
        if cell.way == STREAM:
            body |= {"stream": True,
                     "stream_options": {"include_usage": True}}
        connection.request(
            "POST", "/v1/chat/completions", json.dumps(body),
            {"Content-Type": "application/json"} | extra)
        return connection

    def leave(self, cell: Cell, heard: Heard, point, first_chunk: bool):
        connection = self._send(cell, {})
        answer = None
        if first_chunk:
            answer = connection.getresponse()
            while not heard.text:
                line = answer.readline()
                assert line, "the stream ended before its content"
                if line.startswith(b"data: {"):
                    note_chunk(json.loads(line[6:]), heard)
        else:
            point()
        heard.left_us = time.time_ns() // 1000
        if answer is not None:
            answer.close()
        connection.close()

    def stay(self, cell: Cell, heard: Heard, timeout: float | None):
        extra = {"x-llm-timeout": f"{timeout}s"} if timeout else {}
        connection = self._send(cell, extra)
        answer = connection.getresponse()
        heard.http = answer.status
        heard.headers = {k.lower(): v for k, v in answer.getheaders()}
        body = answer.read()
        connection.close()
        heard.no_retry = heard.headers.get("x-should-retry") == "false"
        kind = heard.headers.get("content-type", "")
        if kind.startswith("text/event-stream"):
            self._read_events(body.decode(), heard)
        else:
            self._read_whole(json.loads(body), heard)

    @staticmethod
    def _read_events(body: str, heard: Heard):
        assert body.endswith("\n\n"), "half an event"
        blocks = body.split("\n\n")[:-1]
        heard.done = blocks[-1] + "\n\n" == DONE
        for block in blocks[:-1] if heard.done else blocks:
            if block.startswith(":"):
                continue
            assert block.startswith("data: "), block
            data = json.loads(block[6:])
            assert not heard.error, "something after the error"
            if "error" in data:
                heard.in_band = True
                heard.error = data["error"]
                heard.facts = data["error"]["llm_service"]
                continue
            note_chunk(data, heard)

    @staticmethod
    def _read_whole(data: dict, heard: Heard):
        if "error" in data:
            heard.error = data["error"]
            heard.facts = data["error"]["llm_service"]
            return
        choice = data["choices"][0]
        heard.text = choice["message"]["content"]
        heard.finish = choice["finish_reason"]
        heard.usage = data.get("usage") or {}
        heard.info = data["llm_service"]


def note_chunk(data: dict, heard: Heard):
    for choice in data.get("choices", []):
        heard.text += choice["delta"].get("content") or ""
        heard.finish = choice.get("finish_reason") or heard.finish
    heard.usage = data.get("usage") or heard.usage
    heard.info = data.get("llm_service") or heard.info


def plain(message) -> dict:
    """Field names as in the proto; 64-bit numbers are texts."""
    return json.loads(json_format.MessageToJson(
        message, preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True))


class GrpcCaller:
    def __init__(self, address: str, stubs):
        self.stubs = stubs
        self.channel = grpc.insecure_channel(address)
        self.service = stubs.LlmService(self.channel)

    def _request(self, cell: Cell, timeout: float | None):
        request = self.stubs.chat.ChatCompletionRequest(
            model=cell.model, run_id=cell.run, messages=[
                self.stubs.chat.Message(role="user", content="hello")])
        if cell.way == STREAM:
            request.stream_options.include_usage = True
        if timeout:
            request.timeout.FromMilliseconds(int(timeout * 1000))
        return request

    def leave(self, cell: Cell, heard: Heard, point, first_chunk: bool):
        request = self._request(cell, None)
        if cell.way == STREAM:
            call = self.service.StreamChatCompletion(request,
                                                     timeout=PATIENCE)
            while first_chunk and not heard.text:
                note_chunk(plain(next(call)), heard)
        else:
            call = self.service.ChatCompletion.future(request,
                                                      timeout=PATIENCE)
        if not first_chunk:
            point()
        heard.left_us = time.time_ns() // 1000
        call.cancel()

    def stay(self, cell: Cell, heard: Heard, timeout: float | None):
        request = self._request(cell, timeout)
        try:
            if cell.way == STREAM:
                call = self.service.StreamChatCompletion(request,
                                                         timeout=PATIENCE)
                for chunk in call:
                    heard.in_band = True  # if an error follows
                    note_chunk(plain(chunk), heard)
                heard.in_band, heard.done = False, True
                heard.headers = dict(call.trailing_metadata())
            else:
                answer, call = self.service.ChatCompletion.with_call(
                    request, timeout=PATIENCE)
                heard.headers = dict(call.initial_metadata())
                HttpCaller._read_whole(plain(answer), heard)
            heard.grpc = "OK"
        except grpc.RpcError as error:
            self._read_error(error, heard)

    def _read_error(self, error, heard: Heard):
        heard.grpc = error.code().name
        trailers = dict(error.trailing_metadata() or ())
        heard.headers = dict(error.initial_metadata() or ()) | trailers
        heard.no_retry = trailers.get("grpc-retry-pushback-ms") == "-1"
        status = rpc_status.from_call(error)
        assert status and len(status.details) == 1, "one detail"
        detail = self.stubs.common.UpstreamError()
        assert status.details[0].Unpack(detail)
        heard.facts = plain(detail)
        heard.error = {name: heard.facts[name] or None
                       for name in ("code", "message", "param")}
        heard.error["type"] = "-"
        heard.facts["upstream_status"] = heard.facts["upstream_status"] or None
        heard.facts.setdefault("retry_after_s", None)
        assert detail.no_retry == heard.no_retry, "detail and pushback differ"
