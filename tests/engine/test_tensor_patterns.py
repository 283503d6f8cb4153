"""Expressions on tensor names: the useful ones pass, the ones that hang or kill llama.cpp do not."""

import pytest

from tui.engine.tensor_patterns import pattern_problem


@pytest.mark.parametrize(
    "pattern",
    [
        "ffn_.*_exps",
        r"blk\.(1|2|3)\.ffn_(up|down|gate)_exps\.weight",
        r"^blk\.[0-9]+\.attn_",
        r"blk\.\d{1,2}\.",
        "output(_norm)?$",
    ],
)
def test_expressions_that_people_write_pass(pattern: str) -> None:
    assert pattern_problem(pattern) == ""


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", "0 characters"),
        ("x" * 5000, "5,000 characters"),
        ("é", "no tensor name"),
        ("(a", "not closed"),
        ("a)", "did not open"),
        ("[a", "not closed"),
        ("[z-a]", "no range"),
        ("a**", "repeats a repetition"),
        ("*", "means nothing"),
        ("(a+)+", "repeats a group"),
        (".*.*.*.*.*", "too many ways"),
        ("(" * 20 + "a" + ")" * 20, "nested"),
        ("(?=a)", "looks ahead"),
        (r"\1", "not possible"),
        ("a{5,2}", "more often"),
        ("^*", "no characters"),
    ],
)
def test_expressions_that_would_do_harm_are_refused_with_the_reason(pattern: str, reason: str) -> None:
    assert reason in pattern_problem(pattern)
