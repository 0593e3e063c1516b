"""Every recorded exchange of Anthropic's and Gemini's own dialects, served by
the simulator over TCP and read through the release binary: both doors, whole
and streamed callers, the bytes whole, one at a time and cut at random.
"""

import json

import pytest

import harness
from harness import config, report
from native_meaning import Claude, Gemini, expect
from replay_doors import judge, replay_all
from test_grpc import stubs  # noqa: F401  (a fixture)

RECORDINGS = harness.SHARED / "recordings"
pytestmark = pytest.mark.skipif(
    not RECORDINGS.is_dir(),
    reason="no recordings beside the project (../shared)")
# API: dialect, what the base URL ends in, reader.
APIS = {
    "anthropic.messages": ("anthropic", "/v1", Claude),
    "gemini.generateContent": ("gemini", "/v1beta", Gemini),
    "gemini.streamGenerateContent": ("gemini", "/v1beta", Gemini),
}


def gist(got):
    """What must not depend on how an answer travelled; ids that a provider
    did not give are made anew each time."""
    return json.dumps([
        (got["text"] or "").strip(), (got["reasoning"] or "").strip(),
        got["refusal"] or "", got["finish"],
        [(name, json.loads(arguments or "{}"))
         for _, name, arguments in got["calls"]],
        got["usage"], got["buckets"]])


class Judge:
    """Judges answers, and that all answers to one recording are alike."""

    def __init__(self, reader):
        self.reader, self.first = reader, {}

    def __call__(self, recorded, outcome):
        expected = expect(self.reader, recorded["response"])
        if expected[0] == "either":
            return [] if outcome[0] == "error" else judge(
                ("ok", expected[1]), outcome)
        faults = judge(expected, outcome)
        if faults or expected[0] == "error":
            return faults
        said, got = expected[1], outcome[1]
        if sum(said.usage) and said.buckets != tuple(got["buckets"]):
            faults.append(f"buckets: want {said.buckets} "
                          f"have {got['buckets']}")
        ids = [ident for ident, _, _ in got["calls"]]
        if len(ids) != len(set(ids)):
            faults.append(f"ids twice: {ids}")
        for _, name, arguments in got["calls"]:
            if not isinstance(json.loads(arguments or "{}"), dict):
                faults.append(f"arguments of {name} are no object")
        if gist(got) != self.first.setdefault(recorded["id"], gist(got)):
            faults.append("differs from its twin")
        return faults


@pytest.mark.parametrize("api", APIS)
def test_every_recording_replays_through_both_doors(
        service, simulator, stubs, api):  # noqa: F811
    dialect, end, reader = APIS[api]
    # Who says for how long there is nothing to be had is left alone so long:
    # that recording comes last.
    files = sorted((RECORDINGS / api).glob("*.json"),
                   key=lambda file: ("429" in file.stem, file))
    assert files
    base = simulator.base_url("replay").removesuffix("/v1") + end
    running = service(config(
        f'a: {{dialect: {dialect}, base_url: "{base}", '
        'api_keys: ["env:KEY"]}',
        models="m: {provider: a, upstream: m}",
        extra="routing: {max_attempts: 1}\n"), {"KEY": "key-0123456789"})
    wrong, tried = replay_all(files, running, simulator, stubs, Judge(reader))
    right = len(files) - len(wrong)
    report(f"recordings: {right} of {len(files)} {api} exchanges wholly right "
           f"({tried} replays: two doors, whole and streamed callers, bytes "
           "whole, one by one and at random)")
    assert not wrong


def test_the_independent_reading_of_every_recording_is_sound():
    """Whatever is wrong here is wrong with the reader."""
    for api, (_, _, reader) in APIS.items():
        for file in sorted((RECORDINGS / api).glob("*.json")):
            response = json.loads(file.read_text())["response"]
            kind, said = expect(reader, response)
            if kind != "ok":
                continue
            assert all(count >= 0 for count in said.usage + said.buckets)
            for call in said.calls:
                assert isinstance(json.loads(call["arguments"]), dict), file
