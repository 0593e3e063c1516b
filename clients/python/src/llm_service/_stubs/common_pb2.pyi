from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Cost(_message.Message):
    __slots__ = ("amount", "currency")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    amount: str
    currency: str
    def __init__(self, amount: _Optional[str] = ..., currency: _Optional[str] = ...) -> None: ...

class UpstreamError(_message.Message):
    __slots__ = ("code", "request_id", "source", "provider", "upstream_status", "upstream_code", "attempts", "retry_after_s", "param", "no_retry", "message")
    CODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_STATUS_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_CODE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_S_FIELD_NUMBER: _ClassVar[int]
    PARAM_FIELD_NUMBER: _ClassVar[int]
    NO_RETRY_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: str
    request_id: str
    source: str
    provider: str
    upstream_status: int
    upstream_code: str
    attempts: int
    retry_after_s: float
    param: str
    no_retry: bool
    message: str
    def __init__(self, code: _Optional[str] = ..., request_id: _Optional[str] = ..., source: _Optional[str] = ..., provider: _Optional[str] = ..., upstream_status: _Optional[int] = ..., upstream_code: _Optional[str] = ..., attempts: _Optional[int] = ..., retry_after_s: _Optional[float] = ..., param: _Optional[str] = ..., no_retry: bool = ..., message: _Optional[str] = ...) -> None: ...
