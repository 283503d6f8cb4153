"""Jinja as chat templates expect it, in a sandbox that also ends what would not end by itself.

Jinja's own sandbox keeps a template away from Python's insides, but not from running for ever. Here the compiled
template asks a `Meter` at every loop, call, operator, literal and output. Filters and methods are those of a list.

Importing this module loads Jinja, which takes long: do it where a template is compiled.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from types import BuiltinMethodType, MethodType
from typing import Any

from jinja2 import nodes, pass_context
from jinja2.ext import LoopControlExtension
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, TemplateReference
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedFormatter
from jinja2.utils import Cycler, Joiner, Namespace

from tui.formats.compiler import GenerationTag, MeteredCodeGenerator
from tui.formats.functions import limited_range, raise_exception, strftime_now
from tui.formats.guards import (
    FILTER_CHECKS,
    FILTERS,
    MAPPING_METHODS,
    METHOD_CHECKS,
    SEQUENCE_METHODS,
    SHALLOW_FILTERS,
    SHALLOW_TESTS,
    TEXT_METHODS,
    Check,
    percent,
)
from tui.formats.limits import LARGEST_NUMBER, LimitReached, Meter, extent

_ITEM_OF_ITERATOR = 32
_CONDITION_OF_LOOP = "<condition of a loop>"
_MOST_NODES = 12_000
_LONGEST_SEPARATORS = 32
_LARGEST_JSON_INDENT = 32
_LARGEST_FORMAT_WIDTH = 1_000


class MeteredEnvironment(ImmutableSandboxedEnvironment):
    """Settings, filters and globals of Hugging Face's `apply_chat_template`, with a meter for each rendering.

    `meter` is replaced for every rendering, so one environment serves one rendering at a time.
    """

    code_generator_class = MeteredCodeGenerator
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[LoopControlExtension, GenerationTag],
            # Jinja would compute constant expressions while it compiles, where there is no meter. In outputs it does
            # so regardless, unless there is an output function that wants the context.
            optimized=False,
            finalize=_finalize,
        )
        self.meter = Meter()
        self.filters = {name: self._guarded_filter(name, self.filters[name]) for name in FILTERS}
        self.filters["tojson"] = self._to_json
        self.tests = {name: self._guarded_test(name, self.tests[name]) for name in self.tests}
        self.tests[_CONDITION_OF_LOOP] = self._condition_of_loop
        self.globals = {
            "range": limited_range,
            "dict": self._dict,
            "namespace": self._namespace,
            "cycler": Cycler,
            "joiner": Joiner,
            "raise_exception": raise_exception,
            "strftime_now": strftime_now,
        }

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        template = super()._parse(source, name, filename)
        if sum(1 for _ in template.find_all(nodes.Node)) > _MOST_NODES:
            raise LimitReached("it is too long")
        for loop in template.find_all(nodes.For):
            if loop.test is not None:
                # The generated code tries the items in a loop of its own, out of reach of `blockvisit`.
                loop.test = nodes.Test(loop.test, _CONDITION_OF_LOOP, [], [], None, None, lineno=loop.test.lineno)
                loop.set_environment(self)
        return template

    def _condition_of_loop(self, met: Any) -> Any:
        self.meter.tick()
        return met

    def keep(self, value: Any) -> Any:
        """Account for a value that was made. What comes one by one is accounted for as it comes."""
        if _is_lazy(value):
            return self._metered(value)
        size = extent(value)
        self.meter.require(size)
        if isinstance(value, list | tuple | Mapping):
            self.meter.require_items(len(value))
        self.meter.produce(size)
        return value

    def looked_at(self, value: Any) -> Any:
        """Account for an operation that looks at all of a value."""
        self.meter.weigh(value)
        return value

    def concatenate(self, *values: Any) -> Any:
        """The texts of all values in a row."""
        texts = [self.text_of(value) for value in values]
        self.meter.require(sum(map(len, texts)))
        return self.keep("".join(texts))

    def text_of(self, value: Any) -> str:
        """The value as it is printed."""
        if isinstance(value, str):
            return value
        self.meter.weigh(value)
        return str(value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic, and what it means for texts and lists."""
        # Neither number is huge.
        extent(left)
        extent(right)
        if operator == "*":
            for many, times in ((left, right), (right, left)):
                if isinstance(many, str | list | tuple) and isinstance(times, int):
                    self.meter.require(len(many) * times)
        elif operator == "**" and isinstance(left, int) and isinstance(right, int):
            if left.bit_length() * right > LARGEST_NUMBER:
                raise LimitReached("it computes with a huge number")
        elif operator == "%" and isinstance(left, str):
            percent(self.meter, left, right)
        return self.keep(super().call_binop(context, operator, left, right))

    def call(__self, __context: Context, __callee: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """Call a macro, a global or a method. Macros may get anything; what they do with it is accounted for there."""
        __self.meter.tick()
        if not isinstance(__callee, Macro | LoopContext | functools.partial):
            __self.meter.weigh(args)
            __self.meter.weigh(kwargs)
        return super().call(__context, __callee, *args, **kwargs)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute`."""
        return self._guarded_method(super().getattr(obj, attribute))

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]`."""
        if not isinstance(argument, str):
            self.meter.weigh(argument)
        return self._guarded_method(super().getitem(obj, argument))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether a template may use this attribute: the methods of a list, and what Jinja's own objects offer."""
        match obj:
            case str():
                known = attr in TEXT_METHODS
            case Mapping():
                known = attr in MAPPING_METHODS
            case list() | tuple():
                known = attr in SEQUENCE_METHODS
            case _:
                known = isinstance(obj, _OBJECTS_OF_JINJA)
        return known and super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """`text.format(…)`, which must neither reach Python's insides nor pad without end."""
        if not isinstance(value, BuiltinMethodType | MethodType) or value.__name__ not in ("format", "format_map"):
            return None
        template = value.__self__
        if not isinstance(template, str):
            return None
        return functools.partial(self._format_map if value.__name__ == "format_map" else self._format, template)

    def _format(self, template: str, /, *args: Any, **kwargs: Any) -> str:
        self.meter.weigh(args)
        self.meter.weigh(kwargs)
        return str(self.keep(_MeteredFormatter(self).vformat(str(template), args, kwargs)))

    def _format_map(self, template: str, values: Mapping[str, Any]) -> str:
        return self._format(template, **values)

    def _guarded_method(self, value: Any) -> Any:
        if not isinstance(value, BuiltinMethodType | MethodType):
            return value
        owner = value.__self__
        if isinstance(owner, str):
            return functools.partial(self._call_method, value, METHOD_CHECKS.get(value.__name__))
        if isinstance(owner, list | tuple | Mapping):
            return functools.partial(self._call_method, value, None)
        return value

    def _call_method(self, method: Any, check: Check | None, /, *args: Any, **kwargs: Any) -> Any:
        owner = method.__self__
        if isinstance(owner, list | tuple):
            self.meter.weigh(owner)
        values = self._counted(args)
        if check is not None:
            check(self.meter, owner, *values, **kwargs)
        return self.keep(method(*values, **kwargs))

    def _guarded_filter(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        # Some filters get Jinja's context before their own arguments.
        own = 1 if hasattr(function, "jinja_pass_arg") else 0
        check = FILTER_CHECKS.get(name)

        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            values = args[own:]
            if name not in SHALLOW_FILTERS:
                values = self._counted(values)
                self.meter.weigh(kwargs)
            if check is not None:
                check(self.meter, *values, **kwargs)
            return self.keep(function(*args[:own], *values, **kwargs))

        return guarded

    def _guarded_test(self, name: str, function: Any) -> Any:
        if name in SHALLOW_TESTS:
            return function

        @functools.wraps(function)
        def guarded(*args: Any) -> Any:
            return function(*self._counted(args))

        return guarded

    def _counted(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """The values after all that is in them has been accounted for; what comes one by one is made a list."""
        counted = tuple(self.keep(list(self._metered(value))) if _is_lazy(value) else value for value in values)
        self.meter.weigh(counted)
        return counted

    def _metered(self, values: Iterator[Any]) -> Iterator[Any]:
        for value in values:
            self.meter.produce(_ITEM_OF_ITERATOR)
            yield value

    def _dict(self, pairs: Any = (), /, **named: Any) -> dict[Any, Any]:
        if isinstance(pairs, Mapping):
            return {**pairs, **named}
        made: dict[Any, Any] = {}
        # One by one: with keys of equal hashes Python would take very long for all at once.
        for key, value in self._metered(iter(pairs)):
            made[self.looked_at(key)] = value
        return {**made, **named}

    def _namespace(self, pairs: Any = (), /, **named: Any) -> Namespace:
        return Namespace(self._dict(pairs, **named))

    def _to_json(
        self,
        value: Any,
        ensure_ascii: bool = False,
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> Any:
        """Hugging Face's `tojson`: nothing escaped for HTML."""
        self.meter.weigh(value)
        if separators is not None and sum(map(len, separators)) > _LONGEST_SEPARATORS:
            raise LimitReached("it separates JSON by huge texts")
        encoder = json.JSONEncoder(ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
        if indent is None:
            return self.keep(encoder.encode(value))
        if indent > _LARGEST_JSON_INDENT:
            raise LimitReached("it indents JSON by a huge width")
        # Deep structures have long indents: counted while they are written.
        return "".join(self.keep(piece) for piece in encoder.iterencode(value))


class _MeteredFormatter(SandboxedFormatter):
    """Formats one field after the other and counts."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        """One `{…}`."""
        if any(int(number) > _LARGEST_FORMAT_WIDTH for number in re.findall(r"\d+", format_spec)):
            raise LimitReached("it pads a text to a huge width")
        environment: MeteredEnvironment = self._env  # type: ignore[assignment]
        return environment.keep(super().format_field(value, format_spec))


_OBJECTS_OF_JINJA = (BlockReference, Cycler, Joiner, LoopContext, Macro, Namespace, TemplateReference)


@pass_context
def _finalize(context: Context, value: Any) -> str:
    """What the template prints for a value."""
    environment: MeteredEnvironment = context.environment  # type: ignore[assignment]
    text: str = environment.keep(environment.text_of(value))
    return text


def _is_lazy(value: Any) -> bool:
    """Whether the value is not there yet but comes item by item."""
    return isinstance(value, Iterator) and not isinstance(value, LoopContext)
