#!/usr/bin/env python3
"""CPU per unary request beside nginx's proxy_pass, interleaved in one run, and
the instructions of one request.

    python3 tests/bench/unary_vs_nginx.py [--rounds 5] [--seconds 3] [--json F]

Both proxies stand before the same upstream (llm-simulator, 1.7 KB up, about
1 KB down, keep-alive). The service runs with governance on: a virtual key,
routing, price, journal, store and metrics, one worker, as nginx. CPU is the
operating system's accounting of the proxy's own process; load and upstream are
pinned to the other core where there are two. Needs wrk, nginx and valgrind.
"""

import argparse
import http.client
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
import harness  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
PROXY_CPU, LOAD_CPU = ("0", "1") if os.cpu_count() > 1 else ("0", "0")


def body() -> bytes:
    text = "The quick brown fox jumps over the lazy dog. " * 35
    message = {"model": "m", "messages": [
        {"role": "system", "content": "You are a helpful analyst."},
        {"role": "user", "content": text}], "temperature": 0.7}
    return json.dumps(message).encode()


def pin(pid: int, cpu: str) -> None:
    subprocess.run(["taskset", "-a", "-c", "-p", cpu, str(pid)], check=True,
                   stdout=subprocess.DEVNULL)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Nginx:
    def __init__(self, upstream_port: int):
        self.directory = Path(tempfile.mkdtemp(prefix="llm-nginx-"))
        with harness.socket_port() as port:
            self.port = port
        conf = self.directory / "nginx.conf"
        conf.write_text(f"""
daemon off; worker_processes 1; pid {self.directory}/pid;
error_log {self.directory}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {self.directory}/b; proxy_temp_path {self.directory}/p;
  fastcgi_temp_path {self.directory}/f; uwsgi_temp_path {self.directory}/u;
  scgi_temp_path {self.directory}/s;
  keepalive_requests 100000000;
  upstream sim {{ server 127.0.0.1:{upstream_port}; keepalive 64;
                  keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{self.port};
    location / {{ proxy_pass http://sim; proxy_http_version 1.1;
                  proxy_set_header Connection ""; }} }}
}}""")
        self.process = subprocess.Popen(["nginx", "-c", str(conf)])
        for _ in range(200):
            children = Path(
                f"/proc/{self.process.pid}/task/{self.process.pid}/children"
            ).read_text().split()
            if children:
                break
            time.sleep(0.02)
        self.worker = int(children[0])
        pin(self.worker, PROXY_CPU)

    def close(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(10)


def wrk(url: str, script: Path, connections: int, seconds: int):
    out = subprocess.run(
        ["taskset", "-c", LOAD_CPU, "wrk", "-t1", f"-c{connections}",
         f"-d{seconds}s", "-s", str(script), url],
        capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit("the load met errors:\n" + out)
    return int(re.search(r"(\d+) requests in", out).group(1))


def measure(pid, url, script, connections, seconds):
    before = cpu_seconds(pid)
    requests = wrk(url, script, connections, seconds)
    # The store's thread works on after the last answer; that is its cost too.
    time.sleep(0.5)
    return (cpu_seconds(pid) - before) / requests * 1e6, requests / seconds


def start_service(upstream_port):
    text = harness.config(
        f'sim: {{dialect: openai, base_url: "http://127.0.0.1:{upstream_port}'
        '/v1"}',
        models='m: {provider: sim, price: {currency: USD, per_million: '
               '{input: "1", output: "2"}}}',
        auth="keys").replace("workers: 2", "workers: 1")
    return harness.Service(text)


def instructions(upstream_port, requests):
    """Instructions of the whole service process for so many requests."""
    directory = Path(tempfile.mkdtemp(prefix="llm-callgrind-"))
    wrapper = directory / "llm-service"
    wrapper.write_text(
        "#!/bin/sh\nexec valgrind -q --tool=callgrind "
        f"--callgrind-out-file={directory}/out {harness.SERVICE} \"$@\"\n")
    wrapper.chmod(0o755)
    saved, harness.SERVICE = harness.SERVICE, wrapper
    try:
        service = start_service(upstream_port)
    finally:
        harness.SERVICE = saved
    key = service.create_key("bench")
    host, port = service.addresses["http"].split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    for _ in range(requests):
        connection.request("POST", "/v1/chat/completions", body(), {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
    connection.close()
    service.stop(120)
    out = (directory / "out").read_text()
    return int(re.search(r"^(?:summary|totals): (\d+)", out, re.M).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--no-instructions", action="store_true")
    options = parser.parse_args()

    simulator = harness.Simulator("--no-log", "--chars", "620")
    pin(simulator.process.pid, LOAD_CPU)
    nginx = Nginx(simulator.port)
    service = start_service(simulator.port)
    pin(service.process.pid, PROXY_CPU)
    key = service.create_key("bench")
    script = Path(tempfile.mkdtemp()) / "post.lua"
    script.write_text(
        'wrk.method = "POST"\n'
        f"wrk.body = [==[{body().decode()}]==]\n"
        'wrk.headers["Content-Type"] = "application/json"\n'
        f'wrk.headers["Authorization"] = "Bearer {key}"\n')
    sides = {
        "nginx": (nginx.worker,
                  f"http://127.0.0.1:{nginx.port}/v1/chat/completions"),
        "llm-service": (service.process.pid,
                        service.url("/v1/chat/completions")),
    }
    results = {name: [] for name in sides}
    for name, (pid, url) in sides.items():
        measure(pid, url, script, options.connections, 1)  # warm-up
    for _ in range(options.rounds):
        for name, (pid, url) in sides.items():
            results[name].append(
                measure(pid, url, script, options.connections,
                        options.seconds))
    ratios = [b[0] / a[0] for a, b in
              zip(results["nginx"], results["llm-service"])]
    table = {}
    for name, rows in results.items():
        cpu = [row[0] for row in rows]
        table[name] = {"cpu_us": statistics.median(cpu), "min": min(cpu),
                       "max": max(cpu),
                       "requests_per_s": statistics.median(
                           row[1] for row in rows)}
    table["ratio"] = {"median": statistics.median(ratios), "min": min(ratios),
                      "max": max(ratios)}
    service.stop()
    nginx.close()
    if not options.no_instructions:
        few, many = instructions(simulator.port, 50), instructions(
            simulator.port, 250)
        table["instructions_per_request"] = (many - few) // 200
    simulator.close()
    if options.json:
        options.json.write_text(json.dumps(table, indent=1))
    for name in ("nginx", "llm-service"):
        row = table[name]
        print(f"{name:12} {row['cpu_us']:7.1f} µs CPU per request "
              f"({row['min']:.1f}-{row['max']:.1f}), "
              f"{row['requests_per_s']:.0f} requests/s")
    ratio = table["ratio"]
    print(f"ratio        {ratio['median']:.2f} "
          f"({ratio['min']:.2f}-{ratio['max']:.2f})")
    if "instructions_per_request" in table:
        print(f"instructions {table['instructions_per_request']:,} "
              "per unary request")


if __name__ == "__main__":
    main()
