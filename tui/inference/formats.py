"""The chat format of each loaded model, made once."""

from __future__ import annotations

import threading
from weakref import WeakKeyDictionary

from tui.engine import LoadedModel
from tui.formats import ChatFormat


class FormatCache:
    """Compiling a template and finding out what it can do takes a while, so it is kept as long as its model is."""

    def __init__(self) -> None:
        self._formats: WeakKeyDictionary[LoadedModel, ChatFormat] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def __call__(self, model: LoadedModel) -> ChatFormat:
        """The format that the model's own template describes."""
        with self._lock:
            known = self._formats.get(model)
            if known is None:
                vocabulary = model.vocabulary
                known = self._formats[model] = ChatFormat(
                    model.chat_template,
                    beginning_token=vocabulary.marker(vocabulary.beginning),
                    end_token=vocabulary.marker(vocabulary.end),
                )
            return known
