"""The details of one request as text: what was asked, what the model read, what it said, and what that cost."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from rich.style import Style

from tui.app.figures import one_line
from tui.app.transcript.text import clean, hard_split, wrap, wrap_anywhere
from tui.domain import STOP_REASON_TEXT, GenerationStats, RequestRecord

SECTIONS = ("Request", "Prompt", "Answer", "Figures")

LONGEST = 200_000
"""Characters of a section that are drawn; copying takes all of them."""

LABEL_WIDTH = 18

Line = list[tuple[str, str]]
"""Texts of a line from left to right, each with a role: empty, `quiet`, `bold`, `key`, `live` or `problem`."""

_KEY = re.compile(r'( *)("(?:[^"\\]|\\.)*")(: )(.*)')


def section_text(record: RequestRecord, section: str) -> str:
    """A section as it is copied."""
    if section == "Request":
        return _pretty(record.body)
    if section == "Prompt":
        return record.prompt
    if section == "Answer":
        calls = [f"{call.name}({call.arguments})" for call in record.tool_calls]
        return "\n".join(part for part in (record.output, *calls, record.error) if part)
    return "\n".join(f"{label:<{LABEL_WIDTH}} {value}" for label, value in figures(record))


def section_lines(record: RequestRecord, section: str, width: int) -> list[Line]:
    """A section in lines of at most `width` cells. Takes a while for long texts, so it belongs into a thread."""
    if section == "Request":
        return [*_json_lines(record.body, width)] if record.body else _missing(record, "body", width)
    if section == "Prompt":
        # Every space of it counts: one too many is what people look for in a prompt.
        return _plain(record.prompt, width, exact=True) if record.prompt else _missing(record, "prompt", width)
    if section == "Figures":
        return [[(f"{label:<{LABEL_WIDTH}} ", "quiet"), (value, "")] for label, value in figures(record)]
    return _answer_lines(record, width)


def _answer_lines(record: RequestRecord, width: int) -> list[Line]:
    lines: list[Line] = []
    if record.reasoning:
        lines += [[("thinking", "bold")], *_plain(record.reasoning, width, "quiet"), []]
    lines += _plain(record.output, width) if record.output else []
    for call in record.tool_calls:
        lines += [*_gap(lines), [("calls ", "quiet"), (one_line(call.name), "bold")]]
        lines += _json_lines(call.arguments, width)
    if record.error:
        lines += [*_gap(lines), *_plain(f"✗ {record.error}", width, "problem")]
    if not record.over:
        lines += [*_gap(lines), [(record.progress or "waiting", "live")]]
    return lines or _missing(record, "answer", width)


def _gap(lines: list[Line]) -> list[Line]:
    return [[]] if lines else []


def _missing(record: RequestRecord, what: str, width: int) -> list[Line]:
    if not record.over:
        text = f"There is no {what} yet."
    elif record.method == "GET" and what == "body":
        text = "A GET request has no body."
    else:
        text = f"There is no {what}: the request brought none, or keeping texts was off."
    return _plain(text, width, "quiet")


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _json_lines(text: str, width: int) -> list[Line]:
    lines: list[Line] = []
    for row in _clipped(_pretty(text)).split("\n"):
        first, *more = hard_split(clean(row).expandtabs(4), width)
        found = _KEY.fullmatch(first)
        lines.append([(found[1], ""), (found[2], "key"), (found[3] + found[4], "")] if found else [(first, "")])
        lines += [[(piece, "")] for piece in more]
    return lines


def _plain(text: str, width: int, role: str = "", *, exact: bool = False) -> list[Line]:
    rows = (wrap_anywhere if exact else wrap)([(clean(_clipped(text)), Style.null())], width)
    return [[("".join(part for part, _ in row.spans), role)] for row in rows]


def _clipped(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}\n\n… {len(text) - LONGEST:,} more characters; y copies all."


def figures(record: RequestRecord) -> list[tuple[str, str]]:
    """Everything that is known of a request in numbers and names."""
    when = time.localtime(record.started)
    rows = [
        ("time", time.strftime("%Y-%m-%d %H:%M:%S", when)),
        ("client", record.client),
        ("API token", record.token or "none"),
        ("dialect", record.dialect),
        ("path", f"{record.method} {record.path}"),
        ("model", record.model),
        ("state", f"{record.state} {record.status or ''}".strip()),
        ("answered as", "a stream" if record.streamed else "a whole"),
        ("duration", f"{record.seconds:,.2f} s"),
    ]
    rows += _stats_rows(record.stats) if record.stats is not None else []
    return [(label, one_line(value)) for label, value in rows if value]


def _stats_rows(stats: GenerationStats) -> list[tuple[str, str]]:
    rows: list[tuple[str, Any]] = [
        ("prompt tokens", f"{stats.prompt_tokens:,}, {stats.cached_prompt_tokens:,} of them from the cache"),
        ("generated tokens", f"{stats.generated_tokens:,}"),
        ("reasoning tokens", f"{stats.reasoning_tokens:,}" if stats.reasoning_tokens else ""),
        ("first token", f"after {stats.time_to_first_token:.2f} s" if stats.time_to_first_token else ""),
        ("reading", f"{stats.prompt_speed:,.1f} tok/s" if stats.prompt_speed else ""),
        ("writing", f"{stats.generation_speed:,.1f} tok/s" if stats.generation_speed else ""),
        ("draft tokens", _draft(stats)),
        ("read again because", stats.cache_miss),
        ("ended", STOP_REASON_TEXT[stats.stop_reason]),
        ("loading the model", f"{stats.load_time:.2f} s" if stats.load_time else ""),
    ]
    return rows


def _draft(stats: GenerationStats) -> str:
    if not stats.draft_tokens_offered:
        return ""
    return f"{stats.draft_tokens_accepted:,} of {stats.draft_tokens_offered:,} accepted"
