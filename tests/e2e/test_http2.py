"""HTTP/2 towards a provider (`http2: true`), through nginx over TLS: it ends
HTTP/2 and asks the simulator over HTTP/1.1."""

import json
import socket
import subprocess
import threading
import time

import pytest

import harness
from certificates import Authority
from harness import config, sse

WORDS = [f"w{i} " for i in range(40)]


class Nginx:
    """nginx before the simulator; its log tells protocol and connection."""

    def __init__(self, directory, signed, upstream_port, http2):
        self.directory = directory
        with harness.socket_port() as port:
            self.port = port
        conf = directory / "nginx.conf"
        temp = "\n  ".join(
            f"{kind}_temp_path {directory}/{kind};" for kind in
            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        conf.write_text(f"""
daemon off; worker_processes 1; pid {directory}/pid;
error_log {directory}/error.log;
events {{ worker_connections 256; }}
http {{
  log_format facts '$server_protocol $status $connection $request_uri';
  access_log {directory}/access.log facts;
  {temp}
  server {{
    listen 127.0.0.1:{self.port} ssl {"http2" if http2 else ""};
    ssl_certificate {signed.cert};
    ssl_certificate_key {signed.key};
    location / {{
      proxy_pass http://127.0.0.1:{upstream_port};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}""")
        self.process = subprocess.Popen(["nginx", "-c", str(conf)])
        wait_for((directory / "pid").exists)

    def log(self):
        """(protocol, status, connection) of each request."""
        lines = (self.directory / "access.log").read_text().splitlines()
        return [tuple(line.split()[:3]) for line in lines]

    def close(self):
        self.process.terminate()
        self.process.wait(10)


def wait_for(fact, seconds=20):
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("ca"))
    made = authority.sign("nginx")
    made.ca = authority.ca
    return made


class Lane:
    """The simulator's lane of one test."""

    def __init__(self, simulator, name):
        self.simulator, self.name = simulator, name

    def script(self, **script):
        self.simulator.script(self.name, **script)

    def log(self):
        return self.simulator.log(self.name)


@pytest.fixture
def lane(simulator, request):
    yield Lane(simulator, request.node.name)
    simulator.reset()


@pytest.fixture
def start(service, lane, signed, tmp_path):
    """A service whose provider `a` is the simulator behind nginx."""
    fronts = []

    def run(http2=True):
        fronts.append(Nginx(tmp_path, signed, lane.simulator.port, http2))
        base = f"https://127.0.0.1:{fronts[-1].port}/lane/{lane.name}/v1"
        text = config(
            f'a: {{dialect: openai, base_url: "{base}", http2: true, '
            f'ca_file: "{signed.ca}"}}',
            models="m: {provider: a, upstream: m}")
        # One loop, so that all exchanges share its connections.
        return service(text.replace("workers: 2", "workers: 1")), fronts[-1]

    yield run
    for front in fronts:
        front.close()


def event(delta, finish=None, **more):
    return "data: " + json.dumps({
        "id": "x", "object": "chat.completion.chunk", "created": 1,
        "model": "m", "choices": [
            {"index": 0, "delta": delta, "finish_reason": finish}], **more,
    }) + "\n\n"


def stream_of(words):
    """The bytes of a stream, and the size of its first event."""
    first = event({"role": "assistant", "content": words[0]})
    usage = {"usage": {"prompt_tokens": 1, "completion_tokens": 2,
                       "total_tokens": 3}}
    return (first + "".join(event({"content": w}) for w in words[1:])
            + event({}, "stop", **usage) + "data: [DONE]\n\n"), len(first)


SSE = {"headers": {"content-type": "text/event-stream"}}


def text_of(reply):
    events = sse(reply)
    assert events[-1] == "[DONE]", reply.text[-300:]
    return "".join(c["delta"].get("content") or ""
                   for e in events[:-1] for c in e["choices"])


def begin_stream(running):
    """The connection of a caller who has seen a stream's first event."""
    caller = socket.create_connection(
        tuple(running.addresses["http"].split(":")))
    asked = json.dumps({"model": "m", "stream": True, "messages": [
        {"role": "user", "content": "hello"}]})
    caller.sendall(
        ("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
         f"Content-Length: {len(asked)}\r\n\r\n{asked}").encode())
    seen = b""
    while b"w0 " not in seen:
        seen += caller.recv(65536)
    return caller


def test_exchanges_use_http2_and_keep_the_connection(start, lane):
    running, nginx = start()
    whole = running.chat("m")
    assert whole.status == 200, whole.text
    body, _ = stream_of(WORDS)
    lane.script(body=body, pieces=[17], **SSE)
    streamed = running.chat("m", stream=True)
    assert text_of(streamed) == "".join(WORDS)
    wait_for(lambda: len(nginx.log()) == 2)
    assert {(entry[0], entry[1]) for entry in nginx.log()} == {
        ("HTTP/2.0", "200")}
    assert len({entry[2] for entry in nginx.log()}) == 1


def test_streams_at_once_are_unharmed(start, lane):
    running, nginx = start()
    body, _ = stream_of(WORDS)
    lane.script(body=body, pieces=[200], piece_delay_ms=5, times=0, **SSE)
    texts, lock = [], threading.Lock()

    def ask():
        text = text_of(running.chat("m", stream=True))
        with lock:
            texts.append(text)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == ["".join(WORDS)] * 12
    wait_for(lambda: len(nginx.log()) == 12)
    assert {entry[0] for entry in nginx.log()} == {"HTTP/2.0"}


def test_a_caller_who_does_not_read_holds_up_no_other(start, lane):
    running, _ = start()
    # More than every buffer on the way holds.
    endless, _ = stream_of(["w0 "] + ["x" * 8000] * 1500)
    body, _ = stream_of(WORDS)
    lane.script(body=endless, **SSE)
    idler = begin_stream(running)
    for _ in range(5):
        lane.script(body=body, **SSE)
        assert text_of(running.chat("m", stream=True)) == "".join(WORDS)
    idler.close()


def test_a_long_answer_outgrows_the_windows(start, lane):
    running, _ = start()
    words = ["x" * 8000 + " "] * 400
    body, _ = stream_of(words)
    lane.script(body=body, **SSE)
    assert text_of(running.chat("m", stream=True)) == "".join(words)


def test_a_caller_who_leaves_alone_ends_its_stream_within_a_second(start,
                                                                  lane):
    running, _ = start()
    body, first = stream_of(WORDS)
    lane.script(body=body, stall_after=first, **SSE)
    leaver = begin_stream(running)
    leaver.close()
    # 200 ms of it until the caller is missed; 2 s, since machines are busy.
    wait_for(lambda: lane.log()[0]["outcome"] == "client_left", 2)


def test_a_caller_who_leaves_ends_its_stream_and_no_other(start, lane):
    running, nginx = start()
    assert running.chat("m").status == 200
    body, first = stream_of(WORDS)
    # The first one asked hangs after its first event, the second is slow.
    lane.script(body=body, stall_after=first, **SSE)
    leaver = begin_stream(running)
    lane.script(body=body, pieces=[100], piece_delay_ms=20, **SSE)
    kept = []
    other = threading.Thread(
        target=lambda: kept.append(running.chat("m", stream=True)))
    other.start()
    wait_for(lambda: len(lane.log()) == 3)
    leaver.close()
    wait_for(lambda: lane.log()[1]["outcome"] == "client_left", 5)
    other.join()
    assert text_of(kept[0]) == "".join(WORDS)
    wait_for(lambda: len(nginx.log()) == 3)
    assert {entry[0] for entry in nginx.log()} == {"HTTP/2.0"}
    assert running.chat("m").status == 200
    assert 'outcome="client_cancelled"' in running.metrics()


def test_a_server_without_http2_is_asked_over_http1(start):
    running, nginx = start(http2=False)
    assert running.chat("m").status == 200
    wait_for(lambda: nginx.log())
    assert nginx.log()[0][:2] == ("HTTP/1.1", "200")


def test_an_http2_server_that_dies_is_a_clear_end(start, lane):
    running, nginx = start()
    body, first = stream_of(WORDS)
    lane.script(body=body, stall_after=first, times=0, **SSE)
    replies = []
    asking = threading.Thread(
        target=lambda: replies.append(running.chat("m", stream=True)))
    asking.start()
    wait_for(lambda: len(lane.log()) == 1)
    nginx.close()
    asking.join(30)
    assert sse(replies[0])[-1]["error"]["code"] == "provider_unavailable"
