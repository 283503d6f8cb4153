"""What a person's own chat template changes in the file's."""

from __future__ import annotations

import difflib


def template_diff(file_template: str, own: str) -> str:
    """A unified diff from the file's template to one's own; empty where they are the same."""
    lines = difflib.unified_diff(
        file_template.splitlines(), own.splitlines(), "the file's template", "your template", lineterm=""
    )
    return "".join(f"{line}\n" for line in lines)
