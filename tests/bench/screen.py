"""Tokens per second while the screen draws the answer below 300 messages, against the same answer without a screen.

Both are processes of their own that load the same model and answer the same prompt on the one road; in one of them
a person looks on. The model reads the last message only, so that reading a long prompt is no part of it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.report import Report, in_turn, median, median_ratio
from tests.bench.terminal import PATIENCE, watched
from tests.support.model_maker import make_scripted_model
from tui.config import Settings
from tui.domain import Finished, GenerationRequest, GenerationStats, LoadConfig, SamplingConfig, text_message
from tui.paths import Paths, find_paths
from tui.threads import StoredMessage, ThreadStore
from tui.workbench import Answer, Workbench

MESSAGES_ABOVE = 300
GENERATED_TOKENS = 384
MODEL = "talker"


class Forgetful(Workbench):
    """A workbench whose model sees the last message of a thread only."""

    def answer(
        self,
        thread_id: str,
        model_key: str,
        sampling: SamplingConfig | None = None,
        *,
        parent_id: str | None = None,
    ) -> Answer:
        del sampling
        recorder = self.threads.begin_answer(thread_id, parent_id=parent_id, model=model_key)
        request = GenerationRequest(
            model_key, (text_message("user", "Go on."),), SamplingConfig(max_tokens=GENERATED_TOKENS)
        )
        return Answer(recorder.message_id, self.generate(request, recorder.record), recorder)


def answer_with_screen() -> None:
    """The child that draws: types nothing itself, the parent does."""
    from tui.__main__ import make_server
    from tui.app import run

    workbench = Forgetful(find_paths())
    workbench.load(MODEL, LoadConfig())
    sys.exit(run(workbench, make_server))


def answer_without_screen() -> None:
    """The child that only answers."""
    workbench = Forgetful(find_paths())
    workbench.load(MODEL, LoadConfig())
    (thread,) = workbench.threads.list_threads()
    workbench.threads.add_message(thread.id, text_message("user", "Go on."))
    *_, last = workbench.answer(thread.id, MODEL).generation
    workbench.close()
    assert isinstance(last, Finished), last


def last_message(home: Path) -> StoredMessage:
    store = ThreadStore(home / "lmdeck.db")
    try:
        return store.messages(store.list_threads()[0].id)[-1]
    finally:
        store.close()


def watched_answer(home: Path, mode: str) -> tuple[GenerationStats, int]:
    """Let one more answer come into the thread: its figures, and the bytes that were drawn meanwhile."""
    before = last_message(home).id
    environment = dict(os.environ, LMDECK_HOME=str(home), TERM="xterm-256color")
    with watched([sys.executable, "-m", "tests.bench.screen", mode], environment) as program:
        if mode == "screen":
            program.wait_for(b"messages")
            time.sleep(0.5)
            program.type("Go on.\r")
        end = time.monotonic() + PATIENCE
        stored, looked = last_message(home), time.monotonic()
        drawn_before = len(program.drawn)
        while stored.id == before or stored.status != "complete":
            program.read(0.05)  # a terminal that is not read would hold the program up
            if time.monotonic() > end:
                raise RuntimeError(f"no answer came; the program drew {program.drawn[-800:]!r}")
            if time.monotonic() - looked > 1.0:  # looking costs the answer something too
                stored, looked = last_message(home), time.monotonic()
        drawn = len(program.drawn) - drawn_before
    assert stored.stats is not None
    return stored.stats, drawn


def speed(home: Path, mode: str) -> float:
    """Tokens per second of one more answer in the thread, as the engine measured it."""
    return watched_answer(home, mode)[0].generation_speed


def markdown_script() -> str:
    """An answer with everything that answers have."""
    return "".join(
        f"## Part {number * 7 + 11}\n\nThis paragraph explains **value {number * 131}** at some length, and says "
        f"what `field_{number * 17}` is for, so that it wraps at least once on a screen of usual width.\n\n"
        f"- first item {number * 3 + 100}\n- second item with *stress* {number * 5 + 200}\n\n"
        f"```python\ndef function_{number * 19}(x: int) -> int:\n    return x * {number * 23 + 7}\n```\n\n"
        f"| key{number} | meaning |\n|---|---|\n| a{number * 29} | the row {number * 37} |\n\n"
        for number in range(12)
    )


def prepare(home: Path) -> None:
    paths = Paths(home, home / "cache", home / "logs")
    paths.models.mkdir(parents=True)
    make_scripted_model(
        paths.models / f"{MODEL}.gguf",
        markdown_script(),
        loop=True,
        context_length=4096,
        layers=24,
        feed_forward=1408,
        extra_tokens=151_000,
        quantization="q8_0",
    )
    store = ThreadStore(paths.database)
    thread = store.create_thread("A long thread")
    for number in range(MESSAGES_ABOVE // 2):
        store.add_message(thread.id, text_message("user", f"Question {number}: what about *this*?"))
        store.add_message(thread.id, text_message("assistant", markdown_script()[number : number + 900]))
    store.close()
    Settings(paths.settings).set("last_thread", thread.id)


def measure(rounds: int) -> Report:
    with tempfile.TemporaryDirectory(prefix="lmdeck-bench-") as folder:
        home = Path(folder)
        prepare(home)
        contestants = {"headless": lambda: speed(home, "headless"), "screen": lambda: speed(home, "screen")}
        in_turn(1, contestants)
        results = in_turn(rounds, contestants)
    return Report(
        "screen",
        {
            "streaming_ratio": median_ratio(results["screen"], results["headless"]),
            "screen_tokens_per_second": median(results["screen"]),
            "headless_tokens_per_second": median(results["headless"]),
        },
        f"the same answer in a process without a screen; {MESSAGES_ABOVE} messages above, 120x36",
    )


if __name__ == "__main__":
    answer_with_screen() if sys.argv[1] == "screen" else answer_without_screen()
