"""Deltas that are 40 ms late are the mark of a write that waited for an
acknowledgement: they are counted, and not the time they take."""

import json
import socket
import subprocess
import threading
import time

import pytest

import harness

SANITIZED = "san" in harness.BUILD.name
LOAD = harness.BUILD / "tests" / "bench" / "stream_load"
DELTAS = 32


def load(port, tmp_path, *flags, model="m", streams=20):
    body = tmp_path / "body"
    body.write_text(json.dumps({
        "model": model, "stream": True,
        "messages": [{"role": "user", "content": "hi"}]}))
    done = subprocess.run(
        [LOAD, "--port", str(port), "--body-file", body, "--streams",
         str(streams), "--ramp-ms", "200", *flags],
        capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def anthropic_stream():
    events = ['data: {"type":"message_start","message":{"id":"m","type":'
              '"message","role":"assistant","model":"c","content":[],'
              '"stop_reason":null,"usage":{"input_tokens":4,'
              '"output_tokens":1}}}\n\n',
              'data: {"type":"content_block_start","index":0,'
              '"content_block":{"type":"text","text":""}}\n\n']
    events += ['data: {"type":"content_block_delta","index":0,"delta":{"type":'
               '"text_delta","text":"STAMP-OF-SENDING "}}\n\n'] * DELTAS
    events += ['data: {"type":"content_block_stop","index":0}\n\n'
               'data: {"type":"message_delta","delta":{"stop_reason":'
               '"end_turn"},"usage":{"output_tokens":9}}\n\n'
               'data: {"type":"message_stop"}\n\n']
    return {"headers": {"content-type": "text/event-stream"},
            "body": "".join(events), "pieces": [len(e) for e in events],
            "piece_delay_ms": 20, "times": 0}


@pytest.mark.skipif(SANITIZED, reason="a sanitizer's own pace says nothing")
@pytest.mark.parametrize("model", ("m", "c"))
def test_no_delta_waits_for_an_acknowledgement(tmp_path, model):
    upstream = harness.Simulator("--no-log", "--chars", "320", "--deltas",
                                 str(DELTAS), "--interval-ms", "20", "--stamp")
    upstream.script("claude", **anthropic_stream())
    service = harness.Service(harness.config(
        f'sim: {{dialect: openai, base_url: "{upstream.root}/v1"}}\n'
        f'claude: {{dialect: anthropic, base_url: '
        f'"{upstream.root}/lane/claude"}}',
        models="m: {provider: sim}\nc: {provider: claude}", auth="keys"))
    try:
        key = service.create_key("stalls")
        got = load(service.addresses["http"].split(":")[1], tmp_path,
                   "--header", f"Authorization: Bearer {key}", model=model)
    finally:
        service.stop()
        upstream.close()
    assert got["deltas"] == 20 * DELTAS
    # A machine that is busy delays some; a wait of this kind delays half.
    assert got["near_40_ms"] < got["deltas"] / 5, got


def stalling_server(listener, count):
    """Says of each delta that it was sent 40 ms ago."""
    for _ in range(count):
        connection, _ = listener.accept()
        connection.recv(65536)
        out = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
               b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(DELTAS):
            data = b"data: %016d\n\n" % (time.monotonic_ns() // 1000 - 40_000)
            out += b"%x\r\n%s\r\n" % (len(data), data)
        connection.sendall(out + b"0\r\n\r\n")
        connection.close()


def test_the_count_sees_deltas_that_waited(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=stalling_server, args=(listener, 2))
        server.start()
        got = load(listener.getsockname()[1], tmp_path, streams=2)
        server.join(10)
    assert got["deltas"] == 2 * DELTAS
    assert got["near_40_ms"] > got["deltas"] / 2
