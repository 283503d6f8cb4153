"""The verbs as a shell runs them: what goes where, and with which exit code."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.model_maker import make_scripted_model
from tui import __version__

ANSWER = "Hello, **world**! Grüße."


@pytest.fixture
def models(lmdeck_home: Path) -> Path:
    folder = lmdeck_home / "models" / "acme" / "hello-GGUF"
    folder.mkdir(parents=True)
    make_scripted_model(folder / "hello-F16.gguf", f"<think>I should greet.</think>{ANSWER}")
    (lmdeck_home / "models" / "broken.gguf").write_bytes(b"GGUF\x03\x00\x00\x00")
    return lmdeck_home / "models"


def lmdeck(*arguments: str, text: str = "", check: int | None = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "tui", *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=dict(os.environ, PYTHONUTF8="1"),
    )
    if check is not None:
        assert done.returncode == check, done.stderr
    return done


def test_version_is_quick_and_imports_nothing_heavy() -> None:
    program = (
        "import sys, tui.__main__\n"
        "sys.argv = ['lmdeck', '--version']\n"
        "try:\n    tui.__main__.main()\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "heavy = {'textual', 'llama_cpp', 'numpy', 'jinja2', 'sqlite3', 'psutil'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert __version__ in done.stdout


@pytest.mark.usefixtures("models")
def test_an_answer_goes_to_standard_output_and_nothing_else_does() -> None:
    done = lmdeck("chat", "hello-f16", "-p", "Hi")
    assert done.stdout == ANSWER + "\n"
    assert done.stderr == ""


@pytest.mark.usefixtures("models")
def test_reasoning_and_figures_are_for_people() -> None:
    done = lmdeck("chat", "hello", "-p", "Hi", "--reasoning", "--stats", "-s", "Be kind.")
    assert done.stdout == ANSWER + "\n"
    assert "I should greet." in done.stderr
    assert "tok/s" in done.stderr
    assert "finished" in done.stderr


@pytest.mark.usefixtures("models")
def test_the_question_can_be_piped_in_and_the_only_model_needs_no_name() -> None:
    assert lmdeck("chat", text="Hi there\n").stdout == ANSWER + "\n"


@pytest.mark.usefixtures("models")
def test_parameters_are_set_by_name() -> None:
    done = lmdeck("chat", "hello", "-p", "Hi", "--set", "context_length=512", "--set", "max-tokens=8", "--stats")
    assert done.stdout.rstrip("\n") in ANSWER
    assert "token limit reached" in done.stderr


def test_options_reach_the_chat_template(lmdeck_home: Path) -> None:
    template = "{% for message in messages %}{{ message.content }}{% endfor %}{% if twice %} and again{% endif %}"
    make_scripted_model(lmdeck_home / "models" / "own.gguf", ANSWER, chat_template=template)
    plain, long = (
        int(found[1])
        for options in ((), ("--option", "twice=true"))
        if (found := re.search(r"(\d+) prompt", lmdeck("chat", "own", "-p", "Hi", "--stats", *options).stderr))
    )
    assert long > plain


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (("chat", "nothing", "-p", "x"), 2, "hello-f16"),
        (("chat", "broken", "-p", "x"), 1, "cut off"),
        (("chat", "hello", "-p", "x", "--set", "context_length=99999"), 2, "2,048"),
        (("chat", "hello", "-p", "x", "--set", "temperature=hot"), 2, "number"),
        (("chat", "hello", "-p", "x", "--set", "colour=red"), 2, "colour"),
        (("chat", "hello", "-p", "x", "--set", "colour"), 2, "NAME=VALUE"),
        (("chat", "hello", "-p", "x", "--option", "colour"), 2, "NAME=JSON"),
        (("chat", "hello", "-p", "x", "--option", "colour=red"), 2, "colour is not JSON"),
        (("chat", "brokenn", "-p", "x"), 2, "Nearest names: broken."),
        (("chat", "rollo", "-p", "x"), 2, "Nearest names: hello-f16."),
        (("chat", "hello", "-p", "word " * 3000), 1, "tokens"),
        (("chat", "hello"), 2, "nothing to ask"),
        (("nonsense",), 2, "nonsense"),
        ((), 2, "terminal"),
    ],
)
def test_mistakes_are_said_on_standard_error(arguments: tuple[str, ...], code: int, hint: str) -> None:
    done = lmdeck(*arguments, check=code)
    assert done.stdout == ""
    assert hint in done.stderr
    assert "Traceback" not in done.stderr


def test_without_any_model_it_says_where_to_put_one(lmdeck_home: Path) -> None:
    done = lmdeck("chat", "-p", "x", check=2)
    assert str(lmdeck_home / "models") in done.stderr
    assert str(lmdeck_home / "models") in lmdeck("ls").stderr


@pytest.mark.usefixtures("models")
def test_models_are_listed_for_people_and_programs() -> None:
    done = lmdeck("ls")
    assert done.stdout.split()[:2] == ["hello-f16", "llama"]
    assert "cannot use broken" in done.stderr
    records = json.loads(lmdeck("ls", "--json").stdout)
    assert [(record["modelKey"], record["usable"]) for record in records] == [("broken", False), ("hello-f16", True)]


def test_the_doctor_examines_and_is_well(models: Path) -> None:
    report = json.loads(lmdeck("doctor", "--json").stdout)
    assert report["lmdeck"]["version"] == __version__
    assert report["engine"]["self_test"]
    assert "device CPU" in report["engine"]
    assert report["paths"]["models"] == str(models)
    assert report["paths"]["models_found"] == "1 usable, 1 not"
    assert "processor" in lmdeck("doctor").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(shell: str) -> None:
    assert "_LMDECK_COMPLETE" in lmdeck("completion", shell).stdout


@pytest.mark.usefixtures("models")
def test_models_are_completed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui"],
        env=dict(os.environ, _LMDECK_COMPLETE="bash_complete", COMP_WORDS="lmdeck chat he", COMP_CWORD="2"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "hello-f16" in done.stdout


@pytest.mark.usefixtures("models")
def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    done = subprocess.run(
        f"{sys.executable} -m tui chat hello -p Hi | true", shell=True, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr


def test_ctrl_c_stops_the_answer_and_keeps_what_came(lmdeck_home: Path) -> None:
    models = lmdeck_home / "models"
    models.mkdir()
    script = "So it goes on and on. "
    make_scripted_model(models / "endless.gguf", script, loop=True, context_length=100_000, layers=8)
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "chat", "-p", "Hi", "--set", "context_length=100000", "--stats"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    assert process.stdout is not None
    begun = process.stdout.read(10)
    process.send_signal(signal.SIGINT)
    rest, complaints = process.communicate(timeout=30)
    assert process.returncode == 130
    assert (script * 10_000).startswith((begun + rest).decode().rstrip("\n"))
    assert b"stopped by you" in complaints


@pytest.mark.usefixtures("models")
def test_a_terminal_shows_progress_and_cleans_it_up() -> None:
    terminal, inside = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "chat", "hello", "-p", "Hi"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=inside,
    )
    os.close(inside)
    answer, _ = process.communicate(timeout=60)
    seen = os.read(terminal, 65536)
    os.close(terminal)
    assert answer.decode() == ANSWER + "\n"
    assert b"loading model" in seen
    assert seen.endswith(b"\r")
