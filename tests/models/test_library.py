"""What changes the models folder: importing by every way, deleting, bringing back. All or nothing."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.models.test_catalogue import put, put_split
from tests.models.test_recipes import write
from tests.support.raw_gguf import number_value, small_model, text_value
from tests.support.stores import hugging_face_file, ollama_model
from tui.domain import BadRequest, Busy, Cancelled, LmdeckError, ModelInfo, ModelNotFound, ModelUnusable, StorageFailed
from tui.models import Catalogue, Library, Usage, Way, known_sources
from tui.models.trash import KEPT_FOR, Trash

PROJECTOR = small_model().with_key("general.architecture", text_value("clip"))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "own"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "person"


def library(own: Path, home: Path, *loaded: str) -> Library:
    catalogue = Catalogue(known_sources(own, [home.parent / "extra"], {}, home))
    return Library(own, catalogue, Usage(own.parent / "usage.json"), lambda model: model.key in loaded)


def keys(shelf: Library) -> list[str]:
    return [model.key for model in shelf._catalogue.models()]


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def test_deleted_model_comes_back_as_it_was(own: Path, home: Path) -> None:
    put(own / "acme" / "M-GGUF" / "M-Q4_0.gguf")
    put(own / "acme" / "M-GGUF" / "mmproj-M.gguf", PROJECTOR)
    (own / "acme" / "M-GGUF" / "README.md").write_text("# M")
    put(own / "other.gguf")
    before = files_below(own)
    shelf = library(own, home)
    trashed = shelf.delete(shelf.named("m-q4_0")[0])
    assert keys(shelf) == ["other"]
    assert not (own / "acme").exists()
    assert trashed.size > 0
    assert [item.key for item in shelf.trash.items()] == ["m-q4_0"]
    assert library(own, home).restore().key == "m-q4_0", "another process can bring it back"
    shelf._catalogue.refresh()
    assert keys(shelf) == ["m-q4_0", "other"]
    assert files_below(own) == before


def test_what_other_variants_need_stays(own: Path, home: Path) -> None:
    for kind in ("Q4_0", "Q8_0"):
        put(own / "acme" / "M-GGUF" / f"M-{kind}.gguf", small_model().with_key("general.name", text_value(kind)))
    put(own / "acme" / "M-GGUF" / "mmproj-M.gguf", PROJECTOR)
    (own / "acme" / "M-GGUF" / "README.md").write_text("# M")
    shelf = library(own, home)
    shelf.delete(shelf.named("m@q4_0")[0])
    assert files_below(own / "acme") == ["M-GGUF/M-Q8_0.gguf", "M-GGUF/README.md", "M-GGUF/mmproj-M.gguf"]
    assert shelf._catalogue.find("m").sees


def test_split_sets_links_broken_files_and_recipes_are_deleted(own: Path, home: Path, tmp_path: Path) -> None:
    put_split(own / "acme" / "Big-GGUF", "Big", 3, leave_out=(2,))
    (own / "broken.gguf").write_bytes(b"GGUF")
    target = put(tmp_path / "elsewhere" / "target.gguf")
    (own / "link.gguf").symlink_to(target)
    recipe = write(own, "model: a/v\nbase: target\n")
    shelf = library(own, home)
    for name in ("big", "broken", "a/v", "link"):
        (model,) = shelf.named(name)
        shelf.delete(model)
    assert keys(shelf) == []
    assert target.exists(), "deleting a link leaves what it leads to"
    assert not recipe.exists()
    assert len(shelf.trash.items()) == 4
    for _ in range(4):
        shelf.restore()
    assert keys(shelf) == ["a/v", "big", "broken", "link"]


def test_models_of_others_are_refused_with_their_command(own: Path, home: Path, tmp_path: Path) -> None:
    put(home / ".lmstudio" / "models" / "acme" / "S-GGUF" / "S-Q4_0.gguf")
    hugging_face_file(home / ".cache/huggingface/hub", "acme/H-GGUF", "H.gguf", small_model().encode())
    other = small_model().with_key("general.name", text_value("O")).encode()
    ollama_model(home / ".ollama" / "models", "o:1b", {"model": other})
    flat = put(home / ".cache" / "llama.cpp" / "acme_F-GGUF_F.gguf")
    extra = put(tmp_path / "extra" / "e.gguf")
    shelf = library(own, home)
    for name, words in (
        ("s-q4_0", "LM Studio"),
        ("h", "hf cache rm model/acme/H-GGUF"),
        ("o:1b", "ollama rm o:1b"),
        ("f", str(flat)),
        ("e", str(extra)),
    ):
        (model,) = shelf.named(name)
        with pytest.raises(BadRequest) as refused:
            shelf.delete(model)
        assert words in str(refused.value)
        assert model.path.exists()
    with pytest.raises(BadRequest, match="remote"):
        shelf.delete(ModelInfo("tower/m", Path(), 0, remote="tower"))


def test_loaded_models_and_folders_behind_links_are_refused(own: Path, home: Path, tmp_path: Path) -> None:
    put(own / "busy.gguf")
    outside = put(tmp_path / "outside" / "far.gguf")
    (own / "way").symlink_to(tmp_path / "outside")
    shelf = library(own, home, "busy")
    with pytest.raises(Busy, match="loaded"):
        shelf.delete(shelf.named("busy")[0])
    with pytest.raises(BadRequest, match="leads out of"):
        shelf.delete(shelf.named("far")[0])
    assert outside.exists()
    with pytest.raises(ModelNotFound):
        shelf.named("bus")


def test_nothing_is_half_deleted_or_overwritten(own: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_split(own / "acme" / "Big-GGUF", "Big", 3)
    before = files_below(own)
    shelf = library(own, home)
    model = shelf.named("big")[0]
    rename, calls = Path.rename, []

    def failing(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 2:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(StorageFailed, match="big was not deleted"):
        shelf.delete(model)
    monkeypatch.undo()
    assert files_below(own) == before
    shelf.delete(model)
    put(model.path)
    with pytest.raises(StorageFailed, match="is there already"):
        shelf.restore()


def test_trash_empties_after_a_week(own: Path) -> None:
    now = [1_000_000.0]
    trash = Trash(own, lambda: now[0])
    trash.put("old", [put(own / "old.gguf")])
    now[0] += KEPT_FOR - 10
    trash.put("new", [put(own / "new.gguf")])
    now[0] += 20
    assert trash.empty(KEPT_FOR) > 0
    assert [item.key for item in trash.items()] == ["new"]
    trash.empty()
    assert trash.items() == []
    with pytest.raises(BadRequest, match="empty"):
        library(own, own).restore()


def test_records_of_the_trash_cannot_lead_elsewhere(own: Path) -> None:
    trash = Trash(own)
    for number, text in enumerate(
        ('{"key": "a", "deleted": 1, "size": 1, "files": ["../../x"]}', '{"files": ["/etc/passwd"]}', "{", "[]")
    ):
        folder = own / ".trash" / str(number)
        folder.mkdir(parents=True)
        (folder / "record.json").write_text(text)
    assert trash.items() == []


@pytest.mark.parametrize("way", ["move", "copy", "hard link", "symbolic link"])
def test_import_by_every_way(own: Path, home: Path, tmp_path: Path, way: Way) -> None:
    file = put(
        tmp_path / "downloads" / "Some Model-Q4_0.gguf", small_model().with_key("general.file_type", number_value(2))
    )
    content = file.read_bytes()
    shelf = library(own, home)
    plan = shelf.plan_import(file, way)
    assert (plan.owner, plan.name, plan.size) == ("imported", "Some-Model", len(content))
    assert not own.exists(), "a plan does nothing"
    told: list[tuple[int, int]] = []
    model = shelf.carry_out(plan, lambda done, size: not told.append((done, size)))
    assert model is not None
    assert model.path == own / "imported" / "Some-Model" / "Some Model-Q4_0.gguf"
    assert (model.usable, model.publisher, model.path.read_bytes() == content) == (True, "imported", True)
    assert file.exists() == (way != "move")
    if way == "hard link":
        assert file.samefile(model.path)
    assert model.path.is_symlink() == (way == "symbolic link")
    assert bool(told) == (way == "copy")
    assert files_below(own) == ["imported/Some-Model/Some Model-Q4_0.gguf"]


def test_import_of_a_split_set_and_of_a_repository(own: Path, home: Path, tmp_path: Path) -> None:
    parts = put_split(tmp_path / "acme" / "Big-GGUF", "Big", 3)
    shelf = library(own, home)
    model = shelf.carry_out(shelf.plan_import(parts[1], "move"))
    assert model is not None
    assert (model.key, len(model.files), model.publisher) == ("big", 3, "acme")
    assert model.path == own / "acme" / "Big-GGUF" / "Big-00001-of-00003.gguf"
    put_split(tmp_path / "half", "Half", 2, leave_out=(2,))
    with pytest.raises(ModelUnusable, match="part 2 is missing"):
        shelf.plan_import(tmp_path / "half" / "Half-00001-of-00002.gguf", "copy")


def test_import_out_of_stores(own: Path, home: Path) -> None:
    link = hugging_face_file(home / ".cache/huggingface/hub", "acme/H-GGUF", "H-Q4_0.gguf", small_model().encode())
    other = small_model().with_key("general.name", text_value("O")).encode()
    ollama_model(home / ".ollama" / "models", "o:1b", {"model": other})
    shelf = library(own, home)
    blob = shelf.named("o:1b")[0].path
    for file in (link, blob):
        with pytest.raises(BadRequest, match="would miss it"):
            shelf.plan_import(file, "move")
    model = shelf.carry_out(shelf.plan_import(link, "hard link"))
    assert model is not None
    assert not model.path.is_symlink()
    assert model.path == own / "acme" / "H-GGUF" / "H-Q4_0.gguf"
    assert [one.source for one in shelf._catalogue.models() if one.key.startswith("h-")] == ["lmdeck"]
    copied = shelf.carry_out(shelf.plan_import(blob, "symbolic link", owner="me", name="mine"))
    assert copied is not None
    assert copied.path.name.endswith(".gguf")
    assert copied.usable


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("..", "x"),
        (".hidden", "x"),
        ("a/b", "x"),
        ("x", ".."),
        ("x", "a b"),
        ("x", "c.gguf"),
        ("x" * 200, "x"),
        ("-a", "x"),
    ],
)
def test_names_cannot_lead_elsewhere(own: Path, home: Path, tmp_path: Path, owner: str, name: str) -> None:
    file = put(tmp_path / "m.gguf")
    with pytest.raises(BadRequest, match="cannot be the"):
        library(own, home).plan_import(file, "copy", owner=owner, name=name)


def test_what_is_no_model_is_refused(own: Path, home: Path, tmp_path: Path) -> None:
    shelf = library(own, home)
    (tmp_path / "text.gguf").write_text("no model at all")
    (tmp_path / "folder.gguf").mkdir()
    inside = put(own / "inside.gguf")
    (tmp_path / "link.gguf").symlink_to(put(tmp_path / "m.gguf"))
    for file, problem in (
        (tmp_path / "nothing.gguf", "There is no file"),
        (tmp_path / "folder.gguf", "There is no file"),
        (tmp_path / "text.gguf", "not a GGUF file"),
        (inside, "in the models folder already"),
        (tmp_path / "link.gguf", "is a link"),
    ):
        with pytest.raises(LmdeckError, match=problem):
            shelf.plan_import(file, "move")
    shelf.carry_out(shelf.plan_import(tmp_path / "m.gguf", "copy", owner="a", name="b"))
    with pytest.raises(StorageFailed, match="is there already"):
        shelf.plan_import(tmp_path / "m.gguf", "copy", owner="a", name="b")


def test_stopped_and_failing_imports_leave_nothing(
    own: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = put_split(tmp_path / "from", "Big", 2)
    shelf = library(own, home)
    with pytest.raises(Cancelled):
        shelf.carry_out(shelf.plan_import(parts[0], "copy"), lambda done, size: done < size)
    assert not own.exists() or files_below(own) == []
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EXDEV, "Invalid cross-device link")))
    with pytest.raises(StorageFailed, match="another disk"):
        shelf.carry_out(shelf.plan_import(parts[0], "hard link"))
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1})())
    with pytest.raises(StorageFailed, match="not enough room"):
        shelf.carry_out(shelf.plan_import(parts[0], "copy"))
    assert [part.exists() for part in parts] == [True, True]
    assert not own.exists() or files_below(own) == []


def test_moving_across_disks_copies_first(
    own: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = put(tmp_path / "m.gguf")
    content, rename = file.read_bytes(), Path.rename

    def other_disk(self: Path, target: Path) -> Path:
        if self == file:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", other_disk)
    shelf = library(own, home)
    model = shelf.carry_out(shelf.plan_import(file, "move"))
    assert model is not None
    assert model.path.read_bytes() == content
    assert not file.exists()


def test_use_and_pins_are_remembered(tmp_path: Path) -> None:
    now = [1000.0]
    model, virtual = ModelInfo("m", Path("/m"), 1), ModelInfo("a/v", Path("/m"), 1, base="m")
    usage = Usage(tmp_path / "usage.json", lambda: now[0])
    assert usage.last_used(model) == 0
    usage.note(model)
    usage.pin(virtual, True)
    now[0] += 30
    usage.note(model)
    again = Usage(tmp_path / "usage.json", lambda: now[0])
    assert (again.last_used(model), again.last_used(virtual)) == (1000.0, 0.0)
    assert (again.pinned(model), again.pinned(virtual)) == (False, True)
    now[0] += 60
    again.note(model)
    again.pin(virtual, False)
    again = Usage(tmp_path / "usage.json")
    assert (again.last_used(model), again.pinned(virtual)) == (1090.0, False)


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"used": 3}', '{"used": {"a": "b"}}', "[" * 100_000])
def test_damaged_memory_is_forgotten(tmp_path: Path, damage: str) -> None:
    (tmp_path / "usage.json").write_text(damage)
    usage = Usage(tmp_path / "usage.json")
    model = ModelInfo("m", Path("/m"), 1)
    assert usage.last_used(model) == 0
    usage.note(model)
    assert Usage(tmp_path / "usage.json").last_used(model) > 0


def test_memory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "usage.json").mkdir()
    usage, model = Usage(tmp_path / "usage.json"), ModelInfo("m", Path("/m"), 1)
    usage.note(model)
    with pytest.raises(StorageFailed):
        usage.pin(model, True)
    assert not usage.pinned(model)
