"""From nothing to a conversation: find a model, pick a quantisation, see it arrive, load it, chat."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.terminal import needs_tmux, terminal
from tests.models.fake_hub import fake_hub
from tests.support.model_maker import make_scripted_model

pytestmark = [needs_tmux, pytest.mark.timeout(180)]

SAYS = "I came over the wire and arrived whole."


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 36)])
def test_search_pick_download_load_and_chat(
    lmdeck_home: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
    rows: int,
) -> None:
    folder = tmp_path_factory.mktemp("published")
    files = {
        f"talker-{quantization.upper()}.gguf": make_scripted_model(
            folder / f"talker-{quantization.upper()}.gguf", SAYS, quantization=quantization, extra_tokens=3000
        )
        for quantization in ("q4_0", "q8_0")
    }
    with fake_hub() as hub:
        hub.add("maker/talker-GGUF", files, likes=5, downloads=100)
        hub.add("maker/other-GGUF", {"other-Q8_0.gguf": b"x" * 1000}, downloads=900)
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        with terminal(lmdeck_home, columns, rows) as screen:
            screen.wait("no model")
            screen.keys("F3")
            screen.wait("maker/other-GGUF")
            screen.type("talker")
            screen.wait(lambda text: "1 found" in text and "other-GGUF" not in text)
            screen.keys("Enter")
            screen.wait("┏━ Models")
            screen.keys("Enter")
            screen.wait(lambda text: "┏━ Files" in text and text.count("✓") >= 2)  # both are weighed
            assert "★ Q4_0" in screen.screen()
            hub.chunk, hub.delay = 30_000, 0.1
            screen.keys("Down")
            screen.keys("Enter")
            screen.wait("talker-GGUF Q8_0")
            screen.wait("KB/s")
            hub.chunk, hub.delay = 64 * 1024, 0.0
            screen.wait("have")
            screen.keys("Enter")
            screen.wait("Load talker")
            screen.wait("Fits")
            screen.keys("Enter")
            screen.wait(lambda text: "Load talker" not in text and "no model" not in text)
            screen.type("Hello")
            screen.keys("Enter")
            screen.wait("arrived whole")
            screen.keys("C-o")
            screen.wait("1 on disk")
            screen.keys("Escape")
            screen.keys("C-q")
            screen.wait("ended with 0")
    arrived = [path.relative_to(lmdeck_home / "models").as_posix() for path in (lmdeck_home / "models").rglob("*.*")]
    assert arrived == ["maker/talker-GGUF/talker-Q8_0.gguf"]


def test_without_a_network_it_says_so_and_goes_on(lmdeck_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with terminal(lmdeck_home) as screen:
        screen.wait("no model")
        screen.keys("F3")
        screen.wait("cannot be reached")
        assert "offline" in screen.screen()
        screen.keys("Escape")
        screen.wait("no model")
        screen.keys("F4")
        screen.wait("No downloads")
        screen.keys("Escape")
        screen.keys("C-q")
        screen.wait("ended with 0")
