"""`lmdeck get` against a fake Hub."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_cli import lmdeck
from tests.models.fake_hub import FakeHub, fake_hub
from tests.models.hub_models import noise, publish_tiny
from tui.cli.progress import duration, progress_line
from tui.models.downloads import Download, FileProgress


@pytest.fixture
def hub(
    lmdeck_home: Path,  # noqa: ARG001
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[FakeHub]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with fake_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path_factory.mktemp("huggingface")))
        publish_tiny(hub, tmp_path_factory.mktemp("published"))
        yield hub


def test_a_model_by_its_name_and_quantisation(hub: FakeHub, lmdeck_home: Path) -> None:
    done = lmdeck("get", "maker/tiny-GGUF@q8_0", "--yes")
    path = lmdeck_home / "models" / "maker" / "tiny-GGUF" / "tiny-Q8_0.gguf"
    assert done.stdout.strip() == str(path)
    assert path.read_bytes() == hub.repositories["maker/tiny-GGUF"].data("tiny-Q8_0.gguf")
    assert "To download: maker/tiny-GGUF Q8_0 – 130 KB" in done.stderr
    assert "CPU fit: needs" in done.stderr or "Full GPU: needs" in done.stderr
    assert "Download completed." in done.stderr
    assert "tiny-q8_0" in lmdeck("ls").stdout
    assert "is here already" in lmdeck("get", f"{hub.url}/maker/tiny-GGUF@q8_0").stderr


def test_words_that_fit_one_repository_and_the_recommended_file(hub: FakeHub, lmdeck_home: Path) -> None:
    done = lmdeck("get", "tiny", "-y")
    assert done.stdout.strip().endswith("tiny-Q4_0.gguf")
    hub.add("other/tiny-two-GGUF", {"x-Q8_0.gguf": noise("x", 100)})
    several = lmdeck("get", "tiny-", check=2)
    assert "2 repositories fit 'tiny-'" in several.stderr
    assert "other/tiny-two-GGUF" in several.stderr
    assert not (lmdeck_home / "models" / "other").exists()


def test_what_there_is_without_downloading(hub: FakeHub, lmdeck_home: Path) -> None:
    rows = lmdeck("get", "maker/tiny-GGUF", "--list").stdout.splitlines()
    assert [row.split()[0] for row in rows] == ["Q4_0", "Q8_0", "F16"]
    assert [("★ Recommended" in row) for row in rows] == [True, False, False]
    assert all("fit" in row or "GPU" in row for row in rows)
    assert not (lmdeck_home / "models").exists()
    assert hub.sent < 500_000


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("maker/none", 2, "no repository 'maker/none'"),
        ("maker/tiny-GGUF@q5_k_m", 2, "It has: Q4_0, Q8_0, F16"),
        ("nothing like this", 2, "Try fewer or other words"),
        ("maker/gated", 1, "gated"),
    ],
)
def test_what_cannot_be_had_is_said(hub: FakeHub, name: str, code: int, said: str) -> None:
    hub.add("maker/gated", {"x-Q8_0.gguf": noise("x", 1000)}, gated="auto")
    assert said in lmdeck("get", name, "--yes", check=code).stderr


def test_nobody_there(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "127.0.0.1:9 cannot be reached" in lmdeck("get", "maker/tiny-GGUF", check=1).stderr
    assert hub.asked == []


def test_interrupted_and_gone_on_with(hub: FakeHub, lmdeck_home: Path) -> None:
    hub.chunk, hub.delay = 10_000, 0.1
    command = [sys.executable, "-m", "tui", "get", "maker/tiny-GGUF@f16", "-y"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ, PYTHONUTF8="1"))
    part = lmdeck_home / "models" / "maker" / "tiny-GGUF" / "tiny-F16.gguf.part"
    deadline = time.monotonic() + 30
    while not part.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Paused at" in said
    assert "To go on: lmdeck get maker/tiny-GGUF@F16" in said
    hub.chunk, hub.delay = 64 * 1024, 0.0
    assert lmdeck("get", "maker/tiny-GGUF@F16").stdout.strip().endswith("tiny-F16.gguf")
    assert not part.exists()


def test_trouble_is_told_once_and_ends_by_itself(hub: FakeHub) -> None:
    hub.plan = lambda path, nth: "503" if "Q8_0" in path and nth in (2, 3) else ""
    done = lmdeck("get", "maker/tiny-GGUF@q8_0", "-y")
    assert done.stderr.count("has trouble (HTTP 503). Trying again") <= 1
    assert "Download completed." in done.stderr


def test_the_line_on_a_terminal() -> None:
    file = FileProgress("a/b/c.gguf", 4_700_000_000, 1_974_000_000)
    download = Download("job_0", "a/b", "Q4_K_M", "downloading", (file,), 0.0, rate=35.2e6)
    assert progress_line(download) == " 42.0% [████████            ] 1.8 GB / 4.4 GB  34 MB/s  01:17"
    assert duration(59.6) == "01:00"
    assert duration(7420) == "2:03:40"
    assert duration(10**6) == "12 days"
