"""Conversations on disk: threads in folders, trees of messages, drafts, search, answers saved while they come.

One SQLite file holds everything but attached pictures, which lie beside it. What a person typed is on disk before
the model starts, what the model says is on disk at most half a second after it came, and a process that dies loses no
more than that: the next one that opens the store makes its unfinished answers whole. Every change can be undone.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.threads.changes import Undo
    from tui.threads.editor import Editor
    from tui.threads.finder import Finder
    from tui.threads.folders import Folders
    from tui.threads.interchange import (
        EXPORT_FORMATS,
        FORMAT_TITLES,
        Exported,
        ExportFormat,
        ExportReport,
        ImportReport,
        Interchange,
        ending_of,
        file_name,
        format_for,
    )
    from tui.threads.recorder import AnswerRecorder
    from tui.threads.records import (
        Folder,
        FoundInThread,
        JumpHit,
        MessageKind,
        MessageStatus,
        NewMessage,
        NewThread,
        SearchHit,
        SettingsLayer,
        StoredMessage,
        ThreadSet,
        ThreadSort,
        ThreadSummary,
        TitleOrigin,
    )
    from tui.threads.requests import collapsed_for, request_for, snapshot_of, values_in
    from tui.threads.sending import check_continuable, messages_to_send, with_files_as_text
    from tui.threads.store import ThreadStore
    from tui.threads.thread_settings import ThreadSettings
    from tui.threads.titles import clean_title, copy_mark, title_request
    from tui.threads.tree import TreeRow
else:
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "changes": "Undo",
            "editor": "Editor",
            "finder": "Finder",
            "folders": "Folders",
            "interchange": "EXPORT_FORMATS FORMAT_TITLES ExportFormat ExportReport Exported ImportReport Interchange "
            "ending_of file_name format_for",
            "recorder": "AnswerRecorder",
            "records": "Folder FoundInThread JumpHit MessageKind MessageStatus NewMessage NewThread SearchHit "
            "SettingsLayer StoredMessage ThreadSet ThreadSort ThreadSummary TitleOrigin",
            "requests": "collapsed_for request_for snapshot_of values_in",
            "sending": "check_continuable messages_to_send with_files_as_text",
            "store": "ThreadStore",
            "thread_settings": "ThreadSettings",
            "titles": "clean_title copy_mark title_request",
            "tree": "TreeRow",
        },
    )

__all__ = [
    "EXPORT_FORMATS",
    "FORMAT_TITLES",
    "AnswerRecorder",
    "Editor",
    "ExportFormat",
    "ExportReport",
    "Exported",
    "Finder",
    "Folder",
    "Folders",
    "FoundInThread",
    "ImportReport",
    "Interchange",
    "JumpHit",
    "MessageKind",
    "MessageStatus",
    "NewMessage",
    "NewThread",
    "SearchHit",
    "SettingsLayer",
    "StoredMessage",
    "ThreadSet",
    "ThreadSettings",
    "ThreadSort",
    "ThreadStore",
    "ThreadSummary",
    "TitleOrigin",
    "TreeRow",
    "Undo",
    "check_continuable",
    "clean_title",
    "collapsed_for",
    "copy_mark",
    "ending_of",
    "file_name",
    "format_for",
    "messages_to_send",
    "request_for",
    "snapshot_of",
    "title_request",
    "values_in",
    "with_files_as_text",
]
