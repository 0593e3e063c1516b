"""The two sides of each comparison, nginx and the service, and who calls them."""

import http.client
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from machine import LOAD_CPU, PROXY_CPU, cpu_us, pin

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
import harness  # noqa: E402

TOOLS = harness.BUILD / "tests" / "bench"
WORDS = "The quick brown fox jumps over the lazy dog. "


def text(size: int) -> str:
    """A user's message that makes a body of about `size` bytes."""
    return WORDS * max(1, (size - 130) // len(WORDS))


def chat_body(size: int, stream=False, model="m") -> bytes:
    message = {"model": model, "messages": [
        {"role": "system", "content": "You are a helpful analyst."},
        {"role": "user", "content": text(size)}], "temperature": 0.7}
    if stream:
        message["stream"] = True
    return json.dumps(message).encode()


def anthropic_body(size: int) -> bytes:
    return json.dumps({
        "model": "claude", "max_tokens": 4096, "stream": True,
        "messages": [{"role": "user", "content": text(size)}]}).encode()


class Nginx:
    """Debian's nginx, one worker, proxy_pass to `upstream_port`."""

    def __init__(self, upstream_port: int, buffering: bool):
        self.directory = harness.scratch("llm-nginx-")
        with harness.socket_port() as port:
            self.port = port
        conf = self.directory / "nginx.conf"
        conf.write_text(f"""
daemon off; worker_processes 1; pid {self.directory}/pid;
worker_rlimit_nofile 65536; error_log {self.directory}/error.log;
events {{ worker_connections 30000; }}
http {{
  access_log off;
  client_body_temp_path {self.directory}/b; proxy_temp_path {self.directory}/p;
  fastcgi_temp_path {self.directory}/f; uwsgi_temp_path {self.directory}/u;
  scgi_temp_path {self.directory}/s;
  keepalive_requests 100000000; client_max_body_size 64m;
  client_body_buffer_size 2m;
  upstream sim {{ server 127.0.0.1:{upstream_port}; keepalive 512;
                  keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{self.port} backlog=8192;
    location / {{ proxy_pass http://sim; proxy_http_version 1.1;
                  proxy_buffering {"on" if buffering else "off"}; proxy_read_timeout 600s;
                  proxy_set_header Connection ""; }} }}
}}""")
        self.process = subprocess.Popen(["nginx", "-c", str(conf)],
                                        stderr=subprocess.DEVNULL)
        tasks = Path(f"/proc/{self.process.pid}/task/{self.process.pid}")
        for _ in range(200):
            children = (tasks / "children").read_text().split()
            if children:
                break
            time.sleep(0.02)
        self.pid = int(children[0])
        pin(self.pid, PROXY_CPU)

    def close(self):
        self.process.send_signal(signal.SIGQUIT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            self.process.wait(10)


class Gateway:
    """The service with governance on: key, routing, price, ledger, metrics.

    `more`: providers and models beside those of every measurement, in YAML."""

    def __init__(self, upstream_port: int, ledger=True, more=("", "")):
        root = f"http://127.0.0.1:{upstream_port}"
        many = "max_in_flight: 20000"
        providers = (
            f'sim: {{{many}, dialect: openai, base_url: "{root}/v1"}}\n'
            f'claude: {{{many}, dialect: anthropic, base_url: "{root}/lane/claude", '
            'api_keys: ["env:BENCH_KEY"]}\n'
            f'quiet: {{{many}, dialect: openai, base_url: "{root}/lane/quiet/v1"}}')
        price = "price: {currency: USD, per_million: {input: \"1\", output: \"2\"}}"
        models = "\n".join(f"{name}: {{provider: {provider}, {price}}}"
                           for name, provider in (("m", "sim"),
                                                  ("c", "claude"),
                                                  ("q", "quiet")))
        config = harness.config(
            providers + "\n" + more[0], models=models + "\n" + more[1],
            auth="keys").replace("workers: 2", "workers: 1")
        self.service = harness.Service(config, env={
            "BENCH_KEY": "none",
            **({} if ledger else {"LLM_SERVICE_STORE_LEDGER": "false"})})
        self.ready_at = time.perf_counter()
        self.pid = self.service.process.pid
        pin(self.pid, PROXY_CPU)
        self.key = self.service.create_key("bench")
        self.port = int(self.service.addresses["http"].split(":")[1])
        self.grpc_port = int(self.service.addresses["grpc"].split(":")[1])

    def close(self):
        code = self.service.stop(60)
        assert code == 0, self.service.log()


def gateway_of(program: Path, upstream_port: int) -> Gateway:
    """The service, from a program of one's choice."""
    saved, harness.SERVICE = harness.SERVICE, program
    try:
        return Gateway(upstream_port)
    finally:
        harness.SERVICE = saved


def gateway_under(tool: str, upstream_port: int, scratch: Path) -> Gateway:
    """The service, each of its instructions or copies counted by valgrind."""
    wrapper = scratch / "llm-service"
    wrapper.write_text(
        f'#!/bin/sh\nexec valgrind -q {tool} {harness.SERVICE} "$@"\n')
    wrapper.chmod(0o755)
    return gateway_of(wrapper, upstream_port)


def ask(gateway: Gateway, body: bytes, requests: int) -> None:
    """So many calls over HTTP, one after the other on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port,
                                            timeout=120)
    for _ in range(requests):
        connection.request("POST", "/v1/chat/completions", body, {
            "Authorization": f"Bearer {gateway.key}",
            "Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
    connection.close()


def simulator(*flags: str) -> "harness.Simulator":
    upstream = harness.Simulator("--no-log", *flags)
    pin(upstream.process.pid, LOAD_CPU)
    return upstream


def wrk(url: str, body: bytes, key: str, connections: int, seconds: float):
    """Requests answered, and the latency's percentiles in µs."""
    script = harness.scratch("llm-wrk-") / "post.lua"
    (script.parent / "body").write_bytes(body)
    script.write_text(
        'wrk.method = "POST"\n'
        f'local f = io.open("{script.parent}/body", "rb")\n'
        'wrk.body = f:read("*a")\nf:close()\n'
        'wrk.headers["Content-Type"] = "application/json"\n'
        f'wrk.headers["Authorization"] = "Bearer {key}"\n'
        'done = function(summary, latency, requests)\n'
        '  io.write(string.format("FIGURES %d %d %d %d\\n", summary.requests,\n'
        '    latency:percentile(50), latency:percentile(99), latency.max))\n'
        'end\n')
    out = subprocess.run(
        ["taskset", "-c", LOAD_CPU, "wrk", "-t1", f"-c{connections}",
         f"-d{seconds}s", "--timeout", "20s", "-s", str(script), url],
        capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit("the load met errors:\n" + out)
    found = re.search(r"FIGURES (\d+) (\d+) (\d+) (\d+)", out)
    requests, p50, p99, most = map(int, found.groups())
    return requests, {"p50": p50, "p99": p99, "max": most}


def load(tool: str, *flags) -> dict:
    """One run of stream_load or grpc_load."""
    done = subprocess.run(
        ["taskset", "-c", LOAD_CPU, TOOLS / tool, *map(str, flags)],
        capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{tool} met errors: {done.stderr}{done.stdout}")
    return json.loads(done.stdout.splitlines()[-1])


class Held:
    """Streams that stay open until close()."""

    def __init__(self, tool: str, *flags):
        self.process = subprocess.Popen(
            ["taskset", "-c", LOAD_CPU, TOOLS / tool, *map(str, flags),
             "--hold"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        line = self.process.stdout.readline()
        if not line.startswith("open "):
            raise SystemExit(f"{tool} opened nothing: {line}")
        self.open = int(line.split()[1])

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


def spent(pid: int, work, settle=0.5):
    """CPU µs of `pid` during work(), and what work() returned."""
    before = cpu_us(pid)
    result = work()
    # The store's thread works on after the last answer; that is its cost too.
    time.sleep(settle)
    return cpu_us(pid) - before, result
