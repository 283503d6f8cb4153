"""Threads at the speed of the keyboard: opening, searching, and what an answer costs the screen.

- `open_5000_over_10_ratio`: from asking for a thread of 5,000 messages until it is drawn at 120x36, against one of 10,
  in the real application without a terminal. `store_open_5000_over_10_ratio` is the same for the store's part of it.
- `search_100k_ms`: the median of searches over 100,000 messages: common and rare words, beginnings, phrases;
  `search_100k_worst_ms` is the slowest of them.
- `stream_cost_20k_over_1k_ratio`: processor time of drawing 500 more tokens of an answer that has 20,000, against one
  that has 1,000, both with everything that answers have.
- `bytes_per_token_120x36`: what the application writes to a terminal of that size while an answer comes.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import cast

from textual.pilot import Pilot

from tests.app.fake_server import FakeServer
from tests.app.transcript.test_transcript import TranscriptApp
from tests.bench import screen
from tests.bench.report import Report, in_turn, median, median_ratio
from tests.bench.thread_texts import Writer, filled_store
from tui.app.app import LmdeckApp
from tui.app.screens.chat import ChatScreen
from tui.app.transcript import Transcript, TranscriptMessage
from tui.paths import Paths
from tui.threads import ThreadStore
from tui.workbench import Workbench

SIZE = (120, 36)
SCREENFUL = 10
"""Messages that the store is asked for: as many as the short thread has."""
SEARCHED_MESSAGES = 100_000
CHARACTERS_PER_TOKEN = 4
TOKENS_PER_TICK = 20
"""What a quick model says between two drains of the bridge."""
MEASURED_TOKENS = 500


def open_in_application(home: Path, sizes: tuple[int, ...], rounds: int) -> dict[int, list[float]]:
    """Seconds until a thread of each size is drawn, in turn with an empty one between."""
    paths = Paths(home, home / "cache", home / "logs")
    store = ThreadStore(paths.database)
    writer = Writer(1)
    threads = {size: store.put_thread(writer.thread(size)).id for size in sizes}
    store.close()

    async def measured() -> dict[int, list[float]]:
        workbench = Workbench(paths)
        app = LmdeckApp(workbench, FakeServer)
        seconds: dict[int, list[float]] = {size: [] for size in sizes}
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            conversation = cast(ChatScreen, app.screen_stack[0]).conversation
            for number in range(rounds + 1):
                for size in sizes if number % 2 else reversed(sizes):
                    conversation.open_new()
                    await pilot.pause()
                    started = time.perf_counter()
                    opening = asyncio.create_task(conversation.open(threads[size]))
                    await drawn(app)
                    if number:  # the first round fills caches
                        seconds[size].append(time.perf_counter() - started)
                    await opening  # it may go on with what is not in view
                    await pilot.pause()
        await asyncio.to_thread(workbench.close)
        return seconds

    return asyncio.run(measured())


async def drawn(app: LmdeckApp) -> None:
    """Wait until the end of the thread is on the screen."""
    transcript = app.screen.query(Transcript).first()
    while not transcript.message_count:
        await asyncio.sleep(0.001)
    done = asyncio.Event()
    app.screen.call_after_refresh(done.set)
    await done.wait()


def open_in_store(path: Path, sizes: tuple[int, ...], rounds: int) -> dict[str, list[float]]:
    """Seconds until the store has handed out the first screenful of a thread of each size."""
    store = ThreadStore(path)
    writer = Writer(2)
    threads = {size: store.put_thread(writer.thread(size)).id for size in sizes}

    def seconds(thread_id: str) -> float:
        started = time.perf_counter()
        for _ in range(20):
            store.last_messages(thread_id, SCREENFUL)
        return time.perf_counter() - started

    results = in_turn(rounds + 1, {str(size): lambda size=size: seconds(threads[size]) for size in sizes})
    store.close()
    return {size: values[1:] for size, values in results.items()}


def search_milliseconds(path: Path, rounds: int) -> list[float]:
    """For each of some searches the median of its times."""
    writer = Writer(3)
    store = filled_store(path, writer, SEARCHED_MESSAGES)
    words = writer.words
    searches = [
        words[0],
        words[10],
        words[100],
        words[1000],
        words[20_000],
        words[0][:2],
        words[300][:3],
        f"{words[0]} {words[1]}",
        f"{words[5000]} {words[3]}",
        f"{words[2]} {words[40]} {words[200][:2]}",
        f'"{words[0]} {words[1]}"',
        "nosuchwordanywhere",
    ]
    times: list[list[float]] = [[] for _ in searches]
    for _ in range(rounds + 1):
        for place, text in enumerate(searches):
            started = time.perf_counter()
            store.finder.search(text)
            times[place].append((time.perf_counter() - started) * 1000)
    store.close()
    return [median(values[1:]) for values in times]


def stream_cost(tokens_before: int) -> float:
    """Seconds of processor time for drawing more of an answer that has so many tokens already."""
    script = screen.markdown_script()

    def text(first: int, tokens: int) -> str:
        start = first * CHARACTERS_PER_TOKEN % len(script)
        return (script * (tokens * CHARACTERS_PER_TOKEN // len(script) + 2))[start:][: tokens * CHARACTERS_PER_TOKEN]

    async def measured() -> float:
        app = TranscriptApp()
        async with app.run_test(size=SIZE) as pilot:
            app.transcript.start_answer(TranscriptMessage("answer", "assistant", "", author="model"))
            for first in range(0, tokens_before, MEASURED_TOKENS):
                await say(pilot, app, text(first, MEASURED_TOKENS))
            started = time.process_time()
            # The same text in both cases, whatever came before it.
            for first in range(0, MEASURED_TOKENS, TOKENS_PER_TICK):
                await say(pilot, app, text(first, TOKENS_PER_TICK))
            return time.process_time() - started

    return asyncio.run(measured())


async def say(pilot: Pilot[None], app: TranscriptApp, text: str) -> None:
    app.transcript.stream(text)
    await pilot.pause()


def bytes_per_token(home: Path, rounds: int) -> list[float]:
    screen.prepare(home)
    screen.watched_answer(home, "screen")
    answers = [screen.watched_answer(home, "screen") for _ in range(rounds)]
    return [drawn_bytes / stats.generated_tokens for stats, drawn_bytes in answers]


def measure(rounds: int) -> Report:
    with tempfile.TemporaryDirectory(prefix="lmdeck-bench-") as folder:
        home = Path(folder)
        for name in ("open", "search", "bytes"):
            (home / name).mkdir()
        opened = open_in_application(home / "open", (10, 5000), rounds)
        from_store = open_in_store(home / "store.db", (10, 5000), rounds)
        searches = search_milliseconds(home / "search" / "lmdeck.db", rounds)
        costs = in_turn(rounds, {"1k": lambda: stream_cost(1000), "20k": lambda: stream_cost(20_000)})
        drawn_bytes = bytes_per_token(home / "bytes", min(rounds, 3))
    return Report(
        "threads",
        {
            "open_5000_over_10_ratio": median_ratio(opened[5000], opened[10]),
            "open_5000_ms": median(opened[5000]) * 1000,
            "store_open_5000_over_10_ratio": median_ratio(from_store["5000"], from_store["10"]),
            "search_100k_ms": median(searches),
            "search_100k_worst_ms": max(searches),
            "stream_cost_20k_over_1k_ratio": median_ratio(costs["20k"], costs["1k"]),
            "bytes_per_token_120x36": median(drawn_bytes),
        },
        "a thread of 10 messages, and an answer of 1,000 tokens, in the same process",
    )
