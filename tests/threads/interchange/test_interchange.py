"""Import into and export out of a store: files, folders and archives."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.threads.interchange.conversations import PNG
from tui.domain import (
    BadFile,
    BadRequest,
    FilePart,
    GenerationStats,
    ImagePart,
    Message,
    ReasoningPart,
    StorageFailed,
    TextPart,
    text_message,
)
from tui.threads import NewMessage, NewThread, ThreadSettings, ThreadStore
from tui.threads.interchange import EXPORT_FORMATS


@pytest.fixture
def other(tmp_path: Path) -> Iterator[ThreadStore]:
    """A second store, to import into."""
    opened = ThreadStore(tmp_path / "other" / "lmdeck.db")
    yield opened
    opened.close()


def make_thread(store: ThreadStore, title: str = "A day: at the sea?", folder_id: str | None = None) -> str:
    stats = GenerationStats(prompt_tokens=3, generated_tokens=4, generation_speed=5.0)
    messages = (
        NewMessage(Message("user", (TextPart("Look"), ImagePart(PNG, "image/png", "sea.png"))), None, created=100.5),
        NewMessage(text_message("assistant", "No."), 0, "qwen3-4b", stats=stats, created=101.5),
        NewMessage(
            Message("assistant", (ReasoningPart("A sea."), TextPart("```py\nwave()\n```"))),
            0, "qwen3-4b", "complete", "", stats, {"sampling.top_k": 9}, created=102.5,
        ),
        NewMessage(text_message("user", "My note"), 2, kind="note", created=103.5),
        NewMessage(Message("user", (FilePart("list.txt", "a\nb"), TextPart("Thanks"))), 3, created=104.5, edited=105.0),
        NewMessage(text_message("assistant", "Elsewhere."), 1, "gpt-oss-20b", created=106.5),
    )  # fmt: skip
    settings = ThreadSettings("Be brief.", None, "quick", {"sampling.top_k": 3}, None, ("END",))
    return store.put_thread(NewThread(title, messages, 4, folder_id, settings, True, 100.0, 107.0, "a draft")).id


def told(store: ThreadStore, thread_id: str) -> Any:
    """Everything a thread holds, without the names that only mean something in its store."""
    summary = store.thread(thread_id)
    assert summary is not None
    stored = store.all_messages(thread_id)
    places = {message.id: index for index, message in enumerate(stored)}
    return (
        (summary.title, summary.created, summary.updated, summary.pinned, summary.archived is not None, summary.model),
        store.thread_settings(thread_id), store.draft(thread_id), places[store.leaf(thread_id) or ""],
        [
            (places.get(m.parent_id or ""), m.message, m.model, m.status, m.error, m.stats, m.created, m.kind,
             m.version, m.versions, dict(m.settings), m.edited)
            for m in stored
        ],
    )  # fmt: skip


def test_json_brings_a_thread_over_whole(store: ThreadStore, other: ThreadStore, tmp_path: Path) -> None:
    thread_id = make_thread(store)
    store.archive_thread(thread_id, True)
    report = store.interchange.export_thread(thread_id, tmp_path / "t.json")
    assert (report.path, report.threads, report.left_out) == (tmp_path / "t.json", 1, ())
    imported = other.interchange.import_from(tmp_path / "t.json")
    assert told(other, imported.thread_ids[0]) == told(store, thread_id)
    other.undo(imported.undo)
    assert [other.list_threads(which) for which in ("active", "archived")] == [[], []]


@pytest.mark.parametrize("chosen", EXPORT_FORMATS)
def test_every_format_is_written_and_those_that_can_be_are_read(
    store: ThreadStore, other: ThreadStore, tmp_path: Path, chosen: Any
) -> None:
    thread_id = make_thread(store)
    folder = tmp_path / "out"
    folder.mkdir()
    report = store.interchange.export_thread(thread_id, folder, chosen)
    assert report.path.parent == folder
    assert report.path.name.startswith("A day at the sea.")
    assert any("other branches" in line or "not in view" in line for line in report.left_out) == (chosen != "json")
    with pytest.raises(BadRequest, match="already"):
        store.interchange.export_thread(thread_id, report.path, chosen)
    store.interchange.export_thread(thread_id, report.path, chosen, overwrite=True)
    if chosen == "html":
        with pytest.raises(BadFile, match="holds no threads"):
            other.interchange.import_from(report.path)
        return
    imported = other.interchange.import_from(report.path)
    said = [m.message for m in other.messages(imported.thread_ids[0]) if m.kind == "message"]
    original = [m.message for m in store.messages(thread_id) if m.kind == "message"]
    assert [message.role for message in said] == [message.role for message in original]
    assert said[1] == original[1]
    if chosen in ("lmstudio", "json", "markdown"):
        assert said == original
        assert other.draft(imported.thread_ids[0]) == "a draft"
    assert other.thread_settings(imported.thread_ids[0]).system_prompt == "Be brief."


def test_one_message_goes_alone(store: ThreadStore, other: ThreadStore, tmp_path: Path) -> None:
    thread_id = make_thread(store)
    message = store.messages(thread_id)[1]
    for chosen in EXPORT_FORMATS:
        exported = store.interchange.write(thread_id, chosen, message_id=message.id)
        assert "wave()" in exported.text
        assert "Be brief." not in exported.text
        assert exported.left_out == ()
    store.interchange.export_thread(thread_id, tmp_path / "m.md", message_id=message.id)
    imported = other.interchange.import_from(tmp_path / "m.md")
    assert [m.message for m in other.messages(imported.thread_ids[0])] == [message.message]


def make_folders(store: ThreadStore) -> str:
    work = store.folders.create("Work/Life")
    store.folders.save_settings(work.id, ThreadSettings(system_prompt="You work."))
    deep = store.folders.create("Deep", parent_id=work.id)
    make_thread(store, "One", work.id)
    make_thread(store, "one", work.id)
    make_thread(store, "../../etc/passwd", deep.id)
    make_thread(store, "Loose")
    store.trash_thread(make_thread(store, "Gone", work.id))
    return work.id


def shape(store: ThreadStore) -> list[tuple[int, str]]:
    return sorted(
        (row.depth, row.folder.title if row.folder else row.thread.title if row.thread else "")
        for row in store.tree(expand_all=True)
    )


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_everything_comes_over_in_its_folders(
    store: ThreadStore, other: ThreadStore, tmp_path: Path, name: str
) -> None:
    make_folders(store)
    report = store.interchange.export_folder(None, tmp_path / name, "json")
    assert report.threads == 4
    imported = other.interchange.import_from(tmp_path / name)
    assert shape(other) == shape(store)
    assert other.folders.all()[0].settings.system_prompt == "You work."
    assert len(imported.thread_ids) == 4
    # A second time the folders are there already.
    other.interchange.import_from(tmp_path / name)
    assert len(other.folders.all()) == 2
    other.undo(imported.undo)
    assert len(other.list_threads()) == 4
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("chosen", EXPORT_FORMATS)
@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_a_folder_in_every_format(
    store: ThreadStore, other: ThreadStore, tmp_path: Path, name: str, chosen: Any
) -> None:
    work = make_folders(store)
    report = store.interchange.export_folder(work, tmp_path / name, chosen)
    assert report.threads == 3
    if chosen == "html":
        return
    imported = other.interchange.import_from(tmp_path / name)
    assert len(imported.thread_ids) == 3
    assert imported.skipped == ()
    folders = [folder.title for folder in other.folders.all()]
    assert folders == (["Work/Life", "Deep"] if chosen == "json" else ["Work Life", "Deep"])
    for thread_id in imported.thread_ids:
        parts = [part for message in other.messages(thread_id) for part in message.message.parts]
        assert any(isinstance(part, ImagePart) and part.data == PNG for part in parts) == (chosen != "sharegpt")


def test_all_threads_in_one_file_of_lines(store: ThreadStore, other: ThreadStore, tmp_path: Path) -> None:
    make_folders(store)
    assert store.interchange.export_folder(None, tmp_path / "all.jsonl", "openai").threads == 4
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == 4
    target = other.folders.create("Here")
    imported = other.interchange.import_from(tmp_path / "all.jsonl", folder_id=target.id)
    assert len(imported.thread_ids) == 4
    assert {thread.folder_id for thread in other.list_threads()} == {target.id}


def conversation(*texts: str, **fields: Any) -> dict[str, Any]:
    return {
        "name": "Chat", "createdAt": 1784921393420, **fields,
        "messages": [
            {"currentlySelected": 0, "versions": [
                {"type": "singleStep", "role": "user", "content": [{"type": "text", "text": text}]}]}
            for text in texts
        ],
    }  # fmt: skip


def test_lm_studio_home_comes_in_and_goes_out_again(store: ThreadStore, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "conversations" / "Trips").mkdir(parents=True)
    (home / "user-files").mkdir()
    (home / "settings.json").write_text("{}")
    document = conversation("Describe", newField={"x": 1})
    version = document["messages"][0]["versions"][0]
    version["content"].append({"type": "file", "fileIdentifier": "1 - 2.png", "fileType": "image", "sizeBytes": 9})
    version["content"].append({"type": "file", "fileIdentifier": "3.txt", "fileType": "text/plain", "sizeBytes": 2})
    version["content"].append({"type": "file", "fileIdentifier": "gone.pdf", "fileType": "application/pdf"})
    (home / "conversations" / "Trips" / "1784921393420.conversation.json").write_text(json.dumps(document))
    (home / "user-files" / "1 - 2.png").write_bytes(PNG)
    (home / "user-files" / "1 - 2.png.metadata.json").write_text(json.dumps({"originalName": "Sea.png"}))
    (home / "user-files" / "3.txt").write_text("hi")
    for source in (home, home / "conversations"):
        imported = store.interchange.import_from(source)
        parts = store.messages(imported.thread_ids[0])[0].message.parts
        assert parts == (TextPart("Describe"), ImagePart(PNG, "image/png", "Sea.png"), FilePart("3.txt", "hi"))
    assert [folder.title for folder in store.folders.all()] == ["Trips"]
    # A copy keeps what only LM Studio knows, too.
    copy = store.duplicate_thread(imported.thread_ids[0])
    for thread_id in (imported.thread_ids[0], copy.id):
        store.rename_thread(thread_id, "Chat")
        target = tmp_path / thread_id / "x.conversation.json"
        store.interchange.export_thread(thread_id, target)
        written = json.loads(target.read_text())
        assert written.pop("assistantLastMessagedAt", 0) >= 0
        assert written.pop("userLastMessagedAt", 0) >= 0
        if thread_id == copy.id:
            written["createdAt"] = document["createdAt"]
        assert written == document
        assert (target.parent / "user-files" / "1 - 2.png").read_bytes() == PNG


def test_a_conversation_without_a_time_has_that_of_its_name(store: ThreadStore, tmp_path: Path) -> None:
    for name in ("1784921393420.conversation.json", "x.conversation.json"):
        (tmp_path / name).write_text(json.dumps({"messages": conversation("Hi")["messages"]}))
    named, other = (store.interchange.import_from(path).thread_ids[0] for path in sorted(tmp_path.glob("*.json")))
    times = [thread.created for thread in (store.thread(named), store.thread(other)) if thread is not None]
    assert times == [1784921393.42, pytest.approx(time.time(), abs=60)]


def test_what_was_edited_is_written_and_the_rest_stays(store: ThreadStore, tmp_path: Path) -> None:
    document = conversation("First", "Second")
    document["messages"][1]["versions"][0]["x"] = 1
    path = tmp_path / "a.conversation.json"
    path.write_text(json.dumps(document))
    thread_id = store.interchange.import_from(path).thread_ids[0]
    second = store.messages(thread_id)[1]
    store.editor.edit(second.id, text_message("user", "Better"))
    written = json.loads(store.interchange.write(thread_id, "lmstudio").text)
    assert written["messages"][0] == document["messages"][0]
    assert written["messages"][1]["versions"][0] == document["messages"][1]["versions"][0]
    assert written["messages"][1]["versions"][1]["content"] == [{"type": "text", "text": "Better"}]
    assert written["messages"][1]["currentlySelected"] == 1
    store.editor.edit_in_place(second.id, text_message("user", "Changed"))
    written = json.loads(store.interchange.write(thread_id, "lmstudio").text)
    changed = written["messages"][1]["versions"][0]
    assert (changed["content"][0]["text"], changed["x"]) == ("Changed", 1)


def test_a_fault_anywhere_leaves_the_store_as_it_was(store: ThreadStore, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "Sub").mkdir(parents=True)
    (folder / "a.conversation.json").write_text(json.dumps(conversation("Hi")))
    (folder / "Sub" / "b.jsonl").write_text('{"messages":[]}\n\n{"messages":[{"role":"nobody"}]}\n')
    with pytest.raises(BadFile) as problem:
        store.interchange.import_from(folder)
    assert "in/Sub/b.jsonl, line 3: messages[0].role must be one of" in problem.value.message
    assert (problem.value.line, problem.value.field) == (3, "messages[0].role")
    assert store.list_threads() == []
    assert store.folders.all() == []


def test_threads_can_be_read_while_others_come_in(
    store: ThreadStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.threads.interchange import placing

    put = placing.put_thread
    seen = []

    def puts(*arguments: Any) -> str:
        # In a thread of its own, as this one holds whatever the import holds.
        with ThreadPoolExecutor(1) as pool:
            seen.append(len(pool.submit(store.list_threads).result(timeout=10)))
        return put(*arguments)

    monkeypatch.setattr(placing, "put_thread", puts)
    (tmp_path / "a.jsonl").write_text('{"messages": [{"role": "user", "content": "Hi"}]}\n' * 3)
    store.interchange.import_from(tmp_path / "a.jsonl")
    assert seen == [0, 0, 0]
    assert len(store.list_threads()) == 3


def test_other_json_in_a_folder_is_passed_over_and_named(store: ThreadStore, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "package.json").write_text('{"name": "x"}')
    (folder / "README.md").write_text("# Hello")
    (folder / "a.json").write_text('[{"role": "user", "content": "Hi"}]')
    imported = store.interchange.import_from(folder)
    assert imported.skipped == ("in/README.md", "in/package.json")
    assert store.list_threads()[0].title == "Hi"
    with pytest.raises(BadFile, match="no conversation"):
        store.interchange.import_from(folder / "package.json")


def test_a_list_of_many_conversations_streams(store: ThreadStore, tmp_path: Path) -> None:
    path = tmp_path / "many.json"
    many = [{"conversations": [{"from": "human", "value": f"{number} " + "x" * 3000}]} for number in range(200)]
    path.write_text(json.dumps(many, indent=1))
    assert len(store.interchange.import_from(path).thread_ids) == 200
    path.write_text(json.dumps([*many, {"conversations": [{"from": "nobody", "value": ""}]}]))
    with pytest.raises(BadFile, match=r"\[200\].conversations\[0\].from"):
        store.interchange.import_from(path)


def test_places_that_cannot_be_read_or_written(store: ThreadStore, tmp_path: Path) -> None:
    thread_id = make_thread(store)
    with pytest.raises(StorageFailed, match="No such file"):
        store.interchange.import_from(tmp_path / "nothing.json")
    with pytest.raises(BadRequest, match="does not say in which format"):
        store.interchange.export_thread(thread_id, tmp_path / "x.docx")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match="cannot be written"):
        store.interchange.export_thread(thread_id, tmp_path / "file" / "x.md")
    with pytest.raises(StorageFailed, match="does not exist"):
        store.interchange.export_folder("nobody", tmp_path / "x", "json")
    with pytest.raises(BadFile, match="holds no threads"):
        store.interchange.import_from(tmp_path / "file")


def test_a_zip_file_that_somebody_else_made(store: ThreadStore, tmp_path: Path) -> None:
    path = tmp_path / "odd.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../up/a.json", '{"messages":[{"role":"user","content":"Hi"}]}')
        archive.writestr("/root.jsonl", '{"messages":[{"role":"user","content":"Hi"}]}')
    store.interchange.import_from(path)
    assert [folder.title for folder in store.folders.all()] == ["up"]
    path.write_bytes(path.read_bytes()[:40] + b"\xff" * 30 + path.read_bytes()[70:])
    with pytest.raises(BadFile, match="cannot be unpacked"):
        store.interchange.import_from(path)
