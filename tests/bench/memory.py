"""Memory of open streams, of an idle service, and the cost of choosing."""

import re
import subprocess
import time

import sides
from machine import rss_kib
from sides import harness
from unary import Stage

QUIET = {"headers": {"content-type": "text/event-stream"},
         "body": 'data: {"id":"1","object":"chat.completion.chunk","created":'
                 '1767225600,"model":"q","choices":[{"index":0,"delta":{'
                 '"role":"assistant","content":"hello"}}]}\n\n ',
         "times": 0}


def quiet_script() -> dict:
    """One delta, then nothing until the client leaves."""
    return {**QUIET, "pieces": [len(QUIET["body"]) - 1],
            "stall_after": len(QUIET["body"]) - 1}


def per_stream(options):
    """Resident memory of one open stream whose upstream is quiet."""
    rows = []
    for door in ("HTTP", "gRPC"):
        with Stage(buffering=False) as stage:
            stage.upstream.script("quiet", **quiet_script())
            body = options.scratch / "quiet"
            body.write_bytes(sides.chat_body(1700, True, "q"))
            words = options.scratch / "text"
            words.write_text(sides.text(1700))
            tool, flags = {
                "HTTP": ("stream_load", [
                    "--port", stage.gateway.port, "--body-file", body,
                    "--header", f"Authorization: Bearer {stage.gateway.key}",
                    "--ramp-ms", options.open]),
                "gRPC": ("grpc_load", [
                    "--port", stage.gateway.grpc_port, "--text-file", words,
                    "--key", stage.gateway.key, "--model", "q",
                    "--connections", 100]),
            }[door]
            # What the first ones allocate for all is not theirs alone.
            sides.Held(tool, *flags, "--streams", 50).close()
            time.sleep(1)
            before = rss_kib(stage.gateway.pid)
            held = sides.Held(tool, *flags, "--streams", options.open)
            time.sleep(1)
            each = (rss_kib(stage.gateway.pid) - before) / held.open
            rows.append({"work": f"{held.open} open streams, {door}",
                         "unit": "KiB each", "service": each, "bound": 64})
            held.close()
    return rows


def idle(_options):
    """A service that nobody calls."""
    upstream = harness.Simulator("--no-log")
    starts = []
    for _ in range(5):
        began = time.perf_counter()
        gateway = sides.Gateway(upstream.port)
        starts.append((gateway.ready_at - began) * 1e3)
        time.sleep(1)
        rss = rss_kib(gateway.pid) / 1024
        gateway.close()
    upstream.close()
    return [{"work": "idle: resident memory", "unit": "MiB", "service": rss,
             "bound": 40},
            {"work": "idle: start to ready", "unit": "ms",
             "service": {"median": sorted(starts)[2], "min": min(starts),
                         "max": max(starts)}, "bound": 300}]


def route(_options):
    """Choosing among 50 deployments whose health is known."""
    out = subprocess.run([sides.TOOLS / "route_bench"], capture_output=True,
                         text=True, check=True).stdout
    found = re.findall(r"^(\w+) +50 deployments: +([\d.]+) us", out, re.M)
    return [{"work": f"choosing among 50 deployments, by {name}",
             "unit": "µs", "service": float(us), "bound": 3}
            for name, us in found]
