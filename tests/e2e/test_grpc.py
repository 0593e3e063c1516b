"""Python stubs made by a current grpcio-tools, against the gRPC door."""

import signal
import sqlite3
import subprocess
import sys
import threading
import time

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status

import harness
from harness import ADMIN_KEY, config


@pytest.fixture(scope="session")
def stubs(tmp_path_factory):
    where = tmp_path_factory.mktemp("stubs")
    proto = harness.ROOT / "proto"
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", "-I", proto,
         f"--python_out={where}", f"--grpc_python_out={where}",
         *sorted((proto / "llm" / "v1").glob("*.proto"))],
        check=True,
    )
    sys.path.insert(0, str(where))
    from llm.v1 import (  # noqa: PLC0415
        admin_pb2,
        admin_pb2_grpc,
        chat_pb2,
        common_pb2,
        models_pb2,
        service_pb2_grpc,
        usage_pb2,
    )

    class Stubs:
        pass

    made = Stubs()
    made.chat, made.usage, made.models = chat_pb2, usage_pb2, models_pb2
    made.admin, made.common = admin_pb2, common_pb2
    made.LlmService = service_pb2_grpc.LlmServiceStub
    made.AdminService = admin_pb2_grpc.AdminServiceStub
    return made


@pytest.fixture
def running(service):
    return service(config(
        "simulated: {}\nslow: {dialect: simulated, "
        "simulated: {latency: 30s}}\ndrip: {dialect: simulated, "
        "simulated: {chunk_interval: 100ms}}",
        models="slow: {provider: slow, upstream: slow}\n"
               "drip: {provider: drip, upstream: drip}\n"
               "wide: {provider: simulated, upstream: wide}",
        auth="keys",
    ))


def request(stubs, model="auto", **more):
    return stubs.chat.ChatCompletionRequest(
        model=model,
        messages=[stubs.chat.Message(role="user", content="hello")], **more)


def connect(running, stubs):
    channel = grpc.insecure_channel(running.addresses["grpc"])
    key = running.create_key("grpc")
    return stubs.LlmService(channel), [("authorization", f"Bearer {key}")]


def detail_of(stubs, error):
    """The one UpstreamError of a failed call."""
    status = rpc_status.from_call(error)
    assert len(status.details) == 1
    detail = stubs.common.UpstreamError()
    assert status.details[0].Unpack(detail)
    return detail


def test_unary_and_stream_agree(running, stubs):
    service, key = connect(running, stubs)
    whole = service.ChatCompletion(request(stubs), metadata=key, timeout=20)
    text, last = "", None
    for chunk in service.StreamChatCompletion(request(stubs), metadata=key,
                                              timeout=20):
        text += "".join(c.delta.content for c in chunk.choices)
        last = chunk
    assert text == whole.choices[0].message.content
    assert last.llm_service.attempts == 1
    assert last.llm_service.usage_source == "provider"


def test_tools_travel_as_json_text(running, stubs):
    service, key = connect(running, stubs)
    schema = '{"type":"object","properties":{"b":{"const":0.70},"a":{"const":1}},"required":["b","a"]}'
    tool = stubs.chat.Tool(type="function", function=stubs.chat.FunctionTool(
        name="f", parameters=schema))
    answer = service.ChatCompletion(request(stubs, tools=[tool]), metadata=key)
    call = answer.choices[0].message.tool_calls[0]
    assert call.function.arguments == '{"b":0.70,"a":1}'
    assert answer.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize(("model", "metadata", "code", "word"), [
    ("auto", [("authorization", "Bearer sk-wrong")],
     grpc.StatusCode.UNAUTHENTICATED, "invalid_api_key"),
    ("auto", [], grpc.StatusCode.UNAUTHENTICATED, "invalid_api_key"),
    ("nope", None, grpc.StatusCode.NOT_FOUND, "model_not_found"),
])
def test_errors_carry_one_detail(running, stubs, model, metadata, code, word):
    service, key = connect(running, stubs)
    with pytest.raises(grpc.RpcError) as raised:
        service.ChatCompletion(request(stubs, model),
                               metadata=key if metadata is None else metadata)
    assert raised.value.code() == code
    assert detail_of(stubs, raised.value).code == word


def test_the_deadline_ends_the_call(running, stubs):
    service, key = connect(running, stubs)
    with pytest.raises(grpc.RpcError) as raised:
        service.ChatCompletion(request(stubs, "slow"), metadata=key, timeout=1)
    assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_cancelling_a_stream_is_seen_and_recorded(running, stubs):
    service, key = connect(running, stubs)
    stream = service.StreamChatCompletion(request(stubs, "drip"), metadata=key)
    next(stream)
    stream.cancel()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        groups = running.usage("?by=model")["groups"]
        if groups:
            break
        time.sleep(0.05)
    assert groups[0]["requests"] == 1
    assert 'outcome="client_cancelled"' in running.metrics()


def test_models_usage_and_keys(running, stubs):
    service, key = connect(running, stubs)
    models = service.ListModels(stubs.models.ListModelsRequest(), metadata=key)
    assert "simulated" in [m.id for m in models.data]
    service.ChatCompletion(request(stubs, run_id="r1"), metadata=key)
    usage = service.GetUsage(
        stubs.usage.GetUsageRequest(by=["run_id"]), metadata=key)
    assert usage.total.requests == 1
    admin = stubs.AdminService(
        grpc.insecure_channel(running.addresses["admin_grpc"]))
    with pytest.raises(grpc.RpcError) as raised:
        admin.ListKeys(stubs.admin.ListKeysRequest(), metadata=key)
    assert raised.value.code() == grpc.StatusCode.UNAUTHENTICATED
    listed = admin.ListKeys(
        stubs.admin.ListKeysRequest(),
        metadata=[("authorization", f"Bearer {ADMIN_KEY}")])
    assert [k.name for k in listed.keys] == ["grpc"]
    public = stubs.AdminService(
        grpc.insecure_channel(running.addresses["grpc"]))
    with pytest.raises(grpc.RpcError) as raised:
        public.ListKeys(stubs.admin.ListKeysRequest(), metadata=key)
    assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_health_and_reflection_are_on(running, stubs):
    channel = grpc.insecure_channel(running.addresses["grpc"])
    health = health_pb2_grpc.HealthStub(channel)
    for name in ("", "llm.v1.LlmService"):
        status = health.Check(health_pb2.HealthCheckRequest(service=name))
        assert status.status == health_pb2.HealthCheckResponse.SERVING
    database = ProtoReflectionDescriptorDatabase(channel)
    assert "llm.v1.LlmService" in database.get_services()
    # All a tool needs to make a call of it.
    method = DescriptorPool(database).FindMethodByName(
        "llm.v1.LlmService.ChatCompletion")
    assert "messages" in method.input_type.fields_by_name


def test_a_watcher_of_health_hears_of_the_drain(running, stubs):
    channel = grpc.insecure_channel(running.addresses["grpc"])
    watch = health_pb2_grpc.HealthStub(channel).Watch(
        health_pb2.HealthCheckRequest())
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    running.process.send_signal(signal.SIGTERM)
    assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
    with pytest.raises(grpc.RpcError) as raised:
        next(watch)
    assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
    assert running.process.wait(20) == 0


def test_pings_without_calls_are_welcome(running, stubs):
    channel = grpc.insecure_channel(running.addresses["grpc"], options=[
        ("grpc.keepalive_time_ms", 1000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    ])
    states = []
    channel.subscribe(states.append, try_to_connect=True)
    grpc.channel_ready_future(channel).result(10)
    time.sleep(5)
    # A channel that is told to go away is IDLE at once, and ready again with
    # the next call: only silence after READY is a welcome.
    ready = states.index(grpc.ChannelConnectivity.READY)
    assert states[ready + 1:] == []
    channel.close()


def test_big_messages_pass_and_too_big_ones_are_named(running, stubs):
    service, key = connect(running, stubs)
    big = stubs.chat.ChatCompletionRequest(
        model="wide",
        messages=[stubs.chat.Message(role="user", content="a" * 8_000_000)])
    assert service.ChatCompletion(big, metadata=key, timeout=60).choices
    with pytest.raises(grpc.RpcError) as raised:
        too_big = stubs.chat.ChatCompletionRequest(
            model="auto", messages=[
                stubs.chat.Message(role="user", content="a" * 40_000_000)])
        service.ChatCompletion(too_big, metadata=key, timeout=60)
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    detail = detail_of(stubs, raised.value)
    assert detail.code == "body_too_large"
    assert "server.max_body" in detail.message
    assert ("grpc-retry-pushback-ms", "-1") in raised.value.trailing_metadata()


def test_a_stream_that_outlives_the_drain_is_told_so(service, stubs):
    running = service(config(
        "drip: {dialect: simulated, simulated: {chunk_interval: 1s}}",
        models="drip: {provider: drip, upstream: drip}", auth="keys",
    ).replace("workers: 2", "workers: 2\n  drain: 600ms"))
    llm, key = connect(running, stubs)
    stream = llm.StreamChatCompletion(request(stubs, "drip"), metadata=key)
    next(stream)
    running.process.send_signal(signal.SIGTERM)
    with pytest.raises(grpc.RpcError) as raised:
        for _ in stream:
            pass
    assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
    assert detail_of(stubs, raised.value).code == "overloaded"
    assert running.stop() == 0
    with sqlite3.connect(running.directory / "service.db") as store:
        rows = store.execute("SELECT outcome FROM requests").fetchall()
    assert rows == [("overloaded",)]


def test_a_hundred_callers_at_once(running, stubs):
    service, key = connect(running, stubs)
    ids, lock = set(), threading.Lock()

    def ask():
        answer = service.ChatCompletion(request(stubs), metadata=key,
                                        timeout=60)
        with lock:
            ids.add(answer.id)

    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 100
