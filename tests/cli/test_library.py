"""The library from a shell: models of other programs in place, variants, importing, deleting."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.test_cli import lmdeck
from tests.models.test_catalogue import put
from tests.support.model_maker import make_scripted_model
from tests.support.raw_gguf import number_value, small_model, text_value
from tests.support.stores import hugging_face_file, ollama_model

TALKER = "Here I am."


@pytest.fixture
def person(lmdeck_home: Path) -> Path:
    """A person with models in every program's folder, that of Hugging Face and of Ollama being able to answer."""
    home = lmdeck_home / "person"
    put(
        lmdeck_home / "models" / "acme" / "Pair-GGUF" / "Pair-Q4_0.gguf",
        small_model().with_key("general.file_type", number_value(2)),
    )
    put(
        lmdeck_home / "models" / "acme" / "Pair-GGUF" / "Pair-Q8_0.gguf",
        small_model().with_key("general.file_type", number_value(7)),
    )
    put(
        home / ".lmstudio" / "models" / "acme" / "Studio-GGUF" / "Studio.gguf",
        small_model().with_key("general.name", text_value("S")),
    )
    made = make_scripted_model(lmdeck_home / "made", TALKER)
    hugging_face_file(home / ".cache/huggingface/hub", "acme/Hub-GGUF", "Hub-F16.gguf", made.read_bytes())
    told = make_scripted_model(lmdeck_home / "told", TALKER[:-1] + "!")
    ollama_model(home / ".ollama" / "models", "talker:1b", {"model": told.read_bytes(), "params": b'{"num_ctx": 512}'})
    made.unlink()
    told.unlink()
    return home


@pytest.mark.usefixtures("person")
def test_list() -> None:
    listed = lmdeck("ls").stdout
    assert [line.split()[0] for line in listed.splitlines()] == ["hub-f16", "pair", "studio", "talker:1b"]
    assert "(2 variants)" in listed
    assert " * pair@q8_0" in lmdeck("ls", "--variants").stdout
    without = lmdeck("ls", "--embedding")
    assert (without.stdout, without.stderr) == ("", "No model is like that.\n")
    assert lmdeck("ls", "talk", "--llm").stdout.split()[0] == "talker:1b"
    records = {record["modelKey"]: record for record in json.loads(lmdeck("ls", "--json").stdout)}
    assert records["pair"]["variants"] == ["pair@q4_0", "pair@q8_0"]
    assert records["talker:1b"]["source"] == "Ollama"
    for field in ("type", "format", "displayName", "publisher", "path", "sizeBytes", "architecture", "vision",
                  "trainedForToolUse", "maxContextLength"):  # fmt: skip
        assert field in records["studio"]
    (pair,) = json.loads(lmdeck("ls", "pair", "--json", "--variants").stdout)
    assert [variant["modelKey"] for variant in pair["variants"]] == ["pair@q4_0", "pair@q8_0"]


def test_models_of_other_programs_are_loaded_in_place(person: Path) -> None:
    before = sorted(str(path) for path in person.rglob("*"))
    assert lmdeck("chat", "acme/Hub-GGUF", "-p", "Hi").stdout == f"{TALKER}\n"
    assert lmdeck("chat", "talker", "-p", "Hi").stdout == "Here I am!\n"
    assert sorted(str(path) for path in person.rglob("*")) == before, "nothing is copied or written there"
    shown = json.loads(lmdeck("model", "show", "talker", "--json").stdout)
    assert shown["lastUsed"] > 0
    assert shown["metadata"]["general.architecture"] == "llama"


@pytest.mark.usefixtures("person")
def test_one_model() -> None:
    shown = lmdeck("model", "show", "pair@q8_0").stdout
    assert "pair-q8_0" in shown
    assert "tokenizer.ggml.tokens (260) = [" in shown
    path = lmdeck("model", "path", "pair@q8_0").stdout.strip()
    assert path.endswith("Pair-Q8_0.gguf")
    assert os.path.exists(path)
    assert "no model" in lmdeck("model", "path", "zzz", check=2).stderr
    assert "no README" in lmdeck("model", "show", "pair@q8_0", "--readme", check=2).stderr


def test_remove_and_undo(person: Path, lmdeck_home: Path) -> None:
    file = lmdeck_home / "models" / "acme" / "Pair-GGUF" / "Pair-Q8_0.gguf"
    assert "means several models: pair@q4_0, pair@q8_0" in lmdeck("rm", "pair", check=2).stderr
    assert "no model called" in lmdeck("rm", "pai", check=2).stderr
    assert "--undo brings it back" in lmdeck("rm", "pair@q8_0").stderr
    assert not file.exists()
    assert lmdeck("rm", "--trash").stdout.split()[0] == "pair-q8_0"
    lmdeck("rm", "--undo")
    assert file.exists()
    lmdeck("rm", "pair", "--all-variants", "--yes")
    assert "Freed" in lmdeck("rm", "--empty-trash", "--yes").stderr
    assert not file.exists()
    assert "ollama rm talker:1b" in lmdeck("rm", "talker:1b", check=2).stderr
    assert "hf cache rm model/acme/Hub-GGUF" in lmdeck("rm", "hub-f16", check=2).stderr
    assert (person / ".ollama").exists()
    lmdeck("rm", check=2)
    lmdeck("rm", "x", "--undo", check=2)


@pytest.mark.usefixtures("person")
def test_import(lmdeck_home: Path) -> None:
    file = put(
        lmdeck_home / "downloads" / "Fresh-Q4_0.gguf", small_model().with_key("general.file_type", number_value(2))
    )
    dry = lmdeck("import", str(file), "--dry-run").stderr
    assert "move: " in dry
    assert "Nothing was done" in dry
    assert file.exists()
    assert "Imported as fresh-q4_0" in lmdeck("import", str(file), "-l", "--user-repo", "me/fresh").stderr
    link = lmdeck_home / "models" / "me" / "fresh" / "Fresh-Q4_0.gguf"
    assert link.is_symlink()
    assert "is there already" in lmdeck("import", str(file), "-c", "--user-repo", "me/fresh", check=1).stderr
    assert "user/repo" in lmdeck("import", str(file), "--user-repo", "me", check=2).stderr
    assert "exclude each other" in lmdeck("import", str(file), "-c", "-l", check=2).stderr
    (lmdeck_home / "bad.gguf").write_bytes(b"GGUF")
    done = lmdeck("import", str(lmdeck_home / "bad.gguf"), str(file), "--copy", check=1)
    assert "cut off" in done.stderr
    assert (lmdeck_home / "models" / "imported" / "Fresh" / "Fresh-Q4_0.gguf").exists(), "the others are imported"
