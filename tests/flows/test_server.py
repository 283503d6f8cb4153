"""The server from a person's chair: on with a key, a request from elsewhere, its details, off again."""

from __future__ import annotations

import json
import socket
import urllib.request
from pathlib import Path

import pytest

from tests.flows.terminal import needs_tmux, terminal
from tests.support.model_maker import make_scripted_model
from tui.config import Settings
from tui.domain import ServerOptions
from tui.server import write_options

pytestmark = [needs_tmux, pytest.mark.timeout(300)]

ANSWER = "Hello from the deck."


@pytest.fixture
def port(lmdeck_home: Path) -> int:
    """A port that nobody uses, chosen in the settings."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free: int = probe.getsockname()[1]
    write_options(Settings(lmdeck_home / "settings.json"), ServerOptions(port=free))
    (lmdeck_home / "models").mkdir()
    make_scripted_model(lmdeck_home / "models" / "talker.gguf", ANSWER)
    return free


def ask(port: int, text: str) -> str:
    question = {"model": "talker", "messages": [{"role": "user", "content": text}]}
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    request = urllib.request.Request(url, json.dumps(question).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(json.load(answer)["choices"][0]["message"]["content"])


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
def test_toggle_on_request_appears_details_toggle_off(lmdeck_home: Path, port: int, size: tuple[int, int]) -> None:
    with terminal(lmdeck_home, *size) as screen:
        screen.wait("server off")
        screen.keys("F9")
        screen.wait(f"● :{port}")
        screen.keys("C-s")
        screen.wait("No request yet.")
        assert ask(port, "What is the walrus?") == ANSWER
        screen.wait(lambda text: "200" in text and "talker" in text and "tok/s" in text)
        screen.keys("Enter")
        screen.wait(ANSWER)
        screen.keys("Left")
        screen.wait("What is the walrus?<|im_end|>")
        screen.keys("Escape")
        screen.wait("┏━ Requests")  # together with what comes after it, escape would be alt
        screen.keys("s")
        screen.wait("server off")
        with pytest.raises(OSError, match="refused"):
            ask(port, "Are you there?")
        screen.keys("s")
        screen.wait(f"● http://127.0.0.1:{port}")
        screen.keys("C-q")
        screen.wait("ended with 0")
    with terminal(lmdeck_home, *size) as screen:
        screen.wait(f"● :{port}")
        screen.keys("C-q")
        screen.wait("ended with 0")
