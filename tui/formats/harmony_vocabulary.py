"""The vocabulary file that OpenAI's Harmony library wants, made from the tokens of a gpt-oss model file.

The library would download `o200k_base.tiktoken`: for each token its bytes in base 64, a space, and its number. The
first 199,998 tokens of gpt-oss are the same ones, spelled with GPT-2's printable characters for bytes, so the file
can be written byte for byte. Whether it was is known from its hash.
"""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tui.formats.byte_characters import spelled_bytes

FILE_NAME: Final = "o200k_base.tiktoken"
"""What the library looks for in its folder of encodings."""

SHA256: Final = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
"""Of the file that the library would download; it refuses any other."""

TOKENS: Final = 199_998


def write_vocabulary(folder: Path, tokens: Callable[[], Sequence[str]]) -> bool:
    """Whether the right file is in the folder, after writing it if need be. OSError if that is impossible.

    `tokens` gives the strings of `tokenizer.ggml.tokens`; it is called only if there is no file yet.
    """
    path = folder / FILE_NAME
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() == SHA256:
            return True
    except FileNotFoundError:
        pass
    data = vocabulary_file(tokens())
    if data is None:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        file.write(data)
    # Another process may read the file at this moment: it finds the whole of it or none.
    os.replace(file.name, path)
    return True


def vocabulary_file(tokens: Sequence[str]) -> bytes | None:
    """The content of the file; `None` if these are not the tokens of gpt-oss."""
    if len(tokens) < TOKENS:
        return None
    lines = []
    for number in range(TOKENS):
        data = spelled_bytes(tokens[number])
        if data is None:
            return None
        lines.append(b"%b %d\n" % (base64.b64encode(data), number))
    content = b"".join(lines)
    return content if hashlib.sha256(content).hexdigest() == SHA256 else None
