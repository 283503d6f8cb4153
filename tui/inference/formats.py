"""The chat format of each loaded model, made once."""

from __future__ import annotations

import threading
from pathlib import Path
from weakref import WeakKeyDictionary

from tui.engine import LoadedModel
from tui.formats import ChatFormat, HarmonyRenderer, family_template


class FormatCache:
    """Compiling a template and finding out what it can do takes a while, so it is kept as long as its model is."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` is for vocabularies that gpt-oss's own library wants as files; without it that is not used."""
        self._folder = folder
        self._formats: WeakKeyDictionary[LoadedModel, ChatFormat] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def __call__(self, model: LoadedModel) -> ChatFormat:
        """The format that the model's own template describes, or its special tokens where it has none."""
        with self._lock:
            known = self._formats.get(model)
            if known is None:
                known = self._formats[model] = self._made(model)
            return known

    def _made(self, model: LoadedModel) -> ChatFormat:
        vocabulary = model.vocabulary
        beginning, end = vocabulary.marker(vocabulary.beginning), vocabulary.marker(vocabulary.end)
        if not model.chat_template.strip():
            fallback = family_template({vocabulary.marker(token) for token in vocabulary.special_tokens()})
            return ChatFormat(fallback, beginning_token=beginning, end_token=end)
        harmony = HarmonyRenderer(vocabulary.texts, self._folder) if self._folder is not None else None
        return ChatFormat(model.chat_template, beginning_token=beginning, end_token=end, harmony=harmony)
