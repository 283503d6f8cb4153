"""One chat template: compiled once, rendered into prompts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from tui.domain import BadTemplate
from tui.formats.limits import LimitReached, Meter

if TYPE_CHECKING:
    from jinja2 import Template

LONGEST_TEMPLATE = 100_000
"""Characters of a template; compiling takes time that cannot be interrupted. The longest in use have a quarter."""

_LONGEST_CAUSE = 400


class TemplateTooCostly(BadTemplate):
    """The template was stopped because it would run too long or build too much."""


class PromptTemplate:
    """A Jinja template as Hugging Face's `apply_chat_template` runs it. Compiled at the first rendering.

    Raises BadTemplate, with the line, for whatever goes wrong in it. Safe to use from several threads.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self._compiled: Template | None = None
        self._lock = threading.Lock()

    def render(self, variables: dict[str, Any], *, characters: int, messages: int) -> str:
        """The text that the template makes of the variables, which hold a conversation of that size."""
        with self._lock:
            try:
                if self._compiled is None:
                    self._compiled = self._compile()
                self._compiled.environment.meter = Meter(characters, messages)  # type: ignore[attr-defined]
                text = self._compiled.render(variables)
            except BadTemplate:
                raise
            # Whatever a template from a file does wrong, it must not end the program.
            except Exception as error:
                raise _explain(error) from error
        # A template can spell halves of characters, which no tokenizer takes.
        return text.encode("utf-8", "replace").decode()

    def _compile(self) -> Template:
        if len(self.source) > LONGEST_TEMPLATE:
            raise TemplateTooCostly(
                f"The chat template has {len(self.source):,} characters; at most {LONGEST_TEMPLATE:,} are read.",
                "Use another file of this model.",
            )
        from tui.formats.sandbox import MeteredEnvironment

        return MeteredEnvironment().from_string(self.source)


def _explain(error: Exception) -> BadTemplate:
    """What went wrong, where, and what to do."""
    from jinja2.exceptions import TemplateError, TemplateSyntaxError, UndefinedError

    line = error.lineno if isinstance(error, TemplateSyntaxError) else _line_of(error)
    where = f" in line {line}" if line else ""
    stopped = _why_stopped(error)
    if stopped:
        return TemplateTooCostly(
            f"The chat template was stopped{where}: {stopped}.",
            "The template does not work or means harm. Use another file of this model.",
            line=line,
        )
    cause = " ".join(str(error).split()) or type(error).__name__
    cause = cause if len(cause) <= _LONGEST_CAUSE else f"{cause[:_LONGEST_CAUSE]}…"
    if type(error) is TemplateError:
        return BadTemplate(
            f"The model's chat template refuses this conversation: {cause}",
            "Change the messages that it complains about, or use another model.",
            line=line,
        )
    if not isinstance(error, TemplateSyntaxError | UndefinedError):
        cause = f"{cause} ({type(error).__name__})"
    return BadTemplate(
        f"The chat template is faulty{where}: {cause}",
        "Use another file of this model, or tell its publisher.",
        line=line,
    )


def _why_stopped(error: Exception) -> str:
    match error:
        case LimitReached():
            return str(error)
        case RecursionError():
            return "it is nested too deeply"
        case MemoryError():
            return "it needs too much memory"
        case _:
            return ""


def _line_of(error: Exception) -> int:
    """The line of the template in which an error was raised; 0 if it was raised elsewhere."""
    line = 0
    traceback = error.__traceback__
    while traceback is not None:
        # Jinja rewrites the frames of a template so that they count its own lines.
        if traceback.tb_frame.f_code.co_filename == "<template>":
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
