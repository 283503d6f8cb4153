"""`lmdeck load`, `unload` and `ps` against a running server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.model_maker import make_scripted_model
from tui.cli.main import command
from tui.domain import Guardrail, ServerOptions
from tui.paths import find_paths
from tui.server import Server
from tui.workbench import Workbench


@pytest.fixture
def home(lmdeck_home: Path) -> Path:
    (lmdeck_home / "models").mkdir()
    make_scripted_model(lmdeck_home / "models" / "talker.gguf", "Hello there.")
    make_scripted_model(lmdeck_home / "models" / "other.gguf", "Hello there.")
    return lmdeck_home


@pytest.fixture
def workbench(home: Path) -> Iterator[Workbench]:
    """A workbench that serves."""
    assert home
    workbench = Workbench(find_paths())
    workbench.decisions.defaults.save("talker", {"load.threads": 1, "load.parallel": 2})
    workbench.decisions.defaults.save_profile("talker", "short", {"load.context_length": 256})
    server = Server(workbench)
    server.start(ServerOptions(port=0))
    yield workbench
    server.close()
    workbench.close()


def lmdeck(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == code, done.output
    return done


def test_a_model_is_loaded_listed_and_unloaded(workbench: Workbench) -> None:
    done = lmdeck("load", "talker", "-c", "1k", "--ttl", "90", "--set", "key-cache-type=f32")
    assert done.stdout.strip() == "talker"
    assert "loaded successfully in" in done.stderr
    (model,) = workbench.loaded()
    config = model.config
    assert (config.context_length, config.key_cache_type, config.threads, config.parallel) == (1024, "f32", 1, 2)
    (one,) = json.loads(lmdeck("ps", "--json").stdout)
    assert (one["identifier"], one["modelKey"], one["status"], one["contextLength"]) == (
        "talker",
        "talker",
        "idle",
        1024,
    )
    assert (one["parallel"], one["ttlMs"], one["queued"]) == (2, 90_000, 0)
    assert "1.5m" in lmdeck("ps").stdout
    assert 'Model "talker" unloaded.' in lmdeck("unload").stderr
    assert workbench.loaded() == ()
    assert "No models are currently loaded" in lmdeck("ps").stderr
    assert json.loads(lmdeck("ps", "--json").stdout) == []


def test_instances_and_profiles(workbench: Workbench) -> None:
    lmdeck("load", "talker", "--profile", "short", "--identifier", "second")
    lmdeck("load", "other", "--gpu", "off", "--set", "threads=1")
    second, other = workbench.loaded()
    assert (second.key, second.config.context_length) == ("second", 256)
    assert other.config.gpu_offload_ratio == 0
    listed = json.loads(lmdeck("ps", "--json").stdout)
    assert [(one["identifier"], one["modelKey"]) for one in listed] == [("second", "talker"), ("other", "other")]
    lmdeck("load", "other", "--identifier", "third")
    marks = [line.partition("lmdeck")[2].strip() for line in lmdeck("ls").stdout.splitlines()]
    assert marks == ["✓ LOADED (2)", "✓ LOADED"], "by key: other, talker"
    lmdeck("unload", "third")
    assert "second, other" in lmdeck("unload", code=2).stderr
    assert "lmdeck ps lists" in lmdeck("unload", "third", code=2).stderr
    lmdeck("unload", "second")
    assert "Unloaded 1 model." in lmdeck("unload", "--all").stderr
    assert workbench.loaded() == ()


def test_what_was_loaded_differently_is_said(workbench: Workbench) -> None:
    assert workbench
    done = lmdeck("load", "other", "--set", "evaluation_batch_size=8", "--set", "threads=1")
    assert "Evaluation batch: asked for 8, loaded with 16" in done.stderr


@pytest.mark.usefixtures("workbench")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("load", "nobody"), "nobody"),
        (("load", "talker", "--gpu", "2"), "--gpu"),
        (("load", "talker", "--set", "threads"), "NAME=VALUE"),
        (("load", "talker", "--set", "threads=many"), "CPU threads"),
        (("load", "talker", "--set", "magic=1"), "magic"),
        (("load", "talker", "--profile", "none"), "short"),
        (("unload", "nobody"), "nobody"),
    ],
)
def test_mistakes_are_explained(arguments: tuple[str, ...], words: str) -> None:
    assert words in lmdeck(*arguments, code=2).stderr


@pytest.mark.usefixtures("home")
def test_without_a_server_it_says_how_to_start_one() -> None:
    for words in (("load", "talker"), ("unload",)):
        assert "lmdeck server start" in lmdeck(*words, code=1).stderr
    assert json.loads(lmdeck("ps", "--json").stdout) == []


@pytest.mark.usefixtures("home")
def test_an_estimate_loads_nothing_and_needs_no_server() -> None:
    said = lmdeck("load", "talker", "--estimate-only", "-c", "512").stdout
    assert "Model: talker\nContext Length: 512\nGPU Offload: " in said
    assert "Estimated Total Memory: " in said
    assert "may be loaded" in said


def test_the_guardrail_refuses_and_is_overruled(workbench: Workbench, home: Path) -> None:
    workbench.settings.set("guardrail", "custom")
    workbench.settings.set("guardrail_limit", 1e-6)
    assert Guardrail("custom", 1e-6)
    assert "will fail to load" in lmdeck("load", "talker", "--estimate-only").stdout
    assert "guardrail" in lmdeck("load", "talker", code=1).stderr
    assert workbench.loaded() == ()
    lmdeck("load", "talker", "--force")
    assert len(workbench.loaded()) == 1
    assert home
