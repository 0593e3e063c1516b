from llm_service._stubs import chat_pb2 as _chat_pb2
from llm_service._stubs import embeddings_pb2 as _embeddings_pb2
from llm_service._stubs import models_pb2 as _models_pb2
from llm_service._stubs import usage_pb2 as _usage_pb2
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor
