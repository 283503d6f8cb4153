"""One answer at a time, through the real llama.cpp."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engines import collect, first_output, loaded
from tests.support.model_maker import make_scripted_model, make_tiny_model
from tui.domain import BadRequest, ContextExceeded, EngineFault, LoadConfig, SamplingConfig
from tui.engine import LoadedModel

SCRIPT = "Hello, **world**! Grüße aus München. 你好, and that is all."
GREEDY = SamplingConfig(temperature=0.0, repeat_penalty=1.0)


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadedModel]:
    path = make_scripted_model(tmp_path_factory.mktemp("models") / "scripted.gguf", SCRIPT, cut_utf8=True)
    with loaded(path, LoadConfig(context_length=512, threads=1)) as model:
        yield model


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadedModel]:
    path = make_scripted_model(tmp_path_factory.mktemp("models") / "endless.gguf", SCRIPT, loop=True)
    with loaded(path, LoadConfig(context_length=512, threads=1)) as model:
        yield model


@pytest.fixture(scope="module")
def random(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadedModel]:
    path = make_tiny_model(tmp_path_factory.mktemp("models") / "random.gguf", extra_tokens=500)
    with loaded(path, LoadConfig(context_length=512, threads=1)) as model:
        yield model


def test_the_default_sampling_yields_the_script_and_the_figures(scripted: LoadedModel) -> None:
    prompt = scripted.vocabulary.tokenize_prompt("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
    answer = collect(scripted.submit(list(prompt), SamplingConfig()))
    assert answer.text == SCRIPT
    assert answer.stats.stop_reason == "eosFound"
    assert answer.stats.prompt_tokens == len(prompt)
    assert answer.stats.generated_tokens == answer.tokens + 1, "the end token is generated too, but says nothing"
    assert answer.stats.time_to_first_token > 0
    assert answer.stats.prompt_speed > 0
    assert answer.stats.generation_speed > 0
    assert answer.stats.context_length == 512
    assert answer.stats.context_used == len(prompt) + answer.tokens


@pytest.mark.parametrize("stop", ["world", "o, **w", "Grüße", "好", "H", "all."])
def test_a_stop_text_ends_the_answer_and_is_not_part_of_it(scripted: LoadedModel, stop: str) -> None:
    prompt = scripted.vocabulary.tokenize("Hi\n")
    answer = collect(scripted.submit(prompt, SamplingConfig(stop=("never said", stop))))
    assert answer.text == SCRIPT[: SCRIPT.index(stop)]
    assert answer.stats.stop_reason == "stopStringFound"


def test_the_beginning_of_a_stop_text_that_does_not_come_is_not_lost(scripted: LoadedModel) -> None:
    answer = collect(scripted.submit(scripted.vocabulary.tokenize("Hi\n"), SamplingConfig(stop=("is all. Really",))))
    assert answer.text == SCRIPT


def test_the_token_limit_holds(endless: LoadedModel) -> None:
    answer = collect(endless.submit(endless.vocabulary.tokenize("Hi\n"), SamplingConfig(max_tokens=17)))
    assert answer.tokens == answer.stats.generated_tokens == 17
    assert answer.stats.stop_reason == "maxPredictedTokensReached"


def test_an_answer_ends_where_the_context_does(endless: LoadedModel) -> None:
    prompt = endless.vocabulary.tokenize("Hi\n")
    answer = collect(endless.submit(list(prompt), SamplingConfig()))
    assert answer.stats.stop_reason == "contextLengthReached"
    assert answer.stats.context_used == endless.context_length + 1, "the last token needs no cell"


def test_a_prompt_longer_than_the_context_is_refused_with_both_figures(endless: LoadedModel) -> None:
    with pytest.raises(ContextExceeded) as refusal:
        endless.submit([65] * 600, SamplingConfig())
    assert refusal.value.prompt_tokens == 600
    assert refusal.value.context_length == 512
    assert "600" in refusal.value.message
    assert "512" in refusal.value.message


def test_cancelling_ends_an_answer_and_keeps_what_was_said(endless: LoadedModel) -> None:
    task = endless.submit(endless.vocabulary.tokenize("Hi\n"), SamplingConfig())
    said = first_output(task)
    task.cancel()
    answer = collect(task)
    assert answer.stats.stop_reason == "userStopped"
    assert SCRIPT.encode().startswith((said + answer.data)[: len(SCRIPT.encode())])
    assert answer.stats.generated_tokens < 450


def test_cancelling_reaches_into_the_reading_of_a_prompt(tmp_path: Path) -> None:
    path = make_tiny_model(tmp_path / "slow.gguf", layers=16, embedding=256, feed_forward=1024, context_length=8192)
    with loaded(path, LoadConfig(context_length=8192, threads=1, physical_batch_size=4096)) as model:
        task = model.submit([65] * 8000, SamplingConfig())
        while (delivery := task.mailbox.take(60)) is not None and delivery.prompt is None:
            pass
        task.cancel()
        answer = collect(task)
        assert answer.stats.stop_reason == "userStopped"
        assert answer.stats.generated_tokens == 0
        again = collect(model.submit([66] * 20, SamplingConfig(max_tokens=3)))
        assert again.stats.stop_reason == "maxPredictedTokensReached", "the model works on after a broken-off step"


def test_the_same_seed_gives_the_same_answer(random: LoadedModel) -> None:
    sampling = SamplingConfig(temperature=1.5, seed=7, max_tokens=30)
    prompt = random.vocabulary.tokenize("Once upon a time")
    first, second = (collect(random.submit(list(prompt), sampling)).data for _ in range(2))
    other = collect(random.submit(list(prompt), SamplingConfig(temperature=1.5, seed=8, max_tokens=30))).data
    assert first == second != other


def test_logit_bias_forces_and_forbids_tokens(random: LoadedModel) -> None:
    sampling = SamplingConfig(temperature=0.0, logit_bias=((66, 1000.0),), repeat_penalty=1.0, max_tokens=5)
    prompt = random.vocabulary.tokenize("x")
    assert collect(random.submit(list(prompt), sampling)).data == random.vocabulary.piece(66) * 5
    usual = random.vocabulary.tokenize(collect(random.submit(list(prompt), GREEDY_ONE)).text)
    forbidden = SamplingConfig(
        temperature=0.0, repeat_penalty=1.0, max_tokens=1, logit_bias=((usual[0], float("-inf")),)
    )
    assert random.vocabulary.tokenize(collect(random.submit(list(prompt), forbidden)).text)[0] != usual[0]


GREEDY_ONE = SamplingConfig(temperature=0.0, repeat_penalty=1.0, max_tokens=1)


def test_ignoring_the_end_goes_on_past_it(scripted: LoadedModel) -> None:
    sampling = SamplingConfig(ignore_end_of_generation=True, max_tokens=60)
    answer = collect(scripted.submit(scripted.vocabulary.tokenize("Hi\n"), sampling))
    assert answer.stats.stop_reason == "maxPredictedTokensReached"
    assert answer.text.startswith(SCRIPT)


@pytest.mark.parametrize(
    "sampling",
    [
        SamplingConfig(max_tokens=12, dry_multiplier=0.8),
        SamplingConfig(max_tokens=12, xtc_probability=0.5, xtc_threshold=0.05),
        SamplingConfig(max_tokens=12, mirostat=1),
        SamplingConfig(max_tokens=12, mirostat=2),
        SamplingConfig(max_tokens=12, typical_p=0.7),
        SamplingConfig(max_tokens=12, top_n_sigma=1.0),
        SamplingConfig(max_tokens=12, dynamic_temperature_range=0.5),
        SamplingConfig(max_tokens=12, top_k=0, top_p=1.0, min_p=0.0, ignore_end_of_generation=True),
        SamplingConfig(max_tokens=12, presence_penalty=1.0, frequency_penalty=1.0, repeat_last_n=-1),
    ],
    ids=["dry", "xtc", "mirostat 1", "mirostat 2", "typical", "top-n-sigma", "dynamic", "everything", "penalties"],
)
def test_every_sampler_generates(random: LoadedModel, sampling: SamplingConfig) -> None:
    assert collect(random.submit(random.vocabulary.tokenize("Hi"), sampling)).tokens == 12


@pytest.mark.parametrize(
    ("sampling", "field"),
    [
        (SamplingConfig(temperature=-1), "sampling.temperature"),
        (SamplingConfig(temperature=float("nan")), "sampling.temperature"),
        (SamplingConfig(top_p=1.5), "sampling.top_p"),
        (SamplingConfig(repeat_penalty=0.0), "sampling.repeat_penalty"),
        (SamplingConfig(max_tokens=0), "sampling.max_tokens"),
        (SamplingConfig(stop=("",)), "sampling.stop"),
        (SamplingConfig(logit_bias=((10**6, 1.0),)), "sampling.logit_bias"),
    ],
)
def test_impossible_sampling_is_refused_by_name(random: LoadedModel, sampling: SamplingConfig, field: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        random.submit([65], sampling)
    assert refusal.value.field == field


def test_weights_that_are_not_numbers_fail_the_answer_and_nothing_else(tmp_path: Path) -> None:
    path = make_tiny_model(tmp_path / "damaged.gguf", quantization="f32")
    data = bytearray(path.read_bytes())
    # The last tensors are the last layer's; all bits set is "not a number" in every float.
    data[-4096:] = b"\xff" * 4096
    path.write_bytes(bytes(data))
    with loaded(path) as model:
        for _ in range(2):
            answer = collect(model.submit([65, 66], SamplingConfig()))
            assert isinstance(answer.error, EngineFault)
            assert "not numbers" in answer.error.message
            assert answer.stats.stop_reason == "failed"


def test_unloading_ends_what_runs_and_says_so(tmp_path: Path) -> None:
    path = make_scripted_model(tmp_path / "endless.gguf", SCRIPT, loop=True, context_length=4096)
    with loaded(path, LoadConfig(context_length=4096, threads=1, parallel=1)) as model:
        running = model.submit(model.vocabulary.tokenize("Hi\n"), SamplingConfig())
        waiting = model.submit(model.vocabulary.tokenize("Ho\n"), SamplingConfig())
        late_prompt = model.vocabulary.tokenize("Ha\n")
        first_output(running)
        model.close()
        assert collect(running).stats.stop_reason == "modelUnloaded"
        assert collect(waiting).stats.stop_reason == "modelUnloaded"
        for late in (lambda: model.submit(late_prompt, SamplingConfig()), lambda: model.vocabulary.tokenize("Ha")):
            with pytest.raises(EngineFault, match="unloaded"):
                late()
