"""A title for a thread that has none: from what the person said first, or asked of a model."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from itertools import count

from tui.domain import Message, text_message

TITLE_LENGTH = 48
"""Most characters of a title, the ellipsis included."""

# Code fences and rules say nothing.
_MARKS_ONLY = re.compile(r"\s*(?:(?:```|~~~).*|[-=*_~#>\s]*)")
_LINE_START = re.compile(r"^\s*(?:(?:#{1,6}|>|[-*+]|\d{1,3}[.)])\s+)+")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
# Stars and underscores count only at the borders of words: 2*3*4 and snake_case are no emphasis.
_EMPHASIS = re.compile(r"(?<![\w*_])(\*{1,3}|_{1,3}|~~)(?=\S)(.+?)(?<=\S)\1(?![\w*_])")


def title_from(text: str) -> str:
    """The first line that says something, without Markdown marks, cut at the border of a word.

    Empty when there is no such line.
    """
    for line in text.splitlines():
        if _MARKS_ONLY.fullmatch(line):
            continue
        bare = _LINE_START.sub("", line)
        bare = _LINK.sub(r"\1", bare)
        bare = _EMPHASIS.sub(r"\2", bare).replace("`", "")
        title = " ".join(bare.split())
        if title:
            return _cut(title)
    return ""


def _cut(title: str) -> str:
    if len(title) <= TITLE_LENGTH:
        return title
    head = title[:TITLE_LENGTH]
    # A word so long that little would be left, or a script without spaces, is cut where it is.
    border = head.rfind(" ")
    shortened = head[:border] if border >= TITLE_LENGTH // 2 else head[:-1]
    return shortened.rstrip(" ,;:.-") + "…"


_COPY_MARK = re.compile(r"(?P<title>.*\S)(?P<mark> \((?:copy|branch)(?: [0-9]{1,9})?\))", re.DOTALL)


def copy_mark(title: str) -> tuple[str, str]:
    """A title without what tells a copy or a branch from its original, and that mark; empty for an original."""
    found = _COPY_MARK.fullmatch(title)
    return (found["title"], found["mark"]) if found else (title, "")


def title_of_copy(title: str, kind: str, taken: Container[str]) -> str:
    """The first title that is free: `Oslo (copy)`, then `Oslo (copy 2)`; `kind` is `copy` or `branch`."""
    bare, mark = copy_mark(title)
    base = bare if mark.startswith(f" ({kind}") else title
    titles = (f"{base} ({kind})" if number == 1 else f"{base} ({kind} {number})" for number in count(1))
    return next(free for free in titles if free not in taken)


_EXCERPT = 1500
"""Characters of each message that a model is shown for a title; more makes it slower and the title no better."""

_REQUEST = (
    "Give the conversation above a title of two to six words, in its own language. "
    "Answer with the title only: no quotation marks, no full stop, no explanation."
)

_LABEL = re.compile(r"^(?:title|titel|titre|título|titolo)\s*:\s*", re.IGNORECASE)
_QUOTES = "\"'`«»„“”‘’"


def title_request(messages: Iterable[Message]) -> tuple[Message, ...]:
    """What to ask a model so that it answers with a title for the conversation that begins with these messages."""
    beginning = [message for message in messages if message.role in ("user", "assistant") and message.text.strip()]
    shown = [text_message(message.role, message.text.strip()[:_EXCERPT]) for message in beginning[:4]]
    if shown and shown[-1].role == "user":
        # Two messages of the user in a row are more than some templates take.
        return (*shown[:-1], text_message("user", f"{shown[-1].text}\n\n---\n\n{_REQUEST}"))
    return (*shown, text_message("user", _REQUEST))


def clean_title(text: str) -> str:
    """The title in a model's answer, without what models put around it; empty if there is none."""
    title = _LABEL.sub("", title_from(text).strip(_QUOTES + " ")).strip(_QUOTES + " ")
    return title.removesuffix(".")
