"""A program that uses a client, forks, and says what its children heard.

    python_client_forks.py CASE TRANSPORT GRPC_TARGET [URL]

CASE is what the parent has done with the client before it forks. A process of its own,
since what grpcio can do after a fork depends on all that was done before.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sys
import threading

from python_client_doors import HELLO, llm_service

CHILDREN = 3
case, transport, target, *url = sys.argv[1:]
where = {"transport": transport, "grpc_target": target, "api_key": ""}
if url:
    where["base_url"] = url[0]
client = llm_service.Client(**where)
aclient = llm_service.AsyncClient(**where)
held = []  # the parent's stream: a child drops its copy of it


async def ask_async() -> str:
    return llm_service.text_of(await aclient.chat(HELLO, timeout=20))


def child(results) -> None:
    held.clear()
    try:
        chunks = client.stream(HELLO, timeout=20)
        heard = [llm_service.text_of(client.chat(HELLO, timeout=20)),
                 "".join(map(llm_service.text_of, chunks)), asyncio.run(ask_async())]
        results.put([client.transport, heard])
    except BaseException as error:  # the parent must hear of it
        results.put(["failed", repr(error)])


def busy(stop) -> None:
    while not stop.is_set():
        client.chat(HELLO)


def main() -> None:
    text = llm_service.text_of(client.chat(HELLO))
    held.append(client.stream(HELLO))
    stop = threading.Event()
    thread = threading.Thread(target=busy, args=(stop,))
    if case == "stream":
        next(held[0])
    elif case == "aio":
        asyncio.run(ask_async())
    elif case == "busy":
        thread.start()
    context = multiprocessing.get_context("fork")
    heard, codes = [], []
    for _ in range(CHILDREN):
        results = context.Queue()
        process = context.Process(target=child, args=(results,))
        process.start()
        heard.append(results.get(timeout=60))
        process.join(30)
        codes.append(process.exitcode)
    stop.set()
    if thread.ident:
        thread.join()
    rest = "".join(map(llm_service.text_of, held[0]))
    after = llm_service.text_of(client.chat(HELLO))
    client.close()
    print(json.dumps({"text": text, "children": heard, "codes": codes,
                      "rest": rest, "after": after, "parent": client.transport}))


main()
