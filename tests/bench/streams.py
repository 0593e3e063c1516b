"""Streams: CPU per delta, lateness, and what else waits for them."""

import http.client
import json
import statistics
import threading
import time

import sides
from machine import spread
from unary import Stage, row, rounds_of

DELTAS = 64


def anthropic_script(interval_ms: int) -> dict:
    """A stream of the Messages API, one piece an event, stamped."""
    events = [
        'event: message_start\ndata: {"type":"message_start","message":{'
        '"id":"msg_1","type":"message","role":"assistant","model":"claude",'
        '"content":[],"stop_reason":null,"usage":{"input_tokens":400,'
        '"output_tokens":1}}}\n\n',
        'event: content_block_start\ndata: {"type":"content_block_start",'
        '"index":0,"content_block":{"type":"text","text":""}}\n\n']
    delta = ('event: content_block_delta\ndata: {"type":"content_block_delta",'
             '"index":0,"delta":{"type":"text_delta","text":'
             '"STAMP-OF-SENDING and words"}}\n\n')
    events += [delta] * DELTAS
    events += [
        'event: content_block_stop\ndata: {"type":"content_block_stop",'
        '"index":0}\n\nevent: message_delta\ndata: {"type":"message_delta",'
        '"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":175}}\n\n'
        'event: message_stop\ndata: {"type":"message_stop"}\n\n']
    return {"headers": {"content-type": "text/event-stream"},
            "body": "".join(events), "pieces": [len(e) for e in events],
            "piece_delay_ms": interval_ms, "times": 0}


def gemini_script(interval_ms: int) -> dict:
    """A stream of Gemini's, one piece a response, stamped."""
    def response(part: str, more="") -> str:
        return ('data: {"candidates":[{"content":{"role":"model","parts":['
                f'{part}]}}{more},"index":0}}],"usageMetadata":{{'
                '"promptTokenCount":400,"candidatesTokenCount":175,'
                '"totalTokenCount":575},"modelVersion":"g"}\r\n\r\n')

    pieces = [response('{"text":"STAMP-OF-SENDING and words"}')] * DELTAS
    pieces.append(response('{"text":""}', ',"finishReason":"STOP"'))
    return {"headers": {"content-type": "text/event-stream"},
            "body": "".join(pieces), "pieces": [len(p) for p in pieces],
            "piece_delay_ms": interval_ms, "times": 0}


def flags_of(options, name, side, path, body, *headers) -> list:
    """Flags of stream_load for one request to a side."""
    file = options.scratch / f"{name}-{side.pid}"
    file.write_bytes(body)
    return ["--port", side.port, "--path", path, "--body-file", file,
            *[part for header in headers for part in ("--header", header)]]


def delta_cpu(pid, flags) -> float:
    """CPU µs of `pid` for each delta of 50 streams at once, four times."""
    used, got = sides.spent(pid, lambda: sides.load(
        "stream_load", *flags, "--streams", 50, "--rounds", 4))
    assert got["deltas"] == 50 * 4 * DELTAS, got
    return used / got["deltas"]


def grpc_delta_cpu(gateway, words, model) -> float:
    """The same over gRPC."""
    used, got = sides.spent(gateway.pid, lambda: sides.load(
        "grpc_load", "--port", gateway.grpc_port, "--text-file", words,
        "--key", gateway.key, "--model", model, "--connections", 16,
        "--streams", 50, "--rounds", 4))
    assert got["samples"] == 50 * 4 * DELTAS, got
    return used / (50 * 4 * DELTAS)


def requests_of(options, stage):
    """Flags of stream_load: upstream openai, upstream anthropic."""
    def flags(*request):
        return flags_of(options, *request)

    auth = f"Authorization: Bearer {stage.gateway.key}"
    chat = "/v1/chat/completions"
    return {
        "openai": {
            "nginx": flags("o", stage.nginx, chat,
                           sides.chat_body(1700, True)),
            "service": flags("o", stage.gateway, chat,
                             sides.chat_body(1700, True), auth)},
        "anthropic": {
            "nginx": flags("a", stage.nginx, "/lane/claude/v1/messages",
                           sides.anthropic_body(1700),
                           "anthropic-version: 2023-06-01", "x-api-key: none"),
            "service": flags("a", stage.gateway, chat,
                             sides.chat_body(1700, True, "c"), auth)}}


def cpu(options):
    """50 streams of 64 deltas, 5 ms apart."""
    rows = []
    with Stage("--chars", "640", "--deltas", str(DELTAS), "--interval-ms", "5",
               "--stamp", buffering=False) as stage:
        stage.upstream.script("claude", **anthropic_script(5))
        for dialect, flags in requests_of(options, stage).items():
            def run(name, side):
                return delta_cpu(side.pid, flags[name])

            got = rounds_of(options, {
                "nginx": lambda: run("nginx", stage.nginx),
                "service": lambda: run("service", stage.gateway)})
            rows.append(row(f"50 streams at 5 ms, {dialect} upstream",
                            "CPU µs/delta", got["nginx"], got["service"], 2.5))
    return rows


def lateness(options):
    """300 streams of 64 deltas, 20 ms apart: how late a delta is."""
    rows = []
    with Stage("--chars", "640", "--deltas", str(DELTAS), "--interval-ms",
               "20", "--stamp", buffering=False) as stage:
        stage.upstream.script("claude", **anthropic_script(20))
        for dialect, flags in requests_of(options, stage).items():
            def run(name):
                return sides.load("stream_load", *flags[name], "--streams",
                                  300, "--ramp-ms", 1000, "--rounds", 2)

            got = rounds_of(options, {name: lambda name=name: run(name)
                                      for name in ("nginx", "service")})
            late = {name: [r["late_us"]["p99"] / 1e3 for r in results]
                    for name, results in got.items()}
            over = [b - a for a, b in zip(late["nginx"], late["service"])]
            rows.append({
                "work": f"300 streams at 20 ms, {dialect}: p99 over nginx's",
                "unit": "ms late", "nginx": spread(late["nginx"]),
                "service": spread(late["service"]),
                "ratio": spread(over), "bound": 5})
            rows.append({
                "work": f"300 streams at 20 ms, {dialect}: deltas near 40 ms",
                "unit": "", "nginx": sum(r["near_40_ms"] for r in got["nginx"]),
                "service": sum(r["near_40_ms"] for r in got["service"])})
    return rows


def probe(port: int, stop: threading.Event, out: list) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while not stop.is_set():
        began = time.perf_counter()
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        out.append((time.perf_counter() - began) * 1e3)
        time.sleep(0.01)
    connection.close()


def post_large(stage, body: bytes, stop: threading.Event, out: list) -> None:
    while not stop.is_set():
        connection = http.client.HTTPConnection("127.0.0.1",
                                                stage.gateway.port, timeout=60)
        connection.request("POST", "/v1/chat/completions", body, {
            "Authorization": f"Bearer {stage.gateway.key}",
            "Content-Type": "application/json"})
        out.append(connection.getresponse().status)
        connection.close()


def overheads(stage, stop: threading.Event, out: list) -> None:
    """What the service says it spent on a small request, in µs, again and
    again."""
    connection = http.client.HTTPConnection("127.0.0.1", stage.gateway.port,
                                            timeout=60)
    body = sides.chat_body(1700)
    while not stop.is_set():
        connection.request("POST", "/v1/chat/completions", body, {
            "Authorization": f"Bearer {stage.gateway.key}",
            "Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
        out.append(answer["llm_service"]["overhead_us"])
        time.sleep(0.02)
    connection.close()


def alone(stage, seconds: float) -> list:
    stop, spent = threading.Event(), []
    thread = threading.Thread(target=overheads, args=(stage, stop, spent))
    thread.start()
    time.sleep(seconds)
    stop.set()
    thread.join()
    return spent


def loaded(options):
    """/healthz and small requests beside bodies of 20 MB and 300 streams."""
    with Stage("--chars", "640", "--deltas", str(DELTAS), "--interval-ms",
               "20", "--stamp", buffering=False) as stage:
        flags = requests_of(options, stage)["openai"]["service"]
        calm = alone(stage, options.seconds)
        stop, waits, sent, beside = threading.Event(), [], [], []
        threads = [
            threading.Thread(target=overheads, args=(stage, stop, beside)),
            threading.Thread(target=probe,
                             args=(stage.gateway.port, stop, waits)),
            threading.Thread(target=post_large, args=(
                stage, sides.chat_body(20_000_000), stop, sent))]
        for thread in threads:
            thread.start()
        sides.load("stream_load", *flags, "--streams", 300, "--ramp-ms", 1000,
                   "--rounds", 2 * options.rounds)
        stop.set()
        for thread in threads:
            thread.join()
    assert sent and set(sent) == {200}, sent
    waits.sort()
    return [{"work": "/healthz p99 beside 20 MB bodies and 300 streams",
             "unit": "ms", "service": waits[int(len(waits) * 0.99)],
             "bound": 50},
            {"work": "  its median, its longest", "unit": "ms",
             "service": {"median": statistics.median(waits),
                         "min": waits[0], "max": waits[-1]}},
            {"work": "overhead of a small request, alone", "unit": "µs",
             "service": spread(calm)},
            {"work": "  beside those bodies and streams", "unit": "µs",
             "service": spread(beside)}]
