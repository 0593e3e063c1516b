"""Starts the real programs for the end-to-end tests and talks to them.

Nothing here knows how the service works inside: it starts the release binary
with a configuration file, reads its addresses from the ready line, and calls it
as a user would.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("LLM_BUILD", ROOT / "build" / "release"))
SERVICE = BUILD / "server" / "llm-service"
SIMULATOR = BUILD / "tests" / "simulator" / "llm-simulator"
SHARED = Path(os.environ.get("LLM_SHARED", ROOT.parent / "shared"))
ADMIN_KEY = "admin-key-for-tests-0123456789abcdef"


def scratch(prefix: str) -> Path:
    """A new directory that goes when this process ends; LLM_KEEP=1 keeps it."""
    path, owner = Path(tempfile.mkdtemp(prefix=prefix)), os.getpid()

    def remove():
        if os.getpid() == owner and not os.environ.get("LLM_KEEP"):
            shutil.rmtree(path, ignore_errors=True)

    atexit.register(remove)
    return path


@contextlib.contextmanager
def socket_port():
    """A port that was free a moment ago, for programs that cannot pick one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    yield port


class Reply:
    """One HTTP answer: status, headers (lower-case names) and bytes."""

    def __init__(self, status: int, headers, body: bytes):
        self.status = status
        self.headers = {k.lower(): v for k, v in headers}
        self.body = body

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "surrogatepass")

    def json(self):
        return json.loads(self.body)


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(url: str, body=None, headers=None, method=None, timeout=60) -> Reply:
    data = body
    if body is not None and not isinstance(body, (bytes, bytearray)):
        data = json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method)
    if data is not None:
        request.add_header("Content-Type", "application/json")
    for name, value in (headers or {}).items():
        request.add_header(name, value)
    try:
        with _opener.open(request, timeout=timeout) as answer:
            return Reply(answer.status, answer.getheaders(), answer.read())
    except urllib.error.HTTPError as error:
        return Reply(error.code, list(error.headers.items()), error.read())


def sse(reply: Reply) -> list:
    """The data of each event; the last is "[DONE]" where it was sent."""
    events = []
    for block in reply.text.split("\n\n"):
        for line in block.split("\n"):
            if line.startswith("data: "):
                data = line[6:]
                events.append(data if data == "[DONE]" else json.loads(data))
    return events


class Simulator:
    """A running llm-simulator."""

    def __init__(self, *flags: str):
        self.process = subprocess.Popen(
            [SIMULATOR, "--port", "0", *flags], stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        self.port = int(line.split()[1])
        self.root = f"http://127.0.0.1:{self.port}"

    def base_url(self, lane: str) -> str:
        return f"{self.root}/lane/{lane}/v1"

    def script(self, lane: str, **script) -> None:
        reply = call(f"{self.root}/_sim/script?lane={lane}", script)
        assert reply.status == 200, reply.text

    def reset(self, lane: str = "") -> None:
        call(f"{self.root}/_sim/reset?lane={lane}", b"", method="POST")

    def log(self, lane: str) -> list:
        return call(f"{self.root}/_sim/log?lane={lane}").json()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)


class Service:
    """A running llm-service with its own state directory."""

    def __init__(self, config: str, env=None, directory=None, wait=True):
        self.directory = Path(directory or scratch("llm-e2e-"))
        self.config = self.directory / "config.yaml"
        self.config.write_text(config)
        self.log_path = self.directory / "service.log"
        self.env = {
            "PATH": os.environ["PATH"],
            "LLM_SERVICE_ADMIN_KEY": ADMIN_KEY,
            **(env or {}),
        }
        # Sanitizer options and the like reach the program under test.
        for name, value in os.environ.items():
            if name.endswith("SAN_OPTIONS"):
                self.env[name] = value
        self.addresses: dict[str, str] = {}
        self.start(wait)

    def start(self, wait=True) -> None:
        self.log_start = (
            self.log_path.stat().st_size if self.log_path.exists() else 0
        )
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [SERVICE, "serve", "--config", self.config],
                cwd=self.directory,
                env=self.env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if wait:
            self.wait_ready()

    def log(self) -> str:
        return self.log_path.read_bytes().decode("utf-8", "replace")

    def wait_ready(self, timeout=60) -> None:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            with open(self.log_path, "rb") as log:
                log.seek(self.log_start)
                found = re.search(r"ready (http=.*)", log.read().decode())
            if found:
                self.addresses = dict(
                    re.findall(r"(\w+)=([^ \"]+)", found.group(1))
                )
                return
            assert self.process.poll() is None, self.log()
            time.sleep(0.02)
        raise AssertionError("not ready: " + self.log())

    def url(self, path: str, listener="http") -> str:
        return f"http://{self.addresses[listener]}{path}"

    def call(self, path, body=None, key=None, listener="http", **kw) -> Reply:
        headers = dict(kw.pop("headers", {}))
        if key:
            headers["Authorization"] = f"Bearer {key}"
        return call(self.url(path, listener), body, headers, **kw)

    def chat(self, model="auto", text="hello", key=None, headers=None, **body):
        body.setdefault("messages", [{"role": "user", "content": text}])
        return self.call(
            "/v1/chat/completions", {"model": model, **body}, key,
            headers=headers or {},
        )

    def create_key(self, name="test", **more) -> str:
        reply = self.call(
            "/admin/v1/keys", {"name": name, **more}, ADMIN_KEY, "admin_http"
        )
        assert reply.status in (200, 201), reply.text
        return reply.json()["secret"]

    def metrics(self) -> str:
        return self.call("/metrics", listener="metrics").text

    def usage(self, query="", key=ADMIN_KEY) -> dict:
        reply = self.call(f"/v1/usage{query}", key=key)
        assert reply.status == 200, reply.text
        return reply.json()

    def kill9(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self, timeout=45) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)


def config(providers: str, models: str = "", tasks: str = "", auth="none",
           extra: str = "") -> str:
    """A configuration on free loopback ports."""
    key = '\n  admin_key: "env:LLM_SERVICE_ADMIN_KEY"' if auth == "keys" else ""
    text = f"""server:
  http: {{listen: "127.0.0.1:0"}}
  grpc: {{listen: "127.0.0.1:0"}}
  admin: {{http: "127.0.0.1:0", grpc: "127.0.0.1:0"}}
  metrics: {{listen: "127.0.0.1:0"}}
  workers: 2
auth:
  mode: {auth}{key}
store:
  sqlite: "service.db"
"""
    for name, section in (("providers", providers), ("models", models),
                          ("tasks", tasks)):
        if section:
            lines = "\n".join("  " + line for line in section.split("\n"))
            text += f"{name}:\n{lines}\n"
    return text + extra


def upstream(name: str, url: str, more: str = "") -> str:
    """A compatible provider at `url`."""
    return f'{name}: {{dialect: openai, base_url: "{url}"{more}}}'


def report(line: str) -> None:
    """Prints a figure, and keeps it for the end of tests/run."""
    print(line)
    figures = os.environ.get("LLM_FIGURES")
    if figures:
        with open(figures, "a", encoding="utf-8") as out:
            out.write(line + "\n")
