"""Guessed tokens through the worker: what is right is taken, what is wrong leaves no trace."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.engines import collect, info_of
from tests.support.model_maker import make_scripted_model, make_tiny_model
from tui.domain import LoadConfig, SamplingConfig
from tui.engine import Engine, LogRing
from tui.engine.batch import Share

SCRIPT = "The quick brown fox jumps over the lazy dog, and then it sleeps for a while. The end."
GREEDY = SamplingConfig(temperature=0.0, repeat_penalty=1.0, max_tokens=60)


class Prophet:
    """Guesses from a list of what will be said, wrong at every `error`th place."""

    def __init__(self, known: Sequence[int], prompt_tokens: int, error: int) -> None:
        self._known = list(known)
        self._prompt_tokens = prompt_tokens
        self._error = error
        self.verdicts: list[tuple[int, int]] = []
        self.steps = 0

    def propose(self, running: Sequence[tuple[int, list[int]]]) -> list[list[int]]:
        guesses = []
        for _, history in running:
            said = len(history) - self._prompt_tokens
            guess = self._known[said : said + 5]
            guesses.append([token + (place % self._error == 0) for place, token in enumerate(guess, start=said)])
        return guesses

    def computed(self, shares: Sequence[Share]) -> None:
        pass

    def verified(self, number: int, offered: int, accepted: int) -> None:  # noqa: ARG002
        self.verdicts.append((offered, accepted))

    def stepped(self, seconds: float, sequences: int, drafted: int) -> None:  # noqa: ARG002
        self.steps += 1

    def forget(self, number: int) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.mark.parametrize("error", [3, 1000])
@pytest.mark.parametrize("kind", ["scripted", "random"])
def test_greedy_answers_are_the_same_with_and_without_guesses(
    tmp_path: Path, kind: str, error: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "scripted":
        path = make_scripted_model(tmp_path / "scripted.gguf", SCRIPT)
    else:
        path = make_tiny_model(tmp_path / "random.gguf", extra_tokens=500, quantization="f32")
    prompt = [65, 66, 67, 10]
    config = LoadConfig(threads=1, context_length=512)
    engine = Engine(tmp_path / "verdicts.json", LogRing())
    plain = engine.load(info_of(path), config)
    task = plain.submit(list(prompt), GREEDY)
    expected = collect(task)
    known = task.history[len(prompt) :]
    engine.close()

    prophet = Prophet(known, len(prompt), error)
    monkeypatch.setattr("tui.engine.loaded.open_speculator", lambda *_: prophet)
    engine = Engine(tmp_path / "verdicts.json", LogRing())
    model = engine.load(info_of(path), LoadConfig(threads=1, context_length=512, speculation="ngram"))
    answer = collect(model.submit(list(prompt), GREEDY))
    engine.close()
    assert answer.data == expected.data
    assert answer.stats.generated_tokens == expected.stats.generated_tokens
    assert answer.stats.stop_reason == expected.stats.stop_reason
    offered = sum(pair[0] for pair in prophet.verdicts)
    accepted = sum(pair[1] for pair in prophet.verdicts)
    assert (answer.stats.draft_tokens_offered, answer.stats.draft_tokens_accepted) == (offered, accepted)
    assert prophet.steps > 0
    if error == 1000:
        assert accepted > len(known) * 2 / 3
        assert prophet.steps < len(known) / 2, "several tokens came of each step"
    else:
        assert 0 < accepted < offered


def test_a_token_limit_and_a_stop_text_hold_inside_a_guess(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_scripted_model(tmp_path / "scripted.gguf", SCRIPT)
    prompt = [65, 66, 67, 10]
    engine = Engine(tmp_path / "verdicts.json", LogRing())
    task = engine.load(info_of(path), LoadConfig(threads=1)).submit(list(prompt), GREEDY)
    collect(task)
    known = task.history[len(prompt) :]
    engine.close()
    monkeypatch.setattr("tui.engine.loaded.open_speculator", lambda *_: Prophet(known, len(prompt), 1000))
    engine = Engine(tmp_path / "verdicts.json", LogRing())
    model = engine.load(info_of(path), LoadConfig(threads=1, speculation="ngram"))
    limited = collect(model.submit(list(prompt), SamplingConfig(temperature=0.0, max_tokens=3)))
    assert limited.tokens == 3
    assert limited.stats.stop_reason == "maxPredictedTokensReached"
    stopped = collect(model.submit(list(prompt), SamplingConfig(stop=("lazy",))))
    assert stopped.text == SCRIPT[: SCRIPT.index("lazy")]
    again = collect(model.submit(list(prompt), GREEDY))
    assert again.text == SCRIPT
    engine.close()
