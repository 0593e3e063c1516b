"""What the Gemini Developer API refuses (2026-08-22), as functions that raise.
The official package's types find unknown fields at every level.
"""

from __future__ import annotations

import copy
import json
import re

from google.genai import types
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from twin_server import Refusal

DUMMY = "skip_thought_signature_validator"
SCHEMA_KEYS = set("""type format title description nullable enum items minItems
    maxItems properties required minProperties maxProperties minLength
    maxLength pattern minimum maximum example anyOf propertyOrdering
    default""".split())
# `default` is not on Google's page; recorded requests that have it were taken.
JSON_SCHEMA_KEYS = set("""default $id $defs $ref $anchor type format title description
    enum items prefixItems minItems maxItems minimum maximum anyOf oneOf
    properties additionalProperties required propertyOrdering""".split())
TYPES = set("STRING NUMBER INTEGER BOOLEAN ARRAY OBJECT NULL".split())
# In the package for Vertex AI only.
VERTEX_ONLY = {
    "generationConfig": {"audioTimestamp", "routingConfig",
                         "modelSelectionConfig"},
    "functionCall": {"partialArgs", "willContinue"},
    "functionCallingConfig": {"streamFunctionCallArguments"},
}


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel,
                              populate_by_name=True)
    contents: list[types.Content]
    system_instruction: types.Content | None = None
    tools: list[types.Tool] | None = None
    tool_config: types.ToolConfig | None = None
    generation_config: types.GenerationConfig | None = None
    safety_settings: list[types.SafetySetting] | None = None
    cached_content: str | None = None
    service_tier: str | None = None


def refuse(message, status=400, word="INVALID_ARGUMENT"):
    return Refusal(status, {"error": {
        "code": status, "message": message, "status": word}})


def unknown(name, where):
    at = f" at '{where}'" if where else ""
    return refuse(f'Invalid JSON payload received. Unknown name "{name}"'
                  f"{at}: Cannot find field.")


def path_of(loc):
    text = ""
    for step in loc:
        text += f"[{step}]" if isinstance(step, int) else (
            ("." if text else "") + str(step))
    return text


def check_shape(body):
    plain = copy.deepcopy(body)
    for content in plain.get("contents") or []:
        for part in content.get("parts") or []:
            # The dummy is taken as it is written, not as base64.
            if part.get("thoughtSignature") == DUMMY:
                del part["thoughtSignature"]
    (plain.get("generationConfig") or {}).pop("imageConfig", None)
    try:
        Body.model_validate_json(json.dumps(plain))
    except AttributeError as error:  # the package's own enums do so
        raise refuse(f"Invalid value at '': {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        loc = [p for p in first["loc"] if not (
            isinstance(p, str) and p[:1].isupper())]
        if first["type"] == "extra_forbidden":
            raise unknown(loc[-1], path_of(loc[:-1])) from error
        raise refuse("Invalid value at "
                     f"'{path_of(loc)}': {first['msg']}") from error
    check_vertex(body)


def check_vertex(value, name=""):
    if isinstance(value, list):
        for inner in value:
            check_vertex(inner, name)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in VERTEX_ONLY.get(name, ()):
                raise unknown(key, name)
            if key not in ("args", "response", "parameters",
                           "parametersJsonSchema"):
                check_vertex(inner, key)


def schema_of(declared, plain, json_form, where):
    if plain in declared and json_form in declared:
        raise refuse(f"{where}: only one of {plain} and {json_form} may be "
                     "set.")
    if plain in declared:
        check_schema(declared[plain], f"{where}.{plain}", SCHEMA_KEYS, False)
    if json_form in declared:
        check_schema(declared[json_form], f"{where}.{json_form}",
                     JSON_SCHEMA_KEYS, True)


def check_schema(schema, where, keys, as_json):
    if not isinstance(schema, dict):
        return
    for name in schema:
        if name not in keys:
            raise unknown(name, where)
    if as_json and "$ref" in schema and any(
            not name.startswith("$") for name in schema):
        raise refuse(f"{where}: a $ref may have no sibling.")
    if not as_json:
        check_proto_schema(schema, where)
    for group in ("properties", "$defs"):
        for name, inner in schema.get(group, {}).items():
            check_schema(inner, f"{where}.{group}[{name}]", keys, as_json)
    for group in ("anyOf", "oneOf", "prefixItems"):
        for inner in schema.get(group, []):
            check_schema(inner, f"{where}.{group}", keys, as_json)
    check_schema(schema.get("items"), f"{where}.items", keys, as_json)
    check_schema(schema.get("additionalProperties"), where, keys, as_json)


def check_proto_schema(schema, where):
    kind = schema.get("type")
    if kind is not None and (not isinstance(kind, str)
                             or kind.upper() not in TYPES):
        raise refuse(f"Invalid value at '{where}.type': {kind!r}")
    if any(not isinstance(value, str) for value in schema.get("enum", [])):
        raise refuse(f"Invalid value at '{where}.enum' (TYPE_STRING)")
    if kind and kind.upper() == "STRING" and schema.get("format") not in (
            None, "enum", "date-time"):
        raise refuse(f"{where}: only 'enum' and 'date-time' are supported for "
                     "STRING type")
    if kind and kind.upper() == "ARRAY" and "items" not in schema:
        raise refuse(f"{where}.items: missing field.")
    for name in schema.get("required", []):
        if name not in schema.get("properties", {}):
            raise refuse(f"{where}.required: property is not defined: {name}")


def check_tools(body, model):
    names = []
    for index, tool in enumerate(body.get("tools") or []):
        for place, declared in enumerate(
                tool.get("functionDeclarations") or []):
            where = f"tools[{index}].function_declarations[{place}]"
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}",
                                declared.get("name", "")):
                raise refuse(f"{where}.name: Invalid function name.")
            names.append(declared["name"])
            schema_of(declared, "parameters", "parametersJsonSchema", where)
    if len(names) != len(set(names)):
        raise refuse("Duplicate function declaration found.")
    calling = (body.get("toolConfig") or {}).get("functionCallingConfig")
    if calling is not None and not names:
        raise refuse("Function calling config is set without "
                     "function_declarations.")
    for name in (calling or {}).get("allowedFunctionNames") or []:
        if calling.get("mode") not in ("ANY", "VALIDATED"):
            raise refuse("Allowed function names should be set only when "
                         "function calling mode is ANY or VALIDATED.")
        if name not in names:
            raise refuse("allowed_function_names contains an undeclared "
                         f"function: {name}")
    return names


def check_config(body, model, names):
    config = body.get("generationConfig") or {}
    schema_of(config, "responseSchema", "responseJsonSchema",
              "generation_config")
    mime = config.get("responseMimeType")
    if ("responseSchema" in config or "responseJsonSchema" in config) and (
            mime != "application/json"):
        raise refuse("response_schema requires response_mime_type "
                     "application/json")
    if mime == "application/json" and names and not third(model):
        raise refuse("Function calling with a response mime type: "
                     "'application/json' is unsupported")
    if len(config.get("stopSequences") or []) > 5:
        raise refuse("The number of stop sequences must be at most 5.")
    if not 0 <= config.get("temperature", 1) <= 2:
        raise refuse("temperature must be in the range [0.0, 2.0].")
    if config.get("maxOutputTokens", 1) < 1:
        raise refuse("max_output_tokens must be positive.")
    for name in ("presencePenalty", "frequencyPenalty"):
        if name in config and "2.5-pro" in model:
            raise refuse("Penalty is not enabled for this model")
    check_thinking(config.get("thinkingConfig") or {}, model)


def third(model):
    return re.search(r"gemini-([3-9]|\d\d)", model) is not None


def check_thinking(thinking, model):
    budget, level = (thinking.get("thinkingBudget"),
                     thinking.get("thinkingLevel"))
    if budget is not None and level is not None:
        raise refuse("You can only set only one of thinking budget and "
                     "thinking level.")
    if thinking and "2.0" in model:
        raise refuse(f"Unable to submit request because thinking is not "
                     f"supported by {model}.")
    if level is not None:
        if not third(model):
            raise refuse("Thinking level is not supported for this model.")
        low = "pro" in model or "3.7-flash" in model
        if level.lower() not in ["low", "medium", "high"] + (
                [] if low else ["minimal"]):
            raise refuse(f"Thinking level {level} is not supported for this "
                         "model.")
    if budget is not None:
        least, most = (128, 32768) if "2.5-pro" in model else (
            512 if "lite" in model else 1, 24576)
        if budget != -1 and not least <= budget <= most and (
                budget != 0 or "pro" in model):
            raise refuse(f"The thinking budget {budget} is invalid. Please "
                         f"choose a value between {least} and {most}.")


def calls_of(content):
    return [p for p in content["parts"] if "functionCall" in p]


def responses_of(content):
    return [p["functionResponse"] for p in content["parts"]
            if "functionResponse" in p]


def check_contents(contents):
    if not contents:
        raise refuse("* GenerateContentRequest.contents: contents is not "
                     "specified")
    open_calls = []
    for index, content in enumerate(contents):
        if content.get("role", "user") not in ("user", "model", "function"):
            raise refuse("Please use a valid role: user, model.")
        check_parts(content, index)
        calls, results = calls_of(content), responses_of(content)
        if calls and content.get("role") != "model":
            raise refuse("Function call parts must come from the model.")
        if open_calls and len(results) != len(open_calls):
            raise refuse(
                "Please ensure that the number of function response parts is "
                "equal to the number of function call parts of the function "
                "call turn.")
        if results and not open_calls:
            raise refuse("Please ensure that function response turn comes "
                         "immediately after a function call turn.")
        if results:
            check_matching(open_calls, results)
        if calls and (index == 0
                      or contents[index - 1].get("role") == "model"):
            raise refuse("Please ensure that function call turn comes "
                         "immediately after a user turn or after a function "
                         "response turn.")
        open_calls = [p["functionCall"] for p in calls]
    if open_calls:
        raise refuse("Please ensure that function call turns are answered.")


def check_matching(calls, results):
    for call in calls:
        for result in results:
            if result["name"] == call["name"] and (
                    result.get("id") == call.get("id")):
                break
        else:
            raise refuse(f"No function response for {call['name']} "
                         f"(id {call.get('id')}).")


def check_parts(content, index):
    parts = content.get("parts")
    if not parts:
        raise refuse(f"* GenerateContentRequest.contents[{index}].parts: "
                     "contents.parts must not be empty.")
    for place, part in enumerate(parts):
        data = [k for k in part if k not in (
            "thought", "thoughtSignature", "mediaResolution",
            "videoMetadata", "partMetadata")]
        if len(data) != 1 or (part.get("text") == ""
                              and "thoughtSignature" not in part):
            raise refuse(
                "* GenerateContentRequest."
                f"contents[{index}].parts[{place}].data: required oneof field "
                "'data' must have one initialized field")
