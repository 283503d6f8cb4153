"""Two thousand mixed requests against two models that come and go: nobody stays unanswered and nothing is left over.

Clients ask, cancel, vanish, overflow the context, send impossible schemas and sampling values, while another one
unloads the models under them. Figures are counted at the end; memory is compared with what the process held after
the first quarter.
"""

from __future__ import annotations

import gc
import json
import os
import random
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.bench.report import Report
from tests.support.model_maker import make_tiny_model
from tui.domain import (
    Constraint,
    Failed,
    Finished,
    GenerationRequest,
    LoadConfig,
    Message,
    OverflowPolicy,
    SamplingConfig,
    text_message,
)
from tui.engine import LoadedModel
from tui.paths import Paths
from tui.workbench import Workbench

REQUESTS = 2000
CLIENTS = 6
CONTEXT_LENGTH = 512
UNLOAD_EVERY = 150
"""Requests between two unloads."""
PATIENCE = 120.0
"""Seconds after which a request counts as unanswered."""
LOAD = LoadConfig(context_length=CONTEXT_LENGTH, threads=1, parallel=3)
MODELS = ("one", "two")
SCHEMA = json.dumps({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]})
BAD_CONSTRAINTS = (
    Constraint("json_schema", '{"type": "nonsense"}'),
    Constraint("json_schema", "{"),
    Constraint("regex", "(unclosed"),
    Constraint("gbnf", "root ::= ("),
    Constraint("lark", "start: ["),
)
POLICIES: tuple[OverflowPolicy, ...] = ("stopAtLimit", "truncateMiddle", "rollingWindow", "error")


@dataclass
class Soak:
    """The clients' shared state."""

    workbench: Workbench
    left: int = REQUESTS
    unanswered: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_number(self) -> int | None:
        """The next request's number, counting down; `None` when all were sent."""
        with self.lock:
            if not self.left:
                return None
            self.left -= 1
            return self.left

    def client(self) -> None:
        while (number := self.next_number()) is not None:
            chance = random.Random(number)
            outcome = self._one(number, chance)
            with self.lock:
                self.outcomes[outcome] += 1
                self.unanswered += outcome == "unanswered"
            # Not near the end, so that both models carry traces of many requests when they are looked at.
            if number % UNLOAD_EVERY == 0 and number > UNLOAD_EVERY:
                self.workbench.unload(chance.choice(MODELS))

    def _one(self, number: int, chance: random.Random) -> str:
        request = _request(number, chance)
        generation = self.workbench.generate(request)
        manner = chance.random()
        if manner < 0.15:  # changes its mind at once
            generation.cancel()
        elif manner < 0.35:  # reads a little, then goes away without reading on
            for seen, _ in enumerate(generation):
                if seen >= 2:
                    break
            generation.cancel()
        if not generation.wait(PATIENCE):
            return "unanswered"
        last = (generation.take() or [None])[-1]
        match last:
            case Finished(stats):
                return stats.stop_reason
            case Failed(error):
                return error.code
            case _:
                return "vanished" if manner < 0.35 else "unanswered"


def _request(number: int, chance: random.Random) -> GenerationRequest:
    sampling = SamplingConfig(max_tokens=chance.randint(1, 24), seed=number)
    constraint = None
    policy: OverflowPolicy = "truncateMiddle"
    messages = _conversation(chance, turns=chance.randint(0, 2), words=8)
    model = chance.choice(MODELS)
    match chance.randrange(10):
        case 0:
            policy = chance.choice(POLICIES)
            messages = _conversation(chance, turns=chance.randint(0, 30), words=60)
        case 1:
            constraint = chance.choice(BAD_CONSTRAINTS)
        case 2:
            constraint = Constraint("json_schema", SCHEMA)
        case 3:
            sampling = SamplingConfig(temperature=chance.choice([-1.0, float("nan")]), max_tokens=5)
        case 4:
            sampling = SamplingConfig(max_tokens=12, top_logprobs=3, stop=("e", "th"))
        case 5:
            model = "missing"
        case _:
            pass
    return GenerationRequest(
        model, messages, sampling, LOAD, origin=chance.choice(["screen", "server"]), overflow=policy,
        constraint=constraint,
    )  # fmt: skip


def _conversation(chance: random.Random, turns: int, words: int) -> tuple[Message, ...]:
    """A system prompt that many share, some turns, and a question."""
    topic = chance.randrange(5)
    messages = [text_message("system", f"You talk about topic {topic}, at length and in detail.")]
    for turn in range(turns):
        messages.append(text_message("user", f"Question {turn} about {topic}: " + "word " * words))
        messages.append(text_message("assistant", f"Answer {turn} about {topic}: " + "said " * words))
    messages.append(text_message("user", "And now? " + "more " * chance.randint(1, words)))
    return tuple(messages)


def _resident_mb(workbench: Workbench) -> float:
    """What the process holds when no model is loaded."""
    for name in MODELS:
        workbench.unload(name)
    gc.collect()
    return float(psutil.Process(os.getpid()).memory_info().rss) / 2**20


def _leaked(model: LoadedModel) -> int:
    """Cells that llama.cpp holds and nobody knows of; the models have just been through all of it."""
    figures = model.cache_figures()
    return figures.leaked_cells if figures is not None else 0


def _run(soak: Soak, requests: int) -> None:
    soak.left = requests
    clients = [threading.Thread(target=soak.client) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()


def measure(rounds: int) -> Report:  # noqa: ARG001 - one long round is the measurement
    with tempfile.TemporaryDirectory(prefix="lmdeck-bench-") as folder:
        root = Path(folder)
        for seed, name in enumerate(MODELS):
            make_tiny_model(
                root / "models" / f"{name}.gguf", extra_tokens=300, seed=seed, context_length=CONTEXT_LENGTH
            )
        workbench = Workbench(Paths(root, root / "cache", root / "logs"))
        workbench.catalogue.refresh()
        soak = Soak(workbench)
        workbench.engine.auto_evict = False  # both models stay, and are unloaded by the clients
        _run(soak, REQUESTS // 4)
        warm = _resident_mb(workbench)
        _run(soak, REQUESTS // 4)
        halfway = _resident_mb(workbench)
        _run(soak, REQUESTS // 2)
        leaked = sum(_leaked(model) for model in workbench.loaded())
        end = _resident_mb(workbench)
        workbench.close()
    figures = {
        "requests": float(REQUESTS),
        "unanswered": float(soak.unanswered),
        "leaked_cells": float(leaked),
        "memory_growth_mb": end - warm,
        "memory_growth_halfway_mb": halfway - warm,
        "memory_mb": end,
        **{f"outcome_{name}": float(count) for name, count in sorted(soak.outcomes.items())},
    }
    return Report("soak", figures, "the same process after the first quarter of the requests")
