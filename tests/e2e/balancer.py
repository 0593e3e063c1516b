"""The project's nginx in front of instances, and crowds that call through it."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import grpc

import harness

PATIENCE = 30  # seconds; only what hangs takes as long


class Balancer:
    """A running nginx with deploy/balancer's own files, on free ports."""

    def __init__(
        self,
        directory: Path,
        instances: list[dict[str, str]],
        changes: dict[str, str] | None = None,
    ):
        self.directory = directory
        directory.mkdir()
        for name in ("nginx.conf", "steering.lua"):
            shutil.copy(harness.ROOT / "deploy" / "balancer" / name, directory)
        with harness.socket_port() as http_port, harness.socket_port() as grpc_port:
            self.http = f"127.0.0.1:{http_port}"
            self.grpc = f"127.0.0.1:{grpc_port}"
        conf = directory / "nginx.conf"
        text = conf.read_text()
        moved = {"127.0.0.1:8004": self.http, "127.0.0.1:9004": self.grpc}
        for was, now in {**moved, **(changes or {})}.items():
            assert was in text
            text = text.replace(was, now)
        conf.write_text(text)
        self.list(instances)
        # Users' own PATH leaves out /usr/sbin.
        nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        assert nginx, "no nginx: deploy/install-packages balancer"
        self.command = [nginx, "-e", "error.log", "-p", directory, "-c", "nginx.conf"]
        subprocess.run([*self.command, "-t"], check=True, capture_output=True)
        # As root its workers would be nobody, who may not read our directory.
        user = "user root;" if os.geteuid() == 0 else ""
        self.process = subprocess.Popen([*self.command, "-g", f"daemon off; {user}"])
        deadline = time.monotonic() + 10
        while not self._listens():
            assert self.process.poll() is None, self.log("error.log")
            assert time.monotonic() < deadline, "nginx does not listen"
            time.sleep(0.05)

    def _listens(self) -> bool:
        try:
            harness.call(f"http://{self.http}/healthz")
        except OSError:
            return False
        return True

    def list(self, instances: list[dict[str, str]]) -> None:
        """Names the instances to nginx, in one step."""
        new = self.directory / "instances.new"
        lines = [f"{one['http']} {one['grpc']}\n" for one in instances]
        new.write_text("".join(lines) or "none\n")
        new.rename(self.directory / "instances")

    def log(self, name: str) -> str:
        return (self.directory / name).read_text()

    def calls(self) -> list[dict]:
        """What nginx says of each call, oldest first."""
        return [json.loads(line) for line in self.log("access.log").splitlines()]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)


@dataclass
class Answer:
    """One call's end: `trouble` is empty where it was answered whole."""

    run: str
    began: float
    trouble: str = ""
    request_id: str = ""
    cost: str = "0"
    tokens: int = 0


@dataclass
class Crowd:
    """Callers at both doors of a balancer; each call is a run of its own."""

    balancer: Balancer
    stubs: object
    key: str
    callers: int = 6  # of each door
    answers: list[Answer] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Crowd:
        self.threads = [
            threading.Thread(
                target=self._live, args=(ask, f"{door}{number}"), daemon=True
            )
            for number in range(self.callers)
            for door, ask in (("http", self._http), ("grpc", self._grpc))
        ]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(2 * PATIENCE)
            assert not thread.is_alive(), "a call hangs"

    def answered(self) -> list[Answer]:
        return [answer for answer in list(self.answers) if not answer.trouble]

    def _live(self, ask, name: str) -> None:
        turn, kept = 0, {}
        while not self.stop.is_set():
            turn += 1
            answer = Answer(f"{name}-{turn}", time.time())
            try:
                ask(answer, turn % 2 == 0, kept)
            except (OSError, http.client.HTTPException, grpc.RpcError) as error:
                answer.trouble = repr(error)
            if answer.trouble:
                kept.clear()
                time.sleep(0.1)  # as a client backs off
            self.answers.append(answer)

    def _http(self, answer: Answer, stream: bool, kept: dict) -> None:
        if "link" not in kept:
            kept["link"] = http.client.HTTPConnection(
                self.balancer.http, timeout=PATIENCE
            )
        body = {"model": "m", "stream": stream, "run_id": answer.run}
        body["messages"] = [{"role": "user", "content": answer.run}]
        if stream:
            body["stream_options"] = {"include_usage": True}
        kept["link"].request(
            "POST",
            "/v1/chat/completions",
            json.dumps(body),
            {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {self.key}",
                "x-request-id": answer.run,
            },
        )
        reply = kept["link"].getresponse()
        text = reply.read().decode()
        if reply.status != 200 or (stream and not text.endswith("[DONE]\n\n")):
            answer.trouble = f"{reply.status} {text[-300:]}"
            return
        last = text
        if stream:
            last = re.findall(r"data: (\{.*\})", text)[-1]
        facts = json.loads(last)
        answer.tokens = facts["usage"]["total_tokens"]
        answer.request_id = facts["llm_service"]["request_id"]
        answer.cost = facts["llm_service"]["cost"]["amount"]

    def _grpc(self, answer: Answer, stream: bool, kept: dict) -> None:
        if "door" not in kept:
            channel = grpc.insecure_channel(
                self.balancer.grpc, [("grpc.use_local_subchannel_pool", 1)]
            )
            kept["door"] = self.stubs.LlmService(channel)
        chat = self.stubs.chat
        request = chat.ChatCompletionRequest(
            model="m",
            run_id=answer.run,
            messages=[chat.Message(role="user", content=answer.run)],
        )
        facts = {
            "timeout": PATIENCE,
            "metadata": [
                ("authorization", f"Bearer {self.key}"),
                ("x-request-id", answer.run),
            ],
        }
        if stream:
            request.stream_options.include_usage = True
            *_, last = kept["door"].StreamChatCompletion(request, **facts)
        else:
            last = kept["door"].ChatCompletion(request, **facts)
        answer.tokens = last.usage.total_tokens
        answer.request_id = last.llm_service.request_id
        answer.cost = last.llm_service.cost.amount
