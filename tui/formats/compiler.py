"""How templates are compiled: Jinja's code with calls to the environment where something is repeated or made.

Importing this module loads Jinja.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, operators
from jinja2.ext import Extension
from jinja2.parser import Parser


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
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write(")")

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:  # noqa: N802
        """`a == b`, `a in b`, `a < b < c`: looks at all of each."""
        self.write("(")
        self._visit_within("environment.looked_at", node.expr, frame)
        for operand in node.ops:
            self.write(f" {operators[operand.op]} ")
            self._visit_within("environment.looked_at", operand.expr, frame)
        self.write(")")

    def visit_List(self, node: nodes.List, frame: Frame) -> None:  # noqa: N802
        """`[a, b]`."""
        self.write("environment.keep(")
        super().visit_List(node, frame)
        self.write(")")

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:  # noqa: N802
        """`(a, b)`, as a value or as what is assigned to."""
        made = node.ctx == "load"
        self.write("environment.keep(" if made else "")
        super().visit_Tuple(node, frame)
        self.write(")" if made else "")

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:  # noqa: N802
        """`{a: b}`; finding the place of a key looks at all of it."""
        self.write("environment.keep({")
        for item in node.items:
            self._visit_within("environment.looked_at", item.key, frame)
            self.write(": ")
            self.visit(item.value, frame)
            self.write(", ")
        self.write("})")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:  # noqa: N802
        """`a[b]`; `a[b:c]` makes something new."""
        made = isinstance(node.arg, nodes.Slice)
        self.write("environment.keep(" if made else "")
        super().visit_Getitem(node, frame)
        self.write(")" if made else "")

    def signature(self, node: Any, frame: Frame, extra_kwargs: Mapping[str, Any] | None = None) -> None:
        """Arguments by star would be unpacked before anyone could count them; no chat template needs them."""
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            self.fail("* and ** in calls are not supported", node.lineno)
        super().signature(node, frame, extra_kwargs)

    def _visit_within(self, function: str, expression: nodes.Expr, frame: Frame) -> None:
        self.write(f"{function}(")
        self.visit(expression, frame)
        self.write(")")
