"""The estimate before loading: right for every kind of model, and with everything that is loaded beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.memory import error_percent, read_prompt
from tests.support.embedding_models import bert_weights, make_bert
from tests.support.engines import info_of
from tests.support.expert_models import make_expert_model
from tests.support.lora_maker import make_lora
from tests.support.memory_models import MemoryKind, make_memory_model
from tests.support.model_maker import make_tiny_model
from tests.support.projector_models import make_projector
from tui.domain import BadRequest, LoadConfig
from tui.engine import Engine, LogRing
from tui.engine.child import Job, Outcome, run
from tui.engine.library import load_llama
from tui.engine.loading import open_model
from tui.engine.pooling import output_bytes
from tui.engine.warm_child import WarmChild

PLAIN = LoadConfig(threads=1, context_length=1024)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path / "verdicts.json", LogRing())
    yield engine
    engine.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make_tiny_model(tmp_path / "m.gguf", layers=3, embedding=128, heads=4, extra_tokens=300)


@pytest.mark.parametrize(
    "config",
    [
        replace(PLAIN, parallel=8, unified_kv_cache=False, try_mmap=False),
        replace(PLAIN, key_cache_type="q8_0", value_cache_type="q4_0", physical_batch_size=64),
        replace(PLAIN, evaluation_batch_size=100, full_sliding_window_cache=True),
    ],
)
def test_the_estimate_is_what_llama_cpp_then_allocates(
    tmp_path: Path, path: Path, engine: Engine, config: LoadConfig
) -> None:
    kernels = engine.self_test().kernels
    kinds: tuple[MemoryKind, ...] = ("window", "recurrent", "hybrid")
    others = [make_memory_model(tmp_path / f"{kind}.gguf", kind) for kind in kinds]
    experts = make_expert_model(tmp_path / "experts.gguf")
    narrow = replace(config, key_cache_type="f16", value_cache_type="f16")  # their heads are too small for blocks
    for file, fitting in [(path, config), (experts, config), *((other, narrow) for other in others)]:
        estimate = engine.estimate(info_of(file), fitting)
        opened = open_model(file, fitting, kernels)
        read_prompt(opened)
        assert error_percent(estimate, opened) <= 2, file.name
        opened.close()


def test_results_have_a_row_for_each_sequence_or_for_each_token_of_a_vector_model(
    tmp_path: Path, path: Path, engine: Engine
) -> None:
    bert = make_bert(tmp_path / "bert.gguf", bert_weights(context_length=128))
    for file, rows in ((path, 4 + 12), (bert, 128)):
        config = replace(PLAIN, context_length=128)
        estimate = engine.estimate(info_of(file), config)
        opened = open_model(file, config, engine.self_test().kernels)
        llama = load_llama()
        vectors = output_bytes(llama, opened.model, rows, with_vectors=file is bert)
        opened.close()
        assert estimate.devices[0].outputs == vectors > 0
        assert bool(estimate.parked) == (file is path), "vectors leave no conversations behind"
    guessing = engine.estimate(info_of(path), replace(PLAIN, speculation="ngram", draft_max_tokens=16))
    plain = engine.estimate(info_of(path), PLAIN)
    assert guessing.devices[0].outputs == plain.devices[0].outputs * 4 * 17 // 16, "guesses are checked by rows"


def test_a_draft_model_counts_with_its_cache(tmp_path: Path, path: Path, engine: Engine) -> None:
    draft = make_tiny_model(tmp_path / "draft.gguf", layers=2, extra_tokens=300, context_length=512)
    config = replace(PLAIN, speculation="draft", draft_model=str(draft))
    (device,) = engine.estimate(info_of(path), config).devices
    (alone,) = engine.estimate(info_of(draft), replace(PLAIN, context_length=512)).devices
    assert device.weights == engine.estimate(info_of(path), PLAIN).devices[0].weights
    assert device.draft > alone.weights + alone.kv_cache
    # It has a sequence for each of the large model's, and no longer context than it was trained for.
    assert device.draft < 1.5 * alone.needed
    assert device.needed > device.draft + device.weights
    draft.write_bytes(draft.read_bytes()[:-3000])
    with pytest.raises(BadRequest, match=r"draft\.gguf") as refusal:
        engine.load(info_of(path), config)
    assert refusal.value.field == "load.draft_model"
    with pytest.raises(BadRequest) as refusal:
        engine.load(info_of(path), replace(config, draft_model=str(tmp_path / "gone.gguf")))
    assert refusal.value.field == "load.draft_model"


def test_adapters_count_with_their_files(tmp_path: Path, path: Path, engine: Engine) -> None:
    first, second = make_lora(tmp_path / "a.gguf", width=128, rows=128), make_lora(tmp_path / "b.gguf")
    (device,) = engine.estimate(info_of(path), replace(PLAIN, lora=((str(first), 1.0), (str(second), 0.5)))).devices
    assert device.adapters == first.stat().st_size + second.stat().st_size


def test_a_projector_counts_when_it_is_named_or_lies_beside(
    tmp_path: Path, path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = make_projector(tmp_path / "deep" / "mmproj.gguf", "mlp", width=128)
    tried: list[str] = []

    def counted(_child: WarmChild, job: Job) -> Outcome:
        tried.append(job.kind)
        return run(job)

    monkeypatch.setattr(WarmChild, "run", counted)
    none = engine.estimate(info_of(path), PLAIN)
    named = engine.estimate(info_of(path), replace(PLAIN, projector=str(elsewhere)))
    assert none.devices[0].projector == 0
    # Its weights, and the computation of one image.
    assert named.devices[0].projector > elsewhere.stat().st_size
    beside = elsewhere.rename(path.with_name("mmproj-m-f16.gguf"))
    assert engine.estimate(info_of(path), PLAIN).devices[0].projector == named.devices[0].projector
    assert engine.estimate(info_of(path), replace(PLAIN, projector="off")).devices[0].projector == 0
    before = len(tried)
    engine.estimate(info_of(path), replace(PLAIN, context_length=512))
    assert tried[before:] == ["probe"], "the projector is laid out once, whatever the context"
    beside.write_bytes(b"GGUF and nothing behind it")
    assert engine.estimate(info_of(path), PLAIN).devices[0].projector == 0, "it will not be used"
    assert engine.load(info_of(path), PLAIN).image_marker is None


def test_what_has_no_influence_on_memory_needs_no_new_layout(
    path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = engine.estimate(info_of(path), PLAIN)
    monkeypatch.setattr(WarmChild, "run", lambda _child, _job: pytest.fail("it was known"))
    other = replace(PLAIN, seed=7, chat_template="x", fit_minimum_context=64, context_checkpoints=3)
    assert engine.estimate(info_of(path), other).needed == first.needed
    with pytest.raises(BadRequest):
        engine.estimate(info_of(path), replace(other, seed=-7))
