"""Compares what lmdeck makes of the file with the original model, by way of the server, as a client would."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.builtin.embedding_model.reference import Reference
from tui.builtin.embedding_model.source import Source
from tui.builtin.files import EMBEDDING, FOLDER_VARIABLE
from tui.domain import EngineFault

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

    Vector = NDArray[float32]

ENOUGH = 0.999
"""Cosine between a vector of the original and the same one of the file, for every text."""

_PATIENCE = 120.0
"""Seconds for an answer; the first one loads the model."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How near the file is to the original."""

    texts: int
    lowest: float
    """The cosine of the text that is farthest off."""
    mean: float
    worst: str
    """That text."""
    tokens_differ: tuple[str, ...]
    """Texts that llama.cpp cuts into another number of tokens."""

    @property
    def good(self) -> bool:
        """Whether every vector is near enough."""
        return self.lowest >= ENOUGH


def compare(source: Source, file: Path, texts: Sequence[str]) -> Comparison:
    """Compute the vector of each text twice. Raises EngineFault if the file cannot be served."""
    reference = Reference(source)
    tokens = [reference.tokens(text) for text in texts]
    expected = [reference.vector(numbers) for numbers in tokens]
    with served(file) as ask:
        answers = [ask(text) for text in texts]
    cosines = [float(one @ other) for one, (other, _) in zip(expected, answers, strict=True)]
    differ = [text for text, own, (_, count) in zip(texts, tokens, answers, strict=True) if len(own) != count]
    lowest = min(cosines)
    worst = texts[cosines.index(lowest)]
    return Comparison(len(texts), lowest, sum(cosines) / len(cosines), worst, tuple(differ))


@contextmanager
def served(file: Path) -> Iterator[Any]:
    """A function that takes a text and gives its vector and the number of its tokens, from a server of its own."""
    import httpx
    import numpy

    with tempfile.TemporaryDirectory(prefix="lmdeck-") as folder:
        home = Path(folder)
        (home / "builtin").mkdir()
        (home / "builtin" / "embedding.gguf").symlink_to(file.absolute())
        environment = dict(os.environ, LMDECK_HOME=folder) | {FOLDER_VARIABLE: str(home / "builtin")}
        environment.pop("LMDECK_MODELS", None)
        server = subprocess.Popen(
            [sys.executable, "-m", "tui", "serve", "--port", "0", "--quiet"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            address = server.stdout.readline().strip() if server.stdout else ""
            if not address:
                raise EngineFault("The server did not start.", "See what `lmdeck serve` says.")
            with httpx.Client(base_url=address, timeout=_PATIENCE, trust_env=False) as client:

                def ask(text: str) -> tuple[Vector, int]:
                    answer = client.post("/v1/embeddings", json={"model": EMBEDDING, "input": text})
                    if answer.is_error:
                        raise EngineFault(f"The server refused {text[:60]!r}: {answer.text}")
                    body = answer.json()
                    vector = numpy.asarray(body["data"][0]["embedding"], dtype=numpy.float32)
                    return vector, body["usage"]["prompt_tokens"]

                yield ask
        finally:
            server.terminate()
            server.wait(_PATIENCE)
