"""What the operating system says of a process: CPU, memory, descriptors."""

import os
import resource
import statistics
import subprocess
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
# The proxy under measurement on one core, load and upstream on the other.
PROXY_CPU, LOAD_CPU = ("0", "1") if os.cpu_count() > 1 else ("0", "0")


def raise_fd_limit() -> int:
    """As many descriptors as the machine lets a process have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def pin(pid: int, cpu: str) -> None:
    subprocess.run(["taskset", "-a", "-c", "-p", cpu, str(pid)], check=True,
                   stdout=subprocess.DEVNULL)


def cpu_us(pid: int) -> float:
    """CPU time of all threads of a process, user and system, in µs.

    The scheduler's own sum where the kernel tells it (nanoseconds), the
    clock ticks of /proc/PID/stat (10 ms) elsewhere.
    """
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except (OSError, IndexError):
            total = 0
            break
    if total:
        return total / 1e3
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS * 1e6


def rss_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise RuntimeError("no VmRSS")


def spread(values) -> dict:
    return {"median": statistics.median(values), "min": min(values),
            "max": max(values)}
