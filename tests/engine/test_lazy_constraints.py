"""Answers that are free but for what is begun as a call, on models that say what the test wants."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.answering import Answering, machine_kernels
from tests.support.engines import Collected, collect
from tests.support.model_maker import make_scripted_model, make_tiny_model
from tui.domain import LazyConstraint, LoadConfig, SamplingConfig
from tui.engine import LoadedModel
from tui.engine.constraint_state import ConstraintState
from tui.engine.loading import Kernels

SOURCE = """start: marker_0 BLANKS? "{" name "}" marker_1
name: "ada" | "bob"
BLANKS: /[ \\n]{1,4}/
marker_0: "<call>"
marker_1: "</call>"
"""
ASIDES = (("<think>", "</think>"),)
FORM = LazyConstraint(SOURCE, ("<call>",), ASIDES)
Said = Callable[..., str]
CALL = re.compile(r"<call>[ \n]{0,4}\{(ada|bob)\}</call>")


def ask(model: LoadedModel, constraint: LazyConstraint = FORM, **sampling: Any) -> Collected:
    config = SamplingConfig(**{"max_tokens": 200, "seed": 1, **sampling})
    return collect(model.submit([65, 10], config, constraint=constraint, markers=("<call>", "</call>")))


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Kernels:
    return machine_kernels(tmp_path_factory.mktemp("kernels"))


@pytest.fixture
def said(tmp_path: Path, kernels: Kernels) -> Said:
    """What becomes of a script."""

    def become(script: str, constraint: LazyConstraint = FORM, **made: Any) -> str:
        answering = Answering(make_scripted_model(tmp_path / "m.gguf", script, **made), kernels)
        answer = ask(answering.model, constraint)
        answering.close()
        assert answer.error is None
        return answer.text

    return become


@pytest.mark.parametrize(
    "script",
    [
        "Nothing to call.",
        "I see. <call>{ada}</call> And <call>\n{bob}</call>. Done.",
        "<think>Write <call>eve</call>?</think>\n<call>{ada}</call>",
        "<think>Never closed <call>{eve}",
        "Put it between `<call>` and `</call>`.",
        "It says '<call>', as it should.",
        "A <cal> is no call, {eve}.",
    ],
)
@pytest.mark.parametrize("markers", ["spelled", "tokens", "control"])
def test_what_keeps_the_form_and_what_is_free_is_left_alone(said: Said, script: str, markers: str) -> None:
    tags = ("<call>", "</call>")
    made = {"special": tags} if markers == "tokens" else {"control": tags} if markers == "control" else {}
    assert said(script, **made) == script


@pytest.mark.parametrize("cut", ["l>{a", "}<", "a}</call>.", "> An", "</call><call>{b"])
def test_tokens_that_lie_across_a_border(said: Said, cut: str) -> None:
    script = "I see.<call>{ada}</call>. <call>{bob}</call><call>{bob}</call> And so on."
    assert cut in script
    assert said(script, special=(cut,)) == script


@pytest.mark.parametrize("made", [{"special": ("<call>",)}, {"control": ("<call>",)}], ids=str)
def test_a_call_of_nobody_becomes_one_of_somebody(said: Said, made: Any) -> None:
    answer = said("I see. <call>{eve}</call>", **made)
    assert answer.startswith("I see. <call>")
    assert CALL.match(answer, len("I see. "))


@pytest.mark.parametrize("said_of_it", ["`<call> and", "<call>`"])
def test_half_a_pair_of_quotation_marks_is_none(said: Said, said_of_it: str) -> None:
    answer = said(said_of_it, special=("<call>",))
    assert CALL.search(answer) or "`<call>`" in answer, "the pair may be completed, as nothing else is left to quote"


def test_the_answer_ends_with_the_first_where_there_may_be_one(said: Said) -> None:
    once = LazyConstraint(SOURCE, ("<call>",), ASIDES, once=True)
    script = "I see. <call>{ada}</call><call>{bob}</call>"
    assert said(script, once) == "I see. <call>{ada}</call>"


def test_the_prompt_may_leave_the_reasoning_open(said: Said) -> None:
    script = "Maybe <call>eve.</think><call>{eve}</call>"
    answer = said(script, LazyConstraint(SOURCE, ("<call>",), ASIDES, aside_open=True))
    assert answer.startswith("Maybe <call>eve.</think><c")
    assert "</think><call>{eve" not in answer


@pytest.mark.parametrize(
    "source",
    ["start: [", 'start: "<call>" %json {"type": "string", "not": {"const": "a"}}', 'start: "<kall>"', "x" * 1_000_001],
    ids=["no grammar", "a schema beyond us", "another opening", "too long"],
)
def test_what_cannot_be_kept_leaves_the_answer_free(said: Said, source: str) -> None:
    script = "I see. <call>{eve}</call>"
    assert said(script, LazyConstraint(source, ("<call>",))) == script


def test_what_becomes_too_complex_on_the_way_does_not_end_the_answer(said: Said) -> None:
    script = "I see. <call>" + "a" * 30
    answer = said(script, LazyConstraint('start: "<call>" /(a{1000}){1000}/', ("<call>",)), special=("<call>",))
    assert answer.startswith("I see. <call>")


@pytest.fixture(scope="module")
def random(tmp_path_factory: pytest.TempPathFactory, kernels: Kernels) -> Iterator[LoadedModel]:
    path = make_tiny_model(
        tmp_path_factory.mktemp("models") / "random.gguf", extra_tokens=50, special=("<call>", "</call>")
    )
    answering = Answering(path, kernels, LoadConfig(context_length=1024, threads=1))
    yield answering.model
    answering.close()


def test_every_call_of_a_model_that_knows_nothing_is_one_that_may_be_made(random: LoadedModel) -> None:
    opening = random.vocabulary.pieces().index(b"<call>")
    calls = 0
    for seed in range(20):
        answer = ask(random, seed=seed, temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, logit_bias=((opening, 3.0),))
        assert answer.error is None
        free = CALL.sub("", answer.text)
        # The last one may be cut off, and one between quotation marks is none.
        assert re.search(r"(?<!['\"`])<call>.*\S.*\Z", free.partition("<think>")[0], re.DOTALL) is None or (
            answer.stats.stop_reason == "maxPredictedTokensReached"
        )
        calls += len(CALL.findall(answer.text))
    assert calls > 20


def test_settings_that_leave_nothing_to_call_leave_the_answer_free(random: LoadedModel) -> None:
    nothing = tuple((token, float("-inf")) for token, piece in enumerate(random.vocabulary.pieces()) if piece == b"{")
    opening = random.vocabulary.pieces().index(b"<call>")
    answer = ask(random, temperature=1.0, logit_bias=(*nothing, (opening, 50.0)), max_tokens=20)
    assert answer.error is None
    assert answer.text.startswith("<call>")


def test_no_mask_is_made_of_free_text(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    for name in ("apply", "allows"):
        monkeypatch.setattr(ConstraintState, name, lambda *_: asked.append("") or True)
    script = "A long answer without any call, which says `<cal` and {ada}. " * 4
    assert said(script) == script
    assert asked == []
