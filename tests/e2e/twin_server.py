"""What the strict twins share: an HTTP server on loopback, the scripted
conversation they all tell, and a record of what came in.

A twin judges a request before it answers. Which step of the conversation comes
next it reads from the request alone, so a conversation may begin at one twin
and go on at another. What a twin handed out (reasoning, signatures, ids) it
remembers, and knows again when it comes back.
"""

from __future__ import annotations

import json
import secrets
import socket
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Rounds of tool calls before the final answer; the second is parallel.
ROUNDS = (
    (("get_price", {"ticker": "NVDA"}),),
    (("get_price", {"ticker": "AMD"}),
     ("get_news", {"ticker": "AMD", "days": 3})),
    (("get_news", {"ticker": "NVDA", "days": 1}),),
)
NAMES = {name for calls in ROUNDS for name, _ in calls}


class Refusal(Exception):
    """An answer other than 200, in the provider's own shape."""

    def __init__(self, status, body, headers=None):
        super().__init__(json.dumps(body))
        self.status, self.body = status, body
        self.headers = headers or {}


class Turn:
    """How far a conversation is since its last question: tool-call rounds
    done, and what the tools said."""

    def __init__(self):
        self.rounds, self.results = 0, []

    def ask(self):
        self.rounds, self.results = 0, []


class Say:
    """What comes next: text before calls or the final answer, and calls.
    `forced` is (name, schema) of a tool that must be called; `shape` the
    schema that the text must have, {} for any JSON."""

    def __init__(self, turn: Turn, may_call: bool, forced=None, shape=None):
        self.step = turn.rounds
        if forced or shape is not None:
            self.calls = [(forced[0], sample(forced[1]))] if forced else ()
            self.text = "" if forced else json.dumps(sample(shape))
            return
        calls = may_call and self.step < len(ROUNDS)
        # The mark tells our calls from another twin's of the same step.
        self.calls = [(name, {**args, "note": mint("n", 8)})
                      for name, args in (ROUNDS[self.step] if calls else ())]
        if not calls:
            self.text = "Report: " + " | ".join(turn.results)
        else:
            self.text = "" if self.step else "Let me look."


def sample(schema, root=None):
    """Something that the schema allows."""
    root = schema if root is None else root
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return sample((root.get("$defs") or root["definitions"])[name], root)
    for name in ("anyOf", "oneOf", "allOf"):
        if schema.get(name):
            return sample(schema[name][0], root)
    if "const" in schema or schema.get("enum"):
        return schema.get("const", (schema.get("enum") or [None])[0])
    kind = str(schema.get("type", "object")).lower()
    if kind == "object":
        return {name: sample(inner, root) for name, inner in (
            schema.get("properties") or {}).items()}
    return {"string": "Hold", "number": 1.5, "integer": 2, "boolean": True,
            "array": [sample(schema.get("items") or {}, root)]}.get(kind)


class Seen:
    """One request as it came."""

    def __init__(self, path, headers, raw):
        self.path, self.headers, self.raw = path, headers, raw
        self.body = json.loads(raw)


class Twin:
    """One provider. Subclasses say how it judges and how it answers."""

    def __init__(self):
        self.lock = threading.Lock()
        self.served = []     # requests that were answered with 200
        self.refused = []    # (request, status, body)
        self.ignored = []    # fields the real one would ignore without a word
        self.lost = []       # what we issued in this loop and did not get back
        self.fail_after = None
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        self.server = server
        self.root = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    # -- for subclasses ----------------------------------------------------
    base = "/v1"

    def check(self, seen: Seen):
        """Raises Refusal; returns what `answer` needs."""
        raise NotImplementedError

    def answer(self, seen: Seen, judged):
        """(content type, iterable of byte pieces)."""
        raise NotImplementedError

    def overloaded(self) -> Refusal:
        raise NotImplementedError

    # -- for tests ---------------------------------------------------------
    @property
    def base_url(self):
        return self.root + self.base

    def fail_from(self, count):
        """Every call after `count` more good ones is refused as overloaded."""
        with self.lock:
            self.fail_after = None if count is None else (
                len(self.served) + count)

    def forget_requests(self):
        with self.lock:
            self.served, self.refused, self.ignored = [], [], []
            self.lost, self.fail_after = [], None

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def take(self, path, headers, raw):
        """(status, headers, pieces) for one request."""
        seen = None
        try:
            with self.lock:
                seen = Seen(path, headers, raw)
                if self.fail_after is not None and (
                        len(self.served) >= self.fail_after):
                    raise self.overloaded()
                judged = self.check(seen)
                kind, pieces = self.answer(seen, judged)
                self.served.append(seen)
            return 200, {"content-type": kind}, pieces
        except Refusal as refusal:
            with self.lock:
                self.refused.append((seen, refusal.status, refusal.body))
            return refusal.status, {
                "content-type": "application/json", **refusal.headers,
            }, [json.dumps(refusal.body).encode()]
        except Exception:  # a fault of the twin: seen by assert_content
            with self.lock:
                self.refused.append((seen, 500, traceback.format_exc()))
            return 500, {}, [b"{}"]


def mint(prefix, count=24):
    return prefix + secrets.token_hex(count)[:count]


def cut(text, size=7):
    """Fragments, as tokens come."""
    return [text[i:i + size] for i in range(0, len(text), size)]


def event(data, kind=None, end="\n\n") -> bytes:
    text = data if isinstance(data, str) else json.dumps(
        data, ensure_ascii=False)
    head = f"event: {kind}\n" if kind else ""
    return f"{head}data: {text}{end}".encode()


def _handler(twin):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self):
            super().setup()
            self.connection.setsockopt(socket.IPPROTO_TCP,
                                       socket.TCP_NODELAY, 1)

        def do_POST(self):
            raw = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, headers, pieces = twin.take(
                self.path, {k.lower(): v for k, v in self.headers.items()},
                raw)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for piece in filter(None, pieces):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *_):
            pass

    return Handler
