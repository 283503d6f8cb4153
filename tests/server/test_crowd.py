"""Two hundred clients at once, some of them rude: everybody else is answered and nothing is left over."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import threading
import time

import psutil
import pytest

from tests.server.conftest import ANSWER, Running

CLIENTS = 200
BODY = {"model": "talker", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


async def polite(port: int) -> str:
    """Reads its answer to the end."""
    reader, writer = await _ask(port, json.dumps(BODY).encode())
    text = ""
    while line := await reader.readline():
        if line.startswith(b"data: {"):
            choices = json.loads(line[6:])["choices"]
            text += (choices[0]["delta"].get("content") or "") if choices else ""
    writer.close()
    return text


async def hasty(port: int, chance: random.Random) -> str:
    """Goes away in the middle."""
    body = json.dumps({**BODY, "model": "random", "max_tokens": 1000, "ignore_eos": True}).encode()
    reader, writer = await _ask(port, body)
    await asyncio.sleep(chance.random())
    await reader.read(100)
    writer.transport.abort()
    return "gone"


async def slow(port: int) -> str:
    """Reads a byte now and then, for a while."""
    reader, writer = await _ask(port, json.dumps(BODY).encode())
    for _ in range(20):
        await reader.read(1)
        await asyncio.sleep(0.02)
    text = await reader.read()
    writer.close()
    return "read" if b"[DONE]" in text else "cut off"


async def broken(port: int, chance: random.Random) -> str:
    """Sends nonsense."""
    body = chance.choice([b"{", b"[]", b"\xff" * 50, b'{"model": 5}', b'{"messages": [[[]]]}'])
    reader, writer = await _ask(port, body)
    status = await reader.readline()
    writer.close()
    return "refused" if b" 400 " in status else status.decode()


async def _ask(port: int, body: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()
    return reader, writer


async def crowd(port: int, salt: int) -> list[str]:
    chance = random.Random(salt)
    kinds = [polite(port) for _ in range(CLIENTS // 2)]
    kinds += [hasty(port, random.Random(number)) for number in range(CLIENTS // 4)]
    kinds += [slow(port) for _ in range(CLIENTS // 8)]
    kinds += [broken(port, random.Random(number)) for number in range(CLIENTS // 8)]
    chance.shuffle(kinds)
    return await asyncio.wait_for(asyncio.gather(*kinds), 120)


@pytest.mark.timeout(400)
def test_a_crowd_is_served_and_leaves_nothing_behind(running: Running) -> None:
    port = int(running.url.rpartition(":")[2])
    asyncio.run(crowd(port, 0))
    before = _resident_mb()
    waits: list[float] = []
    over = threading.Event()

    def person() -> None:
        # Somebody else's loop in the same process: what the server does must not hold it up.
        while not over.is_set():
            started = time.perf_counter()
            time.sleep(0.01)
            waits.append(time.perf_counter() - started - 0.01)

    typing = threading.Thread(target=person)
    typing.start()
    said = asyncio.run(crowd(port, 1))
    over.set()
    typing.join()
    assert said.count(ANSWER) == CLIENTS // 2
    assert said.count("gone") == CLIENTS // 4
    assert said.count("read") == CLIENTS // 8
    assert said.count("refused") == CLIENTS // 8
    waits.sort()
    assert waits[len(waits) // 2] < 0.1, "a thread that draws gets its turn"
    deadline = time.monotonic() + 30
    while running.server.log.running() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert running.server.log.running() == 0
    assert _resident_mb() - before < 64
    assert all(model.running == 0 for model in running.workbench.loaded())


def _resident_mb() -> float:
    gc.collect()
    return float(psutil.Process(os.getpid()).memory_info().rss) / 2**20
