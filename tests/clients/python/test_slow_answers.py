"""Answers over HTTP that drip, never end, or are another service's."""

from __future__ import annotations

import asyncio
import http.server
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "clients/python/src"))

import llm_service  # noqa: E402

HELLO = [{"role": "user", "content": "hello"}]
EVENT = b'data: {"choices": []}\n\n'


class Server(http.server.ThreadingHTTPServer):
    """Answers as its path says, and knows when to let go."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.let_go = threading.Event()
        self.holding = threading.Event()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            getattr(self, self.path.split("/")[1])()
        except OSError:
            self.close_connection = True  # the caller has left

    def piece(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def drip(self):
        """A byte now and then, and no end."""
        while not self.server.let_go.wait(0.05):
            self.piece(b" ")

    def held(self):
        """A whole stream on a connection that a proxy does not let go."""
        self.piece(EVENT + b"data: [DONE]\n\n")
        self.server.holding.set()
        self.server.let_go.wait(60)

    def foreign(self):
        self.piece(b"[]")
        self.piece(b"")

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.let_go.set()
        made.shutdown()
        thread.join()


def ask(server, path, use, aio):
    """What `use`, a name of a method and its arguments, comes to."""
    name, *arguments = use
    where = {"transport": "http",
             "base_url": f"http://127.0.0.1:{server.server_port}/{path}"}
    more = {"model": "m"} if name == "embeddings" else {}

    async def alone():
        async with llm_service.AsyncClient(timeout=0.2, **where) as client:
            got = getattr(client, name)(*arguments, **more)
            if name == "stream":
                return [one async for one in got]
            return await got

    if aio:
        return asyncio.run(alone())
    with llm_service.Client(timeout=0.2, **where) as client:
        got = getattr(client, name)(*arguments, **more)
        return list(got) if name == "stream" else got


@pytest.mark.parametrize("aio", [False, True], ids=["sync", "aio"])
@pytest.mark.parametrize("name", ["chat", "stream"])
def test_a_deadline_is_that_of_the_whole_answer(server, name, aio):
    with pytest.raises(llm_service.DeadlineError):
        ask(server, "drip", (name, HELLO), aio)
    assert not server.let_go.is_set()


@pytest.mark.parametrize("aio", [False, True], ids=["sync", "aio"])
def test_a_stream_ends_with_its_last_event(server, aio):
    assert ask(server, "held", ("stream", HELLO), aio) == [{"choices": []}]
    assert server.holding.is_set() and not server.let_go.is_set()


@pytest.mark.parametrize("aio", [False, True], ids=["sync", "aio"])
@pytest.mark.parametrize("use", [
    ("chat", HELLO), ("embeddings", "x")], ids=["chat", "embeddings"])
def test_json_of_another_service_says_so(server, use, aio):
    with pytest.raises(llm_service.ProtocolError, match="is no answer"):
        ask(server, "foreign", use, aio)
