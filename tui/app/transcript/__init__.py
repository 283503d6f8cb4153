"""The transcript: messages, and the answer that is coming, as one scrolling view.

Markdown goes through four plain steps, each tested without a screen: `blocks` (text to values), `render` (values to
rows of cells), `layout` (rows of all messages to line numbers) and, for an answer that is coming, `growing`, which
does the first two so that a token costs the same however long the answer is. `transcript` is the widget.
"""

from tui.app.transcript.attachments import Attachment
from tui.app.transcript.message import TranscriptMessage
from tui.app.transcript.transcript import Transcript

__all__ = ["Attachment", "Transcript", "TranscriptMessage"]
