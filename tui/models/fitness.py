"""Says why an intact GGUF file is still not a model that can be loaded and talked to.

Only what can be told from the header, in no time; whatever else is wrong shows when the file is opened.
"""

from __future__ import annotations

from typing import Final

from tui.models.gguf import LOOK_ELSEWHERE, GgufHeader
from tui.models.gguf_bytes import DOWNLOAD_AGAIN
from tui.models.gguf_types import STRING

MOST_LAYERS: Final = 10_000
LONGEST_CONTEXT: Final = 2**31
WIDEST_EMBEDDING: Final = 2**20
_OTHER_KINDS: Final = {
    "adapter": "This is a LoRA adapter, not a model.",
    "imatrix": "This is an importance matrix, not a model.",
    "vocab": "This is only a vocabulary, not a model.",
}


def is_projector(header: GgufHeader) -> bool:
    """Whether the file only helps another model to see or hear."""
    return header.architecture == "clip" or header.kind == "mmproj"


def why_unusable(header: GgufHeader, parameters: int) -> str:
    """The reason as one or two sentences, or an empty text for a model that is worth trying.

    `header` is that of the first file; `parameters` counts the weights of all files of the model.
    """
    if header.kind in _OTHER_KINDS:
        return _OTHER_KINDS[header.kind]
    if not parameters:
        return f"The file has no weights. {DOWNLOAD_AGAIN}"
    for name, value, most in (
        ("block_count", header.layers, MOST_LAYERS),
        ("context_length", header.context_length, LONGEST_CONTEXT),
        ("embedding_length", header.embedding_length, WIDEST_EMBEDDING),
    ):
        key = f"{header.architecture}.{name}"
        if not value:
            return f"The file does not describe a language model: {key} is missing or 0. {LOOK_ELSEWHERE}"
        if value > most:
            return f"The file is damaged: {key} is {value:,}. {DOWNLOAD_AGAIN}"
    return _vocabulary_problem(header)


def _vocabulary_problem(header: GgufHeader) -> str:
    kind, tokens = header.arrays.get("tokenizer.ggml.tokens", (STRING, 0))
    if kind != STRING or not tokens:
        return f"The file has no vocabulary (tokenizer.ggml.tokens). {LOOK_ELSEWHERE}"
    for key in ("tokenizer.ggml.scores", "tokenizer.ggml.token_type"):
        kind, length = header.arrays.get(key, (0, tokens))
        if kind == STRING or length < tokens:
            # llama.cpp reads these by token number.
            return f"The file is damaged: {key} does not fit its {tokens:,} tokens. {DOWNLOAD_AGAIN}"
    return ""
