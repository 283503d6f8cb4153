"""How a model writes, found in the text of its chat template: from its markers, never from a model's name."""

from __future__ import annotations

import re
from dataclasses import replace

from tui.formats.output.families import DEFAULT_CALLS, FAMILIES, Family
from tui.formats.output.format import CallSyntax, JsonShape, OutputFormat, ReasoningTags
from tui.formats.output.reasoning_tags import ANSWER_TAGS, REASONING, THINK
from tui.formats.output.syntaxes import key_value_tags

# Hunyuan 3 ends all its tags with a text of its own, a variable of the template.
_SUFFIXED_TAGS = re.compile(r"'<arg_key\{\}>'\.format\((\w+)\)")


def detect_output_format(template: str) -> OutputFormat:
    """How the model of this template writes.

    Of several tool formats that a template shows the most specific is the model's. A template without any gets the
    default one, in which the model has to be instructed.
    """
    if suffixed := _suffixed(template):
        return suffixed
    family = next((family for family in FAMILIES if all(sign in template for sign in family.signs)), None)
    if family is not None and family.channels is not None:
        return OutputFormat(calls=family.calls, channels=family.channels)
    calls = family.calls if family is not None else DEFAULT_CALLS
    known = family or Family(())
    own = (*known.reasoning, *_reasoning(template))
    return OutputFormat(
        reasoning=tuple(dict.fromkeys((*own, THINK))),
        own_reasoning=bool(own),
        calls=calls,
        dropped=(*known.dropped, *_wrappers(template)),
        lead=known.lead,
        own_calls=family is not None,
    )


def instructed(output_format: OutputFormat) -> OutputFormat:
    """The format of a model that was told in plain words to call tools in the default form."""
    if not output_format.own_calls:
        return output_format
    return replace(output_format, calls=(*DEFAULT_CALLS, *output_format.calls), own_calls=False)


def _reasoning(template: str) -> tuple[ReasoningTags, ...]:
    own = tuple(tags for tags in REASONING if tags.opening in template and tags.closing in template)
    # Templates that only take the reasoning out of old answers have the closing tag alone.
    return (*own, THINK) if THINK.closing in template else own


def _wrappers(template: str) -> tuple[str, ...]:
    return ANSWER_TAGS if THINK.closing in template and all(tag in template for tag in ANSWER_TAGS) else ()


def _suffixed(template: str) -> OutputFormat | None:
    found = _SUFFIXED_TAGS.search(template)
    value = re.search(rf"set {found[1]} = '([^']*)'", template) if found else None
    if value is None:
        return None
    suffix = value[1]
    shape = key_value_tags(suffix=suffix, name_end=f"<tool_sep{suffix}>")
    calls = CallSyntax(
        (shape, JsonShape()),
        (f"<tool_call{suffix}>",),
        (f"</tool_call{suffix}>",),
    )
    return OutputFormat(
        reasoning=(ReasoningTags(f"<think{suffix}>", f"</think{suffix}>"), THINK),
        own_reasoning=True,
        calls=(calls,),
        dropped=(f"<tool_calls{suffix}>", f"</tool_calls{suffix}>"),
    )
