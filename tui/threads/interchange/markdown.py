"""A thread as Markdown: to be read by people, and read back by lmdeck.

Comments that no viewer shows say where each message and each part begins. They bear a mark that occurs in no
text of the thread, so that nothing anybody wrote can be taken for one. The document holds the branch in view.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from tui.domain import (
    FilePart,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from tui.threads.interchange.exported import Exported, other_branches
from tui.threads.interchange.fences import fence_around, unclosed_fence
from tui.threads.interchange.portable import PortableMessage, PortableThread
from tui.threads.interchange.values import written
from tui.threads.thread_settings import settings_to_column

VERSION = 1
SYSTEM_PROMPT = "system_prompt"
SPEAKERS = {"system": "System", "user": "User", "assistant": "Assistant", "tool": "Tool"}

_ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif"}


def write_markdown(thread: PortableThread, name: str) -> Exported:
    """The Markdown document of a thread. `name` is that of its file; pictures go into a folder named like it."""
    branch, prompt = thread.branch(), thread.settings.system_prompt
    mark = _mark_for([*(text for node in branch for text in _texts(node.message)), prompt or ""])
    pictures: dict[str, bytes] = {}
    lines = [*_front_matter(thread, mark), f"# {' '.join(thread.title.split()) or 'Untitled'}", ""]
    if prompt:
        lines += _section(mark, {"part": SYSTEM_PROMPT, **_closing(prompt)}, prompt)
    for node in branch:
        lines += [_comment(mark, _facts(node)), f"## {_heading(node)}", ""]
        for part in node.message.parts:
            lines += _section(mark, *_content(part, name, pictures))
    return Exported("\n".join([*lines, ""]), pictures, other_branches(thread))


def around(facts: Mapping[str, Any]) -> tuple[str, str]:
    """What stands before and behind the content of a part in the document."""
    fence = str(facts.get("fence", ""))
    name = f"`{' '.join(str(facts.get('name', '')).split())}`"
    match facts.get("part"):
        case "system_prompt":
            return "## System prompt\n\n", f"\n{fence}\n" if fence else "\n\n"
        case "reasoning":
            return "<details>\n<summary>Reasoning</summary>\n\n", f"\n{fence}\n</details>\n\n"
        case "tool_call":
            return f"Calls {name}:\n\n{fence}json\n", f"\n{fence}\n\n"
        case "tool_result":
            return f"{name} says:\n\n{fence}\n", f"\n{fence}\n\n"
        case "file":
            return f"{name}\n\n{fence}\n", f"\n{fence}\n\n"
        case _:
            return "", f"\n{fence}\n" if fence else "\n\n"


def _front_matter(thread: PortableThread, mark: str) -> Iterator[str]:
    yield "---"
    facts: dict[str, Any] = {
        "lmdeck": VERSION,
        "mark": mark,
        "title": thread.title,
        "created": _day(thread.created),
        "updated": _day(thread.updated),
        "pinned": thread.pinned or None,
        "draft": thread.draft or None,
        "settings": json.loads(settings_to_column(replace(thread.settings, system_prompt=None))) or None,
    }
    for key, value in facts.items():
        if value is not None:
            yield f"{key}: {written(value)}"
    yield from ("---", "")


def _facts(node: PortableMessage) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "role": node.message.role,
        "kind": None if node.kind == "message" else node.kind,
        "model": node.model,
        "status": None if node.status == "complete" else node.status,
        "error": node.error,
        "created": node.created,
        "stats": node.stats and {name: value for name, value in asdict(node.stats).items() if value},
    }
    return {name: value for name, value in facts.items() if value}


def _heading(node: PortableMessage) -> str:
    speaker = "Note" if node.kind == "note" else SPEAKERS[node.message.role]
    return " · ".join(" ".join(words.split()) for words in (speaker, node.model) if words)


def _section(mark: str, facts: Mapping[str, Any], content: str) -> Iterator[str]:
    before, behind = around(facts)
    yield _comment(mark, facts)
    # The line break between this and what follows is the last one of what stands behind.
    yield before + content + behind.removesuffix("\n")


def _content(part: Part, name: str, pictures: dict[str, bytes]) -> tuple[dict[str, Any], str]:
    match part:
        case TextPart(text):
            return {"part": "text", **_closing(text)}, text
        case ReasoningPart(text):
            return {"part": "reasoning", **_closing(text)}, text
        case ImagePart(data, media_type, title):
            path = f"{name}.files/{len(pictures) + 1}.{_ENDINGS.get(media_type, 'bin')}"
            pictures[path] = data
            facts = {"part": "image", "path": path, "media_type": media_type, "name": title}
            return facts, f"![{_plain(title)}](<{path}>)"
        case FilePart(title, text):
            return {"part": "file", "name": title, "fence": fence_around(text)}, text
        case ToolCallPart(identifier, title, arguments):
            facts = {"part": "tool_call", "id": identifier, "name": title, "fence": fence_around(arguments)}
            return facts, arguments
        case ToolResultPart(identifier, title, text):
            return {"part": "tool_result", "id": identifier, "name": title, "fence": fence_around(text)}, text


def _closing(text: str) -> dict[str, str]:
    """Code at whose end an answer was stopped would swallow the rest of the document."""
    fence = unclosed_fence(text)
    return {"fence": fence} if fence else {}


def _comment(mark: str, facts: Mapping[str, Any]) -> str:
    # An escaped `>` cannot end the comment.
    return f"<!-- lmdeck:{mark} {written(dict(facts)).replace('>', chr(92) + 'u003e')} -->"


def _mark_for(texts: Sequence[str]) -> str:
    seed = hashlib.sha256("\0".join(texts).encode("utf-8", "replace")).hexdigest()
    marks = (seed[start : start + 6] for start in range(58))
    return next((mark for mark in marks if not any(mark in text for text in texts)), seed)


def _texts(message: Message) -> Iterator[str]:
    for part in message.parts:
        match part:
            case TextPart(text) | ReasoningPart(text) | FilePart(_, text) | ToolResultPart(_, _, text):
                yield text
            case ToolCallPart(_, _, arguments):
                yield arguments
            case ImagePart():
                pass


def _plain(text: str) -> str:
    return re.sub(r"[\[\]\\<>`\s]+", " ", text)


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat() if 0 < seconds < 2**36 else ""
