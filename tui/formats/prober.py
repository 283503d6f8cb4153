"""What a template can do, found by rendering probes and looking for their marks in the prompt.

Templates change hands and are edited, so that neither a model's name nor a word in its template tells.
"""

from __future__ import annotations

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
    ToolCallPart,
    ToolResultPart,
    text_message,
)
from tui.formats.call_ids import IdRule
from tui.formats.dialect import Dialect, ReasoningForm, ToolForm
from tui.formats.limits import TIME_LIMIT
from tui.formats.probes import (
    ANSWER,
    ASK,
    CALLED,
    EXAMPLE,
    IDS,
    MARK,
    OFFERED,
    RESULTS,
    SAID,
    SYSTEM,
    THOUGHT,
    TOOL,
    USER,
    VALUES,
    between_marks,
    calls_probe,
    result_probe,
    score_call,
    without_surroundings,
)
from tui.formats.renderer import Request, TemplateRenderer
from tui.formats.template import TemplateTooCostly

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
        return next((dialect for dialect in _DIALECTS if self.shows(MARK, [USER], dialect)), _DIALECTS[0])

    @cached_property
    def takes_system(self) -> bool:
        """Whether the text of a system message that begins the conversation is in the prompt."""
        return self.shows(MARK, [SYSTEM, ASK])

    @cached_property
    def takes_later_system(self) -> bool:
        """Whether that of one in the middle is."""
        return self.shows(MARK, [ASK, ANSWER, SYSTEM, ASK])

    @cached_property
    def takes_text(self) -> bool:
        """Whether content may be a text."""
        return self.shows(MARK, [USER], replace(self.dialect, content_as_parts=False))

    @cached_property
    def takes_parts(self) -> bool:
        """Whether content may be a list of parts. Printing the list as it is does not count."""
        text = self.prompt([USER], replace(self.dialect, content_as_parts=True))
        return text is not None and MARK in text and "'text'" not in text

    @property
    def tool_dialect(self) -> Dialect | None:
        """How the template wants to be told of tools; `None` if it has no place for them."""
        return self._tool_place[0]

    @property
    def tools_need_system(self) -> bool:
        """Whether the place for tools is inside a system message that must be there."""
        return self._tool_place[1]

    @cached_property
    def _tool_place(self) -> tuple[Dialect | None, bool]:
        for before in ([], [text_message("system", "")]):
            for variable, form in _TOOL_FORMS:
                if variable not in self.source:
                    continue
                dialect = replace(self.dialect, tools_variable=variable, tool_form=form)
                if self.shows(OFFERED, [*before, USER], dialect, Request(tools=[TOOL])):
                    return dialect, bool(before)
        return None, False

    @cached_property
    def call_support(self) -> CallSupport:
        """How the template wants calls and their results. Two choices are equally good: the one with objects."""
        start = self.tool_dialect or self.dialect
        request = Request(tools=[TOOL] if self.tool_dialect else ())
        found = (0, start, 0)
        for as_text, null, kind in product((False, True), (False, True), (0, 1)):
            dialect = replace(start, arguments_as_text=as_text, null_content=null)
            score = self._call_score(dialect, IDS[kind], request)
            if score > found[0]:
                found = (score, dialect, kind)
            if score == _BEST_SCORE:
                break
        score, dialect, kind = found
        return self._describe_calls(score, dialect, IDS[kind], request, nine=kind == 1)

    @cached_property
    def call_example(self) -> str:
        """How the template writes a call of `tool_name`; empty where that cannot be told from the text around it."""
        support = self.call_support
        if not support.calls:
            return ""
        call = ToolCallPart(IDS[support.id_rule == "nine_alphanumerics"][0], *EXAMPLE)
        question = self.prompt([ASK], support.dialect) or ""
        ended = Request(add_generation_prompt=False)
        answer = self.prompt([ASK, ANSWER], support.dialect, ended) or ""
        called = self.prompt([ASK, Message("assistant", (call,))], support.dialect, ended) or ""
        example = without_surroundings(called, question, answer)
        return example if EXAMPLE[0] in example else ""

    @cached_property
    def null_content(self) -> bool:
        """Whether a message of calls alone may have `none` for its content."""
        support = self.call_support
        request = Request(tools=[TOOL] if self.tool_dialect else ())
        kind = 1 if support.id_rule == "nine_alphanumerics" else 0
        return self._call_score(replace(support.dialect, null_content=True), IDS[kind], request) > 0

    @cached_property
    def reasoning_form(self) -> ReasoningForm | None:
        """How earlier reasoning must be passed to be in the prompt; `None` if it never is."""
        for form in _REASONING_FORMS:
            dialect = replace(self.call_support.dialect, reasoning=form)
            thought = (ReasoningPart(THOUGHT),)
            answer = [ASK, Message("assistant", (*thought, TextPart("!")))]
            if self._thinks(answer, dialect, Request(add_generation_prompt=False)):
                return form
            if self.call_support.calls:
                ids = IDS[self.call_support.id_rule == "nine_alphanumerics"]
                called = [ASK, calls_probe(1, ids, thought), result_probe(0, ids)]
                if self._thinks(called, dialect, Request(tools=[TOOL] if self.tool_dialect else ())):
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
        between, doubled = between_marks(once), between_marks(twice)
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
        return prompt is not None and THOUGHT in prompt and not any(f": {quote}{THOUGHT}" in prompt for quote in "'\"")

    def _call_score(self, dialect: Dialect, ids: tuple[str, str], request: Request) -> int:
        """How well one call and its result come out."""
        prompt = self.prompt([ASK, calls_probe(1, ids), result_probe(0, ids)], dialect, request)
        if prompt is None or RESULTS[0] not in prompt:
            alone = self.prompt([ASK, calls_probe(1, ids)], dialect, request)
            return 0 if alone is None else score_call(alone, ids)
        score = score_call(prompt, ids)
        return score + 1 if score else 0

    def _describe_calls(
        self, score: int, dialect: Dialect, ids: tuple[str, str], request: Request, *, nine: bool
    ) -> CallSupport:
        one = [ASK, calls_probe(1, ids), result_probe(0, ids)]
        two = [ASK, calls_probe(2, ids), result_probe(0, ids), result_probe(1, ids)]
        said = [ASK, calls_probe(1, ids, (TextPart(SAID),)), result_probe(0, ids)]
        prompt = self.prompt(one, dialect, request) or ""
        unnamed = Message("tool", (ToolResultPart(ids[0], "", RESULTS[0]),))
        called = self.prompt([*one[:2], unnamed], dialect, request) or self.prompt(one[:2], dialect, request) or ""
        both = self.prompt(two, dialect, request) or ""
        rule: IdRule = "nine_alphanumerics" if nine else "any"
        if score and (CALLED[0] not in called or f"functions.{CALLED[0]}:" in called):
            rule = "functions_name_index"
        return CallSupport(
            calls=score > 0,
            results=RESULTS[0] in prompt or self.shows(RESULTS[0], [ASK, ANSWER, result_probe(0, ids)], dialect),
            parallel=all(value in both for value in (*VALUES, *RESULTS)),
            with_text=self.shows(VALUES[0], said, dialect, request),
            id_rule=rule,
            dialect=dialect,
        )
