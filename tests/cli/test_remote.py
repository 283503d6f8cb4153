"""`lmdeck remote`, and remote models in the other verbs."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_cli import lmdeck
from tests.support.openai_stub import Stub, delta, openai_stub, refusing, usage

KEY = "sk-0123456789abcdefghij"


@pytest.fixture
def stub() -> Iterator[Stub]:
    with openai_stub() as stub:
        stub.serve_models("qwen3-32b", "org/llama")
        yield stub


def test_add_list_and_remove(lmdeck_home: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    done = lmdeck("remote", "add", "Tower", stub.url.removesuffix("/v1"), "--key-from-env", "MY_KEY")
    assert "reachable, 2 models" in done.stderr
    assert lmdeck("remote", "add", "plain", "http://127.0.0.1:9").stderr.count("Start the server there") == 1
    assert stat.S_IMODE((lmdeck_home / "remotes.json").stat().st_mode) == 0o600
    assert stub.requests[0].headers["authorization"] == f"Bearer {KEY}"

    listed = lmdeck("remote", "list")
    assert "…ghij" in listed.stdout
    assert "reachable, 2 models" in listed.stdout
    assert "127.0.0.1:9 refuses the connection" in listed.stdout
    assert lmdeck("remote", "list", "--models").stdout.split() == ["tower/org/llama", "tower/qwen3-32b"]
    tower, plain = json.loads(lmdeck("remote", "list", "--models", "--json").stdout)
    assert tower == {
        "name": "tower", "url": stub.url, "has_key": True, "reachable": True, "problem": "",
        "models": ["tower/org/llama", "tower/qwen3-32b"],
    }  # fmt: skip
    assert (plain["has_key"], plain["reachable"], plain["models"]) == (False, False, [])
    for arguments in (("list",), ("list", "--json"), ("list", "--models")):
        done = lmdeck("remote", *arguments)
        assert KEY not in done.stdout + done.stderr

    assert "Removed tower" in lmdeck("remote", "remove", "tower").stderr
    assert KEY not in (lmdeck_home / "remotes.json").read_text()
    lmdeck("remote", "remove", "tower", check=2)


@pytest.mark.usefixtures("lmdeck_home")
def test_a_key_is_read_from_standard_input(stub: Stub) -> None:
    done = lmdeck("remote", "add", "tower", stub.url, "--key-stdin", text=f"{KEY}\n")
    assert stub.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in done.stdout + done.stderr


@pytest.mark.usefixtures("lmdeck_home")
@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("add", "a b", "http://a"), "cannot be the name"),
        (("add", "a", "ftp://a"), "not an address"),
        (("add", "a", "http://a", "--key-from-env", "NO_SUCH_VARIABLE"), "NO_SUCH_VARIABLE"),
        (("add", "a", "http://a", "--key-stdin"), "no key on standard input"),
        (("add", "a", "http://a", "--key-stdin", "--key-from-env", "HOME"), "not from both"),
        (("remove", "nobody"), "There is none at all"),
    ],
)
def test_mistakes_are_said(arguments: tuple[str, ...], hint: str) -> None:
    done = lmdeck("remote", *arguments, check=2)
    assert hint in done.stderr
    assert done.stdout == ""


def test_a_damaged_file_is_said(lmdeck_home: Path) -> None:
    (lmdeck_home / "remotes.json").write_text("{")
    for arguments in (("remote", "list"), ("remote", "add", "a", "http://a"), ("chat", "home/m", "-p", "x")):
        assert "remotes.json cannot be used" in lmdeck(*arguments, check=1).stderr
    assert "remotes.json cannot be used" in lmdeck("ls").stderr


@pytest.mark.usefixtures("lmdeck_home")
def test_models_elsewhere_are_listed_and_answer(stub: Stub) -> None:
    lmdeck("remote", "add", "tower", stub.url)
    lmdeck("remote", "add", "off", "http://127.0.0.1:9")
    listed = lmdeck("ls")
    assert "tower/qwen3-32b" in listed.stdout
    assert "on tower" in listed.stdout
    assert "no models from off: off is not running" in listed.stderr
    records = json.loads(lmdeck("ls", "--json").stdout)
    assert [(record["modelKey"], record["remote"], record["path"]) for record in records] == [
        ("tower/org/llama", "tower", ""),
        ("tower/qwen3-32b", "tower", ""),
    ]

    stub.serve_answer(
        delta(reasoning_content="Hm."), delta(content="Hello "), delta("stop", content="there."), usage(9, 4)
    )
    for arguments in (("chat", "-m", "tower/qwen3-32b"), ("chat", "tower/qwen3-32b")):
        done = lmdeck(*arguments, "-p", "Hi", "--stats", "--reasoning")
        assert done.stdout == "Hello there.\n"
        assert "Hm." in done.stderr
        assert "9 prompt tokens" in done.stderr
    assert stub.requests[-1].json["model"] == "qwen3-32b"

    stub.on_chat(refusing(401, {"error": {"message": "Who are you?"}}))
    assert "tower wants a key: Who are you?" in lmdeck("chat", "tower/qwen3-32b", "-p", "Hi", check=1).stderr
    assert "no effect on a remote engine" in (
        lmdeck("chat", "tower/qwen3-32b", "-p", "Hi", "--set", "context_length=4096", check=2).stderr
    )
    lmdeck("chat", "tower/qwen3-32b", "-m", "tower/qwen3-32b", "-p", "Hi", check=2)


@pytest.mark.usefixtures("lmdeck_home")
def test_the_only_model_may_be_elsewhere(stub: Stub) -> None:
    stub.serve_models("only")
    stub.serve_answer(delta("stop", content="Here."))
    lmdeck("remote", "add", "tower", stub.url)
    assert lmdeck("chat", "-p", "Hi").stdout == "Here.\n"


@pytest.mark.usefixtures("lmdeck_home")
def test_an_engine_that_says_nothing_delays_the_list_but_does_not_stop_it(stub: Stub) -> None:
    lmdeck("remote", "add", "tower", stub.url)
    stub.on_models(lambda connection, _request: connection.gone() and None)
    done = lmdeck("ls")
    assert "no models from tower: It has not answered yet." in done.stderr
    assert "Traceback" not in done.stderr
