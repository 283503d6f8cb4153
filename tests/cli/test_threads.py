"""`lmdeck threads`: what people type, what they get, and what they are told when it is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from tests.cli.test_cli import lmdeck
from tui.cli import command
from tui.domain import Message, ReasoningPart, TextPart, text_message
from tui.threads import NewMessage, NewThread, ThreadStore


def run(*arguments: str, code: int = 0, text: str = "") -> Result:
    done = CliRunner().invoke(command, ["threads", *arguments], input=text)
    assert done.exit_code == code, done.output + repr(done.exception)
    return done


@pytest.fixture
def trip(lmdeck_home: Path) -> str:
    """The id of a thread, among others."""
    store = ThreadStore(lmdeck_home / "lmdeck.db")
    store.put_thread(NewThread("Taxes", (NewMessage(text_message("user", "How much?"), None),), updated=50.0))
    folder = store.folders.create("Work")
    deep = store.folders.create("Deep", parent_id=folder.id)
    store.put_thread(NewThread("Deep thoughts", folder_id=deep.id, updated=60.0))
    messages = (
        NewMessage(text_message("user", "Where is the harbour?\x1b[2J"), None, created=90.0),
        NewMessage(Message("assistant", (ReasoningPart("Near water."), TextPart("At the sea."))), 0, "qwen3-4b"),
        NewMessage(text_message("assistant", "In the hills."), 0, "qwen3-4b"),
    )
    thread = store.put_thread(NewThread("Trip to Oslo", messages, 1, created=90.0, updated=100.0))
    store.close()
    return thread.id


def test_threads_are_listed_for_people_and_programs(trip: str) -> None:
    lines = run("list").stdout.splitlines()
    assert lines[0].split()[0] == trip[-8:]
    assert [line.rpartition("  ")[2] for line in lines] == ["Trip to Oslo", "Deep thoughts", "Taxes"]
    run("pin", "taxes")
    assert run("list", "--sort", "title").stdout.splitlines()[0].endswith("* Taxes")
    records = json.loads(run("list", "--json").stdout)
    assert [record["title"] for record in records] == ["Taxes", "Trip to Oslo", "Deep thoughts"]
    assert (records[1]["id"], records[1]["messages"], records[1]["model"]) == (trip, 3, "qwen3-4b")
    assert records[2]["folder"] == "Work/Deep"
    assert len(run("list", "--folder", "work").stdout.splitlines()) == 1


def test_a_thread_is_shown_without_what_a_terminal_would_obey(trip: str) -> None:
    shown = run("show", trip[-6:]).stdout
    assert "Trip to Oslo" in shown
    assert "You · " in shown
    assert "\x1b" not in shown
    assert "At the sea." in shown
    assert "Assistant · qwen3-4b · 1 of 2" in shown
    assert "Near water." not in shown
    assert "In the hills." not in shown
    assert run("show").stdout == shown
    everything = run("show", "oslo", "--versions", "--reasoning").stdout
    assert "Near water." in everything
    assert "In the hills." in everything
    assert json.loads(run("show", "oslo", "--json").stdout)["format"] == "lmdeck.thread"


@pytest.mark.usefixtures("trip")
def test_search(trip: str) -> None:
    found = run("search", "harb").stdout
    assert found.startswith(trip[-8:])
    assert "harbour" in found
    hit = json.loads(run("search", "sea", "--json").stdout)[0]
    assert (hit["thread"], hit["role"]) == (trip, "assistant")
    start, end = hit["spans"][0]
    assert hit["snippet"][start:end] == "sea"
    assert run("search", "nowhere").stderr == "Nothing found.\n"
    assert run("search", "harbour", "--folder", "Work").stdout == ""


def titles(*arguments: str) -> list[str]:
    return [record["title"] for record in json.loads(run("list", "--json", *arguments).stdout)]


def test_threads_are_changed(trip: str) -> None:
    run("rename", "taxes", "Täxes")
    run("rename", "TAXES", "Taxes")
    assert run("rename", "Trip to Oslo", "Oslo").stderr == "Renamed Trip to Oslo to Oslo.\n"
    run("move", "oslo", "taxes", "--to", "Work/Deep")
    assert titles("--folder", "Deep") == ["Oslo", "Deep thoughts", "Taxes"]
    run("move", trip, "--to-top")
    assert titles("--folder", "Deep") == ["Deep thoughts", "Taxes"]
    run("archive", "taxes")
    assert titles("--archived") == ["Taxes"]
    run("unarchive", "taxes")
    copy = run("duplicate", "oslo").stdout.strip()
    assert titles().count("Oslo (copy)") == 1
    run("trash", copy)
    assert titles("--trashed") == ["Oslo (copy)"]
    run("restore", copy)
    run("pin", copy)
    run("unpin", copy)
    run("delete", copy, text="n\n", code=1)
    assert "Oslo (copy) with 3 messages" in run("delete", copy, text="y\n").stderr
    run("trash", "taxes")
    assert run("empty-trash", "--yes").stderr == "Removed 1 thread.\n"
    assert sorted(titles()) == ["Deep thoughts", "Oslo"]


@pytest.mark.usefixtures("trip")
def test_folders() -> None:
    made = run("folder", "create", "Papers", "--in", "Work").stdout.strip()
    assert [record["path"] for record in json.loads(run("folder", "list", "--json").stdout)] == [
        "Work", "Work/Deep", "Work/Papers"
    ]  # fmt: skip
    run("folder", "rename", made, "Letters")
    run("folder", "move", "Letters", "--to", "Deep")
    run("folder", "move", "Deep", "--to", "Letters", code=2)
    assert [line.split(maxsplit=1)[1] for line in run("folder", "list").stdout.splitlines()] == [
        "0  Work", "1    Deep", "0      Letters"
    ]  # fmt: skip
    run("folder", "move", "Letters", "--to-top")
    run("folder", "delete", "Work")
    assert titles("--trashed") == ["Deep thoughts"]
    assert len(run("folder", "list").stdout.splitlines()) == 1


def test_export_and_import(trip: str, tmp_path: Path) -> None:
    target = tmp_path / "out" / "trip.md"
    done = run("export", "oslo", "-o", str(target))
    assert done.stderr.splitlines() == [f"Exported Trip to Oslo to {target}.", "left out: 1 message on other branches"]
    assert "already" in run("export", "oslo", "-o", str(target), code=2).stderr
    run("export", "oslo", "-o", str(target), "--force")
    assert run("export", "oslo").stdout == target.read_text()
    assert json.loads(run("export", trip, "-f", "openai", "--message", "2").stdout) == {
        "messages": [{"role": "assistant", "content": "At the sea.", "reasoning_content": "Near water."}]
    }
    assert "no message 9" in run("export", trip, "--message", "9", code=2).stderr
    imported = run("import", str(target), "--folder", "Work")
    assert imported.stderr == f"Imported 1 thread from {target}.\n"
    assert len(run("show", imported.stdout.strip()).stdout.splitlines()) > 4
    archive = tmp_path / "all.zip"
    assert run("export", "--all", "-o", str(archive)).stderr.startswith("Exported 4 threads")
    run("export", "--folder", "Work", "-f", "lmstudio", "-o", str(tmp_path / "chats"))
    assert len(list((tmp_path / "chats" / "conversations" / "Work").rglob("*.conversation.json"))) == 2
    record = json.loads(run("import", "--json", str(archive)).stdout)[0]
    assert len(record["threads"]) == 4


def test_what_cannot_be_imported_is_said_with_its_place(lmdeck_home: Path) -> None:
    good, bad = lmdeck_home / "good.jsonl", lmdeck_home / "bad.jsonl"
    good.write_text('{"messages": [{"role": "user", "content": "Hi"}]}\n')
    bad.write_text(good.read_text() + '{"messages": [{"role": "user", "content": 5}]}\n')
    done = run("import", str(good), str(bad), code=1)
    assert "bad.jsonl, line 2: messages[0].content must be a list" in done.stderr
    assert "Imported 1 of 2 files" in done.stderr
    assert titles() == ["Hi"]


def test_backup_and_its_way_back(trip: str, tmp_path: Path) -> None:
    file = tmp_path / "backup.zip"
    run("backup", str(file))
    assert "already" in run("backup", str(file), code=2).stderr
    run("delete", trip, "--yes")
    assert len(titles()) == 2
    run("restore-backup", str(file), text="n\n", code=1)
    assert "What was there before is in" in run("restore-backup", str(file), "--yes").stderr
    assert len(titles()) == 3


@pytest.mark.usefixtures("trip")
@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("show", "nobody"), "lmdeck threads list"),
        (("show", "t"), "3 threads could be meant by 't'"),
        (("rename", "nobody", "x"), "no thread called 'nobody'"),
        (("restore", "taxes"), "no thread called 'taxes'"),
        (("move", "taxes"), "--to FOLDER or --to-top"),
        (("move", "taxes", "--to", "nowhere"), "no folder called"),
        (("trash", "taxes", "nobody"), "no thread called 'nobody'"),
        (("export",), "Name a thread"),
        (("export", "--all"), "--output"),
        (("export", "--all", "--message", "1", "-o", "x"), "goes with one thread"),
        (("export", "taxes", "-o", "x.docx"), "in which format"),
        (("export", "taxes", "-f", "docx"), "docx"),
        (("list", "--folder", "nowhere"), "lmdeck threads folder list"),
        (("nonsense",), "nonsense"),
    ],
)
def test_mistakes_are_said(arguments: tuple[str, ...], hint: str) -> None:
    done = run(*arguments, code=2)
    assert hint in done.stderr
    assert done.stdout == ""
    assert len(titles()) == 3


def test_without_any_thread_it_says_what_to_do(lmdeck_home: Path) -> None:
    assert "lmdeck threads import FILE" in run("list").stderr
    assert "There are no threads yet" in run("show").stderr
    assert json.loads(run("list", "--json").stdout) == []
    assert (lmdeck_home / "lmdeck.db").exists()


def completions(*words: str) -> list[str]:
    return [
        item.value for item in ShellComplete(command, {}, "lmdeck", "_X").get_completions(list(words[:-1]), words[-1])
    ]


def test_verbs_threads_and_folders_are_completed(trip: str, lmdeck_home: Path) -> None:
    assert completions("threads", "re") == ["rename", "restore", "restore-backup"]
    assert completions("threads", "show", "tr") == ["Trip to Oslo"]
    assert trip[-8:] in completions("threads", "show", "")
    assert completions("threads", "move", "x", "--to", "wo") == ["Work", "Work/Deep"]
    assert completions("threads", "export", "-f", "lm") == ["lmstudio"]
    (lmdeck_home / "lmdeck.db").unlink()
    assert completions("threads", "show", "tr") == []
    assert not (lmdeck_home / "lmdeck.db").exists()


def test_every_verb_has_help_and_needs_nothing_heavy(lmdeck_home: Path) -> None:
    listed = run("--help").stdout
    for verb in ("list", "search", "restore-backup", "empty-trash"):
        assert f"  {verb} " in listed
        assert run(verb, "--help").stdout.startswith("Usage:")
    program = (
        "import sys; from tui.cli import command\n"
        "try: command(['threads', 'list'])\n"
        "except SystemExit: pass\n"
        "heavy = {'textual', 'rich', 'llama_cpp', 'numpy', 'jinja2', 'httpx', 'markdown_it', 'click.testing'}\n"
        "print(sorted(heavy & set(sys.modules)), 'tui.cli.threads_exchange' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[] False\n"
    assert not (lmdeck_home / "models").exists()


def test_as_a_shell_runs_it(trip: str) -> None:
    assert lmdeck("threads", "list").stdout.split()[0] == trip[-8:]
    assert "At the sea." in lmdeck("threads", "show", trip).stdout
    assert "no thread called" in lmdeck("threads", "show", "nobody", check=2).stderr
