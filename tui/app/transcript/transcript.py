"""The widget: one scrolling view over all messages, drawn line by line."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from tui.app.actions import bindings_for
from tui.app.transcript.blocks import code_blocks, parse
from tui.app.transcript.drawing import Drawing
from tui.app.transcript.layout import Layout, settle, settle_end
from tui.app.transcript.message import TranscriptMessage
from tui.app.transcript.palette import COMPONENT_CLASSES, palette_of
from tui.app.transcript.section import copied_text
from tui.app.transcript.text import clean


class Transcript(ScrollView, can_focus=True, inherit_bindings=False):
    """The messages of a thread."""
