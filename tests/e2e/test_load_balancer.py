"""Three instances on one SQLite file behind Debian's nginx, with the project's own
configuration: whatever happens to one of them, callers of the others see nothing,
and every answer is in the books once."""

import contextlib
import decimal
import http.client
import http.server
import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import grpc
import pytest

import harness
from balancer import Balancer, Crowd
from harness import config, report, upstream
from test_grpc import stubs  # noqa: F401 (a fixture)
from wire import wait_for

PRICED = (
    "m: {provider: a, upstream: m, price: {currency: USD, "
    'per_million: {input: "3", output: "15"}}}'
)
DOORS = ("http", "grpc")


class Fleet:
    """Three instances that keep their addresses over a restart."""

    def __init__(self, service, tmp_path, provider: str, limits: str = ""):
        self.instances = []
        for _ in range(3):
            text = config(provider, models=PRICED, auth="keys")
            for door in DOORS:
                with harness.socket_port() as port:
                    was = f'{door}: {{listen: "127.0.0.1:0"}}'
                    assert was in text
                    text = text.replace(was, was.replace(":0", f":{port}"))
            text = text.replace('"service.db"', json.dumps(str(tmp_path / "one.db")))
            text = text.replace("  workers: 2", "  workers: 2" + limits)
            self.instances.append(service(text))
        self.addresses = [dict(one.addresses) for one in self.instances]
        self.balancer = Balancer(tmp_path / "balancer", self.addresses)

    def calls_of(self, number: int, since: float = 0) -> list[dict]:
        """What nginx sent to one of them, and nowhere else afterwards."""
        ours = {self.addresses[number][door] for door in DOORS}
        return [
            call
            for call in self.balancer.calls()
            if call["instance"].split(", ")[-1] in ours and call["ended"] >= since
        ]

    def await_calls(self, number: int, count: int = 20) -> None:
        """Until this one has answered so many more."""
        since = time.time()
        wait_for(
            lambda: sum(
                call["status"] == 200 and call["ended"] - call["took"] > since
                for call in self.calls_of(number, since)
            )
            >= count,
            30,
            f"instance {number} takes no calls",
        )

    def in_flight(self, number: int) -> int:
        for line in self.instances[number].metrics().splitlines():
            if line.startswith("llm_service_inflight_requests "):
                return int(float(line.split()[1]))
        raise AssertionError("no such metric")


@pytest.fixture
def provider():
    # A stream of 20 pieces takes 0.6 s: some are always under way.
    simulator = harness.Simulator("--deltas", "20", "--interval-ms", "30")
    yield simulator
    simulator.close()


@pytest.fixture
def fleet(service, tmp_path, provider):
    made = Fleet(service, tmp_path, upstream("a", provider.base_url("lb")))
    yield made
    made.balancer.close()


@pytest.fixture
def hasty(service, tmp_path, provider):
    """For tests in which nobody is drained."""
    made = Fleet(
        service,
        tmp_path,
        upstream("a", provider.base_url("lb")),
        "\n  drain: 100ms",
    )
    yield made
    made.balancer.close()


@pytest.fixture
def alone(tmp_path):
    """For what nginx says without asking anybody."""
    balancer = Balancer(tmp_path / "balancer", [])
    yield balancer
    balancer.close()


def shared_key(fleet: Fleet) -> str:
    """A caller's key that every instance has heard of."""
    key = fleet.instances[0].create_key("caller")
    wait_for(
        lambda: all(
            one.call("/v1/models", key=key).status == 200 for one in fleet.instances
        )
    )
    return key


def drain(fleet: Fleet, number: int) -> float:
    """SIGTERM with streams under way; the time of the signal."""
    wait_for(lambda: fleet.in_flight(number) > 0, 30, "nothing is in flight")
    told = time.time()
    assert fleet.instances[number].stop() == 0
    return told


def test_what_happens_to_one_instance_is_felt_by_no_other(
    fleet, stubs, provider, tmp_path  # noqa: F811
):
    key = shared_key(fleet)
    with Crowd(fleet.balancer, stubs, key) as crowd:
        for number in range(3):
            fleet.await_calls(number)

        killed_at = time.time()
        fleet.instances[0].kill9()
        for number in (1, 2):
            fleet.await_calls(number)
        again_at = time.time()
        fleet.instances[0].start()
        fleet.await_calls(0)

        drained_at = drain(fleet, 1)
        back_at = time.time()
        for number in (0, 2):
            fleet.await_calls(number)
        fleet.instances[1].start()
        fleet.await_calls(1)

        restarted_at = drain(fleet, 2)
        fleet.instances[2].start()
        fleet.await_calls(2)

    # Only calls that the killed process had may have failed.
    victims = {call["request_id"] for call in fleet.calls_of(0, killed_at)}
    failed = [one for one in crowd.answers if one.trouble]
    assert [one for one in failed if one.run not in victims] == []
    assert all(one.began < again_at for one in failed)
    # What the draining ones had went on to its end, and /readyz was what sent
    # calls elsewhere, not closed doors.
    for number, told in ((1, drained_at), (2, restarted_at)):
        assert [
            call
            for call in fleet.calls_of(number, told)
            if call["ended"] - call["took"] < told
        ]
        ours = {fleet.addresses[number][door] for door in DOORS}
        assert not [
            call
            for call in fleet.balancer.calls()
            if call["ended"] > told and ours & set(call["instance"].split(", ")[:-1])
        ]
    check_books(fleet, crowd, provider, tmp_path, key)
    answered = crowd.answered()
    report(
        f"three instances behind nginx: {len(answered)} answered, {len(failed)} lost "
        f"with the killed process, none otherwise; a drain of "
        f"{back_at - drained_at:.1f} s with streams under way, two restarts"
    )


def check_books(fleet, crowd, provider, tmp_path, key):
    """Callers, report and rows agree to the last token and pico-dollar."""
    answered = crowd.answered()
    ids = {answer.request_id for answer in answered}
    assert len(ids) == len(answered)
    lost = {answer.run for answer in crowd.answers if answer.trouble}
    wait_for(
        lambda: {one.usage(key=key)["total"]["requests"] for one in fleet.instances}
        == {row_count(tmp_path, "requests")},
        20,
        "the instances' reports differ from the rows",
    )
    assert row_count(tmp_path, "quarantine") == 0
    database = sqlite3.connect(tmp_path / "one.db")
    rows = database.execute(
        "SELECT request_id, run_id, outcome FROM requests"
    ).fetchall()
    assert len({run for _, run, _ in rows}) == len(rows), "a call is counted twice"
    good = {request for request, run, outcome in rows if outcome == "ok"}
    assert ids <= good
    # What was answered but did not reach its caller was on the killed process.
    assert {run for request, run, _ in rows if request not in ids} <= lost
    attempts = database.execute(
        "SELECT run_id, count(*) FROM attempts GROUP BY run_id"
    ).fetchall()
    assert {count for _, count in attempts} == {1}
    seen = [
        json.loads(call["body"])["messages"][0]["content"]
        for call in provider.log("lb")
    ]
    assert len(seen) == len(set(seen)), "a call was sent upstream twice"
    assert {answer.run for answer in answered} <= set(seen)

    runs = {
        group["keys"]["run_id"]: group
        for group in fleet.instances[1].usage("?by=run_id", key)["groups"]
    }
    for answer in answered:
        group = runs[answer.run]
        assert group["requests"] == 1
        assert group["tokens"]["input"] + group["tokens"]["output"] == answer.tokens
        assert decimal.Decimal(str(group["cost"])) == decimal.Decimal(answer.cost) > 0


def row_count(tmp_path, table: str) -> int:
    database = sqlite3.connect(tmp_path / "one.db")
    return database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_calls_of_one_key_or_run_meet_on_one_instance(hasty, provider):
    key = shared_key(hasty)

    def ask(path="", **headers) -> harness.Reply:
        body = {"model": "m", "messages": [{"role": "user", "content": "once"}]}
        headers["Authorization"] = f"Bearer {key}"
        url = f"http://{hasty.balancer.http}{path}/v1/chat/completions"
        return harness.call(url, body, headers)

    for number in range(8):
        keyed = [ask(**{"Idempotency-Key": f"k{number}"}) for _ in range(3)]
        assert [reply.status for reply in keyed] == [200] * 3
    assert len(provider.log("lb")) == 8, "a repeated key was asked again"
    for number in range(8):
        for _ in range(3):
            assert ask(f"/t/task=general,run=r{number}").status == 200
    places = {}
    for call in hasty.balancer.calls():
        if call["uri"].startswith("/t/"):
            places.setdefault(call["uri"], set()).add(call["instance"])
    assert {len(instances) for instances in places.values()} == {1}
    assert len(set.union(*places.values())) > 1, "all runs are on one instance"


def test_keys_are_shared_out_evenly_and_those_of_one_that_left_too(hasty):
    link = http.client.HTTPConnection(hasty.balancer.http, timeout=30)

    def places(path: str) -> list[str]:
        """Who gets each of 3000 keys; nobody need answer 200 for that."""
        for number in range(3000):
            link.request("GET", path, headers={"Idempotency-Key": f"k{number}"})
            link.getresponse().read()

        def seen() -> list[str]:
            calls = hasty.balancer.calls()
            return [call["instance"] for call in calls if call["uri"] == path]

        wait_for(lambda: len(seen()) == 3000)  # the line follows the answer
        return seen()

    def shares(who: list[str]) -> dict[str, float]:
        return {one: who.count(one) / len(who) for one in set(who)}

    first = places("/first")
    assert len(shares(first)) == 3
    assert all(0.28 < share < 0.39 for share in shares(first).values()), shares(first)
    left, *stay = (one["http"] for one in hasty.addresses)
    hasty.balancer.list(hasty.addresses[1:])
    wait_for(
        lambda: left
        not in {
            harness.call(f"http://{hasty.balancer.http}/").status
            and hasty.balancer.calls()[-1]["instance"]
            for _ in range(6)
        }
    )
    second = places("/second")
    moved = shares([now for was, now in zip(first, second) if was == left])
    assert set(moved) == set(stay)
    assert all(0.4 < share < 0.6 for share in moved.values()), moved
    assert all(was == now for was, now in zip(first, second) if was != left)


def test_where_nobody_is_left_both_doors_say_so_in_their_own_words(
    hasty, stubs  # noqa: F811
):
    for instance in hasty.instances:
        instance.kill9()

    def both_doors_say_so() -> None:
        reply = harness.call(f"http://{hasty.balancer.http}/v1/models")
        assert reply.status == 502
        assert reply.json()["error"]["code"] == "provider_unavailable"
        with grpc.insecure_channel(hasty.balancer.grpc) as channel:
            with pytest.raises(grpc.RpcError) as caught:
                stubs.LlmService(channel).ListModels(
                    stubs.models.ListModelsRequest(), timeout=20
                )
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        assert "instance" in caught.value.details()

    both_doors_say_so()
    hasty.balancer.list([])
    wait_for(
        lambda: harness.call(f"http://{hasty.balancer.http}/v1/models").status == 502
        and hasty.balancer.calls()[-1]["instance"] == ""
    )
    both_doors_say_so()


def raw(balancer: Balancer, request: bytes) -> harness.Reply:
    """What nginx answers to bytes that no client would send."""
    host, port = balancer.http.split(":")
    with socket.create_connection((host, int(port)), 20) as link:
        link.sendall(request)
        answer = http.client.HTTPResponse(link)
        answer.begin()
        return harness.Reply(answer.status, answer.getheaders(), answer.read())


@pytest.mark.parametrize(
    "status, code, request_head",
    [
        (400, "invalid_request", "GARBAGE\r\n"),
        (400, "invalid_request", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n"),
        (405, "invalid_request", "TRACE / HTTP/1.1\r\nHost: a\r\n"),
        (431, "invalid_request", f"GET /{'x' * 20000} HTTP/1.1\r\nHost: a\r\n"),
        (431, "invalid_request", f"GET / HTTP/1.1\r\nHost: a\r\nx: {'x' * 20000}\r\n"),
    ],
    ids=["no request", "two hosts", "trace", "long line", "long header"],
)
def test_what_nginx_refuses_it_refuses_in_the_service_s_words(
    alone, status, code, request_head
):
    reply = raw(alone, f"{request_head}\r\n".encode())
    assert reply.status == status
    error = reply.json()["error"]
    assert error["code"] == code and error["llm_service"]["source"] == "client"
    assert error["llm_service"]["request_id"] == reply.headers["x-request-id"] != ""


@pytest.mark.parametrize(
    "theirs, shown", [("abc-1.[x]", True), ("a\\b", False), ("x" * 129, False)]
)
def test_nginx_s_own_answers_carry_the_caller_s_request_id(alone, theirs, shown):
    url = f"http://{alone.http}/v1/models"
    reply = harness.call(url, headers={"x-request-id": theirs})
    assert reply.status == 502
    mine = reply.json()["error"]["llm_service"]["request_id"]
    assert mine == reply.headers["x-request-id"] != ""
    assert (mine == theirs) == shown
    # Not the last line: a look at whether nginx is up may end after this call.
    wait_for(lambda: mine in [call["request_id"] for call in alone.calls()])


def test_a_silent_instance_is_a_timeout_that_is_not_to_be_repeated(
    hasty, stubs, provider, tmp_path  # noqa: F811
):
    key = shared_key(hasty)
    provider.script("lb", body="{}", stall_after=0, times=2)
    quick = Balancer(
        tmp_path / "quick", hasty.addresses, {"read_timeout 930s": "read_timeout 1s"}
    )
    try:
        reply = harness.call(
            f"http://{quick.http}/v1/chat/completions",
            {"model": "m", "messages": [{"role": "user", "content": "x"}]},
            {"Authorization": f"Bearer {key}", "x-request-id": "mine"},
        )
        assert (reply.status, reply.json()["error"]["code"]) == (504, "timeout")
        assert reply.headers["x-should-retry"] == "false"
        assert reply.headers["x-request-id"] == "mine"
        with grpc.insecure_channel(quick.grpc) as channel:
            with pytest.raises(grpc.RpcError) as caught:
                stubs.LlmService(channel).ChatCompletion(
                    stubs.chat.ChatCompletionRequest(
                        model="m",
                        messages=[stubs.chat.Message(role="user", content="x")],
                    ),
                    timeout=30,
                    metadata=[("authorization", f"Bearer {key}")],
                )
        assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert "silent" in caught.value.details()
    finally:
        quick.close()


@contextlib.contextmanager
def stand_in(host: str, headers: dict[str, str]):
    """An instance that takes every call; its port."""

    class Instance(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    with Server((host, 0), Instance) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_an_answer_that_names_many_dropped_fields_passes(tmp_path):
    names = ", ".join(f"{'field' * 30}_{number}" for number in range(64))
    with stand_in("127.0.0.1", {"x-llm-dropped": names}) as port:
        here = f"127.0.0.1:{port}"
        balancer = Balancer(tmp_path / "balancer", [{"http": here, "grpc": here}])
        try:
            reply = harness.call(f"http://{balancer.http}/v1/models")
            assert reply.status == 200, reply.text
            assert reply.headers["x-llm-dropped"] == names
        finally:
            balancer.close()


@contextlib.contextmanager
def in_container(tmp_path, port: int, *arguments: str):
    """The image's entry point, with the places of the image moved."""
    image, work = tmp_path / "image", tmp_path / "work"
    image.mkdir()
    for name in ("nginx.conf", "steering.lua"):
        text = (harness.ROOT / "deploy/balancer" / name).read_text()
        text = text.replace(":8004;", f":{port};").replace(":9004 ", f":{port + 1} ")
        (image / name).write_text(text)
    text = (harness.ROOT / "deploy/balancer/in-container").read_text()
    user = " user root;" if os.geteuid() == 0 else ""
    for was, now in (
        ("/usr/share/llm-balancer", str(image)),
        ("/tmp/balancer", str(work)),
        ("daemon off;", f"daemon off;{user}"),
    ):
        assert was in text
        text = text.replace(was, now)
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen(
            ["sh", "-c", text, "balancer", *arguments],
            env={"PATH": f"{os.environ['PATH']}:/usr/sbin"},
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(20)


def test_in_a_container_ipv6_is_served_and_asked(tmp_path):
    if not os.path.exists("/proc/net/if_inet6"):
        pytest.skip("no IPv6 here")
    port = 28000 + os.getpid() % 2000 * 2
    with stand_in("::1", {"x-of": "six"}) as there:
        names = ["::1", str(there), str(there)]
        with in_container(tmp_path, port, *names) as balancer:

            def served(host: str) -> bool:
                assert balancer.poll() is None
                try:
                    reply = harness.call(f"http://{host}:{port}/v1/models")
                except OSError:
                    return False
                return reply.headers.get("x-of") == "six"

            wait_for(lambda: served("127.0.0.1"))
            assert served("[::1]")
            conf = (tmp_path / "work/nginx.conf").read_text()
            assert "\nworker_processes 2;" in conf
        assert balancer.returncode == 0


def test_in_a_container_the_wait_for_a_name_is_told_of_and_ends_when_told(tmp_path):
    with in_container(tmp_path, 28000, "nobody.invalid") as balancer:
        wait_for(lambda: "waiting for nobody.invalid" in (tmp_path / "log").read_text())
        assert balancer.poll() is None
    assert balancer.returncode == 0


def test_nginx_takes_what_the_service_takes_and_refuses_in_its_words(hasty):
    key = shared_key(hasty)
    url = f"http://{hasty.balancer.http}/v1/chat/completions"
    headers = {"Authorization": f"Bearer {key}"}

    def ask(size: int) -> harness.Reply:
        text = "x" * size
        body = {"model": "m", "messages": [{"role": "user", "content": text}]}
        return harness.call(url, body, headers)

    assert ask(20 << 20).status == 200
    reply = ask(33 << 20)
    assert reply.status == 413
    assert reply.json()["error"]["code"] == "body_too_large"


def test_large_messages_pass_over_grpc_and_too_large_ones_are_named(
    hasty, stubs  # noqa: F811
):
    key = shared_key(hasty)
    limits = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(hasty.balancer.grpc, limits) as channel:
        door = stubs.LlmService(channel)

        def ask(size: int):
            return door.ChatCompletion(
                stubs.chat.ChatCompletionRequest(
                    model="m",
                    messages=[stubs.chat.Message(role="user", content="x" * size)],
                ),
                timeout=60,
                metadata=[("authorization", f"Bearer {key}")],
            )

        assert ask(20 << 20).choices
        for size in (33 << 20, 45 << 20):  # the service's word, then nginx's
            with pytest.raises(grpc.RpcError) as caught:
                ask(size)
            assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_each_event_passes_at_once_and_leaving_reaches_the_provider(
    hasty, stubs, provider  # noqa: F811
):
    key = shared_key(hasty)
    event = (
        'data: {"id":"x","choices":[{"index":0,"delta":{"content":"first"},'
        '"finish_reason":null}]}\n\n'
    )
    # The rest never comes: who waited for more than an event would hear nothing.
    provider.script(
        "lb",
        body=event + " " * 100,
        stall_after=len(event),
        headers={"content-type": "text/event-stream"},
        times=2,
    )
    body = json.dumps(
        {"model": "m", "stream": True, "messages": [{"role": "user", "content": "x"}]}
    )
    link = http.client.HTTPConnection(hasty.balancer.http, timeout=30)
    link.request(
        "POST", "/v1/chat/completions", body, {"Authorization": f"Bearer {key}"}
    )
    answer = link.getresponse()
    while b"first" not in (line := answer.readline()):
        assert line
    answer.close()
    link.close()
    with grpc.insecure_channel(hasty.balancer.grpc) as channel:
        stream = stubs.LlmService(channel).StreamChatCompletion(
            stubs.chat.ChatCompletionRequest(
                model="m", messages=[stubs.chat.Message(role="user", content="x")]
            ),
            timeout=30,
            metadata=[("authorization", f"Bearer {key}")],
        )
        assert any(choice.delta.content == "first" for choice in next(stream).choices)
        stream.cancel()
        wait_for(
            lambda: [call["outcome"] for call in provider.log("lb")]
            == ["client_left"] * 2,
            20,
            "the provider has not heard that callers left",
        )


def test_an_instance_that_hangs_gets_no_more_calls(hasty):
    hung = hasty.instances[0]
    hung.process.send_signal(signal.SIGSTOP)
    try:
        # Its kernel still accepts connections: only silence tells.
        name = "{http} {grpc} is not ready".format(**hasty.addresses[0])
        wait_for(
            lambda: name in hasty.balancer.log("error.log"), 30
        )
        for _ in range(12):
            reply = harness.call(f"http://{hasty.balancer.http}/v1/models", timeout=5)
            assert reply.status == 401
    finally:
        hung.process.send_signal(signal.SIGCONT)


def test_instances_come_and_go_by_the_list_without_a_reload(hasty):
    addresses = hasty.addresses

    def asked() -> set[str]:
        since = time.time()
        for _ in range(6):
            harness.call(f"http://{hasty.balancer.http}/v1/models")
        return {
            call["instance"]
            for call in hasty.balancer.calls()
            if call["ended"] >= since - 0.001
        }

    wait_for(lambda: asked() == {one["http"] for one in addresses})
    hasty.balancer.list(addresses[:1])
    wait_for(lambda: asked() == {addresses[0]["http"]})
    hasty.balancer.list(addresses[1:])
    wait_for(lambda: asked() == {one["http"] for one in addresses[1:]})


def test_a_list_with_nothing_valid_is_not_taken_and_told_of_once(hasty):
    balancer, first = hasty.balancer, hasty.addresses[0]

    def write(text: str) -> None:
        new = balancer.directory / "instances.new"
        new.write_text(text)
        new.rename(balancer.directory / "instances")

    def asked() -> set[str]:
        for _ in range(6):
            harness.call(f"http://{balancer.http}/asked")
        return {call["instance"] for call in balancer.calls()[-6:]}

    line = "one.example:8104 one.example:9104"
    write(line + "\n")
    wait_for(lambda: line in balancer.log("error.log"))
    assert asked() <= {one["http"] for one in hasty.addresses} and len(asked()) > 1
    write(f"# the second is a name\n{first['http']} {first['grpc']}\n{line}\n")
    wait_for(lambda: asked() == {first["http"]})
    assert balancer.log("error.log").count(line) == 1
    write("none\n")
    wait_for(lambda: asked() == {""})

