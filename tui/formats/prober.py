"""What a template can do, found by rendering probes and looking for their marks in the prompt.

Templates change hands and are edited, so that neither a model's name nor a word in its template tells.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Final

from tui.domain import (
    BadTemplate,
    ImagePart,
    Message,
    ReasoningPart,
    TextPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
    text_message,
)
from tui.formats.call_ids import IdRule
from tui.formats.dialect import Dialect, ReasoningForm, ToolForm
from tui.formats.limits import TIME_LIMIT
from tui.formats.renderer import Request, TemplateRenderer
from tui.formats.template import TemplateTooCostly

MARK: Final = "lmdeck-3f9c"
"""What probes look for in the prompt; no template says it by itself."""

_SAID, _THOUGHT, _KEY, _VALUES, _RESULTS = (
    f"{MARK}-said",
    f"{MARK}-thought",
    "lmdeck_key",
    (f"{MARK}-value-a", f"{MARK}-value-b"),
    (f"{MARK}-result-a", f"{MARK}-result-b"),
)
_CALLED, _OFFERED = ("lmdeck_called_a", "lmdeck_called_b"), "lmdeck_offered"
_IDS: Final[tuple[tuple[str, str], ...]] = (("call_lmdeck3f9ca", "call_lmdeck3f9cb"), ("lmdeck3fA", "lmdeck3fB"))
"""As OpenAI's look, and as Mistral's must."""

_USER = text_message("user", MARK)
_SYSTEM = text_message("system", MARK)
_ASK, _ANSWER = text_message("user", "?"), text_message("assistant", "!")
_SCHEMA = {"type": "object", "properties": {_KEY: {"type": "string", "description": "?"}}}
_TOOL = Tool(_OFFERED, "?", json.dumps(_SCHEMA))

# Hugging Face's way first. Templates for tools alone may go through the list without asking whether there is one, and
# Firefunction's join the text of the tools to another.
_DIALECTS: Final = (
    Dialect(),
    Dialect(content_as_parts=True),
    Dialect(no_tools=()),
    Dialect(content_as_parts=True, no_tools=()),
    Dialect(tools_variable="functions", tool_form="text"),
)
_TOOL_FORMS: Final[tuple[tuple[str, ToolForm], ...]] = (
    ("tools", "nested"),
    ("tools", "flat"),
    ("xml_tools", "nested"),
    ("custom_tools", "nested"),
    ("functions", "text"),
)
_BEST_SCORE: Final = 3
_REASONING_FORMS: Final[tuple[ReasoningForm, ...]] = ("fields", "all_fields", "blocks")


@dataclass(frozen=True, slots=True)
class CallSupport:
    """What a template makes of calls in the conversation so far."""

    calls: bool
    results: bool
    parallel: bool
    with_text: bool
    """A message may have text and calls; otherwise the calls would be lost."""
    id_rule: IdRule
    dialect: Dialect


class Prober:
    """Asks one template each question once. All the probes together may take as long as one rendering may."""

    def __init__(self, renderer: TemplateRenderer) -> None:
        self._renderer = renderer
        self._seconds = 0.0

    @property
    def source(self) -> str:
        """The template's text."""
        return self._renderer.source

    @cached_property
    def dialect(self) -> Dialect:
        """How the template takes the simplest of conversations."""
        return next((dialect for dialect in _DIALECTS if self.shows(MARK, [_USER], dialect)), _DIALECTS[0])

    @cached_property
    def takes_system(self) -> bool:
        """Whether the text of a system message that begins the conversation is in the prompt."""
        return self.shows(MARK, [_SYSTEM, _ASK])

    @cached_property
    def takes_later_system(self) -> bool:
        """Whether that of one in the middle is."""
        return self.shows(MARK, [_ASK, _ANSWER, _SYSTEM, _ASK])

    @cached_property
    def takes_text(self) -> bool:
        """Whether content may be a text."""
        return self.shows(MARK, [_USER], replace(self.dialect, content_as_parts=False))

    @cached_property
    def takes_parts(self) -> bool:
        """Whether content may be a list of parts. Printing the list as it is does not count."""
        text = self.prompt([_USER], replace(self.dialect, content_as_parts=True))
        return text is not None and MARK in text and "'text'" not in text

    @cached_property
    def tool_dialect(self) -> Dialect | None:
        """How the template wants to be told of tools; `None` if it has no place for them."""
        for variable, form in _TOOL_FORMS:
            if variable not in self.source:
                continue
            dialect = replace(self.dialect, tools_variable=variable, tool_form=form)
            if self.shows(_OFFERED, [_USER], dialect, Request(tools=[_TOOL])):
                return dialect
        return None

    @cached_property
    def call_support(self) -> CallSupport:
        """How the template wants calls and their results. Two choices are equally good: the one with objects."""
        start = self.tool_dialect or self.dialect
        request = Request(tools=[_TOOL] if self.tool_dialect else ())
        found = (0, start, 0)
        for as_text, null, kind in product((False, True), (False, True), (0, 1)):
            dialect = replace(start, arguments_as_text=as_text, null_content=null)
            score = self._call_score(dialect, _IDS[kind], request)
            if score > found[0]:
                found = (score, dialect, kind)
            if score == _BEST_SCORE:
                break
        score, dialect, kind = found
        return self._describe_calls(score, dialect, _IDS[kind], request, nine=kind == 1)

    @cached_property
    def null_content(self) -> bool:
        """Whether a message of calls alone may have `none` for its content."""
        support = self.call_support
        request = Request(tools=[_TOOL] if self.tool_dialect else ())
        kind = 1 if support.id_rule == "nine_alphanumerics" else 0
        return self._call_score(replace(support.dialect, null_content=True), _IDS[kind], request) > 0

    @cached_property
    def reasoning_form(self) -> ReasoningForm | None:
        """How earlier reasoning must be passed to be in the prompt; `None` if it never is."""
        for form in _REASONING_FORMS:
            dialect = replace(self.call_support.dialect, reasoning=form)
            thought = (ReasoningPart(_THOUGHT),)
            answer = [_ASK, Message("assistant", (*thought, TextPart("!")))]
            if self._thinks(answer, dialect, Request(add_generation_prompt=False)):
                return form
            if self.call_support.calls:
                ids = _IDS[self.call_support.id_rule == "nine_alphanumerics"]
                called = [_ASK, _calls(1, ids, thought), _result(0, ids)]
                if self._thinks(called, dialect, Request(tools=[_TOOL] if self.tool_dialect else ())):
                    return form
        return None

    @cached_property
    def image_text(self) -> str:
        """What the template says for an image that is a part of its own; empty if nothing that could be found again."""
        dialect = replace(self.dialect, image_parts=True)
        around = (TextPart(f"{MARK}<"), TextPart(f">{MARK}"))
        image = ImagePart(b"")
        once = self.prompt([Message("user", (around[0], image, around[1]))], dialect)
        twice = self.prompt([Message("user", (around[0], image, image, around[1]))], dialect)
        between, doubled = _between(once), _between(twice)
        # Numbered images and other niceties cannot be told apart from the text around them.
        found = between.strip()
        return found if found and "'image'" not in found and doubled.count(found) == 2 else ""

    def shows(
        self, text: str, messages: Sequence[Message], dialect: Dialect | None = None, request: Request | None = None
    ) -> bool:
        """Whether a text is in the prompt of these messages."""
        prompt = self.prompt(messages, dialect, request)
        return prompt is not None and text in prompt

    def prompt(
        self, messages: Sequence[Message], dialect: Dialect | None = None, request: Request | None = None
    ) -> str | None:
        """The prompt of these messages; `None` if the template refuses them."""
        if self._seconds > TIME_LIMIT:
            raise TemplateTooCostly(
                f"The chat template was stopped: finding out what it can do takes more than {TIME_LIMIT:.0f} seconds.",
                "The template does not work or means harm. Use another file of this model.",
            )
        began = time.thread_time()
        try:
            return self._renderer.render(messages, dialect or self.dialect, request or Request())
        except TemplateTooCostly:
            raise
        except BadTemplate:
            return None
        finally:
            self._seconds += time.thread_time() - began

    def _thinks(self, messages: Sequence[Message], dialect: Dialect, request: Request) -> bool:
        """Whether the reasoning is in the prompt, and not as a list that is printed as it is."""
        prompt = self.prompt(messages, dialect, request)
        return prompt is not None and _THOUGHT in prompt and f": '{_THOUGHT}" not in prompt

    def _call_score(self, dialect: Dialect, ids: tuple[str, str], request: Request) -> int:
        """How well one call and its result come out."""
        prompt = self.prompt([_ASK, _calls(1, ids), _result(0, ids)], dialect, request)
        if prompt is None or _RESULTS[0] not in prompt:
            alone = self.prompt([_ASK, _calls(1, ids)], dialect, request)
            return 0 if alone is None else _score(alone, ids)
        score = _score(prompt, ids)
        return score + 1 if score else 0

    def _describe_calls(
        self, score: int, dialect: Dialect, ids: tuple[str, str], request: Request, *, nine: bool
    ) -> CallSupport:
        one = [_ASK, _calls(1, ids), _result(0, ids)]
        two = [_ASK, _calls(2, ids), _result(0, ids), _result(1, ids)]
        said = [_ASK, _calls(1, ids, (TextPart(_SAID),)), _result(0, ids)]
        prompt = self.prompt(one, dialect, request) or ""
        # A result may come with the name of its function.
        called = self.prompt(one[:2], dialect, request) or prompt
        both = self.prompt(two, dialect, request) or ""
        rule: IdRule = "nine_alphanumerics" if nine else "any"
        if score and _CALLED[0] not in called:
            rule = "functions_name_index"
        return CallSupport(
            calls=score > 0,
            results=_RESULTS[0] in prompt or self.shows(_RESULTS[0], [_ASK, _ANSWER, _result(0, ids)], dialect),
            parallel=all(value in both for value in (*_VALUES, *_RESULTS)),
            with_text=self.shows(_VALUES[0], said, dialect, request),
            id_rule=rule,
            dialect=dialect,
        )


def _score(prompt: str, ids: tuple[str, str]) -> int:
    """2 for a call that is in the prompt as it should be, 1 if its arguments look as if nobody wanted them so."""
    if _VALUES[0] not in prompt or not (_CALLED[0] in prompt or ids[0] in prompt):
        return 0
    # The way Python prints an object, and JSON inside of JSON.
    return 1 if f"{{'{_KEY}'" in prompt or f'\\"{_KEY}' in prompt else 2


def _calls(count: int, ids: tuple[str, str], before: tuple[TextPart | ReasoningPart, ...] = ()) -> Message:
    calls = (ToolCallPart(ids[n], _CALLED[n], f'{{"{_KEY}": "{_VALUES[n]}"}}') for n in range(count))
    return Message("assistant", (*before, *calls))


def _result(number: int, ids: tuple[str, str]) -> Message:
    return Message("tool", (ToolResultPart(ids[number], _CALLED[number], _RESULTS[number]),))


def _between(prompt: str | None) -> str:
    """What stands between the two marks."""
    start, found, rest = (prompt or "").partition(f"{MARK}<")
    del start
    inside, closed, _ = rest.partition(f">{MARK}")
    return inside if found and closed else ""
