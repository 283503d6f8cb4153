"""Variants of one model: which belong together, and which one a common name means."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.models.test_catalogue import put
from tests.support.raw_gguf import number_value, small_model
from tui.domain import ModelInfo
from tui.models import Catalogue
from tui.models.naming import PlacedModel
from tui.models.variants import choose, entries, split_name


@pytest.mark.parametrize(
    ("stem", "family", "variant"),
    [
        ("Qwen3-8B-Q4_K_M", "qwen3-8b", "q4_k_m"),
        ("Llama-3.2-1B-Instruct.IQ2_XXS", "llama-3.2-1b-instruct", "iq2_xxs"),
        ("gemma-3-27b-it-UD-Q4_K_XL", "gemma-3-27b-it", "ud-q4_k_xl"),
        ("gpt-oss-20b-mxfp4", "gpt-oss-20b", "mxfp4"),
        ("model-BF16", "model", "bf16"),
        ("plain", "plain", ""),
        ("Q4_K_M", "q4_k_m", ""),
        ("phi-2", "phi-2", ""),
    ],
)
def test_names_are_split(stem: str, family: str, variant: str) -> None:
    assert split_name(PlacedModel(ModelInfo("k", Path(), 0), f"a/b/{stem}")) == (family, variant)


def sized(key: str, size: int, quantization: str = "", **values: object) -> ModelInfo:
    return ModelInfo(key, Path(key), size, parameters=100, quantization=quantization, family="m", **values)  # type: ignore[arg-type]


def test_choice_of_a_variant() -> None:
    small, usual, large = sized("s", 25, "Q2_K"), sized("u", 60, "Q4_K_M"), sized("l", 100, "Q8_0")
    assert choose([small, usual, large], lambda _: 0.0) is usual
    assert choose([small, usual, large], lambda model: float(model is small)) is small
    assert choose([small, large], lambda _: 0.0) is large
    assert choose([small], lambda _: 0.0) is small
    broken = sized("b", 60, "Q4_K_M", problem="It is cut off.")
    assert choose([small, broken], lambda _: 0.0) is small
    assert choose([broken], lambda _: 0.0) is broken


def test_entries_of_a_catalogue(tmp_path: Path) -> None:
    for kind, number in (("Q4_0", 2), ("Q8_0", 7)):
        put(
            tmp_path / "acme" / "M-GGUF" / f"M-{kind}.gguf",
            small_model().with_key("general.file_type", number_value(number)),
        )
        put(
            tmp_path / "else" / "M-GGUF" / f"M-{kind}.gguf",
            small_model().with_key("general.file_type", number_value(number)),
        )
    put(tmp_path / "Single-Q4_0.gguf")
    catalogue = Catalogue([tmp_path])
    found = {entry.key: [model.variant_key for model in entry.variants] for entry in catalogue.entries()}
    assert found == {
        "m": ["m@q4_0", "m@q8_0"],
        "else/m": ["else/m@q4_0", "else/m@q8_0"],
        "single-q4_0": ["single@q4_0"],
    }
    assert catalogue.find("else/m@q8_0").path == tmp_path / "else" / "M-GGUF" / "M-Q8_0.gguf"
    assert catalogue.find("single@q4_0").key == "single-q4_0"
    assert catalogue.find("m").publisher == "acme"


def test_order_and_keys_of_entries() -> None:
    models = [ModelInfo("b", Path("b"), 2), sized("a", 3), sized("c", 1)]
    assert [(entry.key, len(entry.variants)) for entry in entries(models, lambda _: 0.0)] == [("b", 1), ("m", 2)]
