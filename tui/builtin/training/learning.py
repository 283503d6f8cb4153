"""The training loop: portions of conversations of about the same length, checkpoints, and going on from one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor

from tui.builtin.training.corpus import dialogues
from tui.builtin.training.dialogue import Dialogue, segments
from tui.builtin.training.network import Shape, Weights, loss_of
from tui.builtin.training.optimizer import Optimizer
from tui.builtin.training.vocabulary import Vocabulary

_CHUNK = 512
_LOOSE, _LOOSE_CALLS = 0.15, 0.65
"""The part of the conversations, and of those with calls, in which copied words are cut by chance or replaced."""
_WARM_UP = 60
_COOL_DOWN = 0.6
"""The part of all steps in which the rates fall to nothing."""
_AGAIN = 0.25
"""The part of the rates with which weights that had come to rest go on. They fall from the first step."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and in which portions to train."""

    steps: int
    workers: int = 2
    """Threads that each compute a portion at a time. Nothing waits but the end of a step, so that a shared machine is
    used well."""
    portions: int = 4
    """Portions in a step, a multiple of the workers."""
    portion_tokens: int = 1152
    longest: int = 1024
    """Longer conversations are left out. Tokens."""
    short_chunks: int = 15
    """So many chunks at the beginning have short conversations only, from which copying is learned sooner."""
    longest_at_first: int = 160
    begun: bool = False
    """Whether the weights to begin with come from a training that ended."""
    seed: int = 1
    save_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Portion:
    """Conversations of about the same length."""

    tokens: Tensor
    learned: Tensor
    """Which of the tokens are learned."""
    count: int
    """Tokens without padding."""
    learned_tokens: int
    next_chunk: int
    """Where to go on after it."""


@dataclass
class Progress:
    """How far a training is, as its checkpoint has it."""

    step: int = 0
    chunk: int = 0
    tokens: int = 0
    """Read so far, padding not counted."""
    learned_tokens: int = 0
    dialogues: int = 0
    seconds: float = 0.0
    loss: float = 0.0
    """Of the last steps, averaged."""

    def add(self, portions: list[Portion], loss: float, seconds: float) -> None:
        """One more step, and the seconds since the very beginning."""
        self.step += 1
        self.chunk = portions[-1].next_chunk
        self.tokens += sum(portion.count for portion in portions)
        self.learned_tokens += sum(portion.learned_tokens for portion in portions)
        self.dialogues += sum(len(portion.tokens) for portion in portions)
        self.seconds = seconds
        self.loss = loss if self.step < 5 else 0.95 * self.loss + 0.05 * loss


def train(
    folder: Path,
    vocabulary: Vocabulary,
    weights: Weights,
    shape: Shape,
    plan: Plan,
    report: Callable[[Progress], None],
) -> Progress:
    """Train these weights, or go on with the training whose checkpoint lies in the folder."""
    for weight in weights.values():
        weight.requires_grad_()
    optimizer, progress = Optimizer(weights), Progress()
    path = folder / "checkpoint.pt"
    if path.exists():
        progress = _restore(path, weights, optimizer)
    before, started, saved = progress.seconds, time.monotonic(), time.monotonic()
    names = tuple(weights)

    def gradients(portion: Portion, learned_tokens: int) -> tuple[float, tuple[Tensor, ...]]:
        loss = loss_of(weights, shape, portion.tokens, portion.learned) / learned_tokens
        return loss.item(), torch.autograd.grad(loss, [weights[name] for name in names])

    with ThreadPoolExecutor(plan.workers) as pool:
        for portions in steps(vocabulary, plan, progress.chunk):
            if progress.step >= plan.steps:
                break
            learned = sum(portion.learned_tokens for portion in portions)
            found = list(pool.map(gradients, portions, [learned] * len(portions)))
            summed = {name: sum(grads) for name, *grads in zip(names, *(grads for _, grads in found), strict=True)}
            optimizer.step(summed, rate_factor(progress.step, plan), pool)
            progress.add(portions, sum(loss for loss, _ in found), before + time.monotonic() - started)
            if time.monotonic() - saved > plan.save_seconds:
                _save(path, shape, weights, optimizer, progress)
                saved = time.monotonic()
            if progress.step % 25 == 0:
                report(progress)
    _save(path, shape, weights, optimizer, progress)
    return progress


def rate_factor(step: int, plan: Plan) -> float:
    """Warming up, level, and falling to nothing."""
    left = (plan.steps - step) / plan.steps
    cooling = left * _AGAIN if plan.begun else left / _COOL_DOWN
    return min((step + 1) / _WARM_UP, 1.0, max(cooling, 0.02))


def steps(vocabulary: Vocabulary, plan: Plan, chunk: int) -> Iterator[list[Portion]]:
    """The portions of each step, without end.

    A chunk of conversations is cut into portions by length, so that little is padding (token 0, never learned).
    """
    while True:
        random = Random(plan.seed * 1_000_003 + chunk)
        encoded = [
            _encoded(dialogue, vocabulary, random) for dialogue in islice(dialogues(random.getrandbits(48)), _CHUNK)
        ]
        longest = plan.longest_at_first if chunk < plan.short_chunks and not plan.begun else plan.longest
        encoded = sorted((pair for pair in encoded if len(pair[0]) <= longest), key=lambda pair: len(pair[0]))
        chunk += 1
        groups: list[list[tuple[list[int], list[bool]]]] = [[]]
        for pair in encoded:
            if groups[-1] and len(pair[0]) * (len(groups[-1]) + 1) > plan.portion_tokens:
                groups.append([])
            groups[-1].append(pair)
        random.shuffle(groups)
        for start in range(0, len(groups) - plan.portions + 1, plan.portions):
            yield [_padded(group, chunk) for group in groups[start : start + plan.portions]]


def _encoded(dialogue: Dialogue, vocabulary: Vocabulary, random: Random) -> tuple[list[int], list[bool]]:
    calls = any(turn.calls for turn in dialogue.turns)
    loose = random.random() < (_LOOSE_CALLS if calls else _LOOSE)
    return vocabulary.encode_segments(segments(dialogue), random if loose else None, replaced=calls)


def _padded(group: list[tuple[list[int], list[bool]]], chunk: int) -> Portion:
    longest = max(len(tokens) for tokens, _ in group)
    ids = torch.zeros(len(group), longest, dtype=torch.long)
    marks = torch.zeros(len(group), longest, dtype=torch.bool)
    for row, (tokens, learned) in enumerate(group):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        marks[row, : len(tokens)] = torch.tensor(learned)
    return Portion(ids, marks, sum(len(tokens) for tokens, _ in group), int(marks.sum()), chunk)


def _save(path: Path, shape: Shape, weights: Weights, optimizer: Optimizer, progress: Progress) -> None:
    """Write the checkpoint so that an interruption leaves the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    plain = {name: weight.detach() for name, weight in weights.items()}
    state = {"weights": plain, "optimizer": optimizer.state(), "progress": vars(progress)}
    torch.save({"shape": shape.record(), **state}, fresh)
    fresh.replace(path)


def _restore(path: Path, weights: Weights, optimizer: Optimizer) -> Progress:
    state = open_checkpoint(path)
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(state["weights"][name])
    optimizer.restore(state["optimizer"])
    return Progress(**state["progress"])


def open_checkpoint(path: Path) -> dict[str, Any]:
    """What a checkpoint has: `shape`, `weights`, `optimizer`, `progress`."""
    state: dict[str, Any] = torch.load(path, weights_only=True)
    return state
