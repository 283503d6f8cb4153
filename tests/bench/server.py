"""The server over HTTP against the engine asked directly, with the same conversations on the same loaded model."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

from tests.bench.models import make_bench_model
from tests.bench.report import Report, in_turn, median, median_ratio
from tui.domain import LoadConfig, SamplingConfig, ServerOptions, text_message
from tui.engine import GenerationTask, LoadedModel
from tui.formats import ChatFormat
from tui.paths import Paths
from tui.server import Server
from tui.workbench import Workbench

TOKENS = 96
STREAMS = 8
LOAD = LoadConfig(context_length=8192, parallel=STREAMS)
GREEDY = SamplingConfig(temperature=0.0, repeat_penalty=1.0, max_tokens=TOKENS, ignore_end_of_generation=True)


def ask_engine(model: LoadedModel, streams: int, salt: int) -> dict[str, Any]:
    """The same figures as the client's, of the engine alone."""
    chat = ChatFormat(model.chat_template)
    prompts = [
        model.vocabulary.tokenize_prompt(chat.render((text_message("user", f"{salt} {number} is it"),)).text)
        for number in range(streams)
    ]
    started = time.perf_counter()
    tasks = [model.submit(prompt, GREEDY) for prompt in prompts]
    for task in tasks:
        _wait(task)
    return {
        "first": [task.first_token_at - started for task in tasks],
        "seconds": max(task.last_token_at for task in tasks) - started,
        "tokens": sum(task.generated for task in tasks),
    }


def ask_server(url: str, streams: int, salt: int) -> dict[str, Any]:
    """The figures of a client in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.http_client", url, "bench", str(streams), str(TOKENS), str(salt)],
        capture_output=True,
        check=True,
        timeout=600,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    if answer["tokens"] != streams * TOKENS:
        raise RuntimeError(f"{answer['tokens']} tokens came instead of {streams * TOKENS}")
    return answer


def measure(rounds: int) -> Report:
    with tempfile.TemporaryDirectory(prefix="lmdeck-bench-") as folder:
        root = Path(folder)
        (root / "models").mkdir()
        make_bench_model(root / "models" / "bench.gguf", context_length=8192)
        workbench = Workbench(Paths(root, root / "cache", root / "logs"))
        server = Server(workbench)
        server.start(ServerOptions(port=0))
        model = workbench.load("bench", LOAD)
        salts = count()
        found: dict[str, list[dict[str, Any]]] = {}

        def contestant(name: str, streams: int, *, over_http: bool) -> float:
            salt = next(salts)
            url = server.state.address
            figures = ask_server(url, streams, salt) if over_http else ask_engine(model, streams, salt)
            found.setdefault(name, []).append(figures)
            return float(figures["tokens"] / figures["seconds"])

        contestants = {
            "engine one": lambda: contestant("engine one", 1, over_http=False),
            "http one": lambda: contestant("http one", 1, over_http=True),
            "engine eight": lambda: contestant("engine eight", STREAMS, over_http=False),
            "http eight": lambda: contestant("http eight", STREAMS, over_http=True),
        }
        in_turn(1, contestants)
        found.clear()
        rates = in_turn(rounds, contestants)
        server.close()
        workbench.close()
    per_token = [
        (http["seconds"] - http["first"][0] - engine["seconds"] + engine["first"][0]) / TOKENS
        for http, engine in zip(found["http one"], found["engine one"], strict=True)
    ]
    first = [
        http["first"][0] - engine["first"][0]
        for http, engine in zip(found["http one"], found["engine one"], strict=True)
    ]
    figures = {
        "eight_streams_ratio": median_ratio(rates["http eight"], rates["engine eight"]),
        "one_stream_ratio": median_ratio(rates["http one"], rates["engine one"]),
        "overhead_per_token_us": median(per_token) * 1e6,
        "first_token_overhead_ms": median(first) * 1e3,
        "http_eight_tokens_per_second": median(rates["http eight"]),
        "engine_eight_tokens_per_second": median(rates["engine eight"]),
    }
    return Report("server", figures, "the engine asked directly in the same process, with the same prompts")


def _wait(task: GenerationTask) -> None:
    while (delivery := task.mailbox.take()) is None or delivery.stats is None:
        time.sleep(0.02)  # as the program reads: joined, not token by token
