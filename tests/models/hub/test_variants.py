"""Choices made out of the files of a repository, by names as publishers give them."""

from __future__ import annotations

import pytest

from tui.domain import BadRequest, HubFailed, ModelNotFound
from tui.models.hub import HubFile, Variant, choose_variant, in_preference, places_of
from tui.models.hub.variants import find_variants, quantization_of


def variants(*names: str) -> dict[str, Variant]:
    found = find_variants([HubFile(name, 1000 + number) for number, name in enumerate(names)])
    assert len({one.name for one in found}) == len(found)
    return {one.name: one for one in found}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Qwen3-8B-Q4_K_M", "Q4_K_M"),
        ("llama-2-7b.Q5_K_S", "Q5_K_S"),
        ("qwen2.5-0.5b-instruct-q4_0", "Q4_0"),
        ("model-IQ3_XXS", "IQ3_XXS"),
        ("Qwen3-30B-UD-Q4_K_XL", "UD-Q4_K_XL"),
        ("gpt-oss-20b-mxfp4", "MXFP4"),
        ("gemma-3-4b-it-BF16", "BF16"),
        ("phi-fp16", "F16"),
        ("Q4_K_M/model", "Q4_K_M"),
        ("BF16/model-Q8_0", "Q8_0"),
        ("nomic-embed-text-v1.5", ""),
        ("Q4model", ""),
    ],
)
def test_the_quantisation_of_a_name(name: str, expected: str) -> None:
    assert quantization_of(name) == expected


def test_split_sets_and_projectors_belong_to_one_choice() -> None:
    found = variants(
        "README.md", "imatrix.gguf", "model.imatrix.gguf", "config.json",
        "big-Q8_0-00002-of-00002.gguf", "big-Q8_0-00001-of-00002.gguf",
        "big-Q4_K_M.gguf", "mmproj-F32.gguf", "mmproj-F16.gguf", "mmproj-BF16.gguf",
    )  # fmt: skip
    assert set(found) == {"Q8_0", "Q4_K_M"}
    assert [file.path for file in found["Q8_0"].all_files] == [
        "mmproj-F16.gguf", "big-Q8_0-00001-of-00002.gguf", "big-Q8_0-00002-of-00002.gguf",
    ]  # fmt: skip
    assert found["Q8_0"].size == sum(file.size for file in found["Q8_0"].all_files)


def test_a_set_with_a_part_missing_is_no_choice() -> None:
    assert not variants("big-Q8_0-00001-of-00003.gguf", "big-Q8_0-00003-of-00003.gguf")


def test_names_tell_several_models_of_one_repository_apart() -> None:
    assert set(variants("small-Q4_0.gguf", "large-Q4_0.gguf", "large-Q8_0.gguf")) == {
        "small-Q4_0", "large-Q4_0", "Q8_0",
    }  # fmt: skip
    assert set(variants("a/model.gguf", "b/model.gguf")) == {"a-model", "b-model"}


def test_the_recommended_choice_is_the_usual_one_that_fits() -> None:
    found = variants("m-Q2_K.gguf", "m-Q3_K_M.gguf", "m-Q4_K_M.gguf", "m-Q8_0.gguf", "m-F16.gguf")
    assert in_preference(found.values())[0].name == "Q4_K_M"
    small = in_preference(found.values(), lambda one: 0 if one.name in ("Q2_K", "Q3_K_M") else 3)
    assert [one.name for one in small[:3]] == ["Q3_K_M", "Q2_K", "Q4_K_M"]


def test_a_choice_by_name() -> None:
    found = list(variants("m-UD-Q4_K_XL.gguf", "m-Q4_K_M.gguf", "x-Q8_0.gguf", "y-Q8_0.gguf").values())
    assert choose_variant(found, "", "a/b") is None
    for wanted, name in (("q4_k_m", "Q4_K_M"), ("q4_k_xl", "UD-Q4_K_XL"), ("x-q8_0", "x-Q8_0")):
        chosen = choose_variant(found, wanted, "a/b")
        assert chosen is not None
        assert chosen.name == name
    by_file = choose_variant(found, "", "a/b", "y-Q8_0.gguf")
    assert by_file is not None
    assert by_file.name == "y-Q8_0"
    with pytest.raises(BadRequest, match="fits several"):
        choose_variant(found, "q8_0", "a/b")
    with pytest.raises(ModelNotFound, match="Q4_K_M"):
        choose_variant(found, "q5_k_m", "a/b")


def test_places_mirror_the_repository_and_projectors_lie_beside_their_model() -> None:
    variant = variants("Q8_0/m-Q8_0-00001-of-00002.gguf", "Q8_0/m-Q8_0-00002-of-00002.gguf", "mmproj-F16.gguf")["Q8_0"]
    assert [place for _, place in places_of("a/b", variant)] == [
        "a/b/Q8_0/mmproj-F16.gguf", "a/b/Q8_0/m-Q8_0-00001-of-00002.gguf", "a/b/Q8_0/m-Q8_0-00002-of-00002.gguf",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        "../x.gguf", "/etc/x.gguf", "a/../../x.gguf", "a//x.gguf", "./x.gguf", ".x.gguf", "a/.git/x.gguf",
        "a\\..\\x.gguf",
        "C:x.gguf", "x.gguf ", "con.gguf", "a/NUL/x.gguf", "x\n.gguf", "x\u202e.gguf", "-x.gguf", "x.sh", "~/x.sh",
        f"{'x' * 250}.gguf", "/".join("abcdefghij") + ".gguf", "x?.gguf", "a./x.gguf",
    ],
)  # fmt: skip
def test_a_name_that_could_do_harm_is_refused(path: str) -> None:
    with pytest.raises(HubFailed, match="cannot be the name"):
        places_of("a/b", Variant("x", "", (HubFile(path, 10),)))
    with pytest.raises(HubFailed):
        places_of("a/b", Variant("x", "", (HubFile("x.gguf", 10),), HubFile(path, 10)))


@pytest.mark.parametrize("repository", ["../b", "a", "a/..", "a/b/c", "/a/b", "a/", "a/b\n"])
def test_a_repository_whose_name_could_do_harm_is_refused(repository: str) -> None:
    with pytest.raises(HubFailed):
        places_of(repository, Variant("x", "", (HubFile("x.gguf", 10),)))
