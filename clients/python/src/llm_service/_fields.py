"""Reading JSON members into messages of the proto, with the field's path in errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llm_service.errors import InvalidRequestError

# What is read from one member into an open message.
Reader = Callable[[Any, str, Any], None]


def bad_field(path: str, problem: str) -> InvalidRequestError:
    """The error that the HTTP door answers for the same fault."""
    return InvalidRequestError(
        f"{path or 'the body'} {problem}.",
        code="invalid_request",
        status=400,
        source="client",
        param=path or None,
    )


def dumps(value: Any, path: str = "") -> str:
    """Compact JSON text; order and characters stay."""
    try:
        return json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        )
    except (TypeError, ValueError) as error:
        raise bad_field(path, f"is no JSON ({error})") from error


# Of protobuf's FieldDescriptor, which is not imported here: cpp_type.
_INTEGERS, _BOOL, _STRING = (1, 2, 3, 4), 7, 9


def _as_json_has_it(value: Any, kind: int) -> Any:
    """The value as the HTTP door reads it; protobuf takes True for 1, 1 for True and
    bytes for a text, and no integer that is spelled 1.0."""
    if kind == _BOOL:
        fits = isinstance(value, bool)
    elif kind == _STRING:
        fits = isinstance(value, str)
    else:
        fits = not isinstance(value, bool)
        if kind in _INTEGERS and isinstance(value, float) and value.is_integer():
            value = int(value)
    if not fits:
        raise TypeError
    return value


def scalar(name: str) -> Reader:
    """A text, number or truth under its own name."""

    def read(value: Any, path: str, out: Any) -> None:
        kind = out.DESCRIPTOR.fields_by_name[name].cpp_type
        try:
            setattr(out, name, _as_json_has_it(value, kind))
        except (TypeError, ValueError) as error:
            if isinstance(error, UnicodeError):
                raise
            raise bad_field(path, "has the wrong type") from error

    return read


def raw(name: str) -> Reader:
    """Any value, as JSON text."""

    def read(value: Any, path: str, out: Any) -> None:
        setattr(out, name, dumps(value, path))

    return read


def texts(name: str) -> Reader:
    """A list of texts."""

    def read(value: Any, path: str, out: Any) -> None:
        if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
            raise bad_field(path, "must be an array")
        for index, one in enumerate(value):
            if not isinstance(one, str):
                raise bad_field(f"{path}[{index}]", "must be a string")
            getattr(out, name).append(one)

    return read


def pairs(name: str, kind: type | tuple[type, ...]) -> Reader:
    """An object whose values are all of one kind."""

    def read(value: Any, path: str, out: Any) -> None:
        for key, one in as_object(value, path).items():
            if not isinstance(one, kind) or isinstance(one, bool):
                raise bad_field(f"{path}.{key}", "has the wrong type")
            getattr(out, name)[key] = one

    return read


def as_object(value: Any, path: str) -> Mapping[str, Any]:
    """The value, if it is an object."""
    if not isinstance(value, Mapping):
        raise bad_field(path, "must be an object")
    return value


def as_list(value: Any, path: str) -> Sequence[Any]:
    """The value, if it is a list."""
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        raise bad_field(path, "must be an array")
    return value


def read_fields(
    value: Any,
    path: str,
    known: Mapping[str, Reader],
    out: Any,
    extra: bool = True,
) -> None:
    """Reads the members of an object: None counts as absent, unknown ones go into
    `extra_json`, or away where the message has none."""
    unknown: dict[str, Any] = {}
    for name, member in as_object(value, path).items():
        reader = known.get(name)
        if reader is None:
            unknown[name] = member
        elif member is not None:
            reader(member, f"{path}.{name}" if path else name, out)
    if unknown and extra:
        out.extra_json = dumps(unknown, path)
