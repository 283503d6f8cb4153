"""Words found again in all threads, threads by their titles, and text within a thread."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.threads.talk import talk, user
from tui.domain import (
    FilePart,
    Finished,
    GenerationStats,
    Message,
    ReasoningPart,
    TextDelta,
    TextPart,
    ToolResultPart,
    text_message,
)
from tui.threads import SearchHit, ThreadStore
from tui.threads.jump import match_title


def marked(hit: SearchHit) -> str:
    """A snippet with brackets around what was found."""
    text = hit.snippet
    for start, end in reversed(hit.spans):
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
    return text


def found(store: ThreadStore, text: str, **where: object) -> list[str]:
    return [marked(hit) for hit in store.finder.search(text, **where)]  # type: ignore[arg-type]


def test_titles_and_messages_of_all_threads_are_found(store: ThreadStore) -> None:
    recipe, (question, _) = talk(store, "How do I bake bread?", "With flour,\nwater and *patience*.", title="Baking")
    talk(store, "Is flour dust explosive?", title="Physics")
    assert set(found(store, "flour")) == {"With [flour], water and *patience*.", "Is [flour] dust explosive?"}
    assert found(store, "flour water") == ["With [flour], [water] and *patience*."]
    (hit,) = store.finder.search("bake")
    assert (hit.thread.id, hit.message_id, hit.role) == (recipe, question.id, "user")
    (title,) = store.finder.search("baking")
    assert (title.thread.id, title.message_id, title.role, title.spans) == (recipe, None, "", ((0, 6),))
    assert found(store, "nothing like it") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gru", True),  # the last word may be a beginning
        ("gru ", False),  # a space ends it
        ("GRÜSSE", True),
        ("grusse", True),  # accents do not matter
        ('"aus münchen"', True),
        ('"münchen aus"', False),
        ("münchen aus", True),
        ('"aus mün', True),
        ("grüsse!", True),
        ("c++", True),
        ("NOT grüsse", False),
        ("grüsse*", True),
        ("text:grüsse", False),
        ("", False),
        ('"', False),
        ("-", False),
        ("(", False),
        ("it's", True),
        ("a\x00b", False),
    ],
)
def test_what_people_type_is_words_and_nothing_else(store: ThreadStore, text: str, expected: bool) -> None:
    talk(store, "Grüsse aus München, c++ it's")
    talk(store, "Something else")
    assert bool([hit for hit in store.finder.search(text) if hit.message_id]) == expected


def test_every_kind_of_part_is_found(store: ThreadStore) -> None:
    thread = store.create_thread("T")
    store.add_message(thread.id, Message("user", (FilePart("notes.txt", "walnut"), TextPart("read it"))))
    store.add_message(thread.id, Message("assistant", (ReasoningPart("pecan perhaps"), TextPart("hazel"))))
    store.add_message(thread.id, Message("tool", (ToolResultPart("1", "shop", "almond: sold out"),)))
    for word in ("walnut", "notes.txt", "pecan", "hazel", "almond", "shop"):
        assert len(found(store, word)) == 1, word
    talk(store, "pecan")
    assert found(store, "pecan")[0] == "[pecan]", "what a model thought counts for less"


def test_the_index_follows_every_change(store: ThreadStore) -> None:
    thread_id, (question, answer) = talk(store, "first words", "second words", title="a title")
    edited, undo = store.editor.edit(question.id, user("third words"))
    assert len(found(store, "words")) == 3, "every version is found"
    store.undo(undo)
    assert len(found(store, "words")) == 2
    store.editor.edit_in_place(answer.id, text_message("assistant", "fourth"))
    assert (found(store, "second"), found(store, "fourth")) == ([], ["[fourth]"])
    undo = store.editor.delete(question.id)
    assert found(store, "fourth") == []
    store.undo(undo)
    assert found(store, "fourth") == ["[fourth]"]
    store.rename_thread(thread_id, "another name")
    assert (found(store, "title"), found(store, "name")) == ([], ["another [name]"])
    recorder = store.begin_answer(thread_id, model="m")
    recorder.record([TextDelta("fifth")])
    assert found(store, "fifth") == []
    recorder.record([Finished(GenerationStats())])
    assert found(store, "fifth") == ["[fifth]"]
    store.trash_thread(thread_id)
    assert found(store, "fifth") == []
    assert store.message(edited.id) is None
    with store._database.writing() as connection:
        connection.execute("INSERT INTO search_index (search_index, rank) VALUES ('integrity-check', 1)")
    store.empty_trash()
    with store._database.writing() as connection:
        connection.execute("INSERT INTO search_index (search_index, rank) VALUES ('integrity-check', 1)")
        assert connection.execute("SELECT COUNT(*) FROM search_texts").fetchone()[0] == 0


def test_search_within_a_folder_or_a_thread(store: ThreadStore) -> None:
    outer = store.folders.create("outer")
    inner = store.folders.create("inner", parent_id=outer.id)
    ids = [store.create_thread("x", folder_id=folder).id for folder in (None, outer.id, inner.id)]
    for number, thread_id in enumerate(ids):
        store.add_message(thread_id, user(f"needle {number}"))
    assert len(found(store, "needle")) == 3
    assert set(found(store, "needle", folder_id=outer.id)) == {"[needle] 1", "[needle] 2"}
    assert found(store, "needle", folder_id=inner.id) == ["[needle] 2"]
    assert found(store, "needle", thread_id=ids[0]) == ["[needle] 0"]
    assert found(store, "needle", folder_id="nowhere") == []
    store.archive_thread(ids[0], True)
    assert len(found(store, "needle")) == 3
    assert len(found(store, "needle", archived=False)) == 2
    assert len(found(store, "needle", limit=1)) == 1


def test_of_a_common_word_the_newest_come_first(store: ThreadStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.threads.search._COMMON", 5)
    folder = store.folders.create("F")
    old = store.create_thread("word of old", folder_id=folder.id)
    store.add_message(old.id, user("the word"))
    talk(store, *(f"word {number}" for number in range(20)), title="x")
    assert found(store, "word", folder_id=folder.id) == ["[word] of old", "the [word]"]
    assert found(store, "word", limit=3) == ["[word] of old", "[word] 19", "[word] 18"]
    assert len(found(store, "word", limit=50)) == 22


def test_scripts_without_spaces_are_found(store: ThreadStore) -> None:
    talk(store, "今日は天気がいいですね", "そうですね、散歩しましょう", title="天気の話")
    assert found(store, "天気") == ["[天気]の話", "今日は[天気]がいいですね"]
    assert found(store, "散歩 そう") == ["[そう]ですね、[散歩]しましょう"]
    assert found(store, "雨") == []
    talk(store, "100% Pythonの話_です", title="x")
    assert found(store, "python の話") == ["100% [Python][の話]_です"]
    assert found(store, "100% 話_") == ["[100%] Pythonの[話_]です"]
    assert found(store, "0_ 話") == []


def test_a_long_message_gives_the_lines_around_the_word(store: ThreadStore) -> None:
    talk(store, "filler " * 500 + "the\n\nneedle\there " + "filler " * 500)
    (hit,) = [hit for hit in store.finder.search("needle") if hit.message_id]
    assert len(hit.snippet) < 250
    assert "the [needle] here" in marked(hit)


def test_text_within_a_thread(store: ThreadStore) -> None:
    thread_id, messages = talk(store, "Ring the bell", "bell, BELL!", "no")
    store.editor.edit(messages[2].id, user("bell off the branch"))
    store.editor.activate(messages[2].id)
    counts = [(hit.message_id, hit.count) for hit in store.finder.find_in_thread(thread_id, "Bell")]
    assert counts == [(messages[0].id, 1), (messages[1].id, 2)]
    assert store.finder.find_in_thread(thread_id, "") == []
    assert store.finder.find_in_thread("nowhere", "bell") == []


def test_an_older_file_is_indexed_when_it_is_opened(store_path: Path) -> None:
    from tests.threads.test_migration import make_first_version

    make_first_version(store_path)
    store = ThreadStore(store_path)
    assert found(store, "old question") == ["An [old] [question]"]
    assert found(store, "thoughts") == ["my [thoughts]"]
    store.close()


def test_jumping_by_letters_of_a_title(store: ThreadStore) -> None:
    for title in ("Baking bread", "Bug report in the parser", "Übung", "Parser bug", ""):
        store.create_thread(title)
    gone = store.create_thread("Baking cake")
    store.trash_thread(gone.id)

    def jumped(text: str) -> list[str]:
        return [hit.thread.title for hit in store.finder.jump(text)]

    assert jumped("bb") == ["Baking bread"]
    assert jumped("pabu") == ["Parser bug"]
    assert jumped("bug")[:2] == ["Bug report in the parser", "Parser bug"]
    assert jumped("ubung") == ["Übung"]
    assert jumped("xyz") == []
    assert jumped("") == ["", "Parser bug", "Übung", "Bug report in the parser", "Baking bread"]
    assert len(store.finder.jump("", limit=2)) == 2


@pytest.mark.parametrize(
    ("text", "title", "places"),
    [
        ("br", "Baking bread", (7, 8)),
        ("bb", "Baking bread", (0, 7)),
        ("ad", "a band", (0, 5)),
        ("b r", "Baking bread", (7, 8)),
        ("İ", "İstanbul", (0,)),
        ("ss", "ß", None),
        ("ba", "ab", None),
        ("", "anything", ()),
    ],
)
def test_which_letters_of_a_title_are_meant(text: str, title: str, places: tuple[int, ...] | None) -> None:
    match = match_title(text, title)
    assert (match and match[1]) == places
