"""A client of the server in a process of its own, so that its work is not taken for the server's.

`python -m tests.bench.http_client URL MODEL STREAMS TOKENS SALT` sends so many chats at once and prints, as JSON, the
seconds until the first piece of each and until the end of all of them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from urllib.parse import urlsplit


async def _one(url: str, body: bytes, ready: asyncio.Barrier) -> tuple[float, float, float, int]:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    await ready.wait()
    started = time.perf_counter()
    writer.write(head.encode() + body)
    first, tokens = 0.0, 0
    while line := await reader.readline():
        if not line.startswith(b"data: {"):
            continue
        if not first and (b'"content":"' in line and b'"content":""' not in line):
            first = time.perf_counter()
        if b'"usage":{' in line:
            tokens = json.loads(line[6:])["usage"]["completion_tokens"]
    writer.close()
    return started, first, time.perf_counter(), tokens


async def _all(url: str, model: str, streams: int, tokens: int, salt: int) -> dict[str, object]:
    ready = asyncio.Barrier(streams)
    bodies = [
        json.dumps(
            {
                "model": model,
                "messages": [{"role": "user", "content": f"{salt} {number} is it"}],
                "stream": True,
                "stream_options": {"include_usage": True},
                "max_tokens": tokens,
                "temperature": 0,
                "repeat_penalty": 1.0,
                "ignore_eos": True,
            }
        ).encode()
        for number in range(streams)
    ]
    done = await asyncio.gather(*(_one(url, body, ready) for body in bodies))
    return {
        "first": [first - started for started, first, _, _ in done],
        "seconds": max(ended for _, _, ended, _ in done) - min(started for started, _, _, _ in done),
        "tokens": sum(count for _, _, _, count in done),
    }


if __name__ == "__main__":
    url, model, *numbers = sys.argv[1:]
    print(json.dumps(asyncio.run(_all(url, model, *map(int, numbers)))))
