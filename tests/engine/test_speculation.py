"""Guesses: where they come from, whether they pay, and that nobody can tell from the answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.engines import Collected, collect, info_of, loaded
from tests.support.model_maker import make_scripted_model, make_tiny_model
from tui.domain import BadRequest, LoadConfig, SamplingConfig
from tui.engine import Engine, LogRing
from tui.engine.batch import Share
from tui.engine.speculation.ngram import NgramDrafter
from tui.engine.speculation.payoff import Payoff
from tui.engine.speculation.speculator import Speculator

GREEDY = SamplingConfig(temperature=0.0, repeat_penalty=1.0, max_tokens=80)
SCRIPT = (
    "Repeat after me: one two three four. Repeat after me: one two three four. Repeat after me: one two three five."
)


def test_what_followed_the_last_time_is_guessed() -> None:
    drafter = NgramDrafter()
    history = [1, 2, 3, 4, 5, 9, 1, 2, 3]
    assert drafter.draft([(0, history, 2)]) == [[4, 5]]
    assert drafter.draft([(0, history, 20)]) == [[4, 5, 9, 1, 2, 3]]
    history.extend([7, 8, 1, 2, 3])
    assert drafter.draft([(0, history, 2)]) == [[7, 8]], "the last time counts"
    assert drafter.draft([(0, [*history, 99], 2)]) == [[]]
    assert drafter.draft([(1, [1, 2], 2), (2, [], 2)]) == [[], []]
    drafter.forget(0)
    assert drafter.draft([(0, [1, 2, 3], 2)]) == [[]]


def run(payoff: Payoff, step: float, row: float, right: float, steps: int = 300) -> tuple[float, float]:
    """Tokens per second with guesses of which a part is right, and without any; deterministic."""
    tokens = seconds = 0.0
    credit = 0.0
    for _ in range(steps):
        count = payoff.most_tokens(0, 1)
        accepted = 0
        while accepted < count:
            credit += right
            if credit < 1:
                break
            credit -= 1
            accepted += 1
        took = step + row * count
        payoff.stepped(took, 1, count)
        if count:
            payoff.verified(0, count, accepted)
        tokens += 1 + accepted
        seconds += took
    return tokens / seconds, 1 / step


@pytest.mark.parametrize("row", [0.001, 0.005])
def test_right_guesses_are_made_use_of(row: float) -> None:
    with_guesses, without = run(Payoff(8), 0.030, row, right=0.999)
    assert with_guesses > without * 2


@pytest.mark.parametrize("row", [0.001, 0.010, 0.030])
def test_wrong_guesses_cost_next_to_nothing(row: float) -> None:
    with_guesses, without = run(Payoff(8), 0.030, row, right=0.0)
    assert with_guesses > without * 0.95


def test_guesses_are_left_alone_where_rows_cost_as_much_as_steps() -> None:
    with_guesses, without = run(Payoff(8), 0.030, 0.030, right=0.8)
    assert with_guesses > without * 0.95


def test_a_text_that_turns_repetitive_is_noticed() -> None:
    payoff = Payoff(8)
    run(payoff, 0.030, 0.003, right=0.0, steps=200)
    with_guesses, without = run(payoff, 0.030, 0.003, right=0.999, steps=600)
    assert with_guesses > without * 1.5


@pytest.mark.parametrize("kind", ["scripted", "random"])
def test_answers_are_the_same_with_look_up(tmp_path: Path, kind: str) -> None:
    if kind == "scripted":
        path = make_scripted_model(tmp_path / "m.gguf", SCRIPT, loop=True)
    else:
        path = make_tiny_model(tmp_path / "m.gguf", extra_tokens=50, quantization="f32")
    prompts = [[65 + number, 66, 67, 10] * 5 for number in range(3)]
    answers: list[list[Collected]] = []
    for config in (LoadConfig(threads=1), LoadConfig(threads=1, speculation="ngram")):
        with loaded(path, config) as model:
            alone = [collect(model.submit(list(prompt), GREEDY)) for prompt in prompts]
            tasks = [model.submit(list(prompt), GREEDY) for prompt in prompts]
            with ThreadPoolExecutor() as readers:
                answers.append([*alone, *readers.map(collect, tasks)])
    assert [answer.data for answer in answers[0]] == [answer.data for answer in answers[1]]
    offered = sum(answer.stats.draft_tokens_offered for answer in answers[1])
    accepted = sum(answer.stats.draft_tokens_accepted for answer in answers[1])
    assert 0 <= accepted <= offered
    if kind == "scripted":
        assert accepted > 0


def test_reading_what_a_drafter_has_missed_is_no_cost_of_a_guess() -> None:
    class Reader:
        """Takes long for the first guess of a sequence."""

        def __init__(self) -> None:
            self.read = False

        def draft(self, wanted: Sequence[tuple[int, list[int], int]]) -> list[list[int]]:
            if not self.read:
                time.sleep(0.1)
            self.read = True
            return [[1] * most for _, _, most in wanted]

        def computed(self, shares: Sequence[Share]) -> None: ...

        def forget(self, number: int) -> None: ...

        def close(self) -> None: ...

    speculator = Speculator(Reader(), Payoff(8), 1)
    assert speculator.propose([(0, [5])]) == [[]]
    speculator.stepped(0.01, 1, 0)
    for _ in range(3):
        (guess,) = speculator.propose([(0, [5])])
        assert guess
        speculator.verified(0, len(guess), len(guess))
        speculator.stepped(0.011, 1, len(guess))


def test_a_draft_model_guesses_what_it_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = Payoff.stepped
    # Models as small as these take as long for a guess as for an answer, so that by the clock it need not pay.
    monkeypatch.setattr(
        Payoff, "stepped", lambda self, _, sequences, drafted: measured(self, 1 + 0.1 * drafted, sequences, drafted)
    )
    path = make_scripted_model(tmp_path / "large.gguf", SCRIPT, layers=3)
    draft = make_scripted_model(tmp_path / "small.gguf", SCRIPT, layers=1)
    with loaded(path, LoadConfig(threads=1, speculation="draft", draft_model=str(draft))) as model:
        answers = [collect(model.submit([65] * 300, GREEDY)) for _ in range(2)]
    for answer in answers:
        assert answer.text == SCRIPT
        # Only what was guessed behind the end was in vain.
        assert 2 * answer.stats.draft_tokens_accepted > answer.stats.draft_tokens_offered > 0


@pytest.mark.parametrize("probability", [0.0, 0.99])
def test_a_draft_model_that_knows_nothing_does_no_harm(tmp_path: Path, probability: float) -> None:
    path = make_tiny_model(tmp_path / "large.gguf", extra_tokens=50, quantization="f32", layers=3)
    draft = make_tiny_model(tmp_path / "small.gguf", extra_tokens=50, quantization="f32", layers=1, seed=5)
    with loaded(path, LoadConfig(threads=1)) as model:
        expected = collect(model.submit([65, 10], GREEDY)).data
    config = LoadConfig(
        threads=1, speculation="draft", draft_model=str(draft), draft_min_probability=probability, context_length=512
    )
    with loaded(path, config) as model:
        assert collect(model.submit([65, 10], GREEDY)).data == expected


@pytest.mark.parametrize("kind", ["missing", "text", "vocabulary", "mtp"])
def test_what_cannot_guess_is_refused_and_nothing_stays_behind(tmp_path: Path, kind: str) -> None:
    path = make_scripted_model(tmp_path / "large.gguf", SCRIPT)
    draft = tmp_path / "small.gguf"
    if kind == "text":
        draft.write_text("GGUF, but not really")
    elif kind == "vocabulary":
        make_tiny_model(draft, extra_tokens=900)
    config = LoadConfig(threads=1, speculation="draft", draft_model=str(draft))
    if kind == "mtp":
        config = LoadConfig(threads=1, speculation="mtp")
    engine = Engine(tmp_path / "verdicts.json", LogRing())
    with pytest.raises(BadRequest) as refusal:
        engine.load(info_of(path), config)
    assert refusal.value.field in ("load.draft_model", "load.speculation")
    assert engine.loaded() == ()
    assert collect(engine.load(info_of(path), LoadConfig(threads=1)).submit([65], GREEDY)).text == SCRIPT
    engine.close()


def test_a_first_step_that_was_slow_by_chance_does_not_make_wrong_guesses_pay() -> None:
    payoff = Payoff(8)
    payoff.stepped(0.300, 1, 0)
    with_guesses, without = run(payoff, 0.030, 0.010, right=0.0)
    assert with_guesses > without * 0.95
