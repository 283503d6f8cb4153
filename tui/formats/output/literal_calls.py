"""Calls in the notations of Python, `f(a=1)`, and of Gemma, `call:f{a:1}`."""

from __future__ import annotations

import re

from tui.formats.output.context import CallContext
from tui.formats.output.format import BracedShape, PythonicShape
from tui.formats.output.json_text import escaped
from tui.formats.output.literals import LiteralReader
from tui.formats.output.source import Malformed, Reading

_PYTHON_NAME = re.compile(r"[\w.\-]+")
_BRACED_NAME = re.compile(r"[\w.:/\-]+")
_KEYWORD = re.compile(r"\w+")
_LONGEST_NAME = 128


def read_pythonic_calls(context: CallContext, shape: PythonicShape) -> Reading[None]:
    """One call, or a list of them. Raises Malformed where it is something else."""
    source = context.source
    if not (yield from source.accept("[")):
        yield from _call(context, shape)
        return
    while True:
        yield from source.skip_space()
        yield from _call(context, shape)
        context.finish()
        yield from source.skip_space()
        if not (yield from source.accept(",")):
            if not (yield from source.accept("]")):
                raise Malformed
            break
    context.settle()


def _call(context: CallContext, shape: PythonicShape) -> Reading[None]:
    source = context.source
    name = yield from source.run(_PYTHON_NAME, _LONGEST_NAME)
    if not name or not (yield from source.accept("(")):
        raise Malformed
    name = name.removesuffix(shape.suffix)
    context.begin(name)
    context.arguments("{")
    reader = LiteralReader(context)
    number = 0
    while True:
        yield from source.skip_space()
        if (yield from source.accept(")")):
            context.arguments("}")
            return
        key = yield from _keyword(context)
        if not key:
            known = context.tools.parameters(name)
            key = known[number] if number < len(known) else str(number)
        context.arguments((", " if number else "") + f'"{escaped(key)}": ')
        number += 1
        yield from reader.value(context.arguments)
        yield from source.skip_space()
        if not (yield from source.accept(",")) and (yield from source.peek()) != ")":
            raise Malformed


def _keyword(context: CallContext) -> Reading[str]:
    """Read `name=`; empty, with nothing read, for an argument without a name."""
    source = context.source
    offset = 0
    while offset < _LONGEST_NAME and (yield from source.available(offset + 1)):
        if not _KEYWORD.match(source.text, source.at + offset):
            break
        offset += 1
    end, character = yield from source.look(offset)
    if not offset or character != "=":
        return ""
    key = source.take(offset)
    source.take(end + 1 - offset)
    yield from source.skip_space()
    return key


def read_braced_call(context: CallContext, shape: BracedShape) -> Reading[None]:
    """One call in Gemma's notation. Raises Malformed where it is something else."""
    source = context.source
    yield from source.accept(shape.opening)
    name = yield from source.run(_BRACED_NAME, _LONGEST_NAME)
    if not (yield from source.accept("{")):
        raise Malformed
    context.begin(name)
    context.arguments("{")
    yield from LiteralReader(context, shape.quote).members(context.arguments, 0, first=True)
    context.arguments("}")
