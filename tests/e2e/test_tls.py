"""TLS and mutual TLS on every listener of the real binary, from YAML; faults
of the files; and the command line against an https admin listener."""

import http.client
import json
import socket
import ssl
import subprocess

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

import harness
from certificates import Authority
from harness import ADMIN_KEY, config

HTTP = ("http", "admin_http", "metrics")
GRPC = ("grpc", "admin_grpc")


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    class Pki:
        ours = Authority(tmp_path_factory.mktemp("ours"))
        theirs = Authority(tmp_path_factory.mktemp("theirs"))
        server = ours.sign("server")
        client = ours.sign("client")
        stranger = theirs.sign("stranger")

    return Pki


def with_tls(cert, key, client_ca=None) -> str:
    """A configuration with TLS on all listeners."""
    tls = f'cert_file: "{cert}", key_file: "{key}"'
    if client_ca:
        tls += f', client_ca_file: "{client_ca}"'
    text = config("simulated: {}", auth="keys")
    for name in ("http", "grpc", "metrics"):
        plain = f'  {name}: {{listen: "127.0.0.1:0"}}\n'
        assert plain in text
        text = text.replace(plain, plain.replace("}\n", f", tls: {{{tls}}}}}\n"))
    plain = '  admin: {http: "127.0.0.1:0", grpc: "127.0.0.1:0"}\n'
    assert plain in text
    return text.replace(plain, plain.replace("}\n", f", tls: {{{tls}}}}}\n"))


def context(ca, shown=None) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=ca)
    if shown:
        made.load_cert_chain(shown.cert, shown.key)
    return made


def ask(running, listener, tls, method="GET", path="/healthz", body=None):
    """One exchange over TLS; raises where there is no connection to be had."""
    address = running.addresses[listener]
    if tls is None:
        talk = http.client.HTTPConnection(address, timeout=20)
    else:
        talk = http.client.HTTPSConnection(address, timeout=20, context=tls)
    try:
        talk.request(method, path, body=body and json.dumps(body), headers={
            "authorization": f"Bearer {ADMIN_KEY}",
            "content-type": "application/json"})
        answer = talk.getresponse()
        return answer.status, answer.read().decode()
    finally:
        talk.close()


def grpc_credentials(ca, shown=None):
    return grpc.ssl_channel_credentials(
        ca.read_bytes(),
        shown.key.read_bytes() if shown else None,
        shown.cert.read_bytes() if shown else None)


def grpc_health(running, listener, credentials):
    """Whether it serves; raises RpcError where no connection comes about."""
    address = running.addresses[listener]
    with (grpc.secure_channel(address, credentials) if credentials
          else grpc.insecure_channel(address)) as channel:
        reply = health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(), timeout=20)
    return reply.status == health_pb2.HealthCheckResponse.SERVING


def route_of(listener):
    return "/metrics" if listener == "metrics" else "/healthz"


def test_every_listener_speaks_tls_and_only_tls(service, pki):
    running = service(with_tls(pki.server.cert, pki.server.key))
    for listener in HTTP:
        path = route_of(listener)
        assert ask(running, listener, context(pki.ours.ca),
                   path=path)[0] == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            ask(running, listener, context(pki.theirs.ca), path=path)
        with pytest.raises((http.client.HTTPException, OSError)):
            ask(running, listener, None, path=path)
    for listener in GRPC:
        assert grpc_health(running, listener, grpc_credentials(pki.ours.ca))
        for wrong in (grpc_credentials(pki.theirs.ca), None):
            with pytest.raises(grpc.RpcError) as raised:
                grpc_health(running, listener, wrong)
            assert raised.value.code() == grpc.StatusCode.UNAVAILABLE


def test_a_session_is_resumed_with_client_certificates(service, pki):
    running = service(
        with_tls(pki.server.cert, pki.server.key, pki.ours.ca))
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        tls = context(pki.ours.ca, pki.client)
        tls.minimum_version = tls.maximum_version = version
        session = None
        for resumed in (False, True):
            host, port = running.addresses["http"].split(":")
            with socket.create_connection((host, int(port)), 20) as plain:
                with tls.wrap_socket(plain, server_hostname=host,
                                     session=session) as talk:
                    talk.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
                                 b"Connection: close\r\n\r\n")
                    answer = b""
                    while piece := talk.recv(4096):
                        answer += piece
                    assert answer.startswith(b"HTTP/1.1 200 ")
                    assert talk.session_reused == resumed
                    session = talk.session


def test_a_client_ca_lets_in_whom_it_has_signed(service, pki):
    running = service(
        with_tls(pki.server.cert, pki.server.key, pki.ours.ca))
    for listener in HTTP:
        path = route_of(listener)
        assert ask(running, listener, context(pki.ours.ca, pki.client),
                   path=path)[0] == 200
        for shown in (None, pki.stranger):
            with pytest.raises((http.client.HTTPException, OSError)):
                ask(running, listener, context(pki.ours.ca, shown), path=path)
    for listener in GRPC:
        assert grpc_health(running, listener,
                           grpc_credentials(pki.ours.ca, pki.client))
        for shown in (None, pki.stranger):
            with pytest.raises(grpc.RpcError) as raised:
                grpc_health(running, listener,
                            grpc_credentials(pki.ours.ca, shown))
            assert raised.value.code() == grpc.StatusCode.UNAVAILABLE


def test_chats_whole_and_streamed_go_over_tls(service, pki):
    running = service(with_tls(pki.server.cert, pki.server.key, pki.ours.ca))
    tls = context(pki.ours.ca, pki.client)
    chat = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}
    status, text = ask(running, "http", tls, "POST", "/v1/chat/completions",
                       chat)
    assert status == 200
    whole = json.loads(text)["choices"][0]["message"]["content"]
    status, text = ask(running, "http", tls, "POST", "/v1/chat/completions",
                       {**chat, "stream": True})
    events = harness.sse(harness.Reply(status, [], text.encode()))
    assert events[-1] == "[DONE]"
    assert whole == "".join(c["delta"].get("content") or ""
                            for e in events[:-1] for c in e["choices"])


def cli(running, *arguments, ca=None, shown=None):
    files = ["--ca-file", ca] if ca else []
    if shown:
        files += ["--cert-file", shown.cert, "--key-file", shown.key]
    return subprocess.run(
        [harness.SERVICE, *arguments, "--url",
         f"https://{running.addresses['admin_http']}", *files],
        env=running.env, capture_output=True, text=True, timeout=30)


def test_the_command_line_reaches_an_admin_listener_behind_mutual_tls(service,
                                                                     pki):
    running = service(with_tls(pki.server.cert, pki.server.key, pki.ours.ca))
    ours = {"ca": pki.ours.ca, "shown": pki.client}
    made = cli(running, "keys", "create", "--name", "tls", **ours)
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("sk-")
    listed = cli(running, "keys", "list", **ours)
    assert listed.returncode == 0 and "tls" in listed.stdout
    assert cli(running, "usage", **ours).returncode == 0
    unknown = cli(running, "keys", "list", shown=pki.client)
    assert unknown.returncode == 1
    assert "certificate" in unknown.stderr
    bare = cli(running, "keys", "list", ca=pki.ours.ca)
    assert bare.returncode == 1
    assert "certificate required" in bare.stderr


FAULTS = {
    "missing": ("cert_file", lambda pki: ("/no/such.pem", pki.server.key),
                "cannot read /no/such.pem"),
    "another's key": ("key_file",
                      lambda pki: (pki.server.cert, pki.client.key),
                      "is not the key of the certificate in"),
    "no certificate": ("cert_file",
                       lambda pki: (pki.server.key, pki.server.key),
                       "holds no certificate in PEM"),
    "no key": ("key_file", lambda pki: (pki.server.cert, pki.server.cert),
               "holds no private key in PEM"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_tls_files_name_key_and_file(service, pki, fault):
    setting, files, words = FAULTS[fault]
    cert, key = files(pki)
    running = service(with_tls(cert, key), wait=False)
    assert running.process.wait(30) == 2
    checked = subprocess.run(
        [harness.SERVICE, "check", "--config", running.config],
        env=running.env, capture_output=True, text=True, timeout=30)
    assert checked.returncode == 2
    file = key if setting == "key_file" else cert
    for output in (running.log(), checked.stderr):
        for listener in ("http", "grpc", "admin", "metrics"):
            lines = [line for line in output.splitlines()
                     if f"server.{listener}.tls.{setting}: " in line]
            assert len(lines) == 1, output
            assert f"{running.config}:" in lines[0]
            assert words in lines[0] and str(file) in lines[0]


def test_an_expired_certificate_is_warned_about(service, pki):
    old = pki.ours.sign("old", days=-1)
    running = service(with_tls(old.cert, old.key))
    checked = subprocess.run(
        [harness.SERVICE, "check", "--config", running.config],
        env=running.env, capture_output=True, text=True, timeout=30)
    assert checked.returncode == 0
    for output in (running.log(), checked.stdout):
        assert (f"server.grpc.tls.cert_file: the certificate in {old.cert} "
                "expired on 20") in output
