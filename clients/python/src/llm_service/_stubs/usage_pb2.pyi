from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetUsageRequest(_message.Message):
    __slots__ = ("to", "by", "filter")
    class FilterEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    to: str
    by: _containers.RepeatedScalarFieldContainer[str]
    filter: _containers.ScalarMap[str, str]
    def __init__(self, to: _Optional[str] = ..., by: _Optional[_Iterable[str]] = ..., filter: _Optional[_Mapping[str, str]] = ..., **kwargs) -> None: ...

class GetUsageResponse(_message.Message):
    __slots__ = ("total", "models", "currency", "groups")
    class ModelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: UsageTotal
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[UsageTotal, _Mapping]] = ...) -> None: ...
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    total: UsageTotal
    models: _containers.MessageMap[str, UsageTotal]
    currency: str
    groups: _containers.RepeatedCompositeFieldContainer[UsageGroup]
    def __init__(self, total: _Optional[_Union[UsageTotal, _Mapping]] = ..., models: _Optional[_Mapping[str, UsageTotal]] = ..., currency: _Optional[str] = ..., groups: _Optional[_Iterable[_Union[UsageGroup, _Mapping]]] = ...) -> None: ...

class UsageTotal(_message.Message):
    __slots__ = ("requests", "tokens", "cost")
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    requests: int
    tokens: int
    cost: str
    def __init__(self, requests: _Optional[int] = ..., tokens: _Optional[int] = ..., cost: _Optional[str] = ...) -> None: ...

class UsageGroup(_message.Message):
    __slots__ = ("keys", "requests", "attempts", "tokens", "cost", "cost_native", "unpriced_requests", "estimated_requests", "unconverted_requests")
    class KeysEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class CostNativeEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    KEYS_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    COST_NATIVE_FIELD_NUMBER: _ClassVar[int]
    UNPRICED_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    UNCONVERTED_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.ScalarMap[str, str]
    requests: int
    attempts: int
    tokens: TokenSums
    cost: str
    cost_native: _containers.ScalarMap[str, str]
    unpriced_requests: int
    estimated_requests: int
    unconverted_requests: int
    def __init__(self, keys: _Optional[_Mapping[str, str]] = ..., requests: _Optional[int] = ..., attempts: _Optional[int] = ..., tokens: _Optional[_Union[TokenSums, _Mapping]] = ..., cost: _Optional[str] = ..., cost_native: _Optional[_Mapping[str, str]] = ..., unpriced_requests: _Optional[int] = ..., estimated_requests: _Optional[int] = ..., unconverted_requests: _Optional[int] = ...) -> None: ...

class TokenSums(_message.Message):
    __slots__ = ("input", "cached_input", "output", "reasoning")
    INPUT_FIELD_NUMBER: _ClassVar[int]
    CACHED_INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    REASONING_FIELD_NUMBER: _ClassVar[int]
    input: int
    cached_input: int
    output: int
    reasoning: int
    def __init__(self, input: _Optional[int] = ..., cached_input: _Optional[int] = ..., output: _Optional[int] = ..., reasoning: _Optional[int] = ...) -> None: ...
