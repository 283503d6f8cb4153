"""Virtual models: what a `model.yaml` makes of a model on disk, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.models.test_catalogue import put
from tui.domain import CustomField, ModelUnusable
from tui.models import Catalogue
from tui.models.recipes import read_recipe

RECIPE = """
model: Acme/Helper
base:
  - key: acme/not-here
  - key: acme/tiny-gguf-key
    sources:
      - type: huggingface
        user: acme
        repo: Tiny-GGUF
metadataOverrides:
  domain: llm
  architectures: [llama]
  compatibilityTypes: [gguf]
  paramsStrings: [8B]
  minMemoryUsageBytes: 100
  contextLengths: [256, 128]
  vision: true
  reasoning: mixed
  trainedForToolUse: true
config:
  load:
    fields:
      - key: llm.load.contextLength
        value: 128
      - key: llm.load.llama.acceleration.offloadRatio
        value: max
      - key: llm.load.llama.kCacheQuantizationType
        value: {checked: true, value: q8_0}
      - key: llm.load.llama.speculativeDecoding.draftMtp
        value: false
      - key: llm.load.llama.speculativeDecoding.draftSimple
        value: true
      - key: llm.load.llama.speculativeDecoding.draftModel
        value: tiny
  operation:
    fields:
      - key: llm.prediction.temperature
        value: 0.3
      - key: llm.prediction.minPSampling
        value: {checked: false, value: 0.05}
      - key: llm.prediction.systemPrompt
        value: Be brief.
      - key: llm.prediction.contextOverflowPolicy
        value: rollingWindow
      - key: llm.prediction.reasoning.enableThinking
        value: true
customFields: []
tags: [x]
"""


def write(folder: Path, text: str, name: str = "acme/helper") -> Path:
    path = folder / name / "model.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_virtual_model(tmp_path: Path) -> None:
    tiny = put(tmp_path / "acme" / "Tiny-GGUF" / "Tiny-Q4_0.gguf")
    path = write(tmp_path / "hub", RECIPE)
    catalogue = Catalogue([tmp_path])
    model = catalogue.find("acme/helper")
    assert (model.key, model.path, model.base, model.recipe) == ("acme/helper", tiny, "tiny-q4_0", path)
    assert (model.context_length, model.tools, model.sees, model.usable) == (256, True, False, True)
    assert dict(model.defaults.values) == {
        "load.context_length": 128,
        "load.gpu_offload_ratio": 1.0,
        "load.key_cache_type": "q8_0",
        "load.speculation": "draft",
        "load.draft_model": "tiny",
        "sampling.temperature": 0.3,
        "sampling.min_p": 0.0,
        "answer.system_prompt": "Be brief.",
        "answer.overflow": "rollingWindow",
    }
    assert catalogue.find("Tiny-Q4_0.gguf").key == "tiny-q4_0", "the file's own name means the file"
    assert catalogue.find(str(tiny)).key == "tiny-q4_0"


def test_virtual_model_follows_its_base_and_its_recipe(tmp_path: Path) -> None:
    write(tmp_path, "model: a/v\nbase: tiny-q4_0\n")
    catalogue = Catalogue([tmp_path])
    with pytest.raises(ModelUnusable, match=r"None of the models .* tiny-q4_0\. Download"):
        catalogue.find("a/v")
    put(tmp_path / "Tiny-Q4_0.gguf")
    assert catalogue.refresh()
    assert catalogue.find("a/v").usable
    write(tmp_path, "model: a/w\nbase: tiny-q4_0\n")
    assert catalogue.refresh()
    assert [model.key for model in catalogue.models()] == ["a/w", "tiny-q4_0"]


def test_virtual_models_stand_on_each_other_but_not_on_themselves(tmp_path: Path) -> None:
    put(tmp_path / "tiny.gguf")
    write(tmp_path, "model: x/one\nbase: tiny\n", "x/one")
    write(tmp_path, "model: x/two\nbase: x/one\n", "x/two")
    write(tmp_path, "model: x/round\nbase: x/round\n", "x/round")
    found = {model.key: (model.base, model.usable) for model in Catalogue([tmp_path]).models()}
    assert found["x/two"] == ("x/one", True)
    assert found["x/round"] == ("x/round", False)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "must be a mapping"),
        ("model: [", "mistake in line"),
        ("- a\n- b", "must be a mapping"),
        ("model: a/b", "base must be"),
        ("base: x", "model must be a name"),
        ("model: a b\nbase: x", "model must be a name"),
        ("model: ../../x\nbase: x", "model must be a name"),
        ("model: a/b\nbase: []", "base must be"),
        ("model: a/b\nbase: [{}]", r"base\[0\] must have a key"),
        ("model: a/b\nbase: [{key: k, sources: [3]}]", r"base\[0\].sources"),
        ("model: a/b\nbase: x\nsurprise: 1", "surprise is not known"),
        ("model: a/b\nbase: x\nmetadataOverrides: {colour: red}", "metadataOverrides.colour is not known"),
        ("model: a/b\nbase: x\nmetadataOverrides: {vision: 3}", "metadataOverrides.vision"),
        ("model: a/b\nbase: x\nmetadataOverrides: {contextLengths: [-1]}", "contextLengths"),
        ("model: a/b\nbase: x\nconfig: {load: {fields: [{key: llm.load.nonsense, value: 1}]}}", "llm.load.nonsense"),
        ("model: a/b\nbase: x\nconfig: {load: {fields: [{key: llm.load.contextLength, value: big}]}}", "whole number"),
        (
            "model: a/b\nbase: x\nconfig: {load: {fields: [{key: lmdeck.load.rpc_servers, value: [evil:1]}]}}",
            "rpc_servers.*only presets",
        ),
        ("model: a/b\nbase: x\nconfig: {load: {fields: [{key: llm.load.seed, value: {}}]}}", "another form"),
        ("model: a/b\nbase: x\nconfig: {load: {fields: [3]}}", r"fields\[0\] must have a key"),
        ("model: a/b\nbase: x\nconfig: 3", "config must be a mapping"),
        ("model: !!python/object/apply:os.system ['true']\nbase: x", "mistake"),
        ("[" * 5000, "mistake"),
        ("model: a/b\nbase: x\n" + "# long\n" * 60_000, "larger than any"),
    ],
)
def test_what_is_refused_says_why(tmp_path: Path, text: str, problem: str) -> None:
    put(tmp_path / "x.gguf")
    write(tmp_path, text)
    bad, _good = sorted(Catalogue([tmp_path]).models(), key=lambda model: model.usable)
    assert not bad.usable
    assert re.search(problem, bad.problem), bad.problem


def test_bombs_are_small(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    path = write(tmp_path, "model: a/b\nbase: x\n" + "\n".join(lines))
    assert "a0 is not known" in read_recipe(path).problem


FIELDS = """
model: a/v
base: tiny
customFields:
  - key: enableThinking
    displayName: Enable Thinking
    description: Whether it thinks before it answers
    type: boolean
    defaultValue: true
    effects:
      - {type: setJinjaVariable, variable: enable_thinking}
      - {type: prependSystemPrompt, content: Think hard.}
      - {type: appendSystemPrompt, content: Then answer.}
  - key: effort
    type: select
    options: [{label: A little, value: low}, {label: high, value: high}]
    defaultValue: low
    effects: [{type: setJinjaVariable, variable: reasoning_effort}]
  - {key: budget, type: number, defaultValue: 100, int: true, min: 1, max: 500, slider: {min: 1, max: 500, step: 1}}
  - {key: mood, type: string, defaultValue: "", effects: []}
"""


def test_custom_fields(tmp_path: Path) -> None:
    put(tmp_path / "tiny.gguf")
    write(tmp_path, FIELDS, "a/v")
    write(
        tmp_path,
        "model: a/w\nbase: a/v\ncustomFields:\n- {key: mood, type: string, defaultValue: merry}",
        "a/w",
    )
    catalogue = Catalogue([tmp_path])
    thinking, effort, budget, mood = catalogue.find("a/v").custom_fields
    assert thinking == CustomField(
        "enableThinking", "Enable Thinking", "boolean", True, "Whether it thinks before it answers",
        variables=("enable_thinking",), before=("Think hard.",), after=("Then answer.",),
    )  # fmt: skip
    assert (effort.label, effort.choices) == ("effort", (("low", "A little"), ("high", "high")))
    assert [effort.takes(value) for value in ("high", "none", True)] == [True, False, False]
    assert [budget.takes(value) for value in (500, 501, 0, 1.5, True, float("nan"))] == [True, *[False] * 5]
    assert mood.default == ""
    later = catalogue.find("a/w").custom_fields
    assert [field.key for field in later] == ["enableThinking", "effort", "budget", "mood"]
    assert later[-1].default == "merry"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("3", "customFields must be a list"),
        ("[x]", r"customFields\[0\] must be a mapping"),
        ("[{key: a b, type: boolean, defaultValue: true}]", r"customFields\[0\]\.key must be a name"),
        ("[{key: a, type: colour, defaultValue: red}]", r"customFields\[0\]\.type must be one of boolean"),
        ("[{key: a, type: boolean, defaultValue: 1}]", r"customFields\[0\]\.defaultValue is no value"),
        ("[{key: a, type: number, defaultValue: .inf}]", r"\.defaultValue is no value"),
        ("[{key: a, type: number, defaultValue: 5, max: 4}]", r"\.defaultValue is no value"),
        ("[{key: a, type: number, defaultValue: 5, max: .nan}]", r"\.max must be a number"),
        ("[{key: a, type: select, defaultValue: x}]", r"\.options must be a list of one to 50"),
        ("[{key: a, type: select, options: [{label: x}], defaultValue: x}]", r"\.options must be a list of mappings"),
        ("[{key: a, type: string, defaultValue: x, displayName: 3}]", r"\.displayName must be a text"),
        ("[{key: a, type: boolean, defaultValue: true}, {key: a, type: string, defaultValue: x}]", "the key a twice"),
        (
            "[{key: a, type: boolean, defaultValue: true, effects: [{type: setJinjaVariable, variable: messages}]}]",
            r"effects\[0\]\.variable must be the name",
        ),
        (
            "[{key: a, type: string, defaultValue: x, effects: [{type: appendSystemPrompt, content: x}]}]",
            r"effects\[0\] must be setJinjaVariable",
        ),
    ],
)
def test_custom_fields_that_cannot_be(tmp_path: Path, fields: str, problem: str) -> None:
    recipe = read_recipe(write(tmp_path, f"model: a/v\nbase: tiny\ncustomFields: {fields}\n"))
    assert re.search(problem, recipe.problem), recipe.problem


def test_suggestions_are_read_and_cannot_spoil_a_model(tmp_path: Path) -> None:
    put(tmp_path / "tiny.gguf")
    good = """
      - message: The following parameters are recommended for thinking mode
        conditions: [{type: equals, key: $.enableThinking, value: true}]
        fields:
          - {key: llm.prediction.temperature, value: 0.6}
          - {key: llm.prediction.topKSampling, value: 20}
          - {key: llm.prediction.nobodyKnows, value: 20}"""
    bad = """
      - 3
      - {message: x, fields: 4}
      - {message: x, conditions: 4, fields: [{key: llm.prediction.temperature, value: 1}]}
      - {message: nothing for answers, fields: [{key: llm.load.contextLength, value: 4096}]}
      - {message: wrong, fields: [{key: llm.prediction.temperature, value: hot}]}
      - {message: ours, fields: [{key: lmdeck.sampling.seed, value: 1}]}
      - {message: other, conditions: [{type: greater}], fields: [{key: llm.prediction.temperature, value: 1}]}"""
    write(tmp_path, f"model: a/v\nbase: tiny\nsuggestions:{good}{bad}\n", "a/v")
    write(tmp_path, "model: a/w\nbase: a/v\nsuggestions: none of the above\n", "a/w")
    (found,) = Catalogue([tmp_path]).find("a/w").suggestions
    assert found.message == "The following parameters are recommended for thinking mode"
    assert dict(found.values) == {"sampling.temperature": 0.6, "sampling.top_k": 20}
    assert [found.fits(fields) for fields in ({"enableThinking": True}, {"enableThinking": 1}, {})] == [
        True,
        False,
        False,
    ]


def test_facts_of_the_latest_format(tmp_path: Path) -> None:
    facts = "metadataOverrides: {fim: mixed, preferredMaxImageDimensionPixels: 768}"
    recipe = read_recipe(write(tmp_path, f"model: a/v\nbase: tiny\n{facts}\n"))
    assert (recipe.problem, dict(recipe.defaults.values)) == ("", {"load.largest_image_side": 768})
