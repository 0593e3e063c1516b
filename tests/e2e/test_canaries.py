"""Planted secrets that must not come out, and places that must not be called.

The provider quotes our key and the caller's prompt back in every shape of
error; neither is found in any log, metric, table or file, and the key in no
answer either [SEC-5]. The words of a refusal may quote the prompt to the
caller who sent it, and to nobody else. Credentials meet configured hosts only
[SEC-1].
"""

import json
import socket
import threading
import time

import grpc
import pytest

import harness
import wire
from harness import ADMIN_KEY, config, upstream
from test_grpc import stubs  # noqa: F401 (a fixture)

PROVIDER_KEY = "dk-Canary7Provider0Key5Q8xZ2"
ODD_KEY = "canary.odd~shape~key"
PROMPT = "canaryprompt ostrich lantern 4417"
ANSWER = "canaryanswer walrus thimble 9025"


def envelope(words, **more):
    return json.dumps({"error": {"message": words, "type": words,
                                 "param": words, "code": words, **more}})


def shapes(key):
    """Scripts whose every part quotes the key and the prompt."""
    quote = f"bad key {key}: you said: {PROMPT}"
    headers = {"content-type": "application/json", "x-request-id": key,
               "request-id": quote, "retry-after": key,
               "x-ratelimit-remaining-requests": key, "server": quote}
    event = {**headers, "content-type": "text/event-stream"}
    for status in (400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 503, 529):
        yield dict(status=status, headers=headers, body=envelope(quote))
    for body in (
            json.dumps({"detail": [{"msg": quote, "loc": [quote]}]}),
            json.dumps({"message": quote, "code": key}),
            json.dumps([quote]), json.dumps(quote), quote,
            f"<html><title>{quote}</title></html>",
            envelope(quote)[:-3], "{" + quote):
        yield dict(status=400, headers=headers, body=body)
        yield dict(status=200, headers=headers, body=body)
    yield dict(headers=headers, body=envelope(quote))
    yield dict(headers=headers, body=json.dumps(
        {"choices": [{"index": 0, "error": {"message": quote, "code": key}}]}))
    yield dict(headers=headers, body=json.dumps(
        {"base_resp": {"status_code": 1004, "status_msg": quote}}))
    yield dict(headers=event, body=f"event: error\ndata: {envelope(quote)}\n\n")
    yield dict(headers=event, body=f"data: {envelope(quote)}\n\n")
    yield dict(headers=event, body=": " + quote + "\n\ndata: {" + quote)
    yield dict(headers=event, body="data: " + json.dumps(
        {"id": key, "model": key, "choices": [
            {"index": 0, "delta": {"content": ANSWER}}]}) +
        f"\n\nevent: error\ndata: {envelope(quote)}\n\n")
    yield dict(headers=event, body="data: " + json.dumps(
        {"id": "x", "choices": [{"index": 0, "delta": {"content": ANSWER}}]})
        + "\n\n", close_after=40)
    yield dict(raw=f"HTTP/1.1 500 {quote}\r\nX: {quote}\r\n\r\n{quote}")
    yield dict(raw=quote + "\r\n\r\n")
    # A success that quotes them in every recorded field.
    yield dict(headers=headers, body=json.dumps(
        {"id": key, "model": key, "service_tier": key,
         "system_fingerprint": quote, "choices": [
             {"index": 0, "finish_reason": "stop",
              "message": {"role": "assistant", "content": ANSWER}}],
         "usage": {"prompt_tokens": 1, "completion_tokens": 1,
                   "note": quote}}))


def canaries(virtual):
    return {"provider key": PROVIDER_KEY, "odd key": ODD_KEY,
            "virtual key": virtual, "admin key": ADMIN_KEY,
            "prompt": PROMPT, "answer": ANSWER}


def spellings(text):
    """As it stands, and as an escape or an encoding would write it."""
    import base64  # noqa: PLC0415
    raw = text.encode()
    return {raw, raw.hex().encode(), base64.b64encode(raw).rstrip(b"="),
            raw.replace(b" ", b"%20"), raw.replace(b" ", b"+")}


def found_in(data: bytes, secrets: dict) -> list:
    return [name for name, text in secrets.items()
            if any(one in data for one in spellings(text))]


def everything_kept(service) -> dict:
    """Every file the service wrote, by name."""
    return {str(path): path.read_bytes()
            for path in service.directory.rglob("*")
            if path.is_file() and path != service.config}


@pytest.fixture(scope="module")
def storm(tmp_path_factory):
    """A service after the storm: its callers' answers, and itself."""
    simulator = harness.Simulator()
    odd = tmp_path_factory.mktemp("keys") / "odd"
    odd.write_text(ODD_KEY)
    service = harness.Service(config(
        upstream("a", simulator.base_url("a"), ', api_keys: ["env:A_KEY"]')
        + "\n"
        + upstream("b", simulator.base_url("b"),
                   f', api_keys: ["file:{odd}"]'),
        models="one: {provider: a, upstream: m}\n"
               "two: {provider: b, upstream: m}\n"
               "both: {deployments: [{provider: a, upstream: m}, "
               "{provider: b, upstream: m}]}",
        auth="keys"), env={"A_KEY": PROVIDER_KEY})
    service.key = service.create_key("storm")
    service.simulator = simulator
    said = []
    for lane, key, model in (("a", PROVIDER_KEY, "one"),
                             ("b", ODD_KEY, "two"), ("a", PROVIDER_KEY, "both")):
        for script in shapes(key):
            for stream in (False, True):
                simulator.reset(lane)
                simulator.script(lane, times=0, **script)
                reply = service.chat(
                    model, PROMPT, service.key, stream=stream,
                    headers={"x-llm-timeout": "5s"})
                head = repr(reply.headers).encode()
                said.append((script, head, reply.body))
    yield service, said
    service.stop()
    simulator.close()


def test_no_answer_shows_a_key(storm):
    service, said = storm
    secrets = canaries(service.key)
    quotable = {"prompt", "answer"}
    assert len(said) > 200
    for script, head, body in said:
        assert not set(found_in(head, secrets)), (script, head)
        assert not set(found_in(body, secrets)) - quotable, (script, body)


def test_no_file_no_log_and_no_metric_holds_a_canary(storm):
    service, _ = storm
    secrets = canaries(service.key)
    strangers = [
        service.call("/v1/usage?by=model,provider,key,user,agent",
                     key=service.key),
        service.call("/v1/models", key=service.key),
        service.call("/readyz"), service.call("/metrics", listener="metrics"),
        service.call("/admin/v1/keys?include_revoked=true", key=ADMIN_KEY,
                     listener="admin_http"),
        service.call("/v1/models", key=service.key + "x"),
        service.call(f"/v1/models/{PROMPT.split()[0]}", key=service.key)]
    for reply in strangers[:-1]:
        assert found_in(reply.body, secrets) == [], reply.text
    kept = everything_kept(service)
    assert any(".db" in name for name in kept)
    for name, data in kept.items():
        assert found_in(data, secrets) == [], name
    # Once more with everything flushed to its last place.
    assert service.stop() == 0
    for name, data in everything_kept(service).items():
        assert found_in(data, secrets) == [], name
    service.start()


def test_grpc_errors_show_no_key(storm, stubs):  # noqa: F811
    service, _ = storm
    secrets = canaries(service.key)
    with grpc.insecure_channel(service.addresses["grpc"]) as channel:
        chat = stubs.LlmService(channel)
        asked = stubs.chat.ChatCompletionRequest(model="one", messages=[
            stubs.chat.Message(role="user", content=PROMPT)])
        for script in shapes(PROVIDER_KEY):
            service.simulator.reset("a")
            service.simulator.script("a", times=0, **script)
            try:
                chat.ChatCompletion(asked, timeout=5, metadata=[
                    ("authorization", f"Bearer {service.key}")])
            except grpc.RpcError as error:
                told = repr((error.details(), error.trailing_metadata(),
                             error.initial_metadata())).encode()
                assert not set(found_in(told, secrets)) - {"prompt", "answer"}


def test_a_crash_report_of_the_journal_holds_no_canary(storm):
    """Killed in the middle of calls, and started again."""
    service, _ = storm
    service.simulator.reset("a")
    service.simulator.script("a", times=0, delay_ms=20000, body=ANSWER)
    threads = [threading.Thread(target=ask, args=[service])
               for _ in range(8)]
    for thread in threads:
        thread.start()
    wire.wait_for(lambda: "inflight_requests 8" in service.metrics())
    service.kill9()
    secrets = canaries(service.key)
    for name, data in everything_kept(service).items():
        assert found_in(data, secrets) == [], name
    for thread in threads:
        thread.join()
    service.start()


def ask(service):
    try:
        service.chat("one", PROMPT, service.key)
    except OSError:
        pass  # killed with it


# --- where credentials go

class Trap:
    """A listener that remembers who called."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.calls = []
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        while True:
            try:
                link, _ = self.socket.accept()
            except OSError:
                return
            with link:
                link.settimeout(1)
                try:
                    self.calls.append(link.recv(4096))
                except OSError:
                    self.calls.append(b"")

    def close(self):
        self.socket.close()


def test_credentials_meet_configured_hosts_only():
    trap = Trap()
    simulator = harness.Simulator()
    place = f"127.0.0.1:{trap.port}"
    url = f"http://{place}/v1"
    environment = {name: f"http://{place}" for name in (
        "http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY",
        "ALL_PROXY", "OPENAI_BASE_URL", "OPENAI_API_BASE")}
    service = harness.Service(config(
        upstream("a", simulator.base_url("a"), ', api_keys: ["env:A_KEY"]'),
        models="one: {provider: a, upstream: m}", auth="keys"),
        env={"A_KEY": PROVIDER_KEY, **environment})
    key = service.create_key("trap")
    try:
        models = [url, f"//{place}/x", f"a/{url}", f"a//{place}/", "a/../../x",
                  "a/../../../..//x", f"a/@{place}/", f"a/m?x=@{place}",
                  f"a/m#@{place}", f"{place}/m", f"a@{place}/m",
                  f"a/\r\nHost: {place}", "a/%2e%2e/%2e%2e/", "a/m\0",
                  f"a/http:\\\\{place}", "A/m", " a/m"]
        for model in models:
            reply = service.chat(model, key=key)
            assert reply.status in (200, 400, 404), (model, reply.text)
        hosts = [f"Host: {place}", f"X-Forwarded-Host: {place}",
                 f"Forwarded: host={place}", f"X-Base-Url: {url}",
                 f"X-Upstream: {url}", f"Referer: {url}"]
        for line in hosts:
            host = None if line.startswith("Host") else "x"
            got = wire.answers(wire.exchange(
                service.addresses["http"],
                wire.chat(key, line, model="one") if host else
                wire.chat(key, model="one").replace(
                    b"Host: x", line.encode(), 1), 1))
            assert got[0].status == 200
        fields = {"base_url": url, "api_base": url, "endpoint": url,
                  "proxy": f"http://{place}", "api_key": "x",
                  "extra_body": {"base_url": url}, "user": url,
                  "metadata": {"base_url": url}}
        assert service.chat("one", key=key, **fields).status == 200
        got = wire.answers(wire.exchange(
            service.addresses["http"], wire.request(
                "POST", f"{url}/chat/completions",
                f"Authorization: Bearer {key}", body=b"{}"), 1))
        assert got[0].status == 400
        for status in (301, 302, 303, 307, 308, 300, 305):
            for location in (url, f"//{place}/x", f"http://a@{place}/"):
                simulator.script("a", status=status, times=1, body="moved",
                                 headers={"location": location,
                                          "refresh": f"0; url={location}"})
                reply = service.chat("one", key=key,
                                     headers={"x-llm-timeout": "3s"})
                assert PROVIDER_KEY not in reply.text
                simulator.reset("a")
        time.sleep(0.5)
        assert trap.calls == []
        for seen in simulator.log("a"):
            headers = {k.lower(): v for k, v in seen["headers"].items()}
            assert headers["authorization"] == f"Bearer {PROVIDER_KEY}"
            assert headers["host"] == f"127.0.0.1:{simulator.port}"
            assert seen["target"] == "/lane/a/v1/chat/completions"
            assert key not in json.dumps(seen)
            assert not any(name.startswith(("x-forwarded", "forwarded",
                                            "cookie", "x-base", "referer"))
                           for name in headers)
    finally:
        service.stop()
        simulator.close()
        trap.close()
