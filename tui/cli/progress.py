"""Shows a download until it ends: one line that moves on a terminal, and a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from tui.domain import HubFailed

if TYPE_CHECKING:
    from tui.models.downloads import Download
    from tui.workbench import Workbench

_EVERY = 0.2
"""Seconds between two looks at a download on a terminal."""
_LINE_EVERY = 10.0
"""Seconds between two lines where there is no terminal."""
_BAR = 20


def follow(workbench: Workbench, download: Download, again: str) -> None:
    """Wait for the end of a download. `again` is the command that goes on with it.

    Raises HubFailed with the reason when it fails, KeyboardInterrupt when it was paused by ctrl+c.
    """
    moving = sys.stderr.isatty()
    shown, told, line_at = "", "", 0.0
    try:
        while not download.over and (download.active or download.elsewhere):
            if download.problem and download.problem != told:
                told = download.problem
                _clear(moving)
                click.echo(f"{told} Trying again…", err=True)
            now = time.monotonic()
            if moving and (text := progress_line(download)) != shown:
                shown = text
                click.echo(f"\r{text}\x1b[K", nl=False, err=True)
            elif not moving and now >= line_at:
                line_at = now + _LINE_EVERY
                click.echo(progress_line(download), err=True)
            workbench.downloads.wait(_EVERY)
            download = workbench.downloads.get(download.id)
    except KeyboardInterrupt:
        _clear(moving)
        if download.elsewhere:
            click.echo("Another lmdeck goes on with the download.", err=True)
        else:
            workbench.downloads.pause(download.id)
            click.echo(f"Paused at {download.part:.0%}. To go on: {again}", err=True)
        raise
    _clear(moving)
    if download.state != "completed":
        state = "was cancelled" if download.state == "cancelled" else f"has {download.state}"
        raise HubFailed(download.problem or f"The download {state}.", download.advice or f"To go on: {again}")
    click.echo("Download completed.", err=True)
    for file in download.files:
        click.echo(str(workbench.paths.models / file.place))


def progress_line(download: Download) -> str:
    """A download in one line: ` 42.1% [████    ] 1.9 GB / 4.7 GB  35.2 MB/s  01:17`."""
    from tui.engine import readable_size

    full = round(download.part * _BAR)
    bar = "█" * full + " " * (_BAR - full)
    text = f"{download.part:6.1%} [{bar}] {readable_size(download.done)} / {readable_size(download.size)}"
    if download.state == "downloading":
        text += f"  {readable_size(download.rate)}/s"
        if download.remaining is not None:
            text += f"  {duration(download.remaining)}"
    else:
        text += f"  {download.state}"
    return text


def duration(seconds: float) -> str:
    """Time as a clock shows it: `01:17`, `2:03:40`; `days` where that is what it takes."""
    if seconds >= 100 * 3600:
        return f"{seconds / 86400:.0f} days"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def _clear(moving: bool) -> None:
    if moving:
        click.echo("\r\x1b[K", nl=False, err=True)
