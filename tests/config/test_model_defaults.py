"""Defaults and profiles of models: kept in LM Studio's form, taken over from it, never written over when damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tui.config import ModelDefaultsStore, SavedDefaults
from tui.domain import BadRequest, ModelInfo, StorageFailed

VALUES = {"load.context_length": 4096, "sampling.temperature": 0.1}


@pytest.fixture
def store(tmp_path: Path) -> ModelDefaultsStore:
    return ModelDefaultsStore(tmp_path / "defaults")


def test_nothing_is_saved_at_first(store: ModelDefaultsStore) -> None:
    assert store.get("a/b@q4") == SavedDefaults()


@pytest.mark.parametrize("key", ["model", "owner/name@q4_k_m", "..", "../../x", "ü" * 150, "a:2", "nul\x00"])
def test_what_is_saved_comes_back_whatever_the_key(store: ModelDefaultsStore, tmp_path: Path, key: str) -> None:
    store.save(key, VALUES)
    store.save_preset(key, "@local:kind")
    store.save_profile(key, "long", {"load.context_length": 65536})
    found = ModelDefaultsStore(tmp_path / "defaults").get(key)
    assert (found.values, found.preset) == (VALUES, "@local:kind")
    assert found.profiles == {"long": {"load.context_length": 65536}}
    assert len(list((tmp_path / "defaults").iterdir())) == len(list(tmp_path.rglob("*.json"))) == 1
    assert store.profile(key, "LONG") == {"load.context_length": 65536}
    store.reset(key)
    assert store.get(key).values == {}
    assert store.get(key).profiles
    store.delete_profile(key, "long")
    assert list((tmp_path / "defaults").iterdir()) == []


def test_an_unknown_profile_is_said_with_those_there_are(store: ModelDefaultsStore) -> None:
    store.save_profile("m", "long", {})
    with pytest.raises(BadRequest, match="long") as refused:
        store.profile("m", "short")
    assert refused.value.field == "profile"
    with pytest.raises(BadRequest):
        store.save_profile("m", " ", {})


def test_a_damaged_file_is_said_and_not_written_over(store: ModelDefaultsStore, tmp_path: Path) -> None:
    file = tmp_path / "defaults" / "m.json"
    file.parent.mkdir()
    file.write_text('{"load": ')
    with pytest.raises(StorageFailed, match=r"m\.json"):
        store.get("m")
    with pytest.raises(StorageFailed):
        store.save("m", VALUES)
    assert file.read_text() == '{"load": '


def test_lm_studios_defaults_are_taken_over(store: ModelDefaultsStore, tmp_path: Path) -> None:
    home = tmp_path / "lmstudio"
    root = home / ".internal" / "user-concrete-model-default-config"

    def put(place: str, text: str) -> None:
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(text)

    saved = {
        "preset": "@local:kind",
        "operation": {"fields": [{"key": "llm.prediction.temperature", "value": 0.3}]},
        "load": {
            "fields": [
                {"key": "llm.load.contextLength", "value": 16384},
                {"key": "load.gpuStrictVramCap", "value": True},
            ]
        },
    }
    put("maker/Some-GGUF/some-q4.gguf.json", json.dumps(saved))
    put("maker/Some-GGUF/other.gguf.json", json.dumps(saved))
    put("maker/Some-GGUF/kept.gguf.json", json.dumps(saved))
    put("maker/Some-GGUF/bad.gguf.json", "{")
    put("owner/virtual.json", json.dumps(saved))
    folder = tmp_path / "models" / "maker" / "Some-GGUF"
    models = [
        ModelInfo("some-q4", folder / "some-q4.gguf", 1),
        ModelInfo("kept", folder / "kept.gguf", 1),
        ModelInfo("bad", folder / "bad.gguf", 1),
        ModelInfo("owner/virtual", Path("/elsewhere.gguf"), 1),
    ]
    store.save("kept", VALUES)
    results = {done.path.name: done for done in store.import_lmstudio(home, models)}
    assert {name: done.model_key for name, done in results.items() if not done.problem} == {
        "some-q4.gguf.json": "some-q4",
        "virtual.json": "owner/virtual",
    }
    assert "no such model" in results["other.gguf.json"].problem
    assert "already" in results["kept.gguf.json"].problem
    assert "damaged" in results["bad.gguf.json"].problem
    found = store.get("some-q4")
    assert found.values == {"sampling.temperature": 0.3, "load.context_length": 16384}
    assert found.preset == "@local:kind"
    assert [one.key for one in found.unread] == ["load.gpuStrictVramCap"]
    assert store.get("kept").values == VALUES
