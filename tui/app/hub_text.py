"""What the screens say of models on the Hub and of downloads, in words and fixed widths."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.app.figures import age_text, bytes_text, context_text, count_text, one_line, parameters_text

if TYPE_CHECKING:
    from tui.models.downloads import Download
    from tui.models.hub import Fit, Repository, RepositoryDetails, Variant

Line = list[tuple[str, str]]
"""Texts of a line, each with a role: empty, or the last word of a component class."""

SIZES: tuple[tuple[str, int], ...] = (
    ("any size", 0), ("up to 2B", 2), ("up to 5B", 5), ("up to 10B", 10), ("up to 20B", 20), ("up to 40B", 40),
)  # fmt: skip
"""What a search can be narrowed to, in thousand millions of parameters."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A variant of a repository with all that is known of it now."""

    variant: Variant
    fit: Fit | None = None
    """`None` while it is not known."""
    problem: str = ""
    """Why it cannot be known."""
    here: bool = False
    """Whether all its files are on this machine."""
    download: Download | None = None
    """The download of it that is going on, waits or failed."""
    best: bool = False
    """Whether it is what most people should take."""

    @property
    def too_large(self) -> bool:
        """Whether it is known not to fit."""
        return self.fit is not None and self.fit.kind == "none"

    @property
    def rank(self) -> int:
        """How well it fits, 0 the best; what is not known is taken for good."""
        return self.fit.rank if self.fit is not None else 0


def fit_words(choice: Choice) -> tuple[str, str]:
    """Whether it fits, in at most eighteen cells, and the role that it is drawn in."""
    fit = choice.fit
    if fit is None:
        return ("? not known", "quiet") if choice.problem else ("…", "quiet")
    if fit.kind == "none":
        return f"✗ needs {bytes_text(fit.needed)}", "problem"
    if fit.kind == "partial":
        return f"~ {fit.gpu_layers} of {fit.layers} layers", ""
    where = "all GPU" if fit.kind == "gpu" else "fits"
    return f"✓ {where} {bytes_text(fit.needed)}", "live"


def choice_state(choice: Choice) -> tuple[str, str]:
    """What became of it here, in at most four cells, and the role that it is drawn in."""
    if choice.here:
        return "have", "live"
    download = choice.download
    if download is None or download.state in ("completed", "cancelled"):
        return "", ""
    if download.state == "failed":
        return "✗", "problem"
    return f"{download.part:.0%}", "live"


def card_lines(details: RepositoryDetails, choice: Choice | None) -> list[Line]:
    """What is known of a repository and of the choice under the cursor, before one reads its read-me.

    The choice comes first: on a small screen that is all there is room for, and it is what changes.
    """
    one = details.repository
    lines: list[Line] = []
    if not details.variants:
        formats = f" (it has {', '.join(details.formats)})" if details.formats else ""
        lines += [[(f"No GGUF files{formats}. Look for a repository named {_title(one)}-GGUF.", "problem")], []]
    elif choice is not None:
        if one.gated and choice.fit is None and not choice.problem:
            lines.append([(_gate_text(one), "problem")])
        lines += [*choice_lines(choice), []]
    lines.append([(one_line(one.id), "bold")])
    facts = [
        f"{parameters_text(one.parameters)} parameters" if one.parameters else "",
        one.architecture,
        f"{context_text(one.context_length)} context" if one.context_length else "",
    ]
    lines.append([(" · ".join(one_line(fact) for fact in facts if fact), "")])
    known = [f"licence {one.licence}" if one.licence else "no licence named"]
    known += [f"{count_text(one.downloads)} downloads", f"{count_text(one.likes)} likes"]
    known += ["gated"] if one.gated else []
    known += ["private"] if one.private else []
    lines.append([(one_line(" · ".join(known)), "quiet")])
    if details.base_models:
        lines.append([(one_line(f"made from {', '.join(details.base_models)}"), "quiet")])
    tags = [tag for tag in one.tags if ":" not in tag and tag not in ("gguf", "en")][:8]
    if tags:
        lines.append([(one_line(" ".join(f"#{tag}" for tag in tags)), "quiet")])
    return [line for line in lines if line != [("", "")]]


def _gate_text(one: Repository) -> str:
    """How one gets into a gated repository. Who is in already need not be told."""
    how = "its authors let you in" if one.gated == "manual" else "you accept its terms"
    return f"Gated: downloads work once {how} on its page, and with a login (hf auth login)."


def choice_lines(choice: Choice) -> list[Line]:
    """What is known of one choice: its files, and how it would lie in this machine."""
    variant, fit = choice.variant, choice.fit
    count = len(variant.files)
    parts = [bytes_text(variant.size), f"{count} files" if count > 1 else ""]
    parts.append("with a projector: it sees images" if variant.projector else "")
    lines: list[Line] = [[(one_line(variant.name), "bold"), ("  " + " · ".join(filter(None, parts)), "")]]
    if choice.problem:
        lines.append([(one_line(choice.problem), "problem")])
    if fit is None:
        return lines
    if fit.problem:
        lines.append([(one_line(fit.problem), "problem")])
    for device in fit.estimate.devices if fit.estimate is not None else ():
        free = f" of {bytes_text(device.free)} free" if device.total else ""
        lines.append([(f"{device.device:<6}", "quiet"), (f"{bytes_text(device.needed)}{free}", "")])
        parts = [f"weights {bytes_text(device.weights)}", f"KV {bytes_text(device.kv_cache)}"]
        parts += [f"compute {bytes_text(device.compute + device.outputs)}"]
        parts += [f"projector {bytes_text(device.projector)}"] if device.projector else []
        lines.append([("      " + " + ".join(parts), "quiet")])
    lines.append([(f"Counted with {fit.context_length:,} tokens of context, and nothing else loaded.", "quiet")])
    return lines


def repository_figures(one: Repository, width: int) -> str:
    """The columns behind a repository's name: parameters, likes, downloads, age; those that there is room for."""
    age = age_text(time.time() - one.updated) if one.updated else ""
    parameters = parameters_text(one.parameters) if one.parameters else ""
    columns = [f"{parameters:>7}", f"{count_text(one.likes):>5}♥", f"{count_text(one.downloads):>6}↓", f"{age:>5}"]
    if width >= 64:
        return "".join(columns)
    return "".join(
        [columns[0], *columns[2:]] if width >= 52 else [columns[0], columns[2]] if width >= 40 else columns[:1]
    )


def download_figures(one: Download) -> str:
    """How far a download is and how fast, in fixed columns."""
    part = f"{one.part:4.0%}"
    if one.state == "completed":
        return f"{part} {bytes_text(one.size):>19} {'':>11} {'':>8}"
    done = f"{bytes_text(one.done)} / {bytes_text(one.size)}"
    rate = f"{bytes_text(one.rate)}/s" if one.state == "downloading" else ""
    left = clock_text(one.remaining) if one.state == "downloading" and one.remaining is not None else ""
    return f"{part} {done:>19} {rate:>11} {left:>8}"


def download_state(one: Download) -> str:
    """What a download does, in a word or two."""
    if one.elsewhere:
        return "in another lmdeck"
    if one.state == "waiting":
        return f"again in {max(0, one.next_attempt - time.time()):.0f} s"
    return one.state


def clock_text(seconds: float) -> str:
    """Time that is left, as a clock shows it: `01:17`, `2:03:40`."""
    if seconds >= 100 * 3600:
        return f"{seconds / 86400:.0f} days"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def download_lines(one: Download) -> list[Line]:
    """All that is known of a download."""
    lines: list[Line] = [[(f"{one.repository} {one.name}", "bold"), (f"  {download_state(one)}", "quiet")]]
    if one.elsewhere:
        lines.append([("Another lmdeck does this download. It can be stopped there.", "")])
    if one.problem:
        lines.append([(one_line(one.problem), "problem")])
    if one.advice:
        lines.append([(one_line(one.advice), "")])
    for file in one.files:
        sign = "✓" if file.verified else "·" if not file.done else "↓"
        lines.append([(f"{sign} {one_line(file.name)}  {bytes_text(file.done)} / {bytes_text(file.size)}", "quiet")])
    return lines


def active_text(downloads: Sequence[Download]) -> str:
    """All downloads in a few words, for a border."""
    active = [one for one in downloads if one.active]
    if not active:
        return f"{len(downloads)}" if downloads else ""
    rate = sum(one.rate for one in active)
    return f"{len(active)} active · {bytes_text(rate)}/s"


def _title(one: Repository) -> str:
    return one_line(one.id.partition("/")[2])
