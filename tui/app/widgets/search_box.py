"""The line in which one types what to search for."""

from __future__ import annotations

from urllib.parse import urlsplit

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input


class SearchBox(Vertical):
    """A text field in a border that says what it searches and how the results are ordered."""

    def __init__(self, placeholder: str) -> None:
        super().__init__(classes="pane")
        self.border_title = "Search Hugging Face"
        self._field = Input(placeholder=placeholder, compact=True)
        self._field.cursor_blink = False

    def compose(self) -> ComposeResult:
        yield self._field

    @property
    def field(self) -> Input:
        """The text field itself."""
        return self._field

    def name_hub(self, endpoint: str) -> None:
        """Say where it searches, if that is another place than usual."""
        host = urlsplit(endpoint).netloc
        if host != "huggingface.co":
            self.border_title = Content(f"Search {host}")

    def say(self, text: str) -> None:
        """Put some words into the lower border."""
        self.border_subtitle = Content(text)
