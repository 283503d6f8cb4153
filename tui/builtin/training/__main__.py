"""`python -m tui.builtin.training`: corpus, vocabulary, training, conversion, check and card in one command."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.builtin.training.corpus import dialogues
from tui.builtin.training.dialogue import segments
from tui.builtin.training.vocabulary import Vocabulary, train_vocabulary

if TYPE_CHECKING:
    from tui.builtin.training.network import Shape, Weights

_MODEL = Path(__file__).parent.parent / "guide.gguf"
_VOCABULARY_SEED, _VOCABULARY_DIALOGUES = 77, 12_000
_VOCABULARY_SIZE = 3296
_GROWN_SEED = 2
_KEPT = 0.25
"""What the weights of `--base` count for in the mean of them and of those that came of them (after Wortsman and others,
2022): on generated calls and questions better than the latter alone."""


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("guide-training"), help="For checkpoints.")
@click.option("--output", type=click.Path(path_type=Path), default=_MODEL, help="The model file to write.")
@click.option("--steps", default=15700, show_default=True, help="Batches to learn from; 0 only converts and checks.")
@click.option(
    "--base",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Begin with the weights of this guide, at lower rates, instead of with chance.",
)
@click.option("--workers", default=2, show_default=True, help="Threads that learn side by side.")
@click.option("--check/--no-check", default=True, help="Ask the held-out questions and write the card.")
def command(folder: Path, output: Path, steps: int, base: Path | None, workers: int, check: bool) -> None:
    """Train the guide, or go on with the training in FOLDER, write its model file, check it and write its card."""
    folder.mkdir(parents=True, exist_ok=True)
    begun = folder / "base.gguf"
    if base and not begun.exists():
        _readable(base)
        # The file itself may become the training's result.
        shutil.copy(base, begun)
    base = begun if begun.exists() else None
    vocabulary = _vocabulary(folder / "vocabulary.json", base)
    if steps:
        _train(folder, vocabulary, steps, base, workers)
    _convert(folder, vocabulary, base, output)
    if check:
        from tui.builtin.training.card import write_card
        from tui.builtin.training.checking import check_model

        report = check_model(output)
        for line in report.failures:
            click.echo(line, err=True)
        click.echo(json.dumps(report.figures, indent=2))
        write_card(output, folder / "progress.json", report)


def _readable(base: Path) -> None:
    """Raises `click.BadParameter` for a file that no training can begin with."""
    from tui.builtin.training.convert import read_model

    try:
        read_model(base)
    except (ValueError, IndexError, KeyError) as error:
        raise click.BadParameter(f"{base} is no guide that can be read: {error}", param_hint="--base") from error


def _vocabulary(path: Path, base: Path | None) -> Vocabulary:
    """The vocabulary of a training, made at its first start or that of the guide that it begins with."""
    if base and not path.exists():
        from tui.builtin.training.convert import read_model

        read_model(base)[2].save(path)
    elif not path.exists():
        texts = (
            "".join(piece for piece, _ in segments(dialogue))
            for dialogue in islice(dialogues(_VOCABULARY_SEED), _VOCABULARY_DIALOGUES)
        )
        train_vocabulary(texts, _VOCABULARY_SIZE).save(path)
    return Vocabulary.open(path)


def _train(folder: Path, vocabulary: Vocabulary, steps: int, base: Path | None, workers: int) -> None:
    import torch

    from tui.builtin.training.convert import read_model
    from tui.builtin.training.learning import Plan, Progress, train
    from tui.builtin.training.network import Shape, grown_shape, new_weights

    torch.set_num_threads(1)
    plan = Plan(steps, workers, begun=base is not None)
    shape = Shape(len(vocabulary.tokens))
    if base:
        shape = grown_shape(read_model(base)[0], shape)
    weights = _begun(base, shape) if base else new_weights(shape, torch.Generator().manual_seed(plan.seed))

    def report(progress: Progress) -> None:
        speed = progress.tokens / max(progress.seconds, 1e-9)
        click.echo(
            f"step {progress.step:5} of {steps}  loss {progress.loss:.3f}  {progress.tokens / 1e6:6.2f} M tokens  "
            f"{speed:6.0f} tok/s  {progress.seconds / 60:5.1f} min"
        )

    progress = train(folder, vocabulary, weights, shape, plan, report)
    report(progress)


def _begun(base: Path, shape: Shape) -> Weights:
    """The weights of a guide, grown to this shape."""
    import torch

    from tui.builtin.training.convert import read_model
    from tui.builtin.training.network import grown

    _, arrays, _ = read_model(base)
    weights = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    return grown(weights, shape, torch.Generator().manual_seed(_GROWN_SEED))


def _convert(folder: Path, vocabulary: Vocabulary, base: Path | None, output: Path) -> None:
    from tui.builtin.training.convert import write_model
    from tui.builtin.training.learning import Plan, open_checkpoint
    from tui.builtin.training.network import Shape

    state = open_checkpoint(folder / "checkpoint.pt")
    weights = state["weights"]
    shape = replace(Shape(len(vocabulary.tokens)), **state["shape"])
    if base:
        before = _begun(base, shape)
        weights = {name: (1 - _KEPT) * weight + _KEPT * before[name] for name, weight in weights.items()}
    write_model(output, shape, {name: weight.numpy() for name, weight in weights.items()}, vocabulary)
    counted = {**state["progress"], "parameters": sum(weight.numel() for weight in weights.values())}
    counted["base"] = hashlib.sha256(base.read_bytes()).hexdigest() if base else ""
    made = {**counted, "shape": state["shape"], "longest": Plan(0).longest}
    (folder / "progress.json").write_text(json.dumps(made), encoding="utf-8")
    click.echo(f"wrote {output}, {output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    command()
