"""Finding the model that a person means."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.models.test_catalogue import put, put_split
from tui.domain import ModelNotFound, ModelUnusable
from tui.models import Catalogue


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path / "acme" / "Tiny-Chat-GGUF" / "Tiny-Chat-Q4_0.gguf")
    put(tmp_path / "acme" / "Pair-GGUF" / "Pair-Q4_0.gguf")
    put(tmp_path / "acme" / "Pair-GGUF" / "Pair-Q8_0.gguf")
    put_split(tmp_path / "big", "Huge", 2)
    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("tiny-chat-q4_0", "tiny-chat-q4_0"),
        ("Tiny-Chat-Q4_0", "tiny-chat-q4_0"),
        ("Tiny-Chat-Q4_0.gguf", "tiny-chat-q4_0"),
        ("acme/Tiny-Chat-GGUF", "tiny-chat-q4_0"),
        ("ACME/tiny-chat-gguf/", "tiny-chat-q4_0"),
        ("acme/Tiny-Chat-GGUF/Tiny-Chat-Q4_0.gguf", "tiny-chat-q4_0"),
        ("acme\\Tiny-Chat-GGUF\\Tiny-Chat-Q4_0.gguf", "tiny-chat-q4_0"),
        ("tiny", "tiny-chat-q4_0"),
        ("chat", "tiny-chat-q4_0"),
        (" pair-q8 ", "pair-q8_0"),
        ("huge", "huge"),
        ("Huge-00002-of-00002.gguf", "huge"),
        ("big", "huge"),
    ],
)
def test_names_that_fit_one_model(folder: Path, name: str, key: str) -> None:
    assert Catalogue([folder]).find(name).key == key


def test_paths(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = Catalogue([folder])
    path = folder / "acme" / "Tiny-Chat-GGUF" / "Tiny-Chat-Q4_0.gguf"
    assert catalogue.find(str(path)).key == "tiny-chat-q4_0"
    monkeypatch.chdir(path.parent)
    assert catalogue.find("./Tiny-Chat-Q4_0.gguf").key == "tiny-chat-q4_0"
    monkeypatch.setenv("HOME", str(folder))
    assert catalogue.find("~/big/Huge-00002-of-00002.gguf").key == "huge"


def test_file_outside_the_folders(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    first, second = put_split(outside, "Other", 2)
    catalogue = Catalogue([folder])
    found = catalogue.find(str(second))
    assert (found.key, found.path, found.files) == (str(second), first, (first, second))
    assert found not in catalogue.models()
    second.unlink()
    with pytest.raises(ModelUnusable, match="is missing"):
        catalogue.find(str(first))


def test_unknown_name_lists_the_nearest(folder: Path) -> None:
    with pytest.raises(ModelNotFound) as raised:
        Catalogue([folder]).find("tinny-chat")
    assert "'tinny-chat'" in raised.value.message
    assert "tiny-chat-q4_0" in raised.value.advice


def test_name_that_fits_several(folder: Path) -> None:
    with pytest.raises(ModelNotFound, match="pair-q4_0, tiny-chat-q4_0"):
        Catalogue([folder]).find("-q4_0")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("pair", "pair-q8_0"),
        ("acme/Pair-GGUF", "pair-q8_0"),
        ("pair@q4_0", "pair-q4_0"),
        ("Pair@Q8_0", "pair-q8_0"),
        ("tiny-chat@q4_0", "tiny-chat-q4_0"),
    ],
)
def test_names_of_variants(folder: Path, name: str, key: str) -> None:
    assert Catalogue([folder], last_used=lambda model: float("q8" in model.key)).find(name).key == key


def test_whole_copy_is_meant_rather_than_a_damaged_one(folder: Path) -> None:
    (folder / "acme" / "Pair-GGUF" / "Pair-Q4_0.gguf").write_bytes(b"GGUF")
    assert Catalogue([folder]).find("pair").key == "pair-q8_0"


def test_model_with_a_problem_is_refused_with_it(folder: Path) -> None:
    with pytest.raises(ModelUnusable, match=r"broken cannot be used\. The file is cut off"):
        Catalogue([folder]).find("broken")


def test_new_file_is_found_without_a_refresh(folder: Path) -> None:
    catalogue = Catalogue([folder])
    catalogue.refresh()
    put(folder / "fresh.gguf")
    assert catalogue.find("fresh").usable


@pytest.mark.parametrize("name", ["", "   ", "~nobody/x", "x\0y", "a" * 9000, "/etc/passwd", "\udcff", "[red]"])
def test_strange_names_are_not_found(folder: Path, name: str) -> None:
    with pytest.raises(ModelNotFound) as raised:
        Catalogue([folder]).find(name)
    assert len(str(raised.value)) < 500
    assert str(raised.value).encode()
