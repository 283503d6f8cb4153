"""Built-in models among the others: listed, found, hidden, and never in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.model_maker import make_scripted_model
from tui.builtin import EMBEDDING, GUIDE, BuiltInModels
from tui.builtin.files import FOLDER_VARIABLE
from tui.domain import ModelNotFound
from tui.models import Catalogue, built_in_source, unnamed_choice


def catalogue(home: Path, *, shown: bool = True) -> Catalogue:
    built_in = BuiltInModels()
    sources = [home / "models", built_in_source(built_in.folder, built_in.files)]
    return Catalogue(sources, hidden=lambda model: model.builtin and not shown)


def keys(found: Catalogue) -> list[str]:
    return [model.key for model in found.models()]


def test_they_are_listed_behind_the_persons_own(built_in: Path) -> None:
    make_scripted_model(built_in / "models" / "zebra.gguf", "x")
    found = catalogue(built_in)
    assert keys(found) == ["zebra", GUIDE, EMBEDDING]
    assert [(model.builtin, model.embeds) for model in found.models()] == [(False, False), (True, False), (True, True)]
    assert not found.refresh(), "nothing has changed"


def test_a_checkout_without_the_files_has_none(lmdeck_home: Path) -> None:
    assert BuiltInModels().files() == {}
    assert keys(catalogue(lmdeck_home)) == []


def test_a_damaged_file_is_listed_with_its_reason(
    lmdeck_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "guide.gguf").write_bytes(b"GGUF\x03\x00\x00\x00")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    (model,) = catalogue(lmdeck_home).models()
    assert model.builtin
    assert model.problem
    assert unnamed_choice([model]) == []


def test_hidden_ones_are_found_by_their_keys_only(built_in: Path) -> None:
    found = catalogue(built_in, shown=False)
    assert keys(found) == []
    assert found.find(EMBEDDING).builtin


@pytest.mark.parametrize("name", [GUIDE, GUIDE.upper(), "guide", "lmdeck"])
def test_names_that_find_the_guide(built_in: Path, name: str) -> None:
    assert catalogue(built_in).find(name).key == GUIDE


def test_a_part_of_a_name_means_the_persons_own_model(built_in: Path) -> None:
    make_scripted_model(built_in / "models" / "city-guide-q8_0.gguf", "x")
    make_scripted_model(built_in / "models" / "all-minilm-l6-v2-q8_0.gguf", "x")
    found = catalogue(built_in)
    assert found.find("guide").key == "city-guide-q8_0"
    assert found.find("minilm").key == "all-minilm-l6-v2-q8_0"
    assert found.find(EMBEDDING).builtin, "a key means the model that has it"


def test_a_file_of_the_person_keeps_its_name(built_in: Path) -> None:
    own = make_scripted_model(built_in / "models" / f"{GUIDE}.gguf", "x")
    found = catalogue(built_in)
    assert keys(found) == [GUIDE, f"{GUIDE}@f16", EMBEDDING]
    assert found.find(GUIDE).path == own


def test_who_names_none_means_the_built_in_one_only_where_there_is_no_other(built_in: Path) -> None:
    found = catalogue(built_in)
    assert [model.key for model in unnamed_choice(found.models())] == [GUIDE]
    assert [model.key for model in unnamed_choice(found.models(), embeds=True)] == [EMBEDDING]
    for name in ("one", "other"):
        make_scripted_model(built_in / "models" / f"{name}.gguf", "x")
    found.refresh()
    assert [model.key for model in unnamed_choice(found.models())] == ["one", "other"]
    assert [model.key for model in unnamed_choice(found.models(), embeds=True)] == [EMBEDDING]


def test_a_name_that_means_nothing_is_still_nothing(built_in: Path) -> None:
    with pytest.raises(ModelNotFound):
        catalogue(built_in).find("gpt-5")
