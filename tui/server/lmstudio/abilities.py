"""What models can do besides answering, as their templates and files tell even before they are loaded."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from tui.domain import BadTemplate, ModelInfo, text_message
from tui.engine import LoadedModel
from tui.formats import ChatFormat
from tui.server.lmstudio.errors import Mistake

_MOST_KEPT = 256
_LEVELS = ("low", "medium", "high")
_PROBE = (text_message("user", "?"),)


@dataclass(frozen=True, slots=True)
class ReasoningChoice:
    """How a model may be told to think, in LM Studio's words."""

    allowed: tuple[str, ...]
    default: str


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a template shows of its model."""

    tools: bool = False
    reasoning: ReasoningChoice | None = None
    """`None` for a model that does not reason."""


class TemplateAbilities:
    """Finds out what templates can do, each once. Safe to use from any thread; blocks while it finds out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Abilities | None] = {}

    def of(self, info: ModelInfo, loaded: LoadedModel | None) -> Abilities | None:
        """What the model can do; `None` where its template does not let itself be asked, or there is none."""
        template = loaded.chat_template if loaded is not None else info.chat_template
        if not template.strip():
            return None
        with self._lock:
            if template not in self._known:
                if len(self._known) >= _MOST_KEPT:
                    self._known.pop(next(iter(self._known)))
                self._known[template] = _found(template)
            return self._known[template]

    def check_reasoning(self, wanted: str | None, info: ModelInfo, loaded: LoadedModel | None) -> None:
        """Raise Mistake for a reasoning setting that the model certainly does not have."""
        abilities = self.of(info, loaded) if wanted is not None else None
        if abilities is None:
            return
        # What does not reason is off already, and what reasons is on.
        allowed = {"off"} if abilities.reasoning is None else {"on", *abilities.reasoning.allowed}
        if wanted in allowed:
            return
        shown = abilities.reasoning.allowed if abilities.reasoning is not None else ()
        raise Mistake(
            f"{info.key} does not support the reasoning setting {wanted!r}.",
            f"It supports {', '.join(shown)}." if shown else 'It does not reason: leave "reasoning" out.',
            field="reasoning",
            wire_code="unsupported_reasoning_setting",
        )


def sees(info: ModelInfo, loaded: LoadedModel | None) -> bool:
    """Whether it takes images: certain when it is loaded, otherwise by a projector file beside it."""
    if loaded is not None:
        return loaded.image_marker is not None
    if info.projectors is not None:
        return info.sees
    try:
        return not info.remote and any("mmproj" in file.name.lower() for file in info.path.parent.glob("*.gguf"))
    except OSError:
        return False


def _found(template: str) -> Abilities | None:
    try:
        chat_format = ChatFormat(template)
        chat_format.render(_PROBE)  # one that cannot be rendered shows nothing
        return Abilities(chat_format.capabilities.tools, _reasoning(chat_format))
    except BadTemplate:
        return None


def _reasoning(chat_format: ChatFormat) -> ReasoningChoice | None:
    known, written = chat_format.capabilities, chat_format.output_format
    off = ("off",) if known.thinking_switch else ()
    if levels := tuple(level for level in _LEVELS if level in known.reasoning_efforts):
        return ReasoningChoice((*off, *levels), "medium" if "medium" in levels else levels[0])
    if off:
        return ReasoningChoice(("off", "on"), "off" if _is_off_by_itself(chat_format) else "on")
    return ReasoningChoice(("on",), "on") if written.own_reasoning or written.channels is not None else None


def _is_off_by_itself(chat_format: ChatFormat) -> bool:
    usual = chat_format.render(_PROBE).text
    return usual == chat_format.render(_PROBE, reasoning_effort="off").text
