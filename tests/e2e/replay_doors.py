"""Replays recorded exchanges through both doors of the service and reads what
comes out; the reading of what must come out is the callers'.
"""

import json

import grpc

from harness import sse

SPLITS = {"whole": {}, "bytes": {"pieces": [1]}, "random": {"random_seed": 7}}


def same_arguments(a, b):
    if not (a or "").strip():
        a = "{}"
    if not (b or "").strip():
        b = "{}"
    try:
        return json.loads(a) == json.loads(b)
    except ValueError:
        return a == b


def compare(said, got):
    faults = []

    def check(name, want, have):
        if want != have:
            faults.append(f"{name}: want {want!r:.120} have {have!r:.120}")

    check("text", said.text.strip(), (got["text"] or "").strip())
    check("reasoning", said.reasoning.strip(),
          (got["reasoning"] or "").strip())
    check("refusal", said.refusal, got["refusal"] or "")
    check("finish", said.expected_finish(), got["finish"])
    check("calls", len(said.calls), len(got["calls"]))
    for want, (ident, name, arguments) in zip(said.calls, got["calls"]):
        check("name", want["name"], name)
        if want["id"] and want["id"] != "null":
            check("id", want["id"], ident)
        if not ident:
            faults.append("a call without id")
        if not same_arguments(want["arguments"], arguments):
            faults.append(f"arguments: {want['arguments']!r} {arguments!r}")
    if said.usage and sum(said.usage):
        check("usage", said.usage, got["usage"])
    return faults


def read_whole(body):
    choice = body["choices"][0]
    message = choice["message"]
    usage = body.get("usage") or {}
    return {
        "text": message.get("content"),
        "reasoning": message.get("reasoning_content"),
        "refusal": message.get("refusal"),
        "finish": choice["finish_reason"],
        "calls": [(c["id"], *pair(c)) for c in message.get("tool_calls") or []],
        "usage": (usage.get("prompt_tokens"), usage.get("completion_tokens")),
        "buckets": buckets(usage),
    }


def buckets(usage):
    """Cached, written to a cache, reasoning."""
    prompt = usage.get("prompt_tokens_details") or {}
    completion = usage.get("completion_tokens_details") or {}
    return (prompt.get("cached_tokens") or 0,
            prompt.get("cache_write_tokens") or 0,
            completion.get("reasoning_tokens") or 0)


def grpc_buckets(usage):
    return (usage.prompt_tokens_details.cached_tokens,
            usage.prompt_tokens_details.cache_write_tokens,
            usage.completion_tokens_details.reasoning_tokens)


def pair(call):
    inner = call.get("function") or call.get("custom") or {}
    return inner.get("name"), inner.get("arguments", inner.get("input"))


def read_stream(events):
    got = {"text": "", "reasoning": "", "refusal": "", "finish": None,
           "calls": [], "usage": (None, None), "buckets": (0, 0, 0)}
    calls = {}
    for event in events:
        if event == "[DONE]":
            break
        if "error" in event:
            return event
        usage = event.get("usage")
        if usage:
            got["usage"] = (usage["prompt_tokens"], usage["completion_tokens"])
            got["buckets"] = buckets(usage)
        for choice in event["choices"]:
            if choice["index"] != 0:
                continue
            delta = choice["delta"]
            got["text"] += delta.get("content") or ""
            got["reasoning"] += delta.get("reasoning_content") or ""
            got["refusal"] += delta.get("refusal") or ""
            for call in delta.get("tool_calls") or []:
                known = calls.setdefault(call["index"], ["", "", ""])
                name, arguments = pair(call)
                known[0] += call.get("id") or ""
                known[1] += name or ""
                known[2] += arguments or ""
            if choice.get("finish_reason"):
                assert got["finish"] is None, "finish_reason twice"
                got["finish"] = choice["finish_reason"]
    got["calls"] = [tuple(calls[index]) for index in sorted(calls)]
    return got


def read_grpc(response):
    choice = response.choices[0]
    message = choice.message
    return {
        "text": message.content, "reasoning": message.reasoning_content,
        "refusal": message.refusal, "finish": choice.finish_reason,
        "calls": [(c.id, c.function.name or c.custom.name,
                   c.function.arguments or c.custom.input)
                  for c in message.tool_calls],
        "usage": (response.usage.prompt_tokens,
                  response.usage.completion_tokens),
        "buckets": grpc_buckets(response.usage),
    }


def ask_http(running, stream, messages=None):
    more = {"stream_options": {"include_usage": True}} if stream else {}
    reply = running.chat("m", stream=stream, **more)
    if reply.status != 200:
        return "error", reply.status
    if not stream:
        return "ok", read_whole(reply.json())
    events = sse(reply)
    got = read_stream(events)
    if "error" in got:
        return "error", None
    return ("ok", got) if events[-1] == "[DONE]" else ("error", "no DONE")


def ask_grpc(service, stubs, stream):
    chat = stubs.chat
    request = chat.ChatCompletionRequest(
        model="m", messages=[chat.Message(role="user", content="hello")],
        stream_options=chat.StreamOptions(include_usage=True))
    try:
        if not stream:
            return "ok", read_grpc(service.ChatCompletion(request, timeout=30))
        whole = chat.ChatCompletionChunk()
        text = {"text": "", "reasoning": "", "refusal": "", "finish": None}
        calls, usage, split = {}, (0, 0), (0, 0, 0)
        for whole in service.StreamChatCompletion(request, timeout=30):
            if whole.HasField("usage"):
                usage = (whole.usage.prompt_tokens,
                         whole.usage.completion_tokens)
                split = grpc_buckets(whole.usage)
            for choice in whole.choices:
                if choice.index:
                    continue
                text["text"] += choice.delta.content
                text["reasoning"] += choice.delta.reasoning_content
                text["refusal"] += choice.delta.refusal
                text["finish"] = choice.finish_reason or text["finish"]
                for call in choice.delta.tool_calls:
                    known = calls.setdefault(call.index, ["", "", ""])
                    known[0] += call.id
                    known[1] += call.function.name or call.custom.name
                    known[2] += call.function.arguments or call.custom.input
        return "ok", {**text, "usage": usage, "buckets": split, "calls": [
            tuple(calls[i]) for i in sorted(calls)]}
    except grpc.RpcError as error:
        return "error", error.code()


def judge(expected, outcome):
    """The faults of an answer, given what `expect` says it must be."""
    kind, want = expected
    have, got = outcome
    if kind != have:
        return [f"want {kind} {want if kind == 'error' else ''} have {have} "
                f"{got if have == 'error' else ''}"]
    if kind == "error":
        if isinstance(got, int) and want is not None and got != want:
            return [f"status: want {want} have {got}"]
        return []
    return compare(want, got)


def response_script(response):
    headers = {k: v for k, v in response["headers"].items()
               if k.lower() in ("content-type", "retry-after")}
    body = response.get("raw")
    if body is None or response.get("body") is not None:
        body = json.dumps(response["body"], ensure_ascii=False)
    return {"status": response["status"], "headers": headers, "body": body,
            "times": 0}


def replay_all(files, running, simulator, stubs, faults_of):
    """({file: faults}, replays): every file by every split, caller and door;
    `faults_of(recorded, outcome)`."""
    door = stubs.LlmService(grpc.insecure_channel(running.addresses["grpc"]))
    wrong, tried = {}, 0
    for file in files:
        recorded = json.loads(file.read_text())
        for split, pieces in SPLITS.items():
            simulator.reset("replay")
            simulator.script("replay", **response_script(recorded["response"]),
                             **pieces)
            for stream in (False, True):
                for name, ask in (
                        ("http", lambda: ask_http(running, stream)),
                        ("grpc", lambda: ask_grpc(door, stubs, stream))):
                    tried += 1
                    faults = faults_of(recorded, ask())
                    if faults:
                        wrong.setdefault(file.stem, []).append(
                            (name, split, stream, faults))
    for stem, faults in wrong.items():
        print(stem, len(faults), faults[0])
    return wrong, tried
