"""A title for a thread that has none, from what the person said first."""

from __future__ import annotations

import re

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
