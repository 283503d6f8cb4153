"""The vocabulary of a model file alone, without its weights: for counting tokens before a model is loaded.

llama.cpp reads it (`vocab_only`), so any kind of vocabulary counts as it will when the model is loaded. It ends the
process over some damaged files; so a child opens each file first.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from tui.domain import ModelUnusable
from tui.engine.library import load_llama, route_log
from tui.engine.lifetime import Lifetime
from tui.engine.vocabulary import Vocabulary

_TIMEOUT: Final = 60.0
"""Seconds; the largest vocabularies take about one."""
_SAMPLE: Final = "Hello, world! 123 äöü 你好 🙂\n\n  x"


class VocabularyFile:
    """An open vocabulary. Opening blocks for about a second; `close` it, or use it in a `with` block.

    Raises ModelUnusable if llama.cpp cannot read it.
    """

    def __init__(self, path: Path) -> None:
        _try_in_child(path)
        self._llama = load_llama()
        self._model = _open(self._llama, path)
        self._lifetime = Lifetime()
        self._closed = False
        self.vocabulary = Vocabulary(self._llama, self._model, self._lifetime)

    def __enter__(self) -> VocabularyFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def count(self, text: str) -> int:
        """How many tokens the text has, markers being one each; nothing is put in front of it."""
        return len(self.vocabulary.tokenize(text))

    def close(self) -> None:
        """Free it, once nobody counts any more."""
        if not self._closed:
            self._closed = True
            self._lifetime.end()
            self._llama.llama_model_free(self._model)


def _open(llama: Any, path: Path) -> Any:
    parameters = llama.llama_model_default_params()
    parameters.vocab_only = True
    parameters.n_gpu_layers = 0
    model = llama.llama_model_load_from_file(os.fsencode(path), parameters)
    if not model:
        raise ModelUnusable(f"llama.cpp cannot read the vocabulary of {path.name}.", "See the log for its reason.")
    return model


def _try_in_child(path: Path) -> None:
    """Raise ModelUnusable unless another process can open the vocabulary and use it."""
    unusable = f"llama.cpp cannot read the vocabulary of {path.name}"
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tui.engine.vocabulary_file", str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            env=dict(os.environ, GGML_NO_BACKTRACE="1", PYTHONFAULTHANDLER="0"),
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        raise ModelUnusable(f"{unusable}: {error}.", "Download the file again.") from error
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").split("\n")
        cause = next((line.strip() for line in lines if "error" in line or "GGML_ASSERT" in line), "")
        raise ModelUnusable(f"{unusable}{': ' if cause else ''}{cause[-300:]}.", "Download the file again.")


def _main() -> None:
    """The child's side: open the file named on the command line, and use it once."""
    llama = load_llama()
    route_log(lambda level, text: print(f"{level}: {text}", file=sys.stderr))  # noqa: T201
    model = _open(llama, Path(sys.argv[1]))
    Vocabulary(llama, model, Lifetime()).tokenize(_SAMPLE)
    llama.llama_model_free(model)


if __name__ == "__main__":
    _main()
