"""Headers, paths and bodies that lie, over raw sockets and gRPC.

Every one gets a typed answer or an end, nobody gets in by it, and callers
beside them notice nothing [SEC-3, SEC-6, PRF-3].
"""

import json
import re
import sqlite3
import subprocess
import sys
import threading
import time

import grpc
import pytest

import harness
import wire
from harness import ADMIN_KEY, config, upstream
from test_grpc import stubs  # noqa: F401 (a fixture)

MODELS = ("wide: {provider: simulated, upstream: wide}\n"
          "out: {provider: out, upstream: out}")


@pytest.fixture(scope="module")
def running():
    simulator = harness.Simulator("--chars", "8", "--deltas", "2")
    service = harness.Service(config(
        "simulated: {}\n" + upstream("out", simulator.base_url("out")),
        models=MODELS, auth="keys"))
    service.simulator = simulator
    service.key = service.create_key("hostile")
    yield service
    assert service.process.poll() is None, service.log()
    assert service.stop() == 0
    simulator.close()


def still_well(running):
    assert running.process.poll() is None, running.log()
    assert running.chat("wide", key=running.key).status == 200


# --- framing

GET = "GET /v1/models HTTP/1.1\r\nHost: x\r\n"
POST = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
SMUGGLED = "GET /v1/usage HTTP/1.1\r\nHost: x\r\n\r\n"
FRAMING = {
    "both lengths": POST + "Content-Length: 4\r\nTransfer-Encoding: chunked"
                           "\r\n\r\n0\r\n\r\n",
    "both, other order": POST + "Transfer-Encoding: chunked\r\n"
                                "Content-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": POST + "Content-Length: 0\r\nContent-Length: 4\r\n\r\n",
    "equal lengths": POST + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "a list of lengths": POST + "Content-Length: 0, 0\r\n\r\n",
    "a signed length": POST + "Content-Length: +0\r\n\r\n",
    "a hex length": POST + "Content-Length: 0x0\r\n\r\n",
    "an endless length": POST + "Content-Length: " + "9" * 40 + "\r\n\r\n",
    "a length of NUL": POST + "Content-Length: 0\0\r\n\r\n",
    "chunked twice": POST + "Transfer-Encoding: chunked\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and more": POST + "Transfer-Encoding: chunked, identity\r\n\r\n",
    "gzip, chunked": POST + "Transfer-Encoding: gzip, chunked\r\n\r\n",
    "nearly chunked": POST + "Transfer-Encoding: xchunked\r\n\r\n",
    "chunked with a tab": POST + "Transfer-Encoding:\tchunked\x0b\r\n\r\n",
    "space before the colon": POST + "Transfer-Encoding : chunked\r\n\r\n",
    "a folded coding": POST + "Transfer-Encoding:\r\n chunked\r\n\r\n",
    "a folded header": GET + "A: b\r\n c\r\n\r\n",
    "a bare LF": GET + "A: b\nB: c\r\n\r\n",
    "LF alone": GET.replace("\r\n", "\n") + "\n",
    "a bare CR": GET + "A: b\rB: c\r\n\r\n",
    "NUL in a name": GET + "A\0: b\r\n\r\n",
    "NUL in a value": GET + "A: b\0c\r\n\r\n",
    "NUL in the path": "GET /v1/models\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "no colon": GET + "A\r\n\r\n",
    "no name": GET + ": b\r\n\r\n",
    "two hosts": GET + "Host: y\r\n\r\n",
    "no host": "GET /v1/models HTTP/1.1\r\n\r\n",
    "two credentials": GET + "Authorization: Bearer a\r\n"
                             "Authorization: Bearer b\r\n\r\n",
    "absolute form": "GET http://127.0.0.1:1/v1/models HTTP/1.1\r\n"
                     "Host: x\r\n\r\n",
    "authority form": "CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "asterisk form": "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "a fragment": "GET /v1/models#@evil HTTP/1.1\r\nHost: x\r\n\r\n",
    "a space in the path": "GET /v1/ models HTTP/1.1\r\nHost: x\r\n\r\n",
    "no version": "GET /v1/models\r\nHost: x\r\n\r\n",
    "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a TLS hello": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "\0" * 64,
    "a bad chunk size": POST + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a signed chunk size": POST + "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
    "an endless chunk": POST + "Transfer-Encoding: chunked\r\n\r\n"
                        + "f" * 17 + "\r\n",
    "chunk data too long": POST + "Transfer-Encoding: chunked\r\n\r\n"
                                  "1\r\nab\r\n0\r\n\r\n",
    "a chunk ended by LF": POST + "Transfer-Encoding: chunked\r\n\r\n"
                                  "1\na\n0\n\n",
}


@pytest.mark.parametrize("case", FRAMING)
def test_what_two_programs_could_frame_differently_is_refused(running, case):
    head = FRAMING[case]
    if "Transfer-Encoding" in head or "Content-Length" in head:
        # Behind a key, since bodies of nobody are not read at all.
        head = head.replace("Host: x\r\n", "Host: x\r\nAuthorization: Bearer "
                            + running.key + "\r\n", 1)
    sent = (head + SMUGGLED).encode("latin-1")
    got = wire.answers(wire.exchange(running.addresses["http"], sent))
    assert len(got) == 1, [a.body for a in got]
    assert got[0].status in (400, 505), got[0].body
    assert got[0].code == "invalid_request"
    assert got[0].headers["connection"] == "close"
    assert running.key.encode() not in got[0].body
    assert b"SMUG" not in got[0].body


@pytest.mark.parametrize(("head", "status"), [
    (GET + "A: " + "a" * 70000 + "\r\n\r\n", 431),
    (GET + "".join(f"A{i}: b\r\n" for i in range(101)) + "\r\n", 431),
    ("GET /" + "a" * 70000 + " HTTP/1.1\r\nHost: x\r\n\r\n", 431),
    (POST + "Content-Length: 33554433\r\n\r\n", 413),
])
def test_what_is_too_long_is_refused_by_its_limit(running, head, status):
    # 413 comes after the key was looked at, 431 before.
    got = wire.answers(wire.exchange(
        running.addresses["http"],
        head.replace("Host: x\r\n", "Host: x\r\nAuthorization: Bearer "
                     + running.key + "\r\n", 1).encode()))
    assert [answer.status for answer in got] == [status]
    assert re.search(r"\d{3,}", got[0].json()["error"]["message"])


def test_pipelined_requests_keep_their_own_keys(running):
    sent, want = b"", []
    for i in range(60):
        good = i % 3 != 0
        key = running.key if good else "sk-" + "x" * 48
        if i % 2:
            sent += wire.request("GET", "/v1/models",
                                 f"Authorization: Bearer {key}")
        else:
            sent += wire.chat(key, model="wide")
        want.append(200 if good else 401)
    got = wire.answers(wire.exchange(running.addresses["http"], sent, 60))
    assert [answer.status for answer in got] == want


# --- who gets in

PATHS = ["/v1/models", "/v1/usage", "/v1/chat/completions", "/v1/route",
         "/api/v1/models", "/v1/v1/usage", "/v1/models/wide",
         "/t/run=a/v1/models", "//v1/models", "/v1//models", "/v1/./models",
         "/v1/x/../models", "/v1/%6dodels", "/v1%2fmodels", "/v1/models/",
         "/v1/models?key=1", "/V1/models", "/v1/models;x", "/healthz/../v1/usage",
         "/healthz%2f..%2fv1%2fusage", "/v1/usage?by=model'--", "/v1/models@x",
         "/admin/v1/keys", "/admin/v1/keys/x/revoke", "//admin/v1/keys",
         "/v1/../admin/v1/keys", "/v1/%2e%2e/admin/v1/keys", "/admin%2fv1/keys",
         "/t/run=%2fhealthz/v1/usage", "/t/task=a,run=b/admin/v1/keys",
         "/metrics", "/readyz/v1/models"]
LIES = [
    (),
    ("X-Original-URL: /healthz", "X-Rewrite-URL: /healthz"),
    ("X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1", "Via: admin"),
    ("X-HTTP-Method-Override: GET", "Content-Type: text/plain"),
    ("Cookie: authorization=Bearer {key}", "Proxy-Authorization: Bearer {key}"),
    ("X-Api-Key: {key}", "api-key: {key}"),
    ("Connection: Authorization, close",),
]
WRONG = [None, "", "Bearer", "Bearer ", "Bearer sk-", "Basic {key}", "{key}",
         "Bearer {key}x", "Bearer {key} ,", "Bearer {short}", "Bearer\t{key}",
         "Bearer '{key}'", "Bearer ' OR '1'='1", "Bearer sk-%", "Bearer *",
         "Bearer {key},Bearer {key}", "Bearer null", "Bearer {upper}",
         "Bearer " + "\xff" * 51, "Bearer " + "a" * 60000]


def test_no_path_and_no_header_stands_in_for_a_key(running):
    """The answer to a stranger is the same whatever else it sends."""
    address = running.addresses["http"]
    words = {"key": running.key, "short": running.key[:-1],
             "upper": running.key.upper()}
    seen = set()
    requests = [(path, lie, None) for path in PATHS for lie in LIES]
    requests += [(path, (), wrong) for path in PATHS[:4] for wrong in WRONG]
    for path, lie, wrong in requests:
        headers = [line.format(**words) for line in lie]
        if wrong is not None:
            headers.append("Authorization: " + wrong.format(**words))
        for method in ("GET", "POST"):
            sent = wire.request(method, path, *headers, body=b"{}")
            got = wire.answers(wire.exchange(address, sent, 1))
            assert len(got) == 1, (path, headers)
            assert got[0].status in (400, 401, 404, 405), (path, headers)
            error = got[0].json()["error"]
            if got[0].status == 401:
                seen.add((error["message"], error["code"]))
    assert len(seen) == 1, seen


def test_lies_do_not_lock_out_a_good_key(running):
    for lie in LIES[:4]:
        for host in ("x", "admin", "127.0.0.1:8005", "x@y", "[::1]", "a" * 999):
            got = wire.answers(wire.exchange(
                running.addresses["http"],
                wire.request("GET", "/v1/models", *lie,
                             f"Authorization: Bearer {running.key}",
                             host=host), 1))
            assert [answer.status for answer in got] == [200], (lie, host)


def test_the_admin_key_opens_nothing_on_the_public_listener(running):
    for path in PATHS[-10:-2] + ["/admin/v1/keys?include_revoked=true"]:
        for method in ("GET", "POST", "DELETE"):
            got = wire.answers(wire.exchange(
                running.addresses["http"],
                wire.request(method, path, f"Authorization: Bearer {ADMIN_KEY}"),
                1))
            if "/v1/usage" in path or "/v1/models" in path:
                continue
            assert got[0].status in (400, 404), (method, path)


def test_a_virtual_key_is_no_admin(running):
    for key in (running.key, "' OR 1=1 --", ADMIN_KEY[:-1], ADMIN_KEY + "x"):
        reply = running.call("/admin/v1/keys", key=key, listener="admin_http")
        assert reply.status == 401, key


# --- slow callers

def drip(address, head, pieces, every, limit):
    """Seconds until the service had enough, and what it said."""
    start = time.monotonic()
    with wire.connect(address, 5) as link:
        link.sendall(head)
        for piece in pieces:
            if time.monotonic() - start > limit:
                return None, b""
            link.settimeout(every)
            try:
                got = link.recv(65536)
                return time.monotonic() - start, got + wire.read_all(link)
            except TimeoutError:
                pass
            except ConnectionError:
                return time.monotonic() - start, b""
            try:
                link.sendall(piece)
            except ConnectionError:
                pass
    return None, b""


def test_slow_callers_are_cut_at_their_limit(running):
    """A head that drips, a body that stops: 408, by name; others go on."""
    address, out = running.addresses["http"], []

    def head():
        out.append(("head", *drip(
            address, b"GET /v1/models HTTP/1.1\r\nHost: x\r\nA: ",
            [b"a"] * 200, 0.25, 40)))

    def body():
        out.append(("body", *drip(address, wire.request(
            "POST", "/v1/chat/completions", "Content-Length: 100",
            f"Authorization: Bearer {running.key}") + b"{", [b""] * 200, 0.25,
            60)))

    threads = [threading.Thread(target=slow) for slow in [head, body] * 10]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        still_well(running)
        time.sleep(0.5)
    for part, seconds, got in out:
        limit = 15 if part == "head" else 30
        assert seconds is not None and limit - 1 < seconds < limit + 10
        answer = wire.answers(got)[0]
        assert (answer.status, answer.code) == (408, "invalid_request")
        assert re.search("in time|within 15s|for 30s",
                         answer.json()["error"]["message"])


# --- words in every field

WORDS = {
    "sql": "x'; DROP TABLE requests; --",
    "sql2": "\" OR \"1\"=\"1",
    "markup": "<script>alert(1)</script><img src=x onerror=y>",
    "template": "{{7*7}}${7*7}#{7*7}<%= 7*7 %>",
    "format": "%s%n%x%d{}{0}",
    "nul": "a\0b",
    "lone surrogate": "a\ud800b\udfffc",
    "path": "../../../../etc/passwd",
    "split": "a\r\nX-Injected: 1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    "bidi": "a\u202eb\u2066\ufeff\u2028c",
    "escape": "\x1b[31mred\x1b]0;title\x07",
    "unicode": "\U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301",
}


def rows(running, query, *values):
    link = sqlite3.connect(f"file:{running.directory}/service.db?mode=ro",
                           uri=True)
    try:
        return link.execute(query, values).fetchall()
    finally:
        link.close()


@pytest.mark.parametrize("name", WORDS)
def test_words_in_any_field_are_only_words(running, name):
    word = WORDS[name]
    before = rows(running, "SELECT count(*) FROM requests")[0][0]
    address = running.addresses["http"]
    accepted = 0
    for field in ("model", "run_id", "agent", "user", "task_type", "content",
                  "metadata value", "metadata key", "stop", "extra", "name"):
        body = {"model": "wide", "messages": [
            {"role": "user", "content": "hi"}]}
        if field == "content":
            body["messages"][0]["content"] = word
        elif field == "name":
            body["messages"][0]["name"] = word
        elif field == "metadata value":
            body["metadata"] = {"k": word}
        elif field == "metadata key":
            body["metadata"] = {word[:60]: "v"}
        else:
            body[field] = word
        text = json.dumps(body).encode()
        got = wire.answers(wire.exchange(address, wire.request(
            "POST", "/v1/chat/completions",
            f"Authorization: Bearer {running.key}", body=text), 1))
        assert len(got) == 1
        answer = got[0]
        assert "x-injected" not in answer.headers
        if answer.status == 200:
            accepted += 1
        else:
            assert answer.status in (400, 404), answer.body
            assert answer.code in ("invalid_request", "model_not_found")
    assert accepted >= 8
    # Usage filters and dry runs read the same words.
    for dimension in ("run_id", "agent", "user", "model", "task_type", "key"):
        from urllib.parse import quote  # noqa: PLC0415
        value = quote(word.encode("utf-8", "surrogatepass"))
        reply = running.call(f"/v1/usage?by={dimension}&{dimension}={value}",
                             key=running.key)
        assert reply.status in (200, 400), reply.text
    wire.wait_for(lambda: rows(
        running, "SELECT count(*) FROM requests")[0][0] >= before + accepted)
    assert rows(running, "PRAGMA quick_check") == [("ok",)]
    assert rows(running, "SELECT count(*) FROM quarantine") == [(0,)]
    if name not in ("nul", "lone surrogate"):
        found = rows(running, "SELECT count(*) FROM requests WHERE run_id = ?",
                     word)
        assert found == [(1,)]
    made = running.call("/admin/v1/keys", {"name": word}, ADMIN_KEY,
                        "admin_http")
    assert made.status in (200, 400), made.text
    dropped = re.findall(r"^llm_service_ledger_rows_dropped_total\S* (\S+)$",
                         running.metrics(), re.M)
    assert all(float(count) == 0 for count in dropped)
    still_well(running)


# --- shapes

MESSAGE = '{"model":"wide","messages":[{"role":"user","content":%s}]%s}'
SHAPES = {
    "deep arrays": ("[" * 100000 + "]" * 100000, ""),
    "deep objects": ('{"a":' * 100000 + "1" + "}" * 100000, ""),
    "deep and unclosed": ("[" * 1000000, ""),
    "deep extra": ('"x"', ',"extra":' + '{"a":' * 100000 + "1" + "}" * 100001),
    "a huge number": ('"x"', ',"temperature":1e999'),
    "a long number": ('"x"', ',"seed":' + "9" * 100000),
    "a long fraction": ('"x"', ',"top_p":0.' + "1" * 100000 + "e-99999999999"),
    "beyond int32": ('"x"', ',"n":2147483648'),
    "beyond int64": ('"x"', ',"max_tokens":9223372036854775808'),
    "not a number": ('"x"', ',"temperature":NaN'),
    "two models": ('"x"', ',"model":"out"'),
    "two models, escaped": ('"x"', ',"\\u006dodel":"out"'),
    "two messages": ('"x"', ',"messages":[]'),
    "two streams": ('"x"', ',"stream":false,"stream":true'),
    "two users": ('"x"', ',"user":"a","user":"b"'),
    "a cut escape": ('"\\u12"', ""),
    "a control character": ('"a\tb"', ""),
    "bad UTF-8": ('"\xff\xfe"', ""),
    "an overlong slash": ('"\xc0\xaf"', ""),
    "text behind": ('"x"', "} {"),
    "a comment": ('"x" /* c */', ""),
    "a trailing comma": ('"x",', ""),
    "many pairs": ('"x"', ',"metadata":{%s}' % ",".join(
        f'"k{i}":"v"' for i in range(100000))),
    "a number as content": ("7", ""),
    "a model of objects": ('"x"', ',"stop":[{}]'),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_that_cannot_be_are_refused_at_once(running, shape):
    content, more = SHAPES[shape]
    body = (MESSAGE % (content, more)).encode("latin-1")
    start = time.monotonic()
    got = wire.answers(wire.exchange(running.addresses["http"], wire.request(
        "POST", "/v1/chat/completions", f"Authorization: Bearer {running.key}",
        body=body), 1))
    assert (got[0].status, got[0].code) == (400, "invalid_request")
    assert len(got[0].body) < 2000
    assert time.monotonic() - start < 5
    still_well(running)


# --- large bodies

def large_bodies():
    megabytes = 20 << 20
    text = "a" * megabytes
    image = ('[{"type":"text","text":"what is it"},{"type":"image_url",'
             '"image_url":{"url":"data:image/png;base64,' + "QUJD" *
             (megabytes // 4) + '"}}]')
    many = "[" + ",".join(['{"type":"text","text":"a"}'] * 700000) + "]"
    stops = ',"stop":[' + ",".join(['"a"'] * 1000000) + "]"
    extra = ',"extra":[' + ",".join(["1"] * 1000000) + "]"
    escaped = '"' + "\\u00e9" * (megabytes // 6) + '"'
    return [(MESSAGE % one).encode() for one in
            [(f'"{text}"', ""), (image, ""), (many, ""), ('"x"', stops),
             ('"x"', extra), (escaped, "")]]


# In a process of its own: large bodies keep this one's interpreter busy.
WATCH = """
import http.client, sys, time
host, port = sys.argv[1].split(":")
while True:
    start = time.monotonic()
    link = http.client.HTTPConnection(host, int(port), timeout=30)
    link.request("GET", "/healthz")
    assert link.getresponse().status == 200
    link.close()
    print(time.monotonic() - start, flush=True)
    time.sleep(0.01)
"""


def percentiles(delays):
    delays.sort()
    return [delays[len(delays) * part // 100] * 1000 for part in (50, 99)]


def test_large_bodies_disturb_nobody_and_leave_nothing(running):
    """Six at a time, thrice; health and small calls go on beside them."""
    bodies = large_bodies()
    done, small, after = [], [], []
    base = wire.memory(running.process.pid)
    watch = subprocess.Popen(
        [sys.executable, "-c", WATCH, running.addresses["http"]],
        stdout=subprocess.PIPE, text=True)

    def send(number, body):
        if number % 2:
            body = body.replace(b'"wide"', b'"out"', 1)
        got = wire.answers(wire.exchange(
            running.addresses["http"], wire.request(
                "POST", "/v1/chat/completions",
                f"Authorization: Bearer {running.key}", body=body), 1, 60))
        done.append([answer.status for answer in got])

    peak = base
    for turn in range(3):
        threads = [threading.Thread(target=send, args=[turn + n, body])
                   for n, body in enumerate(bodies)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            start = time.monotonic()
            still_well(running)
            small.append(time.monotonic() - start)
            peak = max(peak, wire.memory(running.process.pid))
        after.append(wire.memory(running.process.pid))
    assert watch.poll() is None
    watch.terminate()
    health = [float(line) for line in watch.communicate()[0].split()]
    # Too many values is its own refusal, whatever the bytes.
    assert all(one and one[0] in (200, 400, 413) for one in done), done
    assert len(done) == 18
    worst = max(health)
    middle, late = percentiles(health)
    harness.report(
        f"18 bodies of 20 MB, six at a time: {len(health)} /healthz, p50 "
        f"{middle:.1f} ms, p99 {late:.0f} ms, worst {worst * 1000:.0f} ms; "
        f"small calls p50 {percentiles(small)[0]:.0f} ms; RSS {base >> 20} "
        f"MiB, peak {peak >> 20} MiB, after each round "
        f"{[one >> 20 for one in after]} MiB")
    if "san" in harness.BUILD.name:
        return  # ten times slower, and with another allocator
    # Generous: machines that run tests are busy.
    assert middle < 200 and worst < 5
    # The worst of it is a million small pieces at once, not the bytes; what
    # the allocator keeps of that stays within one round's peak.
    assert max(peak, *after) - base < 1500 << 20


# --- gRPC

def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


MODEL = field(1, b"wide")
HELLO = field(2, field(1, b"user") + field(2, b"hi"))


def raw_call(running, payload, key, metadata=(), stream=False):
    with grpc.insecure_channel(running.addresses["grpc"]) as channel:
        if stream:
            call = channel.unary_stream(
                "/llm.v1.LlmService/StreamChatCompletion")
        else:
            call = channel.unary_unary("/llm.v1.LlmService/ChatCompletion")
        sent = [("authorization", f"Bearer {key}")] if key else []
        try:
            answer = call(payload, metadata=[*sent, *metadata], timeout=30)
            list(answer) if stream else answer
            return grpc.StatusCode.OK, ""
        except grpc.RpcError as error:
            return error.code(), error.details()


def test_bytes_that_are_no_message_are_refused(running):
    bad = [b"\xff" * 100, b"\x0a", MODEL + b"\x12\xff\xff\xff\xff\x0f",
           b"\x0b" * 5000, field(2, b"\x0a" * 3), MODEL + HELLO + b"\x07",
           field(1, b"\xff\xfe") + HELLO]
    for payload in bad:
        for stream in (False, True):
            code, _ = raw_call(running, payload, running.key, stream=stream)
            assert code in (grpc.StatusCode.INTERNAL,
                            grpc.StatusCode.INVALID_ARGUMENT,
                            grpc.StatusCode.NOT_FOUND), payload
    still_well(running)


def test_grpc_metadata_that_lies_changes_no_decision(running):
    good = MODEL + HELLO
    lies = [[("x-request-id", "a b\"c")], [("traceparent", "0" * 55)],
            [("authorization-x", f"Bearer {running.key}")],
            [("x-forwarded-for", "127.0.0.1")], [("x-llm-strict", "'--")],
            [("authorization-bin", b"Bearer " + running.key.encode())]]
    for lie in lies:
        assert raw_call(running, good, None, lie)[0] == \
            grpc.StatusCode.UNAUTHENTICATED
        assert raw_call(running, good, running.key, lie)[0] == \
            grpc.StatusCode.OK
    code, _ = raw_call(running, good, "sk-" + "x" * 48,
                       [("authorization", f"Bearer {running.key}")])
    assert code == grpc.StatusCode.UNAUTHENTICATED
    for timeout in ("-1s", "0", "1e999", "x" * 5000):
        code, _ = raw_call(running, good, running.key,
                           [("x-llm-timeout", timeout)])
        assert code == grpc.StatusCode.INVALID_ARGUMENT, timeout


def test_words_and_shapes_through_grpc(running, stubs):  # noqa: F811
    channel = grpc.insecure_channel(running.addresses["grpc"])
    service = stubs.LlmService(channel)
    key = [("authorization", f"Bearer {running.key}")]
    words = [w for n, w in WORDS.items() if n != "lone surrogate"]
    words += ["[" * 100000, '{"a":' * 100000, "9" * 100000, "a" * 300000]
    for word in words:
        for name in ("model", "run_id", "agent", "user", "extra_json",
                     "functions", "metadata"):
            more = {"metadata": {"k": word}} if name == "metadata" else {
                name: word}
            asked = stubs.chat.ChatCompletionRequest(
                **{"model": "wide", "messages": [stubs.chat.Message(
                    role="user", content="x")], **more})
            try:
                service.ChatCompletion(asked, metadata=key, timeout=30)
            except grpc.RpcError as error:
                assert error.code() in (grpc.StatusCode.INVALID_ARGUMENT,
                                        grpc.StatusCode.NOT_FOUND), name
                assert len(error.details()) < 2000
    channel.close()
    still_well(running)


def test_a_message_beyond_the_limit_is_resource_exhausted(running):
    code, _ = raw_call(running, MODEL + field(2, field(1, b"user") + field(
        2, b"a" * (33 << 20))), running.key)
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_other_protocols_on_the_grpc_port_end(running):
    for sent in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0" * 4096,
                 b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 4096,
                 b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
                 + b"\0\x40\0\1\5\0\0\0\1" + b"\x82" * 16384):
        with wire.connect(running.addresses["grpc"], 3) as link:
            try:
                link.sendall(sent)
            except ConnectionError:
                pass
            wire.read_all(link)
    assert raw_call(running, MODEL + HELLO, running.key)[0] == \
        grpc.StatusCode.OK
    still_well(running)
