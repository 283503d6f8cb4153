"""What a thread costs that goes on: after ten turns, after 1,400 tokens, and in a new process.

Tokens that a turn reads again beside those that are new; the time to the first token of a short message after a long
thread, beside a bare loop that reads the message alone on an empty context; and a thread of 4,000 tokens that comes
back from disk in a new process, beside reading it there. The file has left the system's cache before it is read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.engine import CONFIG, CONTEXT_LENGTH, BareLoop
from tests.bench.models import make_bench_model
from tests.bench.report import Report, in_turn, median, median_ratio
from tui.domain import GenerationStats, ModelInfo, SamplingConfig
from tui.engine import Engine, LoadedModel, LogRing

TURNS = 10
TURN_TOKENS = 100
CACHED_TOKENS = 1400
NEW_TOKENS = 44
THREAD_TOKENS = 4000
ANSWER = SamplingConfig(temperature=0.0, repeat_penalty=1.0, max_tokens=16, ignore_end_of_generation=True)
ONE_TOKEN = SamplingConfig(temperature=0.0, repeat_penalty=1.0, max_tokens=1, ignore_end_of_generation=True)


def text(tokens: int, salt: int) -> list[int]:
    """A message that begins like no other one."""
    return [1000 + salt, *((salt * 31 + index * 17) % 50_000 + 2000 for index in range(tokens - 1))]


def say(model: LoadedModel, prompt: list[int], sampling: SamplingConfig, *, keep: bool = False) -> GenerationStats:
    """One turn; the prompt is extended by the answer."""
    task = model.submit(prompt, sampling, keep_state=keep)
    while (delivery := task.mailbox.take()) is None or delivery.stats is None:
        pass
    return delivery.stats


def turn_ten(model: LoadedModel) -> tuple[int, int]:
    """Tokens that the last of ten turns read, and those that the model had not seen before it."""
    thread: list[int] = []
    reread = new = 0
    for turn in range(TURNS):
        # The last token of an answer is chosen, but not read before the next turn.
        new = TURN_TOKENS + bool(thread)
        thread += text(TURN_TOKENS, 100 + turn)
        stats = say(model, thread, ANSWER)
        reread = stats.prompt_tokens - stats.cached_prompt_tokens
    return reread, new


def follow_up(model: LoadedModel, salt: int) -> float:
    """Seconds to the first token of a message of 44 tokens after 1,400."""
    thread = text(CACHED_TOKENS, salt)
    say(model, thread, ONE_TOKEN)
    thread += text(NEW_TOKENS - 1, salt + 1)  # with the answer's token, which was not read yet, they are 44
    stats = say(model, thread, ONE_TOKEN)
    if stats.prompt_tokens - stats.cached_prompt_tokens != NEW_TOKENS:
        raise RuntimeError("the follow-up read something else than what is new")
    return stats.time_to_first_token


def in_new_process(path: Path, states: Path, salt: int) -> float:
    """Seconds to the first token of the long thread in a process of its own; see `main`."""
    saved = any(states.glob("*.state"))
    command = [sys.executable, "-m", "tests.bench.prefix", str(path), str(states), str(salt)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    if found["cached"] != (THREAD_TOKENS - 1 if saved else 0) or not any(states.glob("*.state")):
        raise RuntimeError(f"the thread was not saved or not restored: {found}")
    return float(found["seconds"])


def read_and_restore(path: Path, salt: int) -> tuple[float, float]:
    """Seconds to the first token when the thread is read, and when a later process takes it from disk."""
    with tempfile.TemporaryDirectory(prefix="lmdeck-bench-") as folder:
        states = Path(folder)
        read = in_new_process(path, states, salt)
        for file in states.glob("*.state"):
            _leave_system_cache(file)
        return read, in_new_process(path, states, salt)


def main() -> None:
    """Say the long thread's first token; what it took goes to stdout. Closing saves the thread."""
    path, states, salt = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    saved_before = any(states.glob("*.state"))
    engine = Engine(path.parent / "verdicts.json", LogRing(), states=states)
    model = engine.load(ModelInfo(key="bench", path=path, size=path.stat().st_size, files=(path,)), CONFIG)
    say(model, text(64, 999), ONE_TOKEN)  # weights and kernels are warm then, in both processes
    stats = say(model, text(THREAD_TOKENS, salt), ONE_TOKEN, keep=not saved_before)
    engine.close()
    print(json.dumps({"seconds": stats.time_to_first_token, "cached": stats.cached_prompt_tokens}))


def _leave_system_cache(file: Path) -> None:
    with open(file, "rb") as opened:
        os.fsync(opened.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def measure(rounds: int) -> Report:
    with tempfile.TemporaryDirectory(prefix="lmdeck-bench-") as folder:
        path = make_bench_model(Path(folder) / "bench.gguf", context_length=CONTEXT_LENGTH)
        engine = Engine(Path(folder) / "verdicts.json", LogRing())
        model = engine.load(ModelInfo(key="bench", path=path, size=path.stat().st_size), CONFIG)
        bare = BareLoop(path, engine.self_test().kernels)
        salts = iter(range(1000, 40_000, 10))
        reread, new = turn_ten(model)
        contestants = {
            "follow up": lambda: follow_up(model, next(salts)),
            "alone": lambda: NEW_TOKENS / bare.prompt(text(NEW_TOKENS, next(salts))),
        }
        in_turn(1, contestants)  # warm both
        # A follow-up takes a fraction of a second, so many of them cost less than one of the long threads.
        short = in_turn(4 * rounds, contestants)
        bare.close()
        engine.close()
        threads = [read_and_restore(path, salt) for salt in range(rounds)]
    read, restored = [list(seconds) for seconds in zip(*threads, strict=True)]
    figures = {
        "reread_tokens": float(reread),
        "new_tokens": float(new),
        "follow_up_ratio": median_ratio(short["follow up"], short["alone"]),
        "follow_up_ms": 1000 * median(short["follow up"]),
        "alone_ms": 1000 * median(short["alone"]),
        "restore_speedup": median_ratio(read, restored),
        "read_ms": 1000 * median(read),
        "restore_ms": 1000 * median(restored),
    }
    return Report(
        "prefix", figures, "a bare llama_decode loop on an empty context; reading the thread in a new process"
    )


if __name__ == "__main__":
    main()
