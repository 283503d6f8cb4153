"""LM Studio's conversation files (`*.conversation.json`): read, and written so that LM Studio opens them.

The format is observed, not documented: a line of messages, each with `versions` of which one is
`currentlySelected`; an answer is a list of steps, of which content blocks are what people see. A line is less than
a tree, so the versions become siblings, and siblings versions. What these files say beyond that is kept as it was
beside each message, and goes back into the file at the next export.
"""

from tui.threads.interchange.lmstudio.files import USER_FILES, content_of
from tui.threads.interchange.lmstudio.reading import read_conversation
from tui.threads.interchange.lmstudio.writing import WrittenConversation, write_conversation

__all__ = ["USER_FILES", "WrittenConversation", "content_of", "read_conversation", "write_conversation"]
