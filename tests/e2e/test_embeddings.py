"""Embeddings by real clients: OpenAI's SDK, LangChain, gRPC stubs; and what
providers are asked when a request is split, fails or is remembered.
"""

import base64
import json
import struct
import subprocess
import sys

import grpc
import openai
import pytest
from grpc_status import rpc_status
from langchain_openai import OpenAIEmbeddings

import harness
from harness import ADMIN_KEY, config, upstream

JSON = {"headers": {"content-type": "application/json"}}


def answer(vectors, tokens=7, **more):
    return json.dumps({
        "object": "list", "model": "text-embedding-3-small",
        "data": [{"object": "embedding", "index": i, "embedding": v}
                 for i, v in enumerate(vectors)],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens}, **more})


def error(message, code=None):
    return json.dumps({"error": {"message": message, "code": code}})


@pytest.fixture
def fresh(service):
    """A fresh install: nothing but the simulated provider."""
    return service(config("simulated: {}", auth="keys"))


@pytest.fixture
def running(simulator):
    # `one` and `two` serve the same upstream model, `three` another one.
    service = harness.Service(config(
        "\n".join(
            upstream(name, simulator.base_url(name),
                     ", timeouts: {connect: 2s, first_content: 2s, "
                     "idle: 2s, total: 20s}")
            for name in ("one", "two", "three"))
        + "\nqwen: {api_keys: [\"env:QWEN\"], base_url: \""
        + simulator.base_url("qwen") + "\", currency: CNY}"
        + "\nopenai: {api_keys: [\"env:OPENAI\"], base_url: \""
        + simulator.base_url("openai") + "\"}",
        models=(
            "vec: {deployments: [{provider: one, upstream: v}, {provider: two, "
            "upstream: v}, {provider: three, upstream: w}], "
            "capabilities: [embeddings]}\n"
            "own: {provider: three, upstream: nomic, "
            "capabilities: [embeddings]}"),
        auth="keys", extra=(
            "embeddings: {cache: {max_bytes: 8MiB, ttl: 1h}}\n")),
        env={"QWEN": "sk-qwen", "OPENAI": "sk-openai"})
    yield service
    service.stop()
    for lane in ("one", "two", "three", "qwen", "openai"):
        simulator.reset(lane)


def asked(simulator, lane):
    return [json.loads(one["body"]) for one in simulator.log(lane)]


@pytest.fixture
def seen(simulator):
    """Requests of a lane since the test began."""
    lanes = ("one", "two", "three", "qwen", "openai")
    before = {lane: len(simulator.log(lane)) for lane in lanes}
    return lambda lane: asked(simulator, lane)[before[lane]:]


def embed(service, key, **body):
    return service.call("/v1/embeddings", body, key)


def client(service, key):
    return openai.OpenAI(base_url=service.url("/v1"), api_key=key,
                         max_retries=0)


def test_openai_sdk_reads_floats_and_its_own_base64(fresh):
    sdk = client(fresh, fresh.create_key())
    implied = sdk.embeddings.create(model="simulated-embedding",
                                    input=["one", "two"])
    told = sdk.embeddings.create(model="simulated-embedding",
                                 input=["one", "two"],
                                 encoding_format="float")
    assert [one.index for one in implied.data] == [0, 1]
    for a, b in zip(implied.data, told.data, strict=True):
        assert len(a.embedding) == 1536
        assert a.embedding == pytest.approx(b.embedding, abs=1e-7)
        assert sum(x * x for x in a.embedding) == pytest.approx(1, abs=1e-4)
    assert implied.usage.prompt_tokens == 2
    short = sdk.embeddings.create(model="simulated-embedding", input="one",
                                  dimensions=16)
    assert len(short.data[0].embedding) == 16


def test_base64_is_little_endian_float32(fresh):
    key = fresh.create_key()
    body = {"model": "simulated-embedding", "input": "x", "dimensions": 4}
    numbers = embed(fresh, key, **body).json()
    coded = embed(fresh, key, **body, encoding_format="base64").json()
    raw = base64.b64decode(coded["data"][0]["embedding"])
    assert list(struct.unpack("<4f", raw)) == pytest.approx(
        numbers["data"][0]["embedding"])


def test_headers_service_object_usage_and_models(fresh):
    key = fresh.create_key()
    reply = embed(fresh, key, model="simulated-embedding", input=["a", "b"],
                  run_id="run-7", agent="memory", metadata={"k": "v"})
    assert reply.status == 200
    assert reply.headers["x-llm-model"] == "simulated-embedding"
    assert reply.headers["x-llm-provider"] == "simulated"
    assert reply.headers["x-llm-attempts"] == "1"
    assert reply.headers["x-request-id"]
    assert int(reply.headers["x-llm-overhead-us"]) >= 0
    own = reply.json()["llm_service"]
    assert own["usage_source"] == "provider"
    assert own["attempts"] == 1
    groups = fresh.usage("?by=run_id,agent,model")["groups"]
    assert [(g["keys"]["run_id"], g["keys"]["agent"], g["requests"],
             g["tokens"]["input"]) for g in groups] == [
                 ("run-7", "memory", 1, 2)]
    models = fresh.call("/v1/models", key=key).json()["data"]
    known = {m["id"]: m["capabilities"] for m in models}
    assert known["simulated-embedding"] == ["embeddings"]
    assert "embeddings" not in known["simulated"]
    assert ('gen_ai_operation_name="embeddings"' in fresh.metrics())


def test_langchain_sends_tokens_and_gets_vectors(fresh, monkeypatch):
    # Tokens without the tables that tiktoken downloads.
    class Letters:
        def encode(self, text, **_):
            return [ord(c) for c in text]

        def encode_ordinary(self, text):
            return self.encode(text)

        def decode(self, tokens):
            return "".join(map(chr, tokens))

    monkeypatch.setattr("tiktoken.encoding_for_model", lambda _: Letters())
    monkeypatch.setattr("tiktoken.get_encoding", lambda _: Letters())
    made = OpenAIEmbeddings(
        model="simulated-embedding", base_url=fresh.url("/v1"),
        api_key=fresh.create_key())
    vectors = made.embed_documents(["first", "second", "first"])
    assert [len(v) for v in vectors] == [1536] * 3
    assert vectors[0] == vectors[2] != vectors[1]
    assert made.embed_query("first") == pytest.approx(vectors[0])


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
        common_pb2,
        embeddings_pb2,
        service_pb2_grpc,
    )

    return embeddings_pb2, service_pb2_grpc.LlmServiceStub, common_pb2


def test_grpc_stubs_get_floats_and_large_requests_pass(fresh, stubs):
    messages, service, common = stubs
    key = fresh.create_key()
    metadata = (("authorization", f"Bearer {key}"),)
    with grpc.insecure_channel(fresh.addresses["grpc"], options=[
            ("grpc.max_receive_message_length", -1)]) as channel:
        stub = service(channel)
        # Some 1.5 MB, which no other question may have.
        request = messages.CreateEmbeddingsRequest(
            model="simulated-embedding", input=["x" * 1000] * 1500,
            dimensions=8)
        answered = stub.CreateEmbeddings(request, metadata=metadata)
        assert len(answered.data) == 1500
        assert len(answered.data[0].embedding) == 8
        assert answered.usage.prompt_tokens == 1500 * 250
        assert answered.llm_service.provider == "simulated"
        tokens = messages.CreateEmbeddingsRequest(
            model="simulated-embedding",
            token_inputs=[messages.TokenInput(tokens=[1, 2, 3])])
        assert len(stub.CreateEmbeddings(
            tokens, metadata=metadata).data[0].embedding) == 1536
        with pytest.raises(grpc.RpcError) as refused:
            stub.CreateEmbeddings(messages.CreateEmbeddingsRequest(
                model="simulated", input=["x"]), metadata=metadata)
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        detail = common.UpstreamError()
        rpc_status.from_call(refused.value).details[0].Unpack(detail)
        assert (detail.code, detail.param) == ("invalid_request", "model")


def test_batches_are_asked_in_order_and_put_together(simulator, running, seen):
    for start, count in ((0, 10), (10, 10), (20, 3)):
        simulator.script("qwen", **JSON, body=answer(
            [[float(start + i), 1.0] for i in range(count)], tokens=count))
    reply = embed(running, running.create_key(), model="text-embedding-v4",
                  input=[str(i) for i in range(23)], dimensions=2)
    assert reply.status == 200, reply.text
    assert [v["embedding"][0] for v in reply.json()["data"]] == [
        float(i) for i in range(23)]
    sent = seen("qwen")
    assert [one["input"] for one in sent] == [
        [str(i) for i in range(a, b)] for a, b in ((0, 10), (10, 20), (20, 23))]
    assert all(one["encoding_format"] == "float" for one in sent)
    assert all(one["dimensions"] == 2 for one in sent)
    assert reply.json()["usage"]["prompt_tokens"] == 23
    # 23 tokens at 0.5 CNY a million.
    assert reply.headers["x-llm-cost"] == "0.0000115 CNY"


def test_cost_is_the_prompt_alone(simulator, running, seen):
    simulator.script("openai", **JSON, body=answer([[1.0, 2.0]], tokens=1000))
    reply = embed(running, running.create_key(),
                  model="text-embedding-3-small", input="hello")
    assert reply.json()["llm_service"]["cost"] == {
        "amount": "0.000020", "currency": "USD"}
    assert seen("openai")[0]["encoding_format"] == "base64"
    assert running.usage("?by=model")["models"][
        "text-embedding-3-small"]["cost"] == pytest.approx(0.00002)


def test_a_retry_stays_with_the_same_vectors(simulator, running, seen):
    simulator.script("one", status=401, **JSON, body=error("bad key"))
    simulator.script("two", **JSON, body=answer([[5.0, 6.0]]))
    reply = embed(running, running.create_key(), model="vec", input="x")
    assert reply.status == 200, reply.text
    assert reply.headers["x-llm-provider"] == "two"
    assert reply.headers["x-llm-attempts"] == "2"
    assert [one["model"] for one in seen("two")] == ["v"]
    assert seen("three") == []


def test_no_other_model_ever_answers(simulator, running, seen):
    for lane in ("one", "two"):
        simulator.script(lane, status=500, **JSON, times=0, body=error("down"))
    reply = embed(running, running.create_key(), model="vec", input="x")
    assert reply.status == 502
    assert reply.json()["error"]["code"] == "provider_unavailable"
    assert seen("one") and seen("two")
    # `three` serves vec too, as another upstream model.
    assert seen("three") == []


def test_a_broken_batch_is_repeated_from_where_it_broke(simulator, running,
                                                        seen):
    simulator.script("qwen", **JSON,
                     body=answer([[float(i), 1.0] for i in range(10)], 10))
    simulator.script("qwen", status=503, **JSON, body=error("busy"))
    simulator.script("qwen", **JSON, body=answer([[10.0, 1.0]], 1))
    reply = embed(running, running.create_key(), model="text-embedding-v3",
                  input=[str(i) for i in range(11)])
    assert reply.status == 200, reply.text
    assert [v["embedding"][0] for v in reply.json()["data"]] == [
        float(i) for i in range(11)]
    assert [len(one["input"]) for one in seen("qwen")] == [10, 1, 1]
    assert reply.json()["usage"]["prompt_tokens"] == 11
    assert reply.headers["x-llm-attempts"] == "2"


def test_remembered_texts_cost_nothing_and_stay_with_their_key(
        simulator, running, seen):
    mine, other = running.create_key("mine"), running.create_key("other")
    simulator.script("three", **JSON, body=answer([[1.0, 0.0], [2.0, 0.0]]))
    body = {"model": "own", "input": ["a", "b"]}
    assert embed(running, mine, **body).status == 200
    again = embed(running, mine, **body)
    assert again.status == 200
    own = again.json()["llm_service"]
    assert own["cached_inputs"] == 2
    assert own["attempts"] == 0
    assert own["cost"]["amount"] == "0.000000"
    assert own["usage_source"] == "none"
    assert [v["embedding"][0] for v in again.json()["data"]] == [1.0, 2.0]
    simulator.script("three", **JSON, body=answer([[3.0, 0.0]]))
    partly = embed(running, mine, model="own", input=["b", "c"])
    assert [v["embedding"][0] for v in partly.json()["data"]] == [2.0, 3.0]
    assert seen("three")[-1]["input"] == ["c"]
    simulator.script("three", **JSON, body=answer([[9.0, 0.0]]))
    theirs = embed(running, other, model="own", input=["a"])
    assert theirs.json()["data"][0]["embedding"][0] == 9.0
    metrics = running.metrics()
    assert 'llm_service_embedding_cache_total{result="hit"} 3' in metrics
    assert 'llm_service_embedding_cache_total{result="miss"} 4' in metrics
    requests = running.usage("?by=model")["groups"]
    assert [g["requests"] for g in requests
            if g["keys"]["model"] == "own"] == [4]
    assert [g["attempts"] for g in requests
            if g["keys"]["model"] == "own"] == [3]


def test_a_restricted_key_is_refused_what_another_has_remembered(
        simulator, running):
    simulator.script("three", **JSON, body=answer([[1.0, 0.0]]))
    assert embed(running, running.create_key(), model="own",
                 input="a").status == 200
    narrow = running.create_key("narrow", models=["vec"])
    reply = embed(running, narrow, model="own", input="a")
    assert reply.status == 403
    assert reply.json()["error"]["code"] == "model_not_allowed"


@pytest.mark.parametrize("body,status,code,param", [
    ({"model": "simulated", "input": "x"}, 400, "invalid_request", "model"),
    ({"model": "auto", "input": "x"}, 400, "invalid_request", "model"),
    ({"input": "x"}, 400, "invalid_request", "model"),
    ({"model": "nope", "input": "x"}, 404, "model_not_found", "model"),
    ({"model": "simulated-embedding"}, 400, "invalid_request", "input"),
    ({"model": "simulated-embedding", "input": ""}, 400, "invalid_request",
     "input"),
    ({"model": "simulated-embedding", "input": ["x"] * 2049}, 400,
     "invalid_request", "input"),
    ({"model": "simulated-embedding", "input": "x", "encoding_format": "hex"},
     400, "invalid_request", "encoding_format"),
    ({"model": "simulated-embedding", "input": "x", "dimensions": 9999}, 400,
     "provider_rejected", "dimensions"),
])
def test_refusals_say_what_is_wrong(fresh, body, status, code, param):
    reply = embed(fresh, ADMIN_KEY, **body)
    assert reply.status == status, reply.text
    failure = reply.json()["error"]
    assert (failure["code"], failure["param"]) == (code, param)


def test_an_embedding_model_does_not_chat(fresh):
    reply = fresh.chat("simulated-embedding", key=ADMIN_KEY)
    assert reply.status == 400
    assert reply.json()["error"]["param"] == "model"


def test_tokens_for_a_provider_of_texts_are_the_callers_mistake(running, seen):
    reply = embed(running, running.create_key(), model="text-embedding-v4",
                  input=[[1, 2], [3]])
    assert reply.status == 400, reply.text
    assert reply.json()["error"]["param"] == "input"
    assert seen("qwen") == []


def test_the_built_in_task_names_the_embedding_model(fresh):
    reply = embed(fresh, ADMIN_KEY, model="auto:embedding", input="x")
    assert reply.status == 200
    assert reply.json()["model"] == "simulated-embedding"
    assert reply.json()["llm_service"]["task_type"] == "embedding"


def test_a_large_answer_does_not_hold_others_up(fresh):
    # 2048 vectors of 1536 numbers: some 36 MB of JSON.
    reply = embed(fresh, ADMIN_KEY, model="simulated-embedding",
                  input=[f"text {i}" for i in range(2048)])
    assert reply.status == 200
    data = reply.json()["data"]
    assert [one["index"] for one in data] == list(range(2048))
    assert fresh.call("/healthz").status == 200
