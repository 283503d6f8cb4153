"""The texts between which models reason, and whether a prompt leaves such a pair open."""

from __future__ import annotations

from typing import Final

REASONING_TAGS: Final = (
    ("<think>", "</think>"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<seed:think>", "</seed:think>"),
    ("<mm:think>", "</mm:think>"),
    ("<|channel>thought", "<channel|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("<thinking>", "</thinking>"),
)
"""Openings and closings of the families that have them; most have the first."""

_OPEN_AT_THE_END: Final = (*(opening for opening, _ in REASONING_TAGS), "<think:opensource>", "<|think|>")


def reasoning_tags_in(template: str) -> tuple[str, str] | None:
    """The pair that a template knows of, by its closing; `None` for a model that does not reason in tags."""
    return next((pair for pair in REASONING_TAGS if pair[1] in template), None)


def ends_in_reasoning(prompt: str) -> bool:
    """Whether the last thing in the prompt opens reasoning, so that the answer begins inside it."""
    return prompt.rstrip().endswith(_OPEN_AT_THE_END)
