"""Files that are broken, huge, or made to do harm."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.threads.interchange.conversations import threads
from tests.threads.interchange.documents import VALUES
from tui.domain import BadFile, LmdeckError, StorageFailed, text_message
from tui.threads import NewMessage, NewThread, ThreadStore
from tui.threads.interchange import sources, values
from tui.threads.interchange.html import write_html
from tui.threads.interchange.json_lists import list_items
from tui.threads.interchange.lmstudio import read_conversation, write_conversation
from tui.threads.interchange.names import file_name, free_name, inner_parts, is_plain
from tui.threads.interchange.own_json import thread_from_json, write_thread
from tui.threads.interchange.portable import PortableThread, straight_line
from tui.threads.interchange.reading import thread_from_value
from tui.threads.interchange.targets import folder_target, write_beside
from tui.threads.interchange.values import Place, parsed

PLACE = Place("f.json")
DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is not JSON"),
        ("{", r"f.json, line 1: it is not JSON: .* \(column 2\)"),
        ('{\n"a": tru}', "line 2: it is not JSON"),
        (b"\xff\xfe{}", "not UTF-8 text"),
        (DEEP, "nested more than 100 levels"),
        ('{"a":' * 101 + "1" + "}" * 101, "nested more than 100 levels"),
        ('{"a": NaN}', "a number that nothing can hold: NaN"),
        ('{"a": 1e999}', "nothing can hold"),
        ("9" * 5000, "nothing can hold"),
        ('"x" "y"', "is not JSON"),
    ],
)
def test_json_that_is_none_is_refused(text: str | bytes, complaint: str) -> None:
    with pytest.raises(BadFile, match=complaint):
        parsed(text, PLACE)


def test_a_document_has_a_largest_size(monkeypatch: pytest.MonkeyPatch, store: ThreadStore, tmp_path: Path) -> None:
    for module in (values, sources):
        monkeypatch.setattr(module, "MOST_BYTES", 2**20)
    monkeypatch.setattr("tui.threads.interchange.reading.MOST_BYTES", 2**20)
    monkeypatch.setattr("tui.threads.interchange.json_lists.MOST_BYTES", 2**20)
    long = json.dumps({"messages": [{"role": "user", "content": "x" * 2**21}]})
    for name, text in (("a.json", long), ("a.jsonl", long), ("b.json", f"[{long}]"), ("c.md", "---\nlmdeck: 1" + long)):
        (tmp_path / name).write_text(text)
        with pytest.raises(BadFile, match=r"(larger|longer) than 1 MB"):
            store.interchange.import_from(tmp_path / name)
    # What unpacks to more than it seems is stopped while it unpacks.
    with zipfile.ZipFile(tmp_path / "d.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", long)
    with pytest.raises(BadFile, match="larger than 1 MB"):
        store.interchange.import_from(tmp_path / "d.zip")
    assert store.list_threads() == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[1, 2", "comma is missing|not JSON"),
        ("[1 2]", "a comma is missing behind item 1"),
        ("[1,]", "a comma behind the last item"),
        ("[1] 2", "something stands behind the list"),
        ("[tru]", r"\[0\] is not JSON"),
        (f"[1,{DEEP}]", "nested too deep"),
        ('["a', r"\[0\] is not JSON"),
        ("[\xff", "not JSON|not UTF-8"),
    ],
)
def test_lists_that_are_none_are_refused(text: str, complaint: str) -> None:
    with pytest.raises(BadFile, match=complaint):
        list(list_items(io.BytesIO(text.encode("latin-1")), PLACE))


@given(st.lists(VALUES, max_size=5), st.sampled_from([None, 1]), st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_lists_are_read_piece_by_piece(items: list[Any], indent: int | None, chunk: int) -> None:
    class Slow(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            return super().read(chunk)

    text = json.dumps(items, indent=indent, ensure_ascii=False).encode()
    assert [value for _, value in list_items(Slow(b"\xef\xbb\xbf" + text), PLACE)] == items


@given(VALUES | st.dictionaries(st.sampled_from(["messages", "conversations", "format", "versions"]), VALUES))
@settings(max_examples=40, deadline=None)
def test_any_json_is_a_thread_or_a_bad_file(value: Any) -> None:
    for read in (
        lambda: thread_from_value(value, PLACE),
        lambda: thread_from_json({"format": "lmdeck.thread", "version": 1, "messages": value}, PLACE),
        lambda: read_conversation({"messages": value}, PLACE, lambda _: None),
        lambda: read_conversation({"messages": [{"versions": [value]}]}, PLACE, lambda _: None),
        lambda: thread_from_value({"messages": [value]}, PLACE),
        lambda: thread_from_value({"conversations": [value]}, PLACE),
    ):
        try:
            thread = read()
        except BadFile as problem:
            assert problem.file == "f.json"  # noqa: PT017
        else:
            assert thread_from_json(json.loads(write_thread(thread)), PLACE) == thread


@given(threads(), st.data())
@settings(max_examples=40, deadline=None)
def test_frames_that_somebody_has_damaged_do_no_harm(thread: PortableThread, data: st.DataObject) -> None:
    made = write_conversation(thread)
    document = json.loads(write_thread(read_conversation(json.loads(made.text), PLACE, made.files.get)))
    for entry in document["messages"]:
        frame = entry["foreign"]["lmstudio"]
        for key in ("steps", "content", "version", "entry"):
            if key in frame and data.draw(st.booleans()):
                frame[key] = data.draw(
                    VALUES
                    | st.lists(st.dictionaries(st.sampled_from(["raw", "kinds", "items", "wrap"]), VALUES), max_size=2)
                )
    damaged = thread_from_json(document, PLACE)
    again = read_conversation(json.loads(write_conversation(damaged).text), PLACE, made.files.get)
    said = [node.message.text for node in damaged.branch()]
    assert "".join(node.message.text for node in again.branch()) == "".join(said)


@pytest.mark.parametrize(
    "title",
    ["../../etc/passwd", "..", "", "CON", "nul.txt", "a/b\\c:d", "\x00\n\t", "é" * 300, ".hidden", "x. ", "🎉" * 99],
)
def test_titles_become_names_that_stay_in_the_folder(title: str, tmp_path: Path) -> None:
    name = file_name(title)
    assert is_plain(name)
    assert len(name.encode()) <= 120
    assert name.split(".")[0].lower() not in ("con", "nul")
    (tmp_path / f"{name}.md").write_text("x")
    assert [path.parent for path in tmp_path.rglob("*.md")] == [tmp_path]


@given(st.text(max_size=60))
@settings(max_examples=80, deadline=None)
def test_every_title_becomes_a_name(title: str) -> None:
    assert is_plain(file_name(title))
    assert file_name(file_name(title)) == file_name(title)


def test_taken_names_get_numbers() -> None:
    assert free_name("A", ".md", {"a.md", "a (2).md"}) == "A (3).md"


@pytest.mark.parametrize("path", ["../a", "/a", "a/../../b", "a\\..\\b", "C:/x", "", "a//b", "a/\0", "."])
def test_paths_that_lead_out_are_refused(path: str, tmp_path: Path) -> None:
    assert inner_parts(path) is None
    for name in ("out", "out.zip"):
        with (
            pytest.raises(StorageFailed, match="no name of a file"),
            folder_target(tmp_path / name, overwrite=False) as to,
        ):
            to.write(path, b"x")
        # Nothing half-written stays.
        assert list(tmp_path.iterdir()) == []


def test_links_are_not_followed(store: ThreadStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "a.json").write_text('[{"role":"user","content":"secret"}]')
    (secret / "key.png").write_bytes(b"secret")
    folder = tmp_path / "in"
    (folder / "user-files").mkdir(parents=True)
    (folder / "user-files" / "b.png").symlink_to(secret / "key.png")
    (folder / "linked").symlink_to(secret)
    (folder / "c.json").symlink_to(secret / "a.json")
    names = ("b.png", "../secret/key.png", "../c.json")
    content = [{"type": "file", "fileIdentifier": name, "fileType": "image"} for name in names]
    version = {"type": "singleStep", "role": "user", "content": content}
    (folder / "d.conversation.json").write_text(json.dumps({"messages": [{"versions": [version]}]}))
    imported = store.interchange.import_from(folder)
    assert len(imported.thread_ids) == 1
    assert store.messages(imported.thread_ids[0])[0].message.parts == ()
    # Nor does writing follow one out.
    target = tmp_path / "out"
    target.mkdir()
    (target / "x.files").symlink_to(secret)
    with pytest.raises(StorageFailed, match="leads out"):
        write_beside(target / "x.md", {"x.files/key.png": b"overwritten"})
    assert (secret / "key.png").read_bytes() == b"secret"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(store: ThreadStore, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[]")
    path.chmod(0)
    with pytest.raises(StorageFailed, match="Permission denied"):
        store.interchange.import_from(path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"format": "other"}, "format must be"),
        ({"version": 2}, "newer lmdeck"),
        ({"version": None}, "version must be a whole number, but is missing"),
        ({"leaf": "9"}, "leaf names no message"),
        ({"messages": [{"id": "1", "role": "user", "parts": []}] * 2}, r"messages\[1\].id is the name of another"),
        ({"messages": [{"id": "1", "parent": "2", "role": "user", "parts": []}]}, r"parent names no message"),
        ({"messages": [{"id": "1", "parent": [], "role": "user", "parts": []}]}, r"parent names no message"),
        ({"messages": [{"id": "1", "role": "king", "parts": []}]}, r"role must be one of system"),
        ({"messages": [{"id": "1", "role": "user", "parts": [{"type": "image", "data": "?"}]}]}, "data is not base64"),
        ({"messages": [{"id": "1", "role": "user", "parts": [{"type": "text", "text": 1}]}]}, "text must be a text"),
        ({"messages": {}}, "messages must be a list"),
        ({"title": 5}, "title must be a text"),
    ],
)
def test_faults_in_our_own_json_are_named(change: dict[str, Any], complaint: str) -> None:
    document = {"format": "lmdeck.thread", "version": 1, "messages": [], **change}
    with pytest.raises(BadFile, match=complaint):
        thread_from_json(document, PLACE)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ({"messages": [{"role": "user", "content": [{"type": "video"}]}]}, "type is 'video', which is unknown"),
        ({"messages": [{"content": "x"}]}, r"messages\[0\].role must be a text, but is missing"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"function": {}}]}]}, "function.name must be a text"),
        ({"conversations": [{"from": "nobody", "value": ""}]}, r"conversations\[0\].from must be one of"),
        ({"prompt": "x"}, "neither `messages` nor `conversations`"),
        (5, "neither `messages` nor `conversations`"),
    ],
)
def test_faults_in_messages_of_others_are_named(value: Any, complaint: str) -> None:
    with pytest.raises(BadFile, match=complaint):
        thread_from_value(value, PLACE)


def test_html_runs_nothing_and_loads_nothing() -> None:
    evil = '<script>alert(1)</script> <img src=x onerror=a> [a](javascript:b) ![p](https://t.example/p.png) "<b>"'
    thread = straight_line(
        [text_message("user", evil), text_message("assistant", f"```\n{evil}\n```\n`{evil}`")], title=evil
    )
    page = write_html(thread).text
    for forbidden in ("<script", "<img", "onerror=a>", 'href="javascript', "<b>", ' src="'):
        assert forbidden not in page
    assert "Content-Security-Policy" in page
    assert '<a href="https://t.example/p.png" rel="noopener noreferrer">' in page
    assert "<pre><code>&lt;script&gt;" in page
    assert "prefers-color-scheme: dark" in page


def test_a_store_that_fails_in_the_middle_keeps_nothing(
    store: ThreadStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.threads.interchange import placing

    lines = [json.dumps({"messages": [{"role": "user", "content": str(number)}]}) for number in range(5)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    put = placing.put_thread
    calls = []

    def fails(*arguments: Any) -> str:
        calls.append(arguments)
        if len(calls) == 4:
            raise OSError(28, "No space left on device")
        return put(*arguments)

    monkeypatch.setattr(placing, "put_thread", fails)
    with pytest.raises(LmdeckError):
        store.interchange.import_from(tmp_path / "a.jsonl")
    assert store.list_threads() == []


def test_lone_surrogates_are_no_obstacle(store: ThreadStore, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"role":"user","content":"a\\ud800b"}]')
    imported = store.interchange.import_from(tmp_path / "a.json")
    store.put_thread(NewThread("x\ud800", (NewMessage(text_message("user", "y\udc00"), None),)))
    for chosen in ("lmstudio", "json", "markdown", "html", "openai", "sharegpt"):
        store.interchange.write(imported.thread_ids[0], chosen).text.encode()  # type: ignore[arg-type]
    straight = straight_line([text_message("user", "y\udc00")], title="x\ud800")
    for write in (write_thread, lambda thread: write_html(thread).text):
        assert write(straight).encode("utf-8", "replace")


@pytest.mark.parametrize("when", [10**400, 1e300, -5, 2**60, True, "1", None])
def test_times_that_no_clock_shows_are_none(when: Any, store: ThreadStore, tmp_path: Path) -> None:
    message = {"id": "1", "role": "user", "parts": [], "created": when, "edited": when}
    own = {"format": "lmdeck.thread", "version": 1, "messages": [message], "created": when, "updated": when}
    theirs = {"messages": [], "createdAt": when, "userLastMessagedAt": when}
    for name, document in (("a.json", own), ("b.conversation.json", theirs)):
        (tmp_path / name).write_text(json.dumps({**document, "archived": when}))
        imported = store.interchange.import_from(tmp_path / name)
        thread = store.thread(imported.thread_ids[0])
        assert thread is not None
        assert 0 < thread.created < 2**32
        assert thread.archived is None
        for chosen in ("lmstudio", "json", "markdown", "html"):
            store.interchange.write(thread.id, chosen)  # type: ignore[arg-type]


def test_a_message_that_is_gone_cannot_be_exported(store: ThreadStore) -> None:
    thread = store.put_thread(NewThread("x", (NewMessage(text_message("user", "y"), None),)))
    with pytest.raises(StorageFailed, match="message does not exist"):
        store.interchange.write(thread.id, "json", message_id="nobody")
