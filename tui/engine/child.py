"""Doing dangerous things with llama.cpp in a child process, and reading what became of it.

llama.cpp ends the process on a failed assertion, and compiled kernels can crash. A child takes that fate upon
itself: it gets a job as JSON on its standard input and answers with JSON on its standard output. Whatever else
it says, llama.cpp's log included, comes on its standard error and is what a person reads when it dies.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from typing import Any

from tui.domain import LoadConfig
from tui.engine.loading import Kernels

# Loading headers and laying out a graph takes under a second; a child that takes this long hangs.
TIMEOUT_SECONDS = 120.0
STAY = "stay"
"""The argument with which a child does one job after the other, each a line of its standard input, until that ends."""
# llama.cpp begins its lines with the function that speaks, sometimes with two.
_SOURCE_FOLDERS = re.compile(r"\S*/(?=[\w.-]+\.\w+:\d+)")
"""Where the source lay on the machine that built llama.cpp says nothing to anybody."""
_FUNCTION_NAMES = re.compile(r"^(?:\w+: )+(?:error loading model: )?")


@dataclass(frozen=True, slots=True)
class Job:
    """What the child shall do.

    `probe` lays a model out without allocating, `draft` does so with a model whose context is to be no longer than it
    was trained for, `decode` computes a few tokens, `projector` encodes small images with the file that the
    configuration names, `projector size` only says what such a file needs.
    """

    kind: str
    path: str
    config: LoadConfig
    kernels: Kernels


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job. `problem` is a sentence, empty when all went well."""

    result: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    field: str = ""
    """The load parameter that is to blame, as `BadRequest` names it; empty where the file is."""
    advice: str = ""
    """What a person can do, where the child knows."""
    crashed: bool = False
    log: tuple[str, ...] = ()


def run(job: Job) -> Outcome:
    """Do the job in a child and wait for it. Never raises for what the child does."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tui.engine.child_main"],
            input=json.dumps(asdict(job)).encode(),
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            env=child_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return timed_out(late.stderr or b"")
    except OSError as refused:
        return Outcome(problem=f"No process could be started to try it in: {refused}.")
    return outcome_of(done.returncode, done.stdout, done.stderr)


def child_environment() -> dict[str, str]:
    """The environment of a child."""
    return dict(os.environ, GGML_NO_BACKTRACE="1", PYTHONFAULTHANDLER="0")


def timed_out(said: bytes) -> Outcome:
    """What became of a job whose child hung, and what it had said until then."""
    problem = f"It did not answer within {TIMEOUT_SECONDS:.0f} seconds."
    return Outcome(problem=problem, crashed=True, log=_lines(said))


def outcome_of(code: int, output: bytes, said: bytes) -> Outcome:
    """What became of a job, by the exit code of its child (0 where it lives), its answer and what else it said."""
    log = _lines(said)
    if code < 0:
        return Outcome(problem=f"llama.cpp crashed ({_signal_name(-code)}){_cause(log)}", crashed=True, log=log)
    try:
        answer = json.loads(output)
    except ValueError:
        return Outcome(problem=f"The process ended with code {code}{_cause(log)}", crashed=True, log=log)
    if answer.get("problem"):
        return Outcome(
            problem=f"{answer['problem']}{_cause(log)}",
            field=answer.get("field", ""),
            advice=answer.get("advice", ""),
            log=log,
        )
    return Outcome(result=answer, log=log)


def _lines(output: bytes) -> tuple[str, ...]:
    return tuple(line for line in output.decode("utf-8", "replace").splitlines() if line.strip())


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _cause(log: tuple[str, ...]) -> str:
    """The first line in which the child names an error, as the end of a sentence."""
    for line in log:
        level, _, text = line.partition(":")
        if level == "error":
            return f": {_FUNCTION_NAMES.sub('', text.strip()).rstrip('.')}."
        if "GGML_ASSERT" in line:
            return f": {_SOURCE_FOLDERS.sub('', line.strip())}."
    return "."
