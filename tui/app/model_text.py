"""What is known about one model, as lines: its facts, all its metadata, and the README that lies beside it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from tui.app.figures import bytes_text, parameters_text
from tui.app.request_text import Line
from tui.app.transcript.text import clean
from tui.app.widgets.row_list import wrap
from tui.config import field_parameters, value_text
from tui.domain import ModelInfo

if TYPE_CHECKING:
    from tui.app.model_rows import ModelRow
    from tui.models import MetadataItem, ModelDetails

SECTIONS: Final = ("Model", "Metadata", "README")
_LABEL: Final = 14
_FOLDED: Final = 3
"""Lines of a value that are shown while it is folded."""
_LONGEST: Final = 200_000
"""Characters of a README that are drawn."""


def detail_lines(
    row: ModelRow | None, details: ModelDetails | None, section: str, width: int, *, unfolded: bool
) -> list[Line]:
    """A section in lines of at most `width` cells; takes a while for long texts, so it belongs into a thread."""
    if row is None:
        return []
    if section == "Model":
        return _facts(row, width)
    if details is None:
        return [[("Reading the file…", "quiet")]]
    if section == "Metadata":
        return _metadata(details, width, unfolded=unfolded)
    return _readme(details.readme, width)


def section_text(row: ModelRow, details: ModelDetails | None, section: str) -> str:
    """A section as it is copied."""
    if section == "README":
        return details.readme if details is not None else ""
    if section == "Metadata":
        return "\n".join(f"{item.key} = {item.value}" for item in details.metadata) if details is not None else ""
    return "\n".join(f"{label}: {value}" for label, value in facts(row))


def facts(row: ModelRow) -> list[tuple[str, str]]:
    """What the list knows about a model, as labels and values."""
    model = row.info
    can = [word for word, able in abilities(model) if able]
    experts = f", {model.experts} experts, {model.experts_used} used" if model.experts else ""
    files = f" in {len(model.files)} files" if len(model.files) > 1 else ""
    defaults = [f"{key.partition('.')[2]}={_short(value)}" for key, value in model.defaults.values]
    own = [f"{one.label}={value_text(one, one.default)}" for one in field_parameters(model.custom_fields)]
    found = [
        ("problem", model.problem),
        ("key", model.key),
        ("variants", ", ".join(one.variant_key for one in row.variants)),
        ("name", model.name),
        ("stands on", model.base),
        ("publisher", model.publisher),
        ("architecture", f"{model.architecture}{experts}" if model.architecture else ""),
        ("parameters", parameters_text(model.parameters) if model.parameters else ""),
        ("layers", f"{model.layers:,}" if model.layers else ""),
        ("quantisation", model.quantization),
        ("size", f"{bytes_text(model.size)}{files}"),
        ("context", f"trained for {model.context_length:,} tokens" if model.context_length else ""),
        ("vocabulary", f"{model.vocabulary_size:,} tokens" if model.vocabulary_size else ""),
        ("can", ", ".join(can) or ("" if model.problem else "answer")),
        ("projector", ", ".join(path.name for path in model.projectors or ())),
        ("defaults", ", ".join(defaults)),
        ("own settings", ", ".join(own)),
        ("last used", time.strftime("%Y-%m-%d %H:%M", time.localtime(row.used)) if row.used else "never"),
        ("from", model.source + (f", where it is {model.store_name}" if model.store_name else "")),
        ("file", str(model.path)),
        ("recipe", str(model.recipe) if model.recipe is not None else ""),
    ]
    return [(label, value) for label, value in found if value]


def abilities(model: ModelInfo) -> list[tuple[str, bool]]:
    """What a model may be able to do, in words, and whether it is."""
    return [
        ("embeddings", model.embeds),
        ("tools", model.tools),
        ("vision", model.sees),
        ("reasoning", model.thinks),
    ]


def _facts(row: ModelRow, width: int) -> list[Line]:
    lines: list[Line] = []
    for label, value in facts(row):
        parts = wrap(clean(value).replace("\n", " "), max(8, width - _LABEL)) or [""]
        role = "problem" if label == "problem" else "bold" if label == "key" else ""
        for number, part in enumerate(parts):
            lines.append([(f"{label if not number else '':<{_LABEL}}", "quiet"), (part, role)])
    return lines


def _metadata(details: ModelDetails, width: int, *, unfolded: bool) -> list[Line]:
    if details.problem:
        return [[(part, "problem")] for part in wrap(details.problem, width)]
    lines: list[Line] = [[("tensors ", "key"), (part, "")] for part in wrap(details.tensors, max(8, width - 8))]
    for item in details.metadata:
        lines += _item_lines(item, width, unfolded=unfolded)
    return lines


def _item_lines(item: MetadataItem, width: int, *, unfolded: bool) -> list[Line]:
    key = clean(item.key)
    kind = f"{item.length:,} × {item.kind.removeprefix('array of ')}" if item.kind.startswith("array") else item.kind
    text = clean(item.value.replace("\t", "    "))
    if "\n" not in text and len(key) + len(kind) + len(text) + 3 <= width:
        return [[(f"{key} ", "key"), (text, ""), (f"  {kind}", "quiet")]]
    parts = [part for line in text.split("\n") for part in (wrap(line, max(8, width - 2)) or [""])]
    folded = not unfolded and len(parts) > _FOLDED
    shown = parts[:_FOLDED] if folded else parts
    lines: list[Line] = [[(f"{key} ", "key"), (f" {kind}", "quiet")], *([(f"  {part}", "")] for part in shown)]
    if folded:
        lines.append([(f"  … {len(parts) - _FOLDED:,} more lines; space shows them", "quiet")])
    return lines


def _readme(text: str, width: int) -> list[Line]:
    if not text.strip():
        return [[("There is no README beside this model.", "quiet")]]
    lines: list[Line] = []
    code = False
    for line in clean(text[:_LONGEST].replace("\t", "    ")).split("\n"):
        if line.lstrip().startswith("```"):
            code = not code
            continue
        heading = line.startswith("#") and not code
        role = "bold" if heading else "live" if code else ""
        shown = line.lstrip("# ") if heading else line
        lines += [[(part, role)] for part in (wrap(shown, width) or [""])]
    return lines


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
