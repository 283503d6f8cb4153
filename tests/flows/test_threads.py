"""A tour through everything that people do with threads, in a terminal of 80 by 24 with nothing but keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flows.terminal import needs_tmux, terminal
from tests.support.model_maker import make_scripted_model
from tui.threads import ThreadStore

pytestmark = [needs_tmux, pytest.mark.timeout(300)]

ANSWER = "Walruses sleep in the water."


@pytest.fixture
def home(lmdeck_home: Path) -> Path:
    """A home with one model, which always says the same."""
    (lmdeck_home / "models").mkdir()
    make_scripted_model(lmdeck_home / "models" / "talker.gguf", ANSWER)
    return lmdeck_home


def has_all(*texts: str) -> Callable[[str], bool]:
    return lambda screen: all(text in screen for text in texts)


def test_tour(home: Path) -> None:
    with terminal(home) as screen:
        screen.wait("no model")
        # A folder, and a thread in it.
        screen.keys("C-t")
        screen.wait("┏━ Threads")
        screen.keys("F")
        screen.wait("New folder")
        screen.type("Animals")
        screen.keys("Enter")
        screen.wait("▾ Animals")
        screen.keys("n")
        screen.wait("┏━ Message")
        screen.type("Where do they sleep")
        screen.keys("Enter")
        screen.wait(has_all("talker", "enter use or load"))
        screen.keys("Enter")
        screen.wait("Load talker")
        screen.wait("Fits")
        screen.keys("Enter")
        screen.wait(has_all(ANSWER, "tok/s · ttft"))
        # Edit the question as a new version, which is answered.
        screen.keys("Escape")
        screen.wait("y copy")  # together with what comes after it, escape would be alt
        screen.keys("k", "e")
        screen.wait("Edit the message")
        screen.type(" at night")
        screen.keys("C-r")
        screen.wait(has_all("Where do they sleep at night", "2 of 2", ANSWER, "tok/s · ttft"))
        # Answer once more, and switch between the answers.
        screen.keys("G", "r")
        screen.wait(lambda text: text.count("2 of 2") == 2 and "tok/s · ttft" in text)
        screen.keys("Left")
        screen.wait("1 of 2")
        # A branch of its own from here.
        screen.keys("g", "B")
        screen.wait(lambda text: ANSWER not in text and "sleep at night" in text)
        # Search finds the thread of before, and opens it.
        screen.keys("C-f")
        screen.wait("Search all threads")
        screen.type("sleep night")
        screen.keys("Enter")
        screen.wait(has_all("sleep at night", "/sleep night"))
        screen.keys("Escape")
        screen.wait(lambda text: "/sleep night" not in text)
        # Two threads, one at a time on a narrow screen, each with its answer.
        screen.keys("C-\\")
        screen.wait("2/2")
        screen.type("And where do they eat")
        screen.keys("Enter")
        screen.wait(has_all("And where do they eat", ANSWER, "tok/s · ttft"))
        screen.keys("F6")
        screen.wait(has_all("1/2", "sleep at night"))
        screen.keys("C-\\")
        screen.wait(lambda text: "1/2" not in text)
        # Export.
        screen.keys("C-g")
        screen.wait("Go to")
        screen.keys("X")
        screen.wait("Markdown")
        screen.keys("Enter")
        screen.wait("Export to")
        screen.keys("Enter")
        screen.wait("Exported")
        # The trash, and undo.
        screen.keys("C-g")
        screen.wait("Go to")
        screen.keys("x")
        screen.wait(lambda text: "━ New thread" in text or "─ New thread" in text)
        screen.keys("C-g")
        screen.wait("Go to")
        screen.keys("u")
        screen.wait("sleep at night")
        screen.keys("C-q")
        screen.wait("ended with 0")
    check_what_is_kept(home)


def check_what_is_kept(home: Path) -> None:
    """Everything that the tour has done lies on disk."""
    store = ThreadStore(home / "lmdeck.db")
    try:
        (folder,) = store.folders.all()
        assert folder.title == "Animals"
        threads = {thread.id: thread for thread in store.list_threads()}
        assert len(threads) == 3
        inside = [thread for thread in threads.values() if thread.folder_id == folder.id]
        versions = [len(store.all_messages(thread.id)) for thread in inside]
        assert max(versions) == 5  # two questions, the answer to the first, and two to the second
        assert store.list_threads("trashed") == []
    finally:
        store.close()
    (exported,) = (home / "exports").glob("*.md")
    assert "Where do they sleep at night" in exported.read_text()
