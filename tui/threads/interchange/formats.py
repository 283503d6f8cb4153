"""The formats that threads are exported in."""

from __future__ import annotations

from typing import Literal, get_args

from tui.domain import BadRequest, ImagePart
from tui.threads.interchange.exported import Exported, counted, other_branches
from tui.threads.interchange.portable import PortableThread

ExportFormat = Literal["lmstudio", "json", "markdown", "html", "openai", "sharegpt"]
EXPORT_FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)

FORMAT_TITLES: dict[ExportFormat, str] = {
    "lmstudio": "LM Studio conversation",
    "json": "JSON (everything)",
    "markdown": "Markdown",
    "html": "HTML page",
    "openai": "JSONL, OpenAI messages",
    "sharegpt": "JSONL, ShareGPT",
}

_ENDINGS: dict[ExportFormat, str] = {
    "lmstudio": ".conversation.json",
    "json": ".lmdeck.json",
    "markdown": ".md",
    "html": ".html",
    "openai": ".jsonl",
    "sharegpt": ".jsonl",
}


# The longer ones first, since they end like the shorter ones.
_BY_ENDING: dict[str, ExportFormat] = {
    ".conversation.json": "lmstudio",
    ".jsonl": "openai",
    ".json": "json",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
}


def ending_of(chosen: ExportFormat) -> str:
    """How the names of files in a format end."""
    return _ENDINGS[chosen]


def holds_many(chosen: ExportFormat) -> bool:
    """Whether one file may hold several threads, one on each line."""
    return _ENDINGS[chosen] == ".jsonl"


def format_for(name: str) -> ExportFormat:
    """The format that the name of a file asks for. Raises BadRequest where it could be several or none."""
    for ending, chosen in _BY_ENDING.items():
        if name.lower().endswith(ending):
            return chosen
    raise BadRequest(
        f"The name {name!r} does not say in which format to export.",
        f"Name one of {', '.join(EXPORT_FORMATS)}.",
        field="format",
    )


def write_as(chosen: ExportFormat, thread: PortableThread, name: str) -> Exported:
    """The thread in a format. `name` is that of its file without the ending."""
    # Each format is imported when it is asked for: most exports need one.
    match chosen:
        case "lmstudio":
            return _as_conversation(thread, name)
        case "json":
            from tui.threads.interchange.own_json import write_thread

            return Exported(write_thread(thread))
        case "markdown":
            from tui.threads.interchange.markdown import write_markdown

            return write_markdown(thread, name)
        case "html":
            from tui.threads.interchange.html import write_html

            return write_html(thread)
        case "openai":
            from tui.threads.interchange.openai_messages import write_messages

            return Exported(write_messages(thread) + "\n", left_out=other_branches(thread))
        case "sharegpt":
            from tui.threads.interchange.sharegpt import write_sharegpt

            parts = [part for message in thread.said() for part in message.parts]
            pictures = counted(sum(isinstance(part, ImagePart) for part in parts), "picture", "in messages")
            return Exported(write_sharegpt(thread) + "\n", left_out=other_branches(thread) + pictures)


def _as_conversation(thread: PortableThread, name: str) -> Exported:
    from tui.threads.interchange.lmstudio import USER_FILES, content_of, write_conversation
    from tui.threads.interchange.values import written

    # Files of LM Studio's are called by a time, which is as unique as they are.
    made = write_conversation(thread, int(name) if name.isdecimal() else None)
    files: dict[str, bytes] = {}
    for identifier, file in made.files.items():
        data = content_of(file)
        kind = "image" if isinstance(file, ImagePart) else "text"
        about = {"type": kind, "sizeBytes": len(data), "originalName": file.name, "fileIdentifier": identifier}
        files[f"{USER_FILES}/{identifier}"] = data
        files[f"{USER_FILES}/{identifier}.metadata.json"] = written(about).encode()
    left_out = counted(made.left_out, "message", "behind versions that are not in view")
    return Exported(made.text, files, left_out)
