"""kill -9 at random under load: no answered request without its row, no row
twice; what was in flight is found again as lost."""

import collections
import http.client
import json
import os
import random
import sqlite3
import threading
import time
import urllib.error

import harness
from harness import config, report, upstream

ROUNDS = int(os.environ.get("LLM_KILL_ROUNDS", "20"))


def load(running, answered, stop, seed):
    rng = random.Random(seed)
    while not stop.is_set():
        stream = rng.random() < 0.5
        try:
            # The upstream sees the text, our rows the run: the same word.
            name = f"q{rng.random()}"
            reply = running.chat("m", text=name, run_id=name, stream=stream)
        except (OSError, urllib.error.URLError, http.client.HTTPException):
            return
        if reply.status != 200:
            continue
        if not stream:
            answered.append(reply.json()["llm_service"]["request_id"])
        elif b"data: [DONE]" in reply.body:
            answered.append(harness.sse(reply)[-2]["llm_service"]
                            ["request_id"])


def test_no_answered_request_is_without_its_row(service, tmp_path):
    simulator = harness.Simulator("--deltas", "8")
    rng = random.Random(20261122)
    text = config(upstream("a", simulator.base_url("k")),
                  models="m: {provider: a, upstream: m}")
    answered = []
    running = service(text, directory=tmp_path)
    for round_number in range(ROUNDS):
        stop = threading.Event()
        threads = [
            threading.Thread(target=load, args=(running, answered, stop,
                                                (round_number, i).__hash__()))
            for i in range(6)
        ]
        for thread in threads:
            thread.start()
        time.sleep(rng.uniform(0.05, 0.4))
        running.kill9()
        stop.set()
        for thread in threads:
            thread.join()
        running.start()
    # A query sees what was appended before it; recovery has run by then.
    deadline = time.monotonic() + 20
    database = sqlite3.connect(tmp_path / "service.db")
    while time.monotonic() < deadline:
        running.usage()
        stored = [row[0] for row in database.execute(
            "SELECT request_id FROM requests")]
        if set(answered) <= set(stored):
            break
        time.sleep(0.2)
    missing = set(answered) - set(stored)
    assert not missing, f"{len(missing)} of {len(answered)} answered requests"
    rows, lost = collections.Counter(), collections.Counter()
    for run, outcome in database.execute("SELECT run_id, outcome FROM attempts"):
        (lost if outcome == "lost" else rows)[run] += 1
    seen = collections.Counter(
        json.loads(request["body"])["messages"][0]["content"]
        for request in simulator.log("k"))
    for run in set(seen) | set(rows) | set(lost):
        # Each dispatch has one row. An intent may be journalled and its process
        # killed before dispatch, so a lost row may stand for nothing.
        assert rows[run] <= seen[run] <= rows[run] + lost[run], run
    requests = collections.Counter(
        row[0] for row in database.execute("SELECT run_id FROM requests"))
    assert set(requests.values()) == {1}
    report(f"kill -9: {ROUNDS} times, {len(answered)} answered, "
           f"{rows.total() + lost.total()} attempt rows, {seen.total()} seen "
           f"upstream, {lost.total()} lost; none missing, none twice")
    assert len(answered) > ROUNDS
    assert lost.total() > 0
    simulator.close()


def test_two_processes_on_one_store_act_as_one(service, tmp_path):
    text = config("simulated: {}", auth="keys")
    shared = text.replace('"service.db"', json.dumps(str(tmp_path / "one.db")))
    first, second = service(shared), service(shared)
    key = first.create_key("shared")

    def within(seconds, condition):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "not within the bound"
            time.sleep(0.05)

    within(2, lambda: second.chat(key=key).status == 200)
    assert first.chat(key=key).status == 200
    within(5, lambda: first.usage()["total"]["requests"]
           == second.usage()["total"]["requests"] >= 2)
    key_id = first.call("/admin/v1/keys", key=harness.ADMIN_KEY,
                        listener="admin_http").json()["keys"][0]["id"]
    revoked = first.call(f"/admin/v1/keys/{key_id}/revoke", b"{}",
                         harness.ADMIN_KEY, "admin_http", method="POST")
    assert revoked.status == 200
    within(2, lambda: second.chat(key=key).status == 401)
