"""Calls in the words of models whose templates tell of tools and results, but drop the calls between them.

Such templates expect the text of an answer to hold its calls as the model wrote them, while clients take them out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from tui.domain import ToolCallPart
from tui.formats.default_tools import WriteCalls
from tui.formats.dialect import object_of


def native_writer(template: str) -> WriteCalls | None:
    """How this template's model writes calls, by the markers of its tools; `None` where they tell nothing."""
    if "<|tool_list_start|>" in template:
        return _lfm2
    if "<|tool_call|>" in template:
        return _granite
    return None


def _lfm2(calls: Sequence[ToolCallPart]) -> str:
    """Liquid AI's LFM2: a list of calls as Python writes them."""
    written = (
        f"{call.name}({', '.join(f'{name}={_python(value)}' for name, value in object_of(call.arguments).items())})"
        for call in calls
    )
    return f"<|tool_call_start|>[{', '.join(written)}]<|tool_call_end|>"


def _granite(calls: Sequence[ToolCallPart]) -> str:
    """IBM's Granite 3: a JSON list behind a marker."""
    listed = [{"name": call.name, "arguments": object_of(call.arguments)} for call in calls]
    return f"<|tool_call|>{json.dumps(listed, ensure_ascii=False)}"


def _python(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
