"""What a model can do besides answering, as its files tell before it is loaded."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.domain import ModelInfo
from tui.engine import LoadedModel
from tui.server.lmstudio.errors import Mistake

# A template that has none of these can neither show reasoning nor switch it.
_SIGNS_OF_REASONING = re.compile(r"think|reason|<\|channel\|>", re.IGNORECASE)
_EFFORT = re.compile(r"\breasoning_effort\b")
_SWITCH = re.compile(r"\b(?:enable_thinking|thinking)\b")
_CLOSING = re.compile(r"</think>|\[/THINK\]|</seed:think>|<\|channel\|>")
_TOOLS = re.compile(r"\btools\b")


@dataclass(frozen=True, slots=True)
class ReasoningChoice:
    """How a model may be told to think."""

    allowed: tuple[str, ...]
    default: str


def template_of(info: ModelInfo, loaded: LoadedModel | None) -> str:
    """The chat template that is used, or would be."""
    return loaded.chat_template if loaded is not None else info.chat_template


def reasoning_choice(template: str) -> ReasoningChoice | None:
    """What can be chosen about reasoning, by the variables that the template asks for; `None` where nothing can."""
    if _EFFORT.search(template):
        return ReasoningChoice(("low", "medium", "high"), "medium")
    if _SWITCH.search(template):
        return ReasoningChoice(("off", "on"), "on")
    return ReasoningChoice(("on",), "on") if _CLOSING.search(template) else None


def check_reasoning(wanted: str | None, key: str, template: str) -> None:
    """Raise Mistake if a model is told to think that certainly does not know how to."""
    # Without a template of its own the model gets one that is chosen when it is loaded.
    if wanted in (None, "off") or not template.strip() or _SIGNS_OF_REASONING.search(template):
        return
    raise Mistake(
        f"{key} does not support the reasoning setting {wanted!r}: it does not reason.",
        'Leave "reasoning" out, or choose a model that reasons.',
        field="reasoning",
        wire_code="unsupported_reasoning_setting",
    )


def calls_tools(template: str) -> bool:
    """Whether the template tells the model of tools."""
    return bool(_TOOLS.search(template))


def sees(info: ModelInfo, loaded: LoadedModel | None) -> bool:
    """Whether it takes images: certain when it is loaded, otherwise by a projector file beside it."""
    if loaded is not None:
        return loaded.image_marker is not None
    try:
        return not info.remote and any("mmproj" in file.name.lower() for file in info.path.parent.glob("*.gguf"))
    except OSError:
        return False
