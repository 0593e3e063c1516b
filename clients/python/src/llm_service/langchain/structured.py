"""Structured answers: one schema in, one object out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Literal

from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.output_parsers.openai_tools import (
    JsonOutputKeyToolsParser,
    PydanticToolsParser,
)
from langchain_core.runnables import (
    Runnable,
    RunnableLambda,
    RunnableMap,
    RunnablePassthrough,
)
from langchain_core.utils.function_calling import (
    convert_to_openai_function,
    convert_to_openai_tool,
)
from pydantic import BaseModel

Method = Literal["function_calling", "json_schema", "json_mode"]


def tool_choice_of(choice: Any, tools: Sequence[Mapping[str, Any]]) -> Any:
    """LangChain's forms of tool_choice in OpenAI's; None where nothing is said."""
    if choice is None or choice is False:
        return None
    if choice is True or choice == "any":
        return "required"
    if isinstance(choice, str) and choice not in ("auto", "none", "required"):
        for tool in tools:
            kind = tool.get("type", "function")
            if (tool.get(kind) or {}).get("name") == choice:
                return {"type": kind, kind: {"name": choice}}
        raise ValueError(f"tool_choice {choice!r} is none of the tools")
    return choice


def response_format(schema: Any, strict: bool | None) -> dict[str, Any]:
    """OpenAI's response_format for a schema in any of LangChain's forms."""
    if isinstance(schema, Mapping) and schema.get("type") in (
        "json_schema",
        "json_object",
    ):
        return dict(schema)
    function = convert_to_openai_function(schema, strict=strict)
    inner: dict[str, Any] = {
        "name": function["name"],
        "schema": function.get("parameters") or {},
    }
    if function.get("description"):
        inner["description"] = function["description"]
    if strict is not None:
        inner["strict"] = strict
    return {"type": "json_schema", "json_schema": inner}


def binding(schema: Any, method: Method, strict: bool | None) -> dict[str, Any]:
    """What to bind for json_schema and json_mode."""
    if method == "json_schema":
        if schema is None:
            raise ValueError("method 'json_schema' needs a schema")
        format_ = response_format(schema, strict)
    elif method == "json_mode":
        if strict is not None:
            raise ValueError("strict is not for method 'json_mode'")
        format_ = {"type": "json_object"}
    else:
        raise ValueError(
            f"unknown method {method!r}: function_calling, json_schema or json_mode"
        )
    traced = {"kwargs": {"method": method, "strict": strict}, "schema": schema}
    return {"response_format": format_, "ls_structured_output_format": traced}


def tool_name(schema: Any) -> str:
    """The name under which a schema is offered as a tool."""
    name: str = convert_to_openai_tool(schema)["function"]["name"]
    return name


def parser(schema: Any, method: Method) -> Runnable[AIMessage, Any]:
    """Reads the object out of a message."""
    typed = isinstance(schema, type) and _is_pydantic(schema)
    if method == "function_calling":
        whole = RunnableLambda(_no_broken_call)
        if typed:
            return whole | PydanticToolsParser(tools=[schema], first_tool_only=True)
        return whole | JsonOutputKeyToolsParser(
            key_name=tool_name(schema), first_tool_only=True
        )
    refusing = RunnableLambda(_no_refusal)
    if typed:
        return refusing | PydanticOutputParser(pydantic_object=schema)
    return refusing | JsonOutputParser()


def with_raw(
    model: Runnable[Any, AIMessage], parse: Runnable[AIMessage, Any]
) -> Runnable[Any, Any]:
    """{"raw", "parsed", "parsing_error"}: never raises because of the answer."""
    good = RunnablePassthrough.assign(
        parsed=itemgetter("raw") | parse, parsing_error=lambda _: None
    )
    bad = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=model) | good.with_fallbacks(
        [bad], exception_key="parsing_error"
    )


def _no_refusal(message: AIMessage) -> AIMessage:
    refusal = message.additional_kwargs.get("refusal")
    if refusal and not message.content:
        raise ValueError(f"the model refused: {refusal}")
    return message


def _no_broken_call(message: AIMessage) -> AIMessage:
    """LangChain's parsers see no call in one whose arguments do not parse."""
    if message.invalid_tool_calls and not message.tool_calls:
        broken = message.invalid_tool_calls[0]
        raise OutputParserException(
            f"the call of {broken['name']!r} is broken: {broken['error']}",
            llm_output=broken["args"] or "",
        )
    return message


def _is_pydantic(schema: type) -> bool:
    if issubclass(schema, BaseModel):
        return True
    import pydantic.v1

    return issubclass(schema, pydantic.v1.BaseModel)
