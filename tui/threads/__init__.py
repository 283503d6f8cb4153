"""Conversations on disk: threads, their trees of messages, drafts, and answers that are saved while they come.

One SQLite file holds everything. What a person typed is on disk before the model starts, what the model says is
on disk at most half a second after it came, and a process that dies loses no more than that: the next one that
opens the store makes its unfinished answers whole.
"""

from tui.threads.recorder import AnswerRecorder
from tui.threads.records import MessageStatus, StoredMessage, ThreadSummary
from tui.threads.store import ThreadStore

__all__ = ["AnswerRecorder", "MessageStatus", "StoredMessage", "ThreadStore", "ThreadSummary"]
