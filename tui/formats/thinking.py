"""How a template is told whether, and how much, the model shall think before it answers.

Some have a variable that is true or false, some one for the effort, some both; Nemotron's look for a word in the
system message. Which of them a template heeds is found by rendering it with different values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from tui.domain import Message, ReasoningEffort, text_message
from tui.formats.conversation import add_system_text
from tui.formats.prober import Prober
from tui.formats.probes import MARK
from tui.formats.renderer import Request

_SWITCHES: Final[tuple[tuple[str, Any, Any], ...]] = (
    ("enable_thinking", True, False),
    ("thinking", True, False),
    ("thinking_mode", "enabled", "disabled"),
    ("thinking_option", "on", "off"),
    ("thinking_budget", -1, 0),
)
"""Names with the values for on and off."""

_EFFORT_NAMES: Final = ("reasoning_effort", "thinking_effort", "reasoning_strength")
_NO_EFFORT: Final = ("none", "no_think", "off", "minimal", "low")
"""Values that may mean no thinking at all, if they change how the answer begins."""

_NEAREST: Final[dict[ReasoningEffort, tuple[str, ...]]] = {
    "off": ("minimal", "low"),
    "minimal": ("minimal", "low", "medium", "high"),
    "low": ("low", "minimal", "medium", "high"),
    "medium": ("medium", "high", "low"),
    "high": ("high", "max", "medium"),
}
"""For each effort the values to try until the template takes one."""

_LEVELS: Final = ("minimal", "low", "medium", "high", "max")
_COMMON_LEVELS: Final = ("low", "medium", "high")
_NONSENSE: Final = "lmdeck-effort"
_WORDS: Final = ("/think", "/no_think")


@dataclass(frozen=True, slots=True)
class ThinkingSwitches:
    """What a template heeds. Empty names stand for nothing."""

    switch: str
    """The variable, or the word in the system message, that turns thinking off."""
    on: Any
    off: Any
    effort: str
    """The variable of the effort."""
    efforts: tuple[str, ...]
    """The values of that variable that the template takes, the least first."""
    no_effort: str
    """The value of that variable that turns thinking off."""


class Thinking:
    """The switches of one template, found when they are first needed."""

    def __init__(self, prober: Prober) -> None:
        self._prober = prober

    @cached_property
    def switches(self) -> ThinkingSwitches:
        """What the template heeds."""
        switch, on, off = self._switch()
        told = {switch: on} if switch and switch not in _WORDS else {}
        effort = next((name for name in self._names(_EFFORT_NAMES) if self._heeds(name, told)), "")
        efforts = self._efforts(effort, told) if effort else ()
        no_effort = self._no_effort(effort, efforts, told) if effort and not switch else ""
        return ThinkingSwitches(switch or (effort if no_effort else ""), on, off, effort, efforts, no_effort)

    def variables(self, effort: ReasoningEffort | None) -> dict[str, Any]:
        """What the template is told for this effort; nothing for `None`, so that its own default holds."""
        if effort is None:
            return {}
        known = self.switches
        told: dict[str, Any] = {}
        if known.switch and known.switch not in (*_WORDS, known.effort):
            told[known.switch] = known.off if effort == "off" else known.on
        if known.effort and not (effort == "off" and told):
            nearest = known.no_effort if effort == "off" and known.no_effort else ""
            nearest = nearest or next((value for value in _NEAREST[effort] if value in known.efforts), "")
            if nearest:
                told[known.effort] = nearest
        return told

    def with_word(self, messages: Sequence[Message], effort: ReasoningEffort | None) -> list[Message]:
        """The conversation with the word that the template looks for in the system message, if it does."""
        if effort is None or self.switches.switch not in _WORDS:
            return list(messages)
        return add_system_text(messages, _WORDS[effort == "off"], between="\n")

    def _switch(self) -> tuple[str, Any, Any]:
        for name, on, off in _SWITCHES:
            if self._names([name]) and self._tail({name: on}, whole=True) != self._tail({name: off}, whole=True):
                return name, on, off
        if "/no_think" in self._prober.source:
            # Where the word is only text, the answer begins the same way.
            plain, told = (self._tail({}, system=word) for word in ("/other", "/no_think"))
            if plain != told:
                return "/no_think", None, None
        return "", None, None

    def _names(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if re.search(rf"\b{name}\b", self._prober.source)]

    def _heeds(self, name: str, told: dict[str, Any]) -> bool:
        made = {self._tail({**told, name: level}, whole=True) for level in (*_LEVELS, "none")}
        return len(made) > 1

    def _efforts(self, name: str, told: dict[str, Any]) -> tuple[str, ...]:
        def prompt(level: str) -> str | None:
            return self._tail({**told, name: level}, whole=True)

        unknown = prompt(_NONSENSE)
        if unknown is None:
            return tuple(level for level in _LEVELS if prompt(level) is not None)
        # It takes anything. What it does not know then means its default, and what it only repeats must be something
        # that models have seen.
        minimal = _NONSENSE not in unknown and prompt("minimal") != unknown
        return ("minimal", *_COMMON_LEVELS) if minimal else _COMMON_LEVELS

    def _no_effort(self, name: str, efforts: tuple[str, ...], told: dict[str, Any]) -> str:
        strongest = self._tail({**told, name: efforts[-1]}) if efforts else None
        for value in _NO_EFFORT:
            tail = self._tail({**told, name: value})
            if tail is not None and tail != strongest and value not in tail:
                return value
        return ""

    def _tail(self, variables: dict[str, Any], *, whole: bool = False, system: str = "") -> str | None:
        """How the answer begins with these variables, or the whole prompt; `None` where the template refuses."""
        messages = [text_message("system", system)] if system else []
        prompt = self._prober.prompt([*messages, text_message("user", MARK)], request=Request(variables=variables))
        if prompt is None or whole:
            return prompt
        return prompt.rpartition(MARK)[2]
