"""How often a long prompt is copied on its way through the service."""

import json
import re
from collections import Counter

import sides
import streams
from sides import harness

SIZE = 1_000_000
FEW, MANY = 1, 4  # their difference leaves out what the start copies


def layer(frames: list) -> str:
    """The innermost function of the service's own that a copy was made for."""
    for frame in frames:
        name = re.search(r"\bllm::((?:\w+::|\(anonymous namespace\)::)*\w+)",
                         frame)
        if name:
            return name[1].replace("(anonymous namespace)::", "")
    return "elsewhere"


def counted(options, model: str, requests: int) -> Counter:
    """Bytes copied by so many requests, by layer, in prompts: DHAT sees every
    memcpy, memmove and strcpy of the process."""
    out = options.scratch / f"copies-{model}.json"
    upstream = harness.Simulator("--no-log", "--chars", "620")
    upstream.script("claude", **streams.anthropic_script(0))
    gateway = sides.gateway_under(
        "--tool=dhat --mode=copy --num-callers=40 "
        f"--dhat-out-file={out}", upstream.port, options.scratch)
    body = sides.chat_body(SIZE, stream=True, model=model)
    sides.ask(gateway, body, requests)
    gateway.service.stop(120)
    upstream.close()
    record = json.loads(out.read_text())
    copied = Counter()
    for point in record["pps"]:
        frames = [record["ftbl"][at] for at in point["fs"]]
        copied[layer(frames)] += point["tb"]
    return Counter({name: count / len(body)
                    for name, count in copied.items()})


def copies(options):
    """In user space; the kernel's two are the same for any proxy."""
    rows = []
    for dialect, model in (("openai", "m"), ("anthropic", "c")):
        few, many = (counted(options, model, n) for n in (FEW, MANY))
        each = {name: (count - few[name]) / (MANY - FEW)
                for name, count in many.items()}
        kept = {name: count for name, count in each.items() if count > 0.05}
        rows.append({"work": f"copies of a prompt of 1 MB, {dialect} upstream",
                     "unit": "", "service": round(sum(kept.values()), 2)})
        for name, count in sorted(kept.items(), key=lambda one: -one[1]):
            rows.append({"work": f"  {name}", "unit": "",
                         "service": round(count, 2)})
    return rows
