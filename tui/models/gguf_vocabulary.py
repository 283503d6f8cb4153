"""Reads the tokenizer of a GGUF file: tokens, merges and the tokens with a role.

Reading a header passes over these arrays, which are most of it; counting tokens without the weights needs them.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, Final

from tui.domain import ModelUnusable, ModelVocabulary
from tui.models.gguf import LONGEST_KEY, LOOK_ELSEWHERE, MOST_KEYS
from tui.models.gguf_bytes import HeaderBytes, damaged, printable
from tui.models.gguf_types import ARRAY, MAGIC, SCALARS, STRING, VERSIONS

MOST_TOKENS: Final = 4_000_000
MOST_TEXT: Final = 2**28
"""Bytes of all tokens or of all merges; the largest vocabularies have some ten million."""
_LONGEST_TEXT: Final = 2**16

_PREFIX: Final = "tokenizer.ggml."
_ID: Final = "_token_id"
_OLD_NAMES: Final = {"prefix": "fim_pre", "suffix": "fim_suf", "middle": "fim_mid"}


def read_vocabulary(path: Path) -> ModelVocabulary:
    """The tokenizer that one file describes. About a second for the largest ones.

    Raises ModelUnusable, with the byte where it went wrong, for files that are damaged or have none. Of a split set
    it is the first file that has it.
    """
    try:
        status = os.stat(path)
        # Opening a pipe or a device could wait for ever.
        if not stat.S_ISREG(status.st_mode):
            raise ModelUnusable("This is not a regular file.", "Name the model file itself.")
        with open(path, "rb", buffering=0) as file:
            return _described(_read_values(HeaderBytes(file, status.st_size)))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ModelUnusable(f"The file cannot be read: {reason}.", "Check that it exists and may be read.") from error


def _described(values: dict[str, Any]) -> ModelVocabulary:
    tokens = values.get("tokens")
    if not isinstance(tokens, tuple):
        raise ModelUnusable("The file has no vocabulary (tokenizer.ggml.tokens).", LOOK_ELSEWHERE)
    special: dict[str, int] = {}
    for key, value in values.items():
        role = key.removesuffix(_ID)
        if role != key and isinstance(value, int) and 0 <= value < len(tokens):
            special[_OLD_NAMES.get(role, role)] = value
    types = values.get("token_type", ())
    return ModelVocabulary(
        kind=str(values.get("model", "")),
        pre_tokenizer=str(values.get("pre", "")),
        tokens=tokens,
        types=types if len(types) == len(tokens) else (),
        merges=values.get("merges", ()),
        special=special,
        model_name=str(values.get("name", "")),
    )


def _read_values(source: HeaderBytes) -> dict[str, Any]:
    """The values below `tokenizer.ggml.`, and the model's name."""
    if source.take(min(len(MAGIC), source.left), "the magic number") != MAGIC:
        raise damaged("This is not a GGUF file: it does not begin with the letters GGUF", 0, LOOK_ELSEWHERE)
    if source.number32("the version") not in VERSIONS:
        raise damaged("The file has a version that cannot be read", 4, "Update lmdeck, or download it again.")
    source.number64("the number of tensors")
    count = source.number64("the number of keys")
    if count > MOST_KEYS:
        raise damaged(f"The file is damaged: it claims to have {count:,} keys", 16)
    values: dict[str, Any] = {}
    for index in range(count):
        key = source.string(f"the name of key {index + 1}", LONGEST_KEY).decode("utf-8", errors="replace")
        wanted = key.startswith(_PREFIX) or key == "general.name"
        value = _read_value(source, f"the value of {printable(key, 60)!r}", wanted)
        if wanted:
            values[key.removeprefix(_PREFIX).removeprefix("general.")] = value
    return values


def _read_value(source: HeaderBytes, what: str, wanted: bool) -> Any:
    position = source.position
    kind = source.number32(what)
    if kind in SCALARS:
        return source.scalar(SCALARS[kind], what)
    if kind == STRING and wanted:
        return source.string(what, _LONGEST_TEXT).decode("utf-8", errors="replace")
    if kind == STRING:
        return source.skip(source.number64(what), what)
    if kind == ARRAY:
        return _read_array(source, what, wanted)
    raise damaged(f"The file is damaged: {what} has the unknown type {kind}", position)


def _read_array(source: HeaderBytes, what: str, wanted: bool) -> tuple[Any, ...] | None:
    position = source.position
    kind, length = source.number32(what), source.number64(what)
    if wanted and length > MOST_TOKENS:
        raise damaged(f"The file is damaged: {what} claims to have {length:,} entries", position)
    if kind == STRING and wanted:
        texts: list[str] = []
        left = MOST_TEXT
        for _ in range(length):
            data = source.string(what, _LONGEST_TEXT)
            left -= len(data) + 1
            if left < 0:
                raise damaged(f"The file is damaged: {what} is longer than any vocabulary", position)
            texts.append(data.decode("utf-8", errors="surrogateescape"))
        return tuple(texts)
    if kind == STRING:
        source.skip_strings(length, what)
        return None
    if kind not in SCALARS:
        raise damaged(f"The file is damaged: {what} is an array of the unknown type {kind}", position)
    if wanted:
        return tuple(source.scalar(SCALARS[kind], what) for _ in range(length))
    source.skip(length * SCALARS[kind].size, what)
    return None
