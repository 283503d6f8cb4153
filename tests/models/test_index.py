"""The index: a start that knows everything reads nothing, and nothing in it is believed blindly."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.models.test_catalogue import put
from tests.support.raw_gguf import small_model, text_value
from tui.domain import ModelInfo
from tui.models import Abilities, Catalogue
from tui.models.describe import Reading, read
from tui.models.gguf_bytes import KnownTexts


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read."""
    found: list[str] = []

    def counted(path: Path, known: KnownTexts) -> Reading:
        found.append(path.name)
        return read(path, known)

    monkeypatch.setattr("tui.models.scanner.read", counted)
    return found


def start(folder: Path) -> tuple[ModelInfo, ...]:
    """What a new process lists."""
    return Catalogue([folder / "models"], index=folder / "index.json", probe=lambda _: Abilities(True, True)).models()


def test_second_start_reads_nothing_and_knows_the_same(tmp_path: Path, names: list[str]) -> None:
    put(tmp_path / "models" / "acme" / "One-GGUF" / "One-Q4_0.gguf")
    put(tmp_path / "models" / "two.gguf", small_model().without_key("tokenizer.chat_template"))
    first = start(tmp_path)
    assert len(names) == 2
    assert [(model.tools, model.thinks) for model in first] == [(True, True), (False, False)]
    names.clear()
    assert start(tmp_path) == first
    assert not names


def test_abilities_are_found_when_they_are_asked_for(tmp_path: Path) -> None:
    put(tmp_path / "models" / "m.gguf")
    probed: list[str] = []

    def probe(template: str) -> Abilities:
        probed.append(template)
        return Abilities(True, True)

    catalogue = Catalogue([tmp_path / "models"], index=tmp_path / "index.json", probe=probe)
    assert [model.tools for model in catalogue.models(abilities=False)] == [False]
    assert catalogue.find("m").key == "m"
    assert not catalogue.refresh(abilities=False)
    assert not probed
    assert [model.tools for model in catalogue.models()] == [True]
    assert not catalogue.refresh()
    later = Catalogue([tmp_path / "models"], index=tmp_path / "index.json", probe=probe)
    assert [model.thinks for model in later.models(abilities=False)] == [True], "they are remembered"
    assert len(probed) == 1


def test_templates_are_probed_once(tmp_path: Path) -> None:
    for name in "abc":
        put(tmp_path / "models" / f"{name}.gguf")
    probed: list[str] = []

    def probe(template: str) -> Abilities:
        probed.append(template)
        return Abilities(tools=True)

    for _ in range(2):
        models = Catalogue([tmp_path / "models"], index=tmp_path / "index.json", probe=probe).models()
        assert all(model.tools for model in models)
    assert len(probed) == 1


def test_changed_replaced_and_damaged_files_are_read_again(tmp_path: Path, names: list[str]) -> None:
    changed = put(tmp_path / "models" / "changed.gguf")
    replaced = put(tmp_path / "models" / "replaced.gguf")
    (tmp_path / "models" / "damaged.gguf").write_bytes(b"GGUF")
    start(tmp_path)
    times = replaced.stat().st_mtime_ns
    put(tmp_path / "new", small_model().with_key("general.name", text_value("Large"))).rename(replaced)
    os.utime(replaced, ns=(times, times))
    changed.write_bytes(changed.read_bytes()[:-100])
    names.clear()
    found = {model.key: model for model in start(tmp_path)}
    assert sorted(names) == ["changed.gguf", "damaged.gguf", "replaced.gguf"]
    assert found["replaced"].name == "Large"
    assert "cut off" in found["changed"].problem


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": 1}', "\0" * 100, '{"format": [1], "files": {}}'])
def test_damaged_index_is_made_again(tmp_path: Path, names: list[str], damage: str) -> None:
    put(tmp_path / "models" / "one.gguf")
    first = start(tmp_path)
    (tmp_path / "index.json").write_text(damage)
    assert start(tmp_path) == first
    assert len(names) == 2
    assert start(tmp_path) == first
    assert len(names) == 2


def test_records_that_lie_about_their_form_are_passed_over(tmp_path: Path, names: list[str]) -> None:
    put(tmp_path / "models" / "one.gguf")
    first = start(tmp_path)
    whole = (tmp_path / "index.json").read_text()
    for field, value in (("header", []), ("header", None), ("arrays", 3), ("template", "unknown"), ("file", "x")):
        index = json.loads(whole)
        next(iter(index["files"].values()))[field] = value
        (tmp_path / "index.json").write_text(json.dumps(index))
        names.clear()
        assert start(tmp_path) == first
        assert names == ["one.gguf"]


def test_index_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    put(tmp_path / "models" / "one.gguf")
    (tmp_path / "index.json").mkdir()
    assert start(tmp_path)[0].usable


def test_what_is_known_is_told_while_the_rest_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abcd":
        put(tmp_path / "models" / f"{name}.gguf")
    catalogue = Catalogue([tmp_path / "models"])
    assert not catalogue.so_far().done
    seen: list[tuple[list[str], int, int]] = []

    def watched(path: Path, known: KnownTexts) -> Reading:
        so_far = catalogue.so_far()
        assert not so_far.done
        seen.append(([model.key for model in so_far.models], so_far.read, so_far.files))
        return read(path, known)

    monkeypatch.setattr("tui.models.scanner.read", watched)
    monkeypatch.setattr("tui.models.scanner._SHOW_EVERY", 0.0)
    catalogue.refresh()
    assert seen == [([], 0, 4), (["a"], 1, 4), (["a", "b"], 2, 4), (["a", "b", "c"], 3, 4)]
    assert [model.key for model in catalogue.so_far().models] == ["a", "b", "c", "d"]
    assert catalogue.so_far().done


def test_reading_ends_when_the_program_does(tmp_path: Path, names: list[str]) -> None:
    for name in "abcd":
        put(tmp_path / "models" / f"{name}.gguf")
    catalogue = Catalogue([tmp_path / "models"])
    catalogue.close()
    assert catalogue.models() == ()
    assert not names


def test_known_vocabularies_are_passed_over_and_damage_is_still_found(tmp_path: Path) -> None:
    from tests.bench.library import make_library

    make_library(tmp_path, files=50, tokens=6000)
    known = KnownTexts()
    files = sorted(tmp_path.rglob("*.gguf"))
    assert [read(file, known) for file in files] == [read(file) for file in files]
    file = files[1]
    data = bytearray(file.read_bytes())
    # A length inside the vocabulary that leads nowhere.
    data[60_000:60_008] = b"\xff" * 8
    file.write_bytes(data)
    broken = read(file, known)
    assert broken.header is None
    assert broken == read(file)
