"""`lmdeck chat`: one question, one streamed answer."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from tui.cli.arguments import assigned, complete_model, model_or_only_one, template_option
from tui.cli.failures import INTERRUPTED
from tui.domain import (
    STOP_REASON_TEXT,
    Failed,
    Finished,
    GenerationRequest,
    GenerationStats,
    LoadConfig,
    Message,
    ModelLoading,
    PromptProgress,
    ReasoningDelta,
    SamplingConfig,
    TextDelta,
    text_message,
)

if TYPE_CHECKING:
    from tui.inference import Generation


@click.command()
@click.argument("model", required=False, shell_complete=complete_model)
@click.option("-m", "--model", "named", metavar="MODEL", shell_complete=complete_model, help="The same as MODEL.")
@click.option("-p", "--prompt", help="What to ask. Text on standard input is added after it.")
@click.option("-s", "--system", help="A system prompt.")
@click.option("--set", "assignments", metavar="NAME=VALUE", multiple=True, help="A load or sampling parameter.")
@click.option("--option", "options", multiple=True, metavar="NAME=JSON", help="A variable for the chat template.")
@click.option("--preset", default="", metavar="NAME", help="The preset to use.")
@click.option("--reasoning", is_flag=True, help="Show what the model thinks, on standard error.")
@click.option("--stats", is_flag=True, help="Show the figures of the answer, on standard error.")
def chat(
    model: str | None,
    named: str | None,
    prompt: str | None,
    system: str | None,
    assignments: tuple[str, ...],
    options: tuple[str, ...],
    preset: str,
    reasoning: bool,
    stats: bool,
) -> None:
    """Ask MODEL one question and print its answer as it comes.

    MODEL may be left out when there is only one; where there is none, lmdeck's built-in guide answers. NAME/MODEL is
    one of the remote engine NAME. `--set` takes every parameter of loading and sampling, such as
    `--set context_length=8k --set temperature=0`. `--option enable_thinking=false` tells the model's chat template.
    """
    from tui.paths import find_paths
    from tui.workbench import Workbench

    if model is not None and named is not None:
        raise click.UsageError("Name the model once.")
    messages = _messages(system, _question(prompt))
    load, sampling, decided = _configurations(assignments)
    workbench = Workbench(find_paths())
    try:
        request = GenerationRequest(
            model_or_only_one(workbench, model or named),
            messages,
            sampling=sampling,
            load=load,
            origin="cli",
            # A script must not take an answer to a part of its question for one to the whole.
            overflow="stopAtLimit",
            decided=decided | {"answer.overflow"},
            template_options=tuple(template_option(text) for text in options),
            preset=preset,
        )
        generation = workbench.generate(request)
        with _interrupt_stops(generation):
            finished = _print_answer(generation, show_reasoning=reasoning)
    finally:
        workbench.close()
    if stats:
        click.echo(_figures(finished), err=True)
    if finished.stop_reason == "userStopped":
        raise click.exceptions.Exit(INTERRUPTED)


def _question(prompt: str | None) -> str:
    """The prompt, and what was piped in."""
    parts = [prompt] if prompt else []
    if not sys.stdin.isatty():
        piped = sys.stdin.buffer.read().decode("utf-8", "replace").strip()
        parts += [piped] if piped else []
    if not parts:
        raise click.UsageError("There is nothing to ask. Use -p TEXT, or pipe text in.")
    return "\n\n".join(parts)


def _messages(system: str | None, question: str) -> tuple[Message, ...]:
    user = text_message("user", question)
    return (text_message("system", system), user) if system else (user,)


def _configurations(assignments: tuple[str, ...]) -> tuple[LoadConfig, SamplingConfig, frozenset[str]]:
    """The configurations with what was assigned, and the dotted keys of that."""
    from tui.config import LOAD_PARAMETERS, SAMPLING_PARAMETERS, with_values

    values = assigned(assignments)
    loads = {parameter.name for parameter in LOAD_PARAMETERS}
    load = with_values(LoadConfig(), LOAD_PARAMETERS, {name: values[name] for name in values if name in loads})
    rest = {name: value for name, value in values.items() if name not in loads}
    decided = frozenset(f"load.{name}" if name in loads else f"sampling.{name}" for name in values)
    return load, with_values(SamplingConfig(), SAMPLING_PARAMETERS, rest), decided


@contextmanager
def _interrupt_stops(generation: Generation) -> Iterator[None]:
    """The first ctrl+c stops the answer and keeps what is there; a second one ends the program."""

    def stop(*_: object) -> None:
        generation.cancel()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _print_answer(generation: Generation, *, show_reasoning: bool) -> GenerationStats:
    """Print text as it comes; progress only where a person watches. Raises the error of a failed answer."""
    notes = _Notes(sys.stderr.isatty())
    thinking = False
    for event in generation:
        if thinking and not isinstance(event, ReasoningDelta):
            click.echo(err=True)
            thinking = False
        match event:
            case TextDelta(text):
                notes.clear()
                sys.stdout.write(text)
                sys.stdout.flush()
            case ReasoningDelta(text) if show_reasoning:
                notes.clear()
                click.secho(text, dim=True, nl=False, err=True)
                thinking = True
            case ModelLoading(progress):
                notes.show(f"loading model {progress:4.0%}")
            case PromptProgress(done, _, total) if done < total:
                notes.show(f"reading prompt {done:,} / {total:,}")
            case Failed(error):
                notes.clear()
                raise error
            case Finished(stats):
                notes.clear()
                sys.stdout.write("\n")
                return stats
    raise AssertionError("a generation always ends with Finished or Failed")


class _Notes:
    """One line on standard error that is overwritten in place, for people only."""

    def __init__(self, shown: bool) -> None:
        self._shown = shown
        self._width = 0

    def show(self, text: str) -> None:
        if self._shown:
            sys.stderr.write("\r" + text.ljust(self._width))
            sys.stderr.flush()
            self._width = max(self._width, len(text))

    def clear(self) -> None:
        if self._width:
            with suppress(OSError):
                sys.stderr.write("\r" + " " * self._width + "\r")
                sys.stderr.flush()
            self._width = 0


def _figures(stats: GenerationStats) -> str:
    return (
        f"{stats.prompt_tokens:,} prompt tokens ({stats.cached_prompt_tokens:,} cached), "
        f"{stats.generated_tokens:,} generated at {stats.generation_speed:.1f} tok/s, "
        f"{stats.time_to_first_token:.2f} s to first token, {STOP_REASON_TEXT[stats.stop_reason]}"
    )
