"""Bytes on sockets, as no client library would send them."""

from __future__ import annotations

import json
import os
import re
import socket
import time


def connect(address: str, timeout=20) -> socket.socket:
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=timeout)


def read_all(link: socket.socket, count=None) -> bytes:
    """Until the peer closes or falls silent, or `count` answers are in."""
    got = b""
    try:
        while piece := link.recv(65536):
            got += piece
            if count is not None and whole(got) >= count:
                break
    except (ConnectionError, TimeoutError):
        pass
    return got


def exchange(address: str, sent: bytes, count=None, timeout=20) -> bytes:
    """What comes back for `sent`."""
    with connect(address, timeout) as link:
        try:
            link.sendall(sent)
        except ConnectionError:
            pass
        return read_all(link, count)


def whole(got: bytes) -> int:
    try:
        return len(answers(got))
    except (AssertionError, AttributeError, ValueError):
        return 0


class Answer:
    def __init__(self, status: int, headers: dict, body: bytes):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The contract's error code; fails where the error is untyped."""
        error = self.json()["error"]
        assert set(error) >= {"message", "type", "code", "llm_service"}, error
        return error["code"]


def answers(got: bytes) -> list[Answer]:
    """Every whole answer in `got`; fails on bytes that are none."""
    found = []
    while got:
        head, mark, rest = got.partition(b"\r\n\r\n")
        assert mark, got[:200]
        lines = head.decode("latin-1").split("\r\n")
        status = int(re.fullmatch(r"HTTP/1\.1 (\d{3}) .*", lines[0]).group(1))
        headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            assert name.lower() not in headers, lines
            headers[name.lower()] = value.strip()
        if status == 100:
            got = rest
            continue
        assert "content-length" in headers, lines
        length = int(headers["content-length"])
        assert len(rest) >= length, got[-200:]
        found.append(Answer(status, headers, rest[:length]))
        got = rest[length:]
    return found


def request(method="GET", target="/v1/models", *headers, body=b"",
            host="x") -> bytes:
    lines = [f"{method} {target} HTTP/1.1"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines += headers
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chat(key=None, *headers, **fields) -> bytes:
    body = json.dumps({"model": "auto", "messages": [
        {"role": "user", "content": "hi"}], **fields}).encode()
    if key:
        headers = (*headers, f"Authorization: Bearer {key}")
    return request("POST", "/v1/chat/completions", *headers, body=body)


def memory(pid: int) -> int:
    """Resident bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) << 10


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def wait_for(condition, timeout=20.0, what="waited in vain"):
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return value
