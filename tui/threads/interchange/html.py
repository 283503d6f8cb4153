"""A thread as one HTML file that needs nothing else: no scripts, nothing from the network, light and dark.

Everything that anybody wrote is escaped. Markdown is shown as such by markdown-it with HTML switched off; pictures
that a text links to become links, because loading them would tell somebody that the file is being read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any

from tui.domain import (
    STOP_REASON_TEXT,
    FilePart,
    GenerationStats,
    ImagePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from tui.threads.interchange.data_urls import data_url
from tui.threads.interchange.exported import Exported, other_branches
from tui.threads.interchange.html_style import STYLE
from tui.threads.interchange.portable import PortableMessage, PortableThread

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_SPEAKERS = {"system": "System", "user": "You", "assistant": "Assistant", "tool": "Tool"}

# What browsers show and cannot run; an SVG could hold scripts.
_PICTURES = ("image/png", "image/jpeg", "image/webp", "image/gif")

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def write_html(thread: PortableThread) -> Exported:
    """The HTML document of a thread's branch in view."""
    return Exported("".join(_document(thread)), left_out=other_branches(thread))


def _document(thread: PortableThread) -> Iterator[str]:
    markdown = _markdown()
    title = escape(" ".join(thread.title.split()) or "Untitled")
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<header>\n<h1>{title}</h1>\n{_about(thread)}</header>\n"
    )
    if thread.settings.system_prompt:
        prompt = markdown.render(thread.settings.system_prompt)
        yield f'<article class="system">\n<h2>System prompt</h2>\n<div class="text">\n{prompt}</div>\n</article>\n'
    for node in thread.branch():
        yield from _article(node, markdown)
    yield "</main>\n</body>\n</html>\n"


def _about(thread: PortableThread) -> str:
    models = list(dict.fromkeys(node.model for node in thread.branch() if node.model))
    facts = [_day(thread.created), ", ".join(models)]
    shown = " · ".join(escape(fact) for fact in facts if fact)
    return f'<p class="facts">{shown}</p>\n' if shown else ""


def _article(node: PortableMessage, markdown: MarkdownIt) -> Iterator[str]:
    kind = "note" if node.kind == "note" else node.message.role
    speaker = "Note" if node.kind == "note" else _SPEAKERS[node.message.role]
    model = f' <span class="model">{escape(node.model)}</span>' if node.model else ""
    yield f'<article class="{kind}">\n<h2>{speaker}{model}</h2>\n'
    for part in node.message.parts:
        yield _part(part, markdown)
    if node.error:
        yield f'<p class="error">{escape(node.error)}</p>\n'
    figures = " · ".join(_figures(node.stats)) if node.stats else ""
    if figures:
        yield f'<p class="facts">{escape(figures)}</p>\n'
    yield "</article>\n"


def _part(part: Part, markdown: MarkdownIt) -> str:
    match part:
        case TextPart(text):
            return f'<div class="text">\n{markdown.render(text)}</div>\n'
        case ReasoningPart(text):
            return _folded("Reasoning", f'<div class="text">\n{markdown.render(text)}</div>\n', "reasoning")
        case ImagePart(data, media_type, name):
            title = escape(name, quote=True)
            if media_type not in _PICTURES:
                return f'<p class="facts">Picture {title}, not shown</p>\n'
            return f'<img src="{data_url(data, media_type)}" alt="{title}">\n'
        case FilePart(name, text):
            return _folded(escape(name), _code(text), "file")
        case ToolCallPart(_, name, arguments):
            return _folded(f"Calls <code>{escape(name)}</code>", _code(arguments), "call")
        case ToolResultPart(_, name, text):
            title = f"Result of <code>{escape(name)}</code>" if name else "Result"
            return _folded(title, _code(text), "result")


def _folded(title: str, content: str, kind: str) -> str:
    return f'<details class="{kind}">\n<summary>{title}</summary>\n{content}</details>\n'


def _code(text: str) -> str:
    return f"<pre><code>{escape(text)}</code></pre>\n"


def _figures(stats: GenerationStats) -> Iterator[str]:
    if stats.generation_speed:
        yield f"{stats.generation_speed:.1f} tok/s"
    if stats.generated_tokens:
        yield f"{stats.generated_tokens:,} tokens"
    if stats.time_to_first_token:
        yield f"{stats.time_to_first_token:.2f} s to first token"
    yield STOP_REASON_TEXT[stats.stop_reason]


def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    markdown.add_render_rule("image", _image_as_link)
    markdown.add_render_rule("link_open", _safe_link)
    return markdown


def _image_as_link(_renderer: Any, tokens: Sequence[Token], index: int, _options: Any, _environment: Any) -> str:
    address = escape(str(tokens[index].attrGet("src") or ""), quote=True)
    title = escape(tokens[index].content or "image")
    if not address.lower().startswith(("http://", "https://")):
        return f"[{title}]"
    return f'<a href="{address}" rel="noopener noreferrer">[{title}]</a>'


def _safe_link(renderer: Any, tokens: Sequence[Token], index: int, options: Any, _environment: Any) -> str:
    tokens[index].attrSet("rel", "noopener noreferrer")
    return str(renderer.renderToken(tokens, index, options, {}))


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC") if 0 < seconds < 2**36 else ""
