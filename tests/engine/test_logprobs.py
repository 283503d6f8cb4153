"""What is reported of each token's probability, against numpy on the same logits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest

from tests.support.engines import PATIENCE, loaded
from tests.support.model_maker import make_scripted_model, make_tiny_model
from tui.domain import BadRequest, LoadConfig, SamplingConfig, TokenLogprob
from tui.engine import GenerationTask, LoadedModel
from tui.engine.logprobs import LogprobCollector


@pytest.fixture(scope="module")
def random(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadedModel]:
    path = make_tiny_model(tmp_path_factory.mktemp("models") / "random.gguf", extra_tokens=500)
    with loaded(path, LoadConfig(context_length=512, threads=1)) as model:
        yield model


def logprobs_of(task: GenerationTask) -> list[TokenLogprob]:
    found: list[TokenLogprob] = []
    while True:
        delivery = task.mailbox.take(PATIENCE)
        assert delivery is not None
        found.extend(delivery.logprobs)
        if delivery.stats is not None:
            return found


def test_the_numbers_are_those_of_the_definition(random: LoadedModel) -> None:
    logits = numpy.random.default_rng(0).normal(0, 5, random.vocabulary.size).astype(numpy.float32)
    collector = LogprobCollector(3, random.vocabulary)
    collector.look(logits)
    expected = logits.astype(float) - numpy.log(numpy.exp(logits.astype(float)).sum())
    logits[:] = 0  # what happens to the row afterwards must not matter
    collector.note(7)
    (noted,) = collector.take()
    assert noted.token == 7
    assert noted.data == random.vocabulary.piece(7)
    assert noted.logprob == pytest.approx(expected[7], abs=1e-4)
    best = numpy.argsort(-expected)[:3]
    assert [token for token, _, _ in noted.alternatives] == best.tolist()
    assert [value for _, _, value in noted.alternatives] == pytest.approx(expected[best].tolist(), abs=1e-4)
    assert collector.take() == []


def test_every_token_is_reported_once_and_greedy_takes_the_best(random: LoadedModel) -> None:
    sampling = SamplingConfig(temperature=0.0, repeat_penalty=1.0, max_tokens=9, top_logprobs=4)
    task = random.submit([65, 10], sampling)
    found = logprobs_of(task)
    assert [entry.token for entry in found] == task.history[2:]
    for entry in found:
        assert len(entry.alternatives) == 4
        assert entry.alternatives[0][0] == entry.token
        assert entry.alternatives[0][2] == entry.logprob <= 0
        assert sum(math.exp(value) for _, _, value in entry.alternatives) <= 1.0001


def test_they_are_the_models_own_whatever_the_sampling_does(random: LoadedModel) -> None:
    plain = logprobs_of(random.submit([65, 10], SamplingConfig(temperature=0.0, max_tokens=1, top_logprobs=1)))
    bent = SamplingConfig(temperature=2.0, logit_bias=((plain[0].token, -math.inf),), max_tokens=1, top_logprobs=1)
    (entry,) = logprobs_of(random.submit([65, 10], bent))
    assert entry.token != plain[0].token
    assert entry.alternatives[0][0] == plain[0].token
    assert entry.alternatives[0][2] == pytest.approx(plain[0].logprob, abs=1e-3)


def test_nothing_is_reported_unasked_and_zero_reports_the_token_alone(tmp_path: Path) -> None:
    path = make_scripted_model(tmp_path / "scripted.gguf", "Yes.")
    with loaded(path) as model:
        assert logprobs_of(model.submit([65], SamplingConfig())) == []
        alone = logprobs_of(model.submit([65], SamplingConfig(top_logprobs=0)))
        assert b"".join(entry.data for entry in alone).startswith(b"Yes.")
        assert all(entry.alternatives == () for entry in alone)


@pytest.mark.parametrize("count", [-1, 101])
def test_impossible_counts_are_refused(random: LoadedModel, count: int) -> None:
    with pytest.raises(BadRequest) as refusal:
        random.submit([65], SamplingConfig(top_logprobs=count))
    assert refusal.value.field == "sampling.top_logprobs"


def test_the_least_number_of_tokens_holds(tmp_path: Path) -> None:
    path = make_scripted_model(tmp_path / "scripted.gguf", "Yes.")
    with loaded(path) as model:
        task = model.submit([65], SamplingConfig(min_tokens=20, max_tokens=40))
        logprobs_of(task)
        assert 20 <= task.generated <= 40
    with loaded(path) as model, pytest.raises(BadRequest) as refusal:
        model.submit([65], SamplingConfig(min_tokens=20, max_tokens=10))
    assert refusal.value.field == "sampling.min_tokens"
