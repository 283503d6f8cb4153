"""The catalogue: what it lists, under which names, and how it follows the disk."""

from __future__ import annotations

import os
import shutil
import struct
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.raw_gguf import RawFile, number_value, small_model, text_value
from tui.domain import ModelInfo, ModelNotFound, ModelUnusable
from tui.models import Catalogue
from tui.models.describe import Reading, read
from tui.models.gguf_bytes import KnownTexts
from tui.models.naming import PlacedModel, with_unique_keys


def put(path: Path, model: RawFile | None = None) -> Path:
    """Write a small model at a path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((model or small_model()).encode())
    return path


def put_split(folder: Path, name: str, count: int, leave_out: tuple[int, ...] = ()) -> list[Path]:
    """Write a split set, the weights of each part being those of the small model; return the parts written."""
    paths = []
    for number in range(1, count + 1):
        model = small_model().with_key("split.no", struct.pack("<IH", 2, number - 1))
        model = model.with_key("split.count", struct.pack("<IH", 2, count))
        if number > 1:
            model = replace(model, keys=tuple(item for item in model.keys if str(item[0]).startswith("split.")))
        if number not in leave_out:
            paths.append(put(folder / f"{name}-{number:05}-of-{count:05}.gguf", model))
    return paths


def keys_of(*folders: Path) -> list[str]:
    return [model.key for model in Catalogue(folders).models()]


def test_repository_and_loose_files(tmp_path: Path) -> None:
    put(tmp_path / "Some Publisher" / "Nice-Model-GGUF" / "Nice-Model-Q4_0.gguf")
    put(tmp_path / "Loose.GGUF")
    put(tmp_path / "deep" / "er" / "and" / "deeper.gguf")
    loose, deep, nice = sorted(Catalogue([tmp_path]).models(), key=lambda model: "lodeni".index(model.key[:2]))
    assert (loose.key, loose.publisher, loose.name) == ("loose", "", "Small")
    assert (deep.key, deep.publisher) == ("deeper", "deep")
    assert (nice.key, nice.publisher, nice.name) == ("nice-model-q4_0", "Some Publisher", "Nice-Model")
    assert nice.usable
    assert (nice.architecture, nice.layers, nice.context_length) == ("llama", 1, 512)
    assert nice.size == nice.path.stat().st_size
    assert nice.modified == pytest.approx(nice.path.stat().st_mtime)


def test_split_set_is_one_model(tmp_path: Path) -> None:
    single = small_model()
    put(tmp_path / "single.gguf", single)
    parts = put_split(tmp_path, "Big", 3)
    big, other = Catalogue([tmp_path]).models()
    assert (big.key, big.files, big.path, big.problem) == ("big", tuple(parts), parts[0], "")
    assert big.size == sum(part.stat().st_size for part in parts)
    assert big.parameters == 3 * other.parameters


def test_split_set_whose_first_part_has_no_weights(tmp_path: Path) -> None:
    first, *_ = put_split(tmp_path, "Big", 2)
    model = small_model().with_key("split.no", struct.pack("<IH", 2, 0))
    put(first, replace(model.with_key("split.count", struct.pack("<IH", 2, 2)), tensors=()))
    assert Catalogue([tmp_path]).find("big").usable


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_split_set_with_a_missing_part(tmp_path: Path, missing: int) -> None:
    put_split(tmp_path, "Big", 3, leave_out=(missing,))
    (big,) = Catalogue([tmp_path]).models()
    assert f"Big-0000{missing}-of-00003.gguf is missing" in big.problem
    with pytest.raises(ModelUnusable, match="is missing"):
        Catalogue([tmp_path]).find("big")


def test_split_part_under_a_plain_name(tmp_path: Path) -> None:
    put_split(tmp_path, "Big", 2)[0].rename(tmp_path / "renamed.gguf")
    renamed = next(model for model in Catalogue([tmp_path]).models() if model.key == "renamed")
    assert "part 1 of a set of 2" in renamed.problem


def test_split_parts_in_a_wrong_order(tmp_path: Path) -> None:
    first, second = put_split(tmp_path, "Big", 2)
    content = first.read_bytes()
    shutil.copy(second, first)
    second.write_bytes(content)
    (big,) = Catalogue([tmp_path]).models()
    assert "named as part 1 of 2 is part 2 of 2" in big.problem


def test_projectors_and_unfinished_downloads_are_left_out(tmp_path: Path) -> None:
    put(tmp_path / "vision.gguf", small_model().with_key("general.architecture", text_value("clip")))
    put(tmp_path / "sound.gguf", small_model().with_key("general.type", text_value("mmproj")))
    (tmp_path / "mmproj-damaged.gguf").write_bytes(b"GGUF")
    for ending in (".part", ".incomplete", ".tmp", ".txt"):
        put(tmp_path / f"model.gguf{ending}")
    put(tmp_path / "._model.gguf")
    put(tmp_path / ".cache" / "model.gguf")
    assert keys_of(tmp_path) == []


def test_folders_that_are_not_there_are_empty(tmp_path: Path) -> None:
    catalogue = Catalogue([tmp_path / "nowhere", tmp_path / "nor here"])
    assert catalogue.models() == ()
    assert not catalogue.refresh()
    with pytest.raises(ModelNotFound, match=r"Put a GGUF file into .*nowhere"):
        catalogue.find("anything")


def test_several_folders_and_one_inside_another(tmp_path: Path) -> None:
    put(tmp_path / "one" / "a.gguf")
    put(tmp_path / "two" / "b.gguf")
    assert keys_of(tmp_path / "one", tmp_path / "two", tmp_path) == ["a", "b"]


def test_links_are_followed_once(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere" / "linked.gguf")
    folder = tmp_path / "models"
    put(folder / "own.gguf")
    (folder / "round").symlink_to(folder)
    (folder / "more").symlink_to(tmp_path / "elsewhere")
    (folder / "again").symlink_to(tmp_path / "elsewhere")
    (folder / "same.gguf").symlink_to(folder / "own.gguf")
    assert keys_of(folder) == ["linked", "own"]


def test_names_that_clash_take_the_quantisation_or_the_place(tmp_path: Path) -> None:
    put(tmp_path / "p" / "one" / "model.gguf", small_model().with_key("general.file_type", number_value(7)))
    put(tmp_path / "p" / "two" / "model.gguf", small_model().with_key("general.file_type", number_value(2)))
    put(tmp_path / "p" / "three" / "same.gguf")
    put(tmp_path / "p" / "four" / "same.gguf")
    put(tmp_path / "q" / "Same.GGUF")
    put(tmp_path / "with space.gguf")
    assert keys_of(tmp_path) == [
        "model@q4_0",
        "model@q8_0",
        "p/four/same",
        "p/three/same",
        "q/same",
        "with-space",
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "a-2", "b"]), st.sampled_from(["", "Q4_0", "Q8_0"]), st.sampled_from("xyab")),
        max_size=12,
    )
)
def test_keys_are_unique_whatever_clashes(models: list[tuple[str, str, str]]) -> None:
    placed = [
        PlacedModel(ModelInfo(key, Path(key), 0, quantization=quantization), place)
        for key, quantization, place in models
    ]
    named = with_unique_keys(placed)
    assert len({model.info.key for model in named}) == len(models)
    assert [model.place for model in named] == [model.place for model in placed]


def test_names_that_cannot_be_printed(tmp_path: Path) -> None:
    put(Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff\x1b[2Jname.gguf")))
    (model,) = Catalogue([tmp_path]).models()
    assert model.key.isprintable()
    assert model.key.encode()
    assert Catalogue([tmp_path]).find(model.key).usable


def test_refresh_follows_files_that_come_change_and_go(tmp_path: Path) -> None:
    catalogue = Catalogue([tmp_path])
    assert not catalogue.refresh()
    path = put(tmp_path / "a.gguf")
    assert catalogue.refresh()
    assert not catalogue.refresh()
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    assert catalogue.refresh()
    assert "cut off" in catalogue.models()[0].problem
    path.write_bytes(whole)
    assert catalogue.refresh()
    assert catalogue.models()[0].usable
    path.unlink()
    assert catalogue.refresh()
    assert catalogue.models() == ()


def test_refresh_reads_only_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []

    def counted(path: Path, known: KnownTexts) -> Reading:
        names.append(path.name)
        return read(path, known)

    monkeypatch.setattr("tui.models.scanner.read", counted)
    for number in range(20):
        put(tmp_path / f"{number}.gguf")
    models = Catalogue([tmp_path])
    models.refresh()
    assert len(names) == 20
    names.clear()
    put(tmp_path / "new.gguf")
    (tmp_path / "3.gguf").touch()
    models.refresh()
    assert sorted(names) == ["3.gguf", "new.gguf"]


def test_threads_may_refresh_and_look_at_once(tmp_path: Path) -> None:
    catalogue = Catalogue([tmp_path])
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(10):
                put(tmp_path / f"{number}-{turn}.gguf")
                catalogue.refresh()
                assert catalogue.find(f"{number}-{turn}").usable
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(catalogue.models()) == 40
