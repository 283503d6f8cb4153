"""The card of the model file: what it is, how it was made, and how it did."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tui.builtin.training.checking import CheckReport
from tui.builtin.training.talking import program_facts
from tui.builtin.training.vocabulary import SILENT_TOKENS

_TEXT = """\
# The guide

`{name}` is a tiny language model that ships with lmdeck. It knows the program: its keys, commands and parameters. It
calls functions, writes JSON to a schema, and makes small talk; for everything else it points to bigger models. It is
wrong at times, as the figures say.

| | |
| --- | --- |
| SHA-256 | `{digest}` |
| architecture | qwen3: {layers} layers, width {width}, {heads} heads ({kv_heads} for keys and values) |
| parameters | {parameters:.2f} M |
| vocabulary | {vocabulary} tokens, byte-level BPE trained on the corpus |
| weights | Q8_0, norms F32 |
| trained context | {longest} tokens |
| licence | MIT; trained from scratch, all texts of the corpus are in `training/seeds/` and `training/*.py` |

## How it was made

`python -m tui.builtin.training` (needs `torch` and `gguf`): {steps} steps, {dialogues:,} generated conversations,
{tokens:.1f} M tokens, of which {learned:.1f} M were learned; {minutes:.0f} minutes on the CPU of a shared two-core
machine. The corpus knows {facts} facts. Its generator makes every conversation anew, so that hardly any was seen
twice. Before an answer that the model knows by heart it writes one of {topics} silent tokens, which say what it took
the question to be about and print nothing.{begun}

## How it does

Held out: {questions:.0f} questions about the program and small talk in phrasings written for the test,
{tool_requests:.0f} requests for functions whose names and values never occur in training ({written:.0f} % right of
those written by hand, {invented:.0f} % of those generated), {structured_requests:.0f} requests with a JSON schema.
Asked through lmdeck's own server with the sampling that its file asks for and fixed seeds.

| | |
| --- | --- |
| `answers_percent` | {answers} |
| `tool_calls_percent` | {calls} |
| `structured_percent` (valid) | {structured} |
| the values in them right, where they can be known | {structured_values} |
| `tokens_per_second` on one core of that machine | {speed:.0f} |
| `file_mb` | {megabytes:.2f} |

`python -m tests.bench guide` measures again, with the speed on your machine.
"""
_BEGUN = """

It began with the weights of the guide whose SHA-256 is `{digest}`
(`--base`); the counts are those of the training that followed. The weights are the mean of what came of it (three
parts) and what it began with (one part)."""


def write_card(model: Path, progress: Path, report: CheckReport) -> Path:
    """Write the card beside the model file, from the training's progress and what the check found."""
    made = json.loads(progress.read_text(encoding="utf-8"))
    figures, shape = report.figures, made["shape"]
    data = model.read_bytes()
    text = _TEXT.format(
        name=model.name,
        digest=hashlib.sha256(data).hexdigest(),
        megabytes=figures["file_mb"],
        speed=figures["tokens_per_second"],
        parameters=made["parameters"] / 1e6,
        longest=made["longest"],
        steps=made["step"],
        dialogues=made["dialogues"],
        tokens=made["tokens"] / 1e6,
        learned=made["learned_tokens"] / 1e6,
        minutes=made["seconds"] / 60,
        facts=len(program_facts()),
        topics=len(SILENT_TOKENS),
        begun=_BEGUN.format(digest=made["base"]) if made["base"] else "",
        questions=figures["questions"],
        tool_requests=figures["tool_requests"],
        written=figures["tool_calls_written_percent"],
        invented=figures["tool_calls_invented_percent"],
        structured_requests=figures["structured_requests"],
        answers=figures["answers_percent"],
        calls=figures["tool_calls_percent"],
        structured=figures["structured_percent"],
        structured_values=figures["structured_values_percent"],
        **{key: shape[key] for key in ("layers", "width", "heads", "kv_heads", "vocabulary")},
    )
    card = model.with_suffix(".md")
    card.write_text(text, encoding="utf-8")
    return card
