"""The first conversation of a newcomer, in a terminal of 80 by 24 with nothing but keys."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.flows.terminal import Terminal, needs_tmux, terminal
from tests.support.model_maker import make_scripted_model
from tests.support.scripts import long_script
from tui.threads import StoredMessage, ThreadStore

pytestmark = [needs_tmux, pytest.mark.timeout(300)]

SLOW = {"layers": 16, "feed_forward": 4096, "quantization": "q8_0", "extra_tokens": 20_000}


@pytest.fixture
def talker(lmdeck_home: Path) -> str:
    """A model that talks for a minute or so; what it says."""
    script = long_script(6000)
    (lmdeck_home / "models").mkdir()
    make_scripted_model(lmdeck_home / "models" / "talker.gguf", script, context_length=16_384, **SLOW)
    return script


def load_the_only_model(screen: Terminal) -> None:
    """From the model picker, which has just opened, through the load dialog."""
    screen.wait("talker")
    screen.keys("Enter")
    screen.wait("Load talker")
    screen.wait("Fits")
    screen.keys("Enter")


def answers(home: Path) -> list[StoredMessage]:
    """Every answer on disk, thread by thread, oldest thread first."""
    store = ThreadStore(home / "lmdeck.db")
    try:
        return [
            message
            for thread in reversed(store.list_threads())
            for message in store.messages(thread.id)
            if message.message.role == "assistant"
        ]
    finally:
        store.close()


def test_start_load_ask_stop_ask_again_quit_and_come_back(lmdeck_home: Path, talker: str) -> None:
    beginning = " ".join(talker[:30].split())
    with terminal(lmdeck_home) as screen:
        screen.wait("no model")
        screen.type("Tell me a story")
        screen.keys("Enter")
        load_the_only_model(screen)
        screen.wait(beginning[:9])
        screen.keys("C-c")
        screen.wait("stopped by you")
        screen.type("Another one")
        screen.keys("Enter")
        screen.wait(lambda text: beginning[:9] in text.partition("Another one")[2])
        screen.keys("C-c")
        screen.wait(lambda text: "^c stop" not in text)
        screen.keys("C-q")
        screen.wait("ended with 0")
    first, second = answers(lmdeck_home)
    assert first.message.text
    assert talker.startswith(first.message.text.rstrip("\n"))
    assert first.status == second.status == "stopped"

    with terminal(lmdeck_home, 120, 36) as screen:
        screen.wait("Tell me a story")
        screen.keys("C-t")
        screen.keys("Enter")
        shown = screen.wait("Another one")
        assert "stopped by you" in shown
        screen.keys("C-q")
        screen.wait("ended with 0")


def test_two_threads_generate_at_once(lmdeck_home: Path, talker: str) -> None:
    with terminal(lmdeck_home, 120, 36) as screen:
        screen.wait("no model")
        screen.type("First thread")
        screen.keys("Enter")
        load_the_only_model(screen)
        screen.wait("^c stop")
        screen.keys("C-n")
        screen.wait("New thread")
        screen.type("Second thread")
        screen.keys("Enter")
        screen.wait(lambda text: text.count("●") >= 3)  # the model, and both threads in the list
        time.sleep(1.5)
        before = [len(answer.message.text) for answer in answers(lmdeck_home)]
        time.sleep(1.5)
        after = [len(answer.message.text) for answer in answers(lmdeck_home)]
        assert len(before) == 2
        assert all(later > earlier > 0 for earlier, later in zip(before, after, strict=True))
        screen.keys("C-q")
        screen.wait("Quit?")
        screen.keys("Enter")
        screen.wait("ended with 0")
    assert all(talker.startswith(answer.message.text.rstrip("\n")) for answer in answers(lmdeck_home))


@pytest.mark.parametrize("how", ["killed", "terminal closed", "terminated"])
def test_what_was_said_is_kept_however_the_program_ends(lmdeck_home: Path, talker: str, how: str) -> None:
    with terminal(lmdeck_home) as screen:
        screen.wait("no model")
        screen.type("Tell me a story")
        screen.keys("Enter")
        load_the_only_model(screen)
        screen.wait("^c stop")
        time.sleep(3)
        process = screen.process()
        store = ThreadStore(lmdeck_home / "lmdeck.db")
        (thread,) = store.list_threads()
        if how == "killed":
            said = len(store.messages(thread.id)[-1].message.text)
            os.kill(process, signal.SIGKILL)
        elif how == "terminal closed":
            screen.stop()
        else:
            os.kill(process, signal.SIGTERM)
            screen.wait("ended with 0")
        store.close()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{process}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    (answer,) = answers(lmdeck_home)
    assert talker.startswith(answer.message.text.rstrip("\n"))
    assert len(answer.message.text) > 50
    if how == "killed":
        assert answer.status == "interrupted"
        assert len(answer.message.text) >= said
    else:
        assert answer.status == "stopped"
        assert answer.stats is not None
