"""Models where other programs keep them: found, named, described, and never touched."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import pytest

from tests.models.test_catalogue import put
from tests.support.raw_gguf import number_value, small_model, text_value
from tests.support.stores import hugging_face_file, ollama_model
from tui.domain import ModelInfo, ModelUnusable
from tui.models import Catalogue, known_sources
from tui.models.stores.hugging_face import hugging_face_cache
from tui.models.stores.llama_cpp import llama_cpp_cache
from tui.models.stores.lm_studio import lm_studio_folders
from tui.models.stores.ollama import ollama_folders

MODEL = small_model().encode()
OTHER = small_model().with_key("general.name", text_value("Other")).encode()
PROJECTOR = small_model().with_key("general.architecture", text_value("clip")).encode()


def snapshot(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Everything below a folder that writing would change."""
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_size, os.readlink(path) if path.is_symlink() else "")
        for path in [folder, *folder.rglob("*")]
    }


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "person"


def catalogue(tmp_path: Path, home: Path, **environment: str) -> Catalogue:
    return Catalogue(known_sources(tmp_path / "own", [], environment, home))


def only(tmp_path: Path, home: Path, **environment: str) -> ModelInfo:
    (model,) = catalogue(tmp_path, home, **environment).models()
    return model


def test_all_stores_at_once_in_place(tmp_path: Path, home: Path) -> None:
    put(tmp_path / "own" / "mine.gguf")
    put(home / ".lmstudio" / "models" / "acme" / "Studio-GGUF" / "Studio-Q4_0.gguf")
    hugging_face_file(home / ".cache" / "huggingface" / "hub", "acme/Hub-GGUF", "Hub-Q8_0.gguf", MODEL)
    ollama_model(home / ".ollama" / "models", "tiny:1b", {"model": OTHER})
    put(home / ".cache" / "llama.cpp" / "acme_Flat-GGUF_Flat-Q4_0.gguf")
    before = snapshot(home)
    found = catalogue(tmp_path, home)
    assert [(model.key, model.source, model.usable) for model in found.models()] == [
        ("flat-q4_0", "llama.cpp", True),
        ("hub-q8_0", "Hugging Face", True),
        ("mine", "lmdeck", True),
        ("studio-q4_0", "LM Studio", True),
        ("tiny:1b", "Ollama", True),
    ]
    for model in found.models():
        assert found.find(model.key).path == model.path
        assert found.find(str(model.path)).key == model.key
    assert {state.source.name for state in found.sources() if state.models} == {
        "lmdeck", "LM Studio", "Hugging Face", "llama.cpp", "Ollama"
    }  # fmt: skip
    assert snapshot(home) == before, "nothing is written to what belongs to others"


def test_other_programs_can_be_left_out(tmp_path: Path, home: Path) -> None:
    put(home / ".lmstudio" / "models" / "a.gguf")
    put(tmp_path / "extra" / "b.gguf")
    sources = known_sources(tmp_path / "own", [tmp_path / "extra"], {}, home, other_programs=False)
    assert [(model.key, model.source) for model in Catalogue(sources).models()] == [("b", "extra")]


def test_own_models_keep_their_names_whatever_others_have(tmp_path: Path, home: Path) -> None:
    put(tmp_path / "own" / "acme" / "Same-GGUF" / "Same-Q4_0.gguf")
    put(home / ".lmstudio" / "models" / "acme" / "Same-GGUF" / "Same-Q4_0.gguf")
    found = catalogue(tmp_path, home)
    assert [(model.key, model.source) for model in found.models()] == [
        ("same-q4_0", "lmdeck"),
        ("same-q4_0@f32", "LM Studio"),
    ]
    assert found.find("Same-Q4_0.gguf").source == "lmdeck", "of two copies the own one is meant"


def test_lm_studio_home_and_moved_folder(home: Path, tmp_path: Path) -> None:
    assert lm_studio_folders(home)[0] == home / ".lmstudio" / "models"
    (home / ".cache" / "lm-studio").mkdir(parents=True)
    assert lm_studio_folders(home)[0] == home / ".cache" / "lm-studio" / "models"
    (home / ".lmstudio-home-pointer").write_text(f"{tmp_path}/studio\n")
    assert lm_studio_folders(home) == [tmp_path / "studio" / "models", tmp_path / "studio" / "hub" / "models"]
    settings = tmp_path / "studio" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"downloadsFolder": str(tmp_path / "big disk")}))
    assert lm_studio_folders(home)[0] == tmp_path / "big disk"
    for damaged in ("{", "[]", '{"downloadsFolder": 3}', '{"downloadsFolder": "a\\u0000b"}', "[" * 100_000):
        settings.write_text(damaged)
        assert lm_studio_folders(home)[0] == tmp_path / "studio" / "models"


def test_places_that_variables_name(home: Path) -> None:
    assert hugging_face_cache({}, home) == home / ".cache" / "huggingface" / "hub"
    assert hugging_face_cache({"XDG_CACHE_HOME": "/x"}, home) == Path("/x/huggingface/hub")
    assert hugging_face_cache({"HF_HOME": "/h", "XDG_CACHE_HOME": "/x"}, home) == Path("/h/hub")
    assert hugging_face_cache({"HF_HUB_CACHE": "/c", "HF_HOME": "/h"}, home) == Path("/c")
    assert llama_cpp_cache({"LLAMA_CACHE": "/l"}, home) == Path("/l")
    assert ollama_folders({"OLLAMA_MODELS": "/o"}, home, ())[0] == Path("/o")


def test_hub_cache_shows_the_current_revision_once(tmp_path: Path, home: Path) -> None:
    cache = home / ".cache" / "huggingface" / "hub"
    hugging_face_file(cache, "acme/Two-GGUF", "Two-Q4_0.gguf", OTHER, commit="b" * 40)
    current = hugging_face_file(cache, "acme/Two-GGUF", "Two-Q4_0.gguf", MODEL, commit="a" * 40)
    hugging_face_file(cache, "acme/Two-GGUF", "Q8/Two-Q8_0.gguf", MODEL + b" ", commit="b" * 40, current=False)
    found = catalogue(tmp_path, home)
    assert {model.key: model.path for model in found.models()} == {
        "two-q4_0": current,
        "two-q8_0": cache / "models--acme--Two-GGUF" / "snapshots" / ("b" * 40) / "Q8" / "Two-Q8_0.gguf",
    }
    model = found.find("acme/Two-GGUF/Two-Q4_0.gguf")
    assert (model.publisher, model.name, model.store_name) == ("acme", "Two", "acme/Two-GGUF")


def test_hub_cache_with_unfinished_and_lost_blobs(tmp_path: Path, home: Path) -> None:
    cache = home / ".cache" / "huggingface" / "hub"
    link = hugging_face_file(cache, "acme/Lost-GGUF", "Lost.gguf", MODEL)
    link.resolve().rename(link.resolve().with_suffix(".incomplete"))
    (cache / "models--acme--Empty").mkdir()
    (cache / "models--acme--File").touch()
    model = only(tmp_path, home)
    assert model.key == "lost"
    assert "cannot be read" in model.problem


def test_projector_of_a_repository_belongs_to_its_models(tmp_path: Path, home: Path) -> None:
    cache = home / ".cache" / "huggingface" / "hub"
    projector = hugging_face_file(cache, "acme/Eye-GGUF", "mmproj-F16.gguf", PROJECTOR)
    hugging_face_file(cache, "acme/Eye-GGUF", "Q4_0/Eye-Q4_0.gguf", MODEL)
    hugging_face_file(cache, "acme/Blind-GGUF", "Blind-Q4_0.gguf", OTHER)
    blind, eye = catalogue(tmp_path, home).models()
    assert (eye.sees, eye.projectors) == (True, (projector,))
    assert (blind.sees, blind.projectors) == (False, ())


def test_llama_cpp_names_and_projectors(tmp_path: Path) -> None:
    cache = tmp_path / "flat"
    put(cache / "some_one_my_repo_model-Q4_0.gguf")
    (cache / "manifest=some_one=my_repo=Q4_0.json").write_text("{}")
    (cache / "acme_Eye-GGUF_mmproj.gguf").write_bytes(PROJECTOR)
    put(cache / "acme_Eye-GGUF_Eye-Q4_0.gguf")
    put(cache / "loose.gguf")
    found = catalogue(tmp_path, tmp_path / "nobody", LLAMA_CACHE=str(cache))
    assert [(model.key, model.publisher, model.name, model.sees) for model in found.models()] == [
        ("eye-q4_0", "acme", "Eye", True),
        ("loose", "", "Small", False),
        ("model-q4_0", "some_one", "my_repo", False),
    ]


def test_ollama_names(tmp_path: Path, home: Path) -> None:
    store = home / ".ollama" / "models"
    ollama_model(store, "a", {"model": MODEL})
    ollama_model(store, "b:7b", {"model": MODEL}, namespace="someone")
    ollama_model(store, "Repo-GGUF:Q4", {"model": MODEL}, host="hf.co", namespace="acme")
    ollama_model(store, "c:new", {"model": OTHER}, host="ollama.com", manifests="manifests-v2")
    found = catalogue(tmp_path, home)
    assert [model.store_name for model in found.models()] == [
        "a:latest", "c:new", "hf.co/acme/Repo-GGUF:Q4", "someone/b:7b"
    ]  # fmt: skip
    assert found.find("a").key == "a:latest"
    assert len({model.path for model in found.models()}) == 2, "tags may share a file"
    assert found.find(str(found.find("a").path)).usable


def test_ollama_layers(tmp_path: Path, home: Path) -> None:
    params = json.dumps({"temperature": 0.6, "top_k": 20, "num_ctx": 8192, "stop": ["<|im_end|>"], "mirostat": "x"})
    layers = {"model": MODEL, "projector": PROJECTOR, "adapter": b"GGUF", "params": params.encode(),
              "system": b"Be kind.\n", "license": b"MIT"}  # fmt: skip
    store = home / ".ollama" / "models"
    ollama_model(store, "eye:1b", layers)
    model = only(tmp_path, home)
    assert model.sees
    assert model.projectors is not None
    found = dict(model.defaults.values)
    ((adapter, scale),) = found.pop("load.lora")
    assert (Path(adapter).read_bytes(), scale) == (b"GGUF", 1.0)
    assert found == {
        "sampling.temperature": 0.6,
        "sampling.top_k": 20,
        "sampling.stop": ("<|im_end|>",),
        "load.context_length": 8192,
        "answer.system_prompt": "Be kind.",
    }


@pytest.mark.parametrize("layers", [{}, {"tensor": b"x"}])
def test_ollama_models_without_a_file_say_why(tmp_path: Path, home: Path, layers: dict[str, bytes]) -> None:
    ollama_model(home / ".ollama" / "models", "cloud:big", layers)
    with pytest.raises(ModelUnusable, match="Ollama"):
        catalogue(tmp_path, home).find("cloud:big")


@pytest.mark.parametrize(
    "manifest",
    [
        b"", b"{", b"[]", b'{"layers": 3}', b'{"layers": [3]}', b"\xff\xfe", b"[" * 100_000,
        b'{"layers": [{"mediaType": "application/vnd.ollama.image.model"}]}',
    ],
)  # fmt: skip
def test_damaged_manifests_are_passed_over(tmp_path: Path, home: Path, manifest: bytes) -> None:
    ollama_model(home / ".ollama" / "models", "good:1b", {"model": MODEL})
    ollama_model(home / ".ollama" / "models", "bad:1b", {"model": OTHER}).write_bytes(manifest)
    assert only(tmp_path, home).key == "good:1b"


@pytest.mark.parametrize("digest", ["sha256:../../../../etc/passwd", "sha256:" + "A" * 64, "", "sha256:" + "0" * 64])
def test_digests_are_not_taken_for_paths(tmp_path: Path, home: Path, digest: str) -> None:
    manifest = ollama_model(home / ".ollama" / "models", "evil:1b", {"model": MODEL})
    value = json.loads(manifest.read_text())
    value["layers"][0]["digest"] = digest
    manifest.write_text(json.dumps(value))
    model = only(tmp_path, home)
    assert not model.usable
    assert model.path.is_relative_to(home / ".ollama" / "models" / "blobs")


def test_split_sets_in_a_store(tmp_path: Path, home: Path) -> None:
    cache = home / ".cache" / "huggingface" / "hub"
    for number in (1, 2):
        model = small_model().with_key("split.no", struct.pack("<IH", 2, number - 1))
        model = model.with_key("split.count", struct.pack("<IH", 2, 2))
        hugging_face_file(cache, "acme/Big-GGUF", f"Big-Q4_0-0000{number}-of-00002.gguf", model.encode())
    model = only(tmp_path, home)
    assert (model.key, len(model.files), model.usable, model.family) == ("big-q4_0", 2, True, "big")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folder_that_may_not_be_read_says_so(tmp_path: Path, home: Path) -> None:
    store = home / ".ollama" / "models"
    ollama_model(store, "a", {"model": MODEL})
    store.chmod(0)
    try:
        state = next(state for state in catalogue(tmp_path, home).sources() if state.source.folder == store)
        assert state.problem
    finally:
        store.chmod(0o755)


def test_file_type_does_not_matter(tmp_path: Path, home: Path) -> None:
    """Ollama's blobs have no ending, and links of the cache lead to files without one."""
    content = small_model().with_key("general.file_type", number_value(7)).encode()
    ollama_model(home / ".ollama" / "models", "q:8", {"model": content})
    model = only(tmp_path, home)
    assert (model.quantization, model.path.suffix, model.variant_key) == ("Q8_0", "", "q:8")
