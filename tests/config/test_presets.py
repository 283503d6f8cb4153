"""Presets: files that people and LM Studio may write, read with reasons, written whole, never lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tui.config import PresetStore
from tui.domain import BadRequest, StorageFailed

LM_STUDIO = {
    "identifier": "@local:deepred-testing",
    "name": "deepred testing",
    "changed": True,
    "operation": {
        "fields": [
            {"key": "llm.prediction.systemPrompt", "value": "Be red."},
            {"key": "llm.prediction.temperature", "value": 0.3},
            {"key": "llm.prediction.topPSampling", "value": {"checked": True, "value": 0.95}},
            {"key": "llm.prediction.maxPredictedTokens", "value": {"checked": True, "value": 512}},
            {"key": "llm.prediction.structured", "value": {"type": "none"}},
            {"key": "llm.prediction.stopStrings", "value": ["##"]},
            {"key": "llm.prediction.tools", "value": {"type": "none"}},
        ]
    },
    "load": {"fields": [{"key": "llm.load.contextLength", "value": 4096}]},
}
VALUES = {"sampling.temperature": 0.1, "answer.system_prompt": "Be kind."}


@pytest.fixture
def store(tmp_path: Path) -> PresetStore:
    return PresetStore(tmp_path / "presets")


def test_a_preset_is_made_changed_renamed_and_deleted(store: PresetStore, tmp_path: Path) -> None:
    made = store.create("  Kind   words ", VALUES)
    assert (made.name, made.identifier) == ("Kind words", "@local:kind-words")
    for name in ("Kind words", "kind WORDS", "@local:kind-words", "kind-words"):
        assert store.get(name).values == VALUES
    store.update("Kind words", {"sampling.top_k": 5})
    assert PresetStore(tmp_path / "presets").get("Kind words").values == {"sampling.top_k": 5}
    store.rename("Kind words", "Kinder words")
    assert store.get("@local:kind-words").name == "Kinder words"
    assert [preset.name for preset in store.all()] == ["Kinder words"]
    store.delete("Kinder words")
    assert store.all() == []


def test_a_name_is_given_once(store: PresetStore) -> None:
    store.create("A", VALUES)
    with pytest.raises(BadRequest, match="already"):
        store.create("a", VALUES)
    store.create("B", VALUES)
    with pytest.raises(BadRequest, match="already"):
        store.rename("B", "A")
    store.rename("B", "b")
    # Names of which nothing is left for a file name still get files of their own.
    assert {store.create(name, {}).path.name for name in ("?", "!")} == {"preset.preset.json", "preset-2.preset.json"}


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\x00b"])
def test_what_cannot_be_a_name(store: PresetStore, name: str) -> None:
    with pytest.raises(BadRequest) as refused:
        store.create(name, {})
    assert refused.value.field == "preset"


def test_an_unknown_one_is_said_with_those_there_are(store: PresetStore) -> None:
    store.create("Kind words", VALUES)
    with pytest.raises(BadRequest, match="Kind words") as refused:
        store.get("other")
    assert refused.value.field == "preset"


def test_lm_studios_file_comes_in_and_goes_out(store: PresetStore, tmp_path: Path) -> None:
    source = tmp_path / "deepred.preset.json"
    source.write_text(json.dumps(LM_STUDIO))
    preset = store.import_file(source)
    assert preset.name == "deepred testing"
    assert preset.values == {
        "answer.system_prompt": "Be red.",
        "sampling.temperature": 0.3,
        "sampling.top_p": 0.95,
        "sampling.max_tokens": 512,
        "answer.constraint": None,
        "sampling.stop": ("##",),
        "load.context_length": 4096,
    }
    assert [one.key for one in preset.unread] == ["llm.prediction.tools"]
    again = store.import_file(source)
    assert again.name == "deepred testing 2"
    written = json.loads(store.export("deepred testing", tmp_path).read_text())

    def as_set(value: dict[str, dict[str, list[object]]], part: str) -> set[str]:
        return {json.dumps(field, sort_keys=True) for field in value[part]["fields"]}

    assert as_set(written, "operation") == as_set(LM_STUDIO, "operation")  # type: ignore[arg-type]
    assert as_set(written, "load") == as_set(LM_STUDIO, "load")  # type: ignore[arg-type]
    with pytest.raises(BadRequest, match="exists already"):
        store.export("deepred testing", tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", '{"name": "x"}', "[" * 100_000, '{"operation": "x"}', '{"operation": {"fields": 7}}'),
        *('{"operation": [7]}', '{"load": {"fields": [{"value": 1}]}}'),
    ],
)
def test_a_broken_file_is_said_and_stays(store: PresetStore, tmp_path: Path, text: str) -> None:
    folder = tmp_path / "presets"
    folder.mkdir()
    (folder / "bad.preset.json").write_text(text)
    (broken,) = store.all()
    assert "bad.preset.json" in broken.problem
    with pytest.raises(StorageFailed, match=r"bad\.preset\.json"):
        store.get("bad")
    with pytest.raises(StorageFailed):
        store.update("bad", VALUES)
    assert store.create("Bad!", VALUES).path.name == "bad-2.preset.json"
    assert (folder / "bad.preset.json").read_text() == text
    with pytest.raises(BadRequest):
        store.import_file(folder / "bad.preset.json")
    store.delete("bad")
    assert [preset.name for preset in store.all()] == ["Bad!"]


def test_values_that_cannot_be_are_said_and_the_others_count(store: PresetStore, tmp_path: Path) -> None:
    folder = tmp_path / "presets"
    folder.mkdir()
    wrong = [{"key": f"llm.prediction.{key}", "value": "hot"} for key in ("temperature", "seed", "minPSampling")]
    fields = [{"key": "llm.prediction.topKSampling", "value": 7}, {"key": "of.another.program", "value": "x"}, *wrong]
    (folder / "half.preset.json").write_text(json.dumps({"operation": {"fields": [*fields, wrong[0]]}}))
    found = store.get("half")
    assert found.values == {"sampling.top_k": 7}
    assert found.left_out.startswith(f"In {folder / 'half.preset.json'}: llm.prediction.temperature: ")
    assert found.left_out.endswith("; and 1 more.")
    assert "of.another.program" not in found.left_out
    assert store.create("Whole", VALUES).left_out == ""


def test_a_copied_file_has_an_identifier_of_its_own(store: PresetStore, tmp_path: Path) -> None:
    store.create("A", VALUES)
    (tmp_path / "presets" / "copy.preset.json").write_bytes((tmp_path / "presets" / "a.preset.json").read_bytes())
    assert {preset.identifier for preset in store.all()} == {"@local:a", "@local:copy"}
