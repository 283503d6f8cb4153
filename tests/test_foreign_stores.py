"""Models of other programs are loaded and answer where they lie: nothing is copied, and nothing of theirs changes."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.models.test_stores import snapshot
from tests.support.model_maker import make_scripted_model
from tests.support.raw_gguf import INT32, RawFile, small_model
from tests.support.stores import hugging_face_file, ollama_model
from tui.domain import Finished, GenerationRequest, SamplingConfig, TextDelta, text_message
from tui.paths import find_paths
from tui.workbench import Workbench

ANSWER = "It is read where it lies."
UINT16 = 2


def in_lm_studio(home: Path, model: bytes) -> Path:
    path = home / ".lmstudio" / "models" / "acme" / "Studio-GGUF" / "Studio-F16.gguf"
    path.parent.mkdir(parents=True)
    path.write_bytes(model)
    return path


def in_moved_lm_studio(home: Path, model: bytes) -> Path:
    (home / ".lmstudio").mkdir(parents=True)
    (home / ".lmstudio" / "settings.json").write_text(json.dumps({"downloadsFolder": str(home / "big disk")}))
    path = home / "big disk" / "acme" / "Studio-GGUF" / "Studio-F16.gguf"
    path.parent.mkdir(parents=True)
    path.write_bytes(model)
    return path


def in_hugging_face(home: Path, model: bytes) -> Path:
    return hugging_face_file(home / ".cache" / "huggingface" / "hub", "acme/Hub-GGUF", "Hub-F16.gguf", model)


def in_llama_cpp(home: Path, model: bytes) -> Path:
    path = home / ".cache" / "llama.cpp" / "acme_Flat-GGUF_Flat-F16.gguf"
    path.parent.mkdir(parents=True)
    path.write_bytes(model)
    return path


def in_ollama(home: Path, model: bytes) -> Path:
    ollama_model(home / ".ollama" / "models", "tiny:1b", {"model": model, "license": b"MIT"})
    return home / ".ollama" / "models" / "blobs" / f"sha256-{hashlib.sha256(model).hexdigest()}"


STORES: list[tuple[str, Callable[[Path, bytes], Path], str]] = [
    ("LM Studio", in_lm_studio, "studio-f16"),
    ("LM Studio", in_moved_lm_studio, "studio-f16"),
    ("Hugging Face", in_hugging_face, "hub-f16"),
    ("llama.cpp", in_llama_cpp, "flat-f16"),
    ("Ollama", in_ollama, "tiny:1b"),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_scripted_model(tmp_path_factory.mktemp("made") / "made.gguf", ANSWER).read_bytes()


@pytest.fixture
def workbench(lmdeck_home: Path) -> Iterator[Workbench]:  # noqa: ARG001 - the home must be another one before it
    workbench = Workbench(find_paths())
    yield workbench
    workbench.close()


def holders_of(content: bytes, *folders: Path) -> set[Path]:
    """The files (and no links to them) below some folders that hold this content."""
    found = set()
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink() and path.stat().st_size == len(content):
                found |= {path} if path.read_bytes() == content else set()
    return found


def finished(workbench: Workbench, key: str) -> str:
    """What a model answers that is asked by its name alone; it is loaded for that."""
    sampling = SamplingConfig(temperature=0, max_tokens=50)
    generation = workbench.generate(GenerationRequest(key, (text_message("user", "Hi"),), sampling=sampling))
    assert generation.wait(60)
    events = generation.take()
    assert isinstance(events[-1], Finished), events[-1]
    return "".join(event.text for event in events if isinstance(event, TextDelta))


@pytest.mark.parametrize(("source", "put", "key"), STORES, ids=[put.__name__ for _, put, _ in STORES])
def test_a_model_of_another_program_answers_in_place(
    source: str, put: Callable[[Path, bytes], Path], key: str, model: bytes, workbench: Workbench, lmdeck_home: Path
) -> None:
    home = lmdeck_home / "person"
    path = put(home, model)
    before = snapshot(home)
    (shown,) = workbench.catalogue.models()
    assert (shown.key, shown.source, shown.usable) == (key, source, True)
    assert finished(workbench, key) == ANSWER
    (loaded,) = workbench.loaded()
    assert os.path.samefile(loaded.info.path, path)
    # The one file that there was is the one file that there is, and nothing was made beside it.
    assert holders_of(model, lmdeck_home) == {path.resolve()}
    assert snapshot(home) == before


def in_two_parts(model: RawFile) -> list[bytes]:
    """The files of a split set, as llama.cpp's own tool writes their header values."""
    middle = len(model.tensors) // 2
    parts = []
    for number, tensors in enumerate((model.tensors[:middle], model.tensors[middle:])):
        part = replace(model, tensors=tensors).with_key("split.no", struct.pack("<IH", UINT16, number))
        part = part.with_key("split.count", struct.pack("<IH", UINT16, 2))
        parts.append(part.with_key("split.tensors.count", struct.pack("<Ii", INT32, len(model.tensors))).encode())
    return parts


def test_a_split_model_of_the_hub_cache_answers_in_place(workbench: Workbench, lmdeck_home: Path) -> None:
    """Its parts are links to files whose names tell nothing: llama.cpp finds the others only beside the link."""
    home = lmdeck_home / "person"
    parts = in_two_parts(small_model())
    for number, content in enumerate(parts, start=1):
        hugging_face_file(
            home / ".cache" / "huggingface" / "hub", "acme/Two-GGUF", f"Two-F32-0000{number}-of-00002.gguf", content
        )
    before = snapshot(home)
    (shown,) = workbench.catalogue.models()
    assert (shown.key, len(shown.files), shown.usable) == ("two-f32", 2, True)
    finished(workbench, shown.key)
    assert [len(holders_of(part, lmdeck_home)) for part in parts] == [1, 1]
    assert snapshot(home) == before
