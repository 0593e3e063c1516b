"""LLM Service over gRPC with generated stubs. Run by grpc_chat.sh."""

import os

import grpc

from llm.v1 import chat_pb2, service_pb2_grpc, usage_pb2

channel = grpc.insecure_channel(os.environ.get("LLM_GRPC", "127.0.0.1:9004"))
service = service_pb2_grpc.LlmServiceStub(channel)
key = [("authorization", f"Bearer {os.environ['LLM_KEY']}")]

request = chat_pb2.ChatCompletionRequest(
    model="auto",
    messages=[chat_pb2.Message(role="user", content="Say hello")],
    run_id="example-2",
)
answer = service.ChatCompletion(request, metadata=key, timeout=60)
print(answer.choices[0].message.content)
print(answer.llm_service)

for chunk in service.StreamChatCompletion(request, metadata=key, timeout=60):
    for choice in chunk.choices:
        print(choice.delta.content, end="", flush=True)
print()

usage = service.GetUsage(
    usage_pb2.GetUsageRequest(by=["model"], filter={"run_id": "example-2"}),
    metadata=key,
)
print(usage.total)
