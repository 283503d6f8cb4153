"""A conversation that uses all of the cache: alone, next turns, an edited message, several at once."""

from __future__ import annotations

import random

from tests.support.engines import Collected, collect
from tests.support.table_driver import EXACT
from tui.domain import LoadConfig, SamplingConfig
from tui.engine import LoadedModel

GREEDY = SamplingConfig(temperature=0.0, repeat_penalty=1.0, max_tokens=60)


def words(count: int, seed: float = 0) -> list[int]:
    """Random tokens."""
    return random.Random(seed).choices(range(200), k=count)


def talk_config(speculation: str, **changes: object) -> LoadConfig:
    """Load parameters under which an answer does not depend on how it is computed, and windows have few cells."""
    base = {**EXACT, "context_length": 2048, "physical_batch_size": 32, "parallel": 3, "draft_max_tokens": 6}
    return LoadConfig(**{**base, "speculation": speculation, **changes})  # type: ignore[arg-type]


def talk(model: LoadedModel) -> tuple[list[Collected], dict[tuple[int, ...], list[int]]]:
    """Answers, and what was said behind each prompt, as tokens."""
    answers, known = [], {}

    def ask(*prompts: list[int]) -> list[list[int]]:
        tasks = [model.submit(list(prompt), GREEDY) for prompt in prompts]
        answers.extend(collect(task) for task in tasks)
        known.update({tuple(p): task.history[len(p) :] for p, task in zip(prompts, tasks, strict=True)})
        return [task.history for task in tasks]

    (first,) = ask(words(300))
    (second,) = ask([*first, *words(20, 1)])
    ask([*first, *words(30, 2)])
    ask([*second, *words(9, 3)], words(70, 4), words(150, 5))
    return answers, known
