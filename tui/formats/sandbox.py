"""Jinja as chat templates expect it, in a sandbox that also ends what would not end by itself.

Jinja's own sandbox keeps a template away from Python's insides, but not from running for ever. Here the compiled
template asks a `Meter` at every loop, call, operator, literal and output. Filters and methods are those of a list.

Importing this module loads Jinja, which takes long: do it where a template is compiled.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import BuiltinMethodType, MethodType
from typing import Any

from jinja2 import nodes, pass_context
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension, LoopControlExtension
from jinja2.parser import Parser
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, TemplateReference
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedFormatter
from jinja2.utils import Cycler, Joiner, Namespace

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
_LONGEST_DATE_FORMAT = 200
_LARGEST_INDENT = 32
_LARGEST_FORMAT_WIDTH = 1_000


class GenerationTag(Extension):
    """`{% generation %}…{% endgeneration %}`, which marks what a model is trained on and means nothing here."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The body, as if the tags were not there."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class MeteredCodeGenerator(CodeGenerator):
    """Writes the calls to the environment that Jinja's generator does not."""

    def blockvisit(self, nodes: Any, frame: Frame) -> None:
        """Each time around a loop takes time."""
        if frame.loop_frame:
            self.writeline("environment.meter.tick()")
        super().blockvisit(nodes, frame)

    def _output_const_repr(self, group: Any) -> str:
        return f"environment.keep({super()._output_const_repr(group)})"

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802
        """`a ~ b`."""
        self.write("environment.concatenate(")
        self._visit_all(node.nodes, frame)
        self.write(")")

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:  # noqa: N802
        """`a == b`, `a in b`: looks at all of both."""
        self.write("(environment.looked_at(")
        self.visit(node.expr, frame)
        self.write(")")
        for operand in node.ops:
            self.visit(operand, frame)
        self.write(")")

    def visit_Operand(self, node: nodes.Operand, frame: Frame) -> None:  # noqa: N802
        """The right side of a comparison."""
        wrapped = nodes.Operand(node.op, _Wrapped("environment.looked_at", node.expr))
        super().visit_Operand(wrapped, frame)

    def visit__Wrapped(self, node: _Wrapped, frame: Frame) -> None:  # noqa: N802
        """An expression that goes through a function."""
        self.write(f"{node.function}(")
        self.visit(node.node, frame)
        self.write(")")

    def visit_List(self, node: nodes.List, frame: Frame) -> None:  # noqa: N802
        """`[a, b]`."""
        self.write("environment.keep(")
        super().visit_List(node, frame)
        self.write(")")

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:  # noqa: N802
        """`(a, b)`, unless it is what is assigned to."""
        if node.ctx != "load":
            super().visit_Tuple(node, frame)
            return
        self.write("environment.keep(")
        super().visit_Tuple(node, frame)
        self.write(")")

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:  # noqa: N802
        """`{a: b}`; finding the place of a key looks at all of it."""
        self.write("environment.keep({")
        for item in node.items:
            self.visit(_Wrapped("environment.looked_at", item.key), frame)
            self.write(": ")
            self.visit(item.value, frame)
            self.write(", ")
        self.write("})")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:  # noqa: N802
        """`a[b]`; a slice makes something new."""
        if not isinstance(node.arg, nodes.Slice):
            super().visit_Getitem(node, frame)
            return
        self.write("environment.keep(")
        super().visit_Getitem(node, frame)
        self.write(")")

    def signature(self, node: Any, frame: Frame, extra_kwargs: Mapping[str, Any] | None = None) -> None:
        """Arguments by star would be unpacked before anyone could count them; no chat template needs them."""
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            self.fail("* and ** in calls are not supported", node.lineno)
        super().signature(node, frame, extra_kwargs)

    def _visit_all(self, expressions: list[nodes.Expr], frame: Frame) -> None:
        for expression in expressions:
            self.visit(expression, frame)
            self.write(", ")


class _Wrapped(nodes.Expr):
    """An expression whose value goes through a function of the environment."""

    fields = ("function", "node")
    function: str
    node: nodes.Expr


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
            # Jinja would compute constant expressions while it compiles, where there is no meter. An output
            # function that wants the context keeps it from that in outputs.
            optimized=False,
            finalize=_finalize,
        )
        self.meter = Meter()
        self.filters = {name: self._guarded_filter(name) for name in sorted(FILTERS)}
        self.filters["tojson"] = self._to_json
        self.tests = {name: self._guarded_test(name) for name in sorted(self.tests)}
        self.globals = {
            "range": self.globals["range"],
            "dict": self._make_dict,
            "namespace": Namespace,
            "cycler": Cycler,
            "joiner": Joiner,
            "raise_exception": _raise_exception,
            "strftime_now": self._strftime_now,
        }

    def keep(self, value: Any) -> Any:
        """Account for a value that was made. What comes one by one is accounted for as it comes."""
        if isinstance(value, Iterator) and not isinstance(value, LoopContext):
            return self._metered(value)
        self.meter.produce(extent(value))
        return value

    def looked_at(self, value: Any) -> Any:
        """Account for an operation that looks at all of a value."""
        self.meter.weigh(value)
        return value

    def concatenate(self, *values: Any) -> Any:
        """The texts of all values in a row."""
        meter = self.meter
        texts = [value if isinstance(value, str) else self._text_of(value) for value in values]
        meter.require(sum(map(len, texts)))
        return self.keep("".join(texts))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic, and what it means for texts and lists."""
        meter = self.meter
        left_size, right_size = extent(left), extent(right)
        if operator == "+":
            meter.require(left_size + right_size)
        elif operator == "*":
            # A number of times, or the product of two numbers that are small enough as it is.
            for size, times in ((left_size, right), (right_size, left)):
                if isinstance(times, int) and not isinstance(left + right if False else 0, str):
                    pass
            _check_product(meter, left, right)
        elif operator == "**" and isinstance(left, int) and isinstance(right, int):
            if left.bit_length() * right > LARGEST_NUMBER:
                raise LimitReached("it computes with a huge number")
        elif operator == "%" and isinstance(left, str):
            percent(meter, left, right)
        return self.keep(super().call_binop(context, operator, left, right))
