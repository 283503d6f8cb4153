"""gpt-oss."""

from __future__ import annotations


class HarmonyUnavailable(Exception):
    """no"""


class HarmonyRenderer:
    def render(self, *_a: object, **_k: object) -> str:
        raise HarmonyUnavailable


def speaks_harmony(s: str) -> bool:
    return all(m in s for m in ("<|start|>", "<|channel|>", "<|message|>"))
