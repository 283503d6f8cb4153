"""Code fences in Markdown (CommonMark 0.31, section 4.5)."""

from __future__ import annotations

import re

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def fence_around(text: str) -> str:
    """A fence that nothing in the text closes."""
    fence = "```"
    while fence in text:
        fence += "`"
    return fence


def unclosed_fence(text: str) -> str:
    """The fence that closes the code block at whose end the text stops; empty where it stops in none."""
    fence = ""
    for line in text.splitlines():
        found = _FENCE.match(line)
        if found is None:
            continue
        marks, rest = found.groups()
        if not fence:
            # Behind backticks there may be no backtick, because that is code within a line.
            if marks[0] == "~" or "`" not in rest:
                fence = marks
        elif marks.startswith(fence) and not rest.strip():
            fence = ""
    return fence
