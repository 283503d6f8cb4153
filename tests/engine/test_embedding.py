"""Vectors and scores through the real llama.cpp, compared with numpy."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import psutil
import pytest

from tests.support.embedders import embedder, open_embedder
from tests.support.embedding_models import bert_score, bert_vectors, bert_weights, make_bert, make_reranker
from tests.support.engines import PATIENCE, first_output, loaded
from tests.support.model_maker import make_scripted_model, make_tiny_model
from tui.domain import BadRequest, Cancelled, ContextExceeded, EngineFault, LoadConfig, ModelUnusable, SamplingConfig
from tui.domain.configuration import Pooling
from tui.engine import embedding
from tui.engine.embedding_text import rank_prompts, tokenize_inputs
from tui.engine.rows import Rows

TEXTS = ["hello that is user", "the assistant, and 42?", "zebra", "it is in the system, user. " * 5]
# llama.cpp's flash attention and GELU table are of half precision.
CLOSE = 0.01


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def bert(folder: Path) -> Path:
    return make_bert(folder / "bert.gguf", bert_weights())


@pytest.fixture(scope="module")
def ranker(folder: Path) -> Path:
    return make_bert(folder / "ranker.gguf", bert_weights(ranks=True), pooling=4)


@pytest.fixture(scope="module")
def decoder(folder: Path) -> Path:
    return make_tiny_model(folder / "decoder.gguf", architecture="qwen3", metadata={"qwen3.pooling_type": 3})


def vectors(path: Path, config: LoadConfig, texts: list[str] = TEXTS, **options: bool) -> list[Any]:
    with embedder(path, config) as opened:
        inputs = tokenize_inputs(opened.vocabulary, texts)
        return list(opened.worker.embed(inputs, **options).result(PATIENCE).vectors)


@pytest.mark.parametrize("pooling", ["auto", "mean", "cls", "last", "none"])
def test_the_vectors_are_those_of_the_model(bert: Path, pooling: Pooling) -> None:
    weights = bert_weights()
    with embedder(bert, LoadConfig(pooling=pooling)) as opened:
        inputs = tokenize_inputs(opened.vocabulary, TEXTS)
        assert (inputs[0][0], inputs[0][-1]) == (2, 3), "[CLS] and [SEP] around it"
        answer = opened.worker.embed(inputs, normalize=False).result(PATIENCE)
    assert answer.tokens == tuple(map(len, inputs))
    for tokens, vector in zip(inputs, answer.vectors, strict=True):
        expected = bert_vectors(weights, tokens)
        pooled = {"auto": expected.mean(0), "mean": expected.mean(0), "cls": expected[0], "last": expected[-1]}
        assert vector.dtype == numpy.float32
        assert numpy.allclose(vector, pooled.get(pooling, expected), atol=CLOSE)


def test_the_mean_is_the_average_of_the_tokens(bert: Path) -> None:
    every = vectors(bert, LoadConfig(pooling="none"), normalize=False)
    means = vectors(bert, LoadConfig(pooling="mean"), normalize=False)
    for tokens, mean in zip(every, means, strict=True):
        assert numpy.allclose(tokens.mean(0), mean, atol=1e-5)


def test_normalised_vectors_have_length_one_and_the_same_direction(bert: Path) -> None:
    plain = vectors(bert, LoadConfig(), normalize=False)
    unit = vectors(bert, LoadConfig())
    for long, short in zip(plain, unit, strict=True):
        assert numpy.isclose(numpy.linalg.norm(short), 1, atol=1e-6)
        assert numpy.allclose(short * numpy.linalg.norm(long), long, atol=1e-5)
    for tokens in vectors(bert, LoadConfig(pooling="none")):
        assert numpy.allclose(numpy.linalg.norm(tokens, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("kind", ["bert", "decoder"])
def test_inputs_in_one_batch_do_not_see_each_other(kind: str, request: pytest.FixtureRequest) -> None:
    texts = [f"user {number} and {'the system is ' * (number % 7)}" for number in range(100)]
    with embedder(request.getfixturevalue(kind), LoadConfig(flash_attention="off")) as opened:
        inputs = tokenize_inputs(opened.vocabulary, texts)
        together = opened.worker.embed(inputs).result(PATIENCE).vectors
        alone = [opened.worker.embed([tokens]).result(PATIENCE).vectors[0] for tokens in inputs]
    assert numpy.allclose(together, alone, atol=1e-4)
    assert not numpy.allclose(together[0], together[1], atol=0.01)


def test_a_causal_model_reads_long_inputs_in_pieces_beside_short_ones(decoder: Path) -> None:
    texts = ["that is the user and the system " * 40, "hello", "the assistant " * 60, "it"]
    config = LoadConfig(context_length=2048, physical_batch_size=2048, flash_attention="off")
    small = replace(config, physical_batch_size=32)
    whole, pieces = vectors(decoder, config, texts), vectors(decoder, small, texts)
    for one, other in zip(whole, pieces, strict=True):
        assert numpy.allclose(one, other, atol=1e-5)
    for tokens, last in zip(vectors(decoder, replace(small, pooling="none"), texts), pieces, strict=True):
        assert numpy.allclose(tokens[-1], last, atol=1e-5)


def test_which_models_are_for_embeddings(folder: Path, bert: Path, decoder: Path) -> None:
    plain = make_tiny_model(folder / "text.gguf")
    reranker = make_reranker(folder / "which.gguf")
    asked = LoadConfig(embedding=True)
    for path, config, expected in (
        (bert, LoadConfig(), True),
        (decoder, LoadConfig(), True),
        (reranker, LoadConfig(), True),
        (plain, LoadConfig(), False),
        (plain, asked, True),
    ):
        opened = open_embedder(path, config)
        assert opened.embeds == expected, path.name
        opened.close()


def test_pooling_that_the_file_leaves_open_suits_the_model(folder: Path) -> None:
    plain = make_tiny_model(folder / "plain.gguf")
    silent = make_bert(folder / "silent.gguf", bert_weights(), pooling=None)
    with embedder(plain, LoadConfig(embedding=True)) as opened:
        assert opened.worker.pooling.name == "LAST"
    with embedder(silent) as opened:
        assert opened.worker.pooling.name == "MEAN"


def test_a_small_request_is_not_stuck_behind_a_huge_one(bert: Path) -> None:
    done: list[str] = []
    with embedder(bert) as opened:
        tokens = opened.vocabulary.tokenize("the user is in the system", add_special=True)
        huge = opened.worker.embed([tokens] * 3000)
        small = opened.worker.embed([tokens])
        ended = threading.Event()
        for future, name in ((huge, "huge"), (small, "small")):
            future.add_done_callback(lambda _done, name=name: done.append(name))  # type: ignore[misc]
        huge.add_done_callback(lambda _done: ended.set())
        assert ended.wait(PATIENCE)
        assert done == ["small", "huge"]
        assert numpy.array_equal(huge.result().vectors[2999], huge.result().vectors[0])
        assert opened.worker.running == 0


def test_a_cancelled_request_leaves_the_others_alone(decoder: Path) -> None:
    with embedder(decoder, LoadConfig(context_length=2048, physical_batch_size=32)) as opened:
        long = opened.vocabulary.tokenize("the user is in the system " * 60)
        huge = opened.worker.embed([long] * 200)
        small = opened.worker.embed([[1, 2, 3]])
        small.result(PATIENCE)
        assert huge.cancel()
        after = opened.worker.embed([long]).result(PATIENCE)
        assert numpy.isfinite(after.vectors[0]).all()
        assert opened.worker.running == 0


def test_unloading_ends_what_waits(bert: Path) -> None:
    with embedder(bert) as opened:
        tokens = opened.vocabulary.tokenize("the user is in the system", add_special=True)
        huge = opened.worker.embed([tokens] * 20000)
    with pytest.raises(Cancelled, match="unloaded"):
        huge.result(PATIENCE)
    with pytest.raises(Cancelled, match="unloaded"):
        opened.worker.embed([tokens]).result(PATIENCE)


def test_what_is_too_long_is_refused_with_figures_or_cut(bert: Path) -> None:
    with embedder(bert, LoadConfig(context_length=64)) as opened:
        tokens = tokenize_inputs(opened.vocabulary, ["ab " * 100])[0]
        with pytest.raises(ContextExceeded) as problem:
            opened.worker.embed([[2, 3], tokens])
        assert (problem.value.prompt_tokens, problem.value.context_length) == (len(tokens), 64)
        assert "input[1]" in problem.value.message
        cut = opened.worker.embed([tokens], truncate=True).result(PATIENCE)
        same = opened.worker.embed([[*tokens[:63], 3]]).result(PATIENCE)
        assert cut.tokens == (64,)
        assert numpy.array_equal(cut.vectors[0], same.vectors[0]), "the closing marker stays"


def test_positions_that_were_never_learnt_are_out_of_reach(bert: Path) -> None:
    stretched = LoadConfig(context_length=4096, rope_frequency_base=1e6)
    with embedder(bert, stretched) as opened:
        assert opened.worker.input_limit == 128
        opened.worker.embed([[5] * 128]).result(PATIENCE)


@pytest.mark.parametrize(("tokens", "said"), [([], "nothing"), ([5, -1], "does not know"), ([10**6], "does not know")])
def test_bad_inputs_are_named(bert: Path, tokens: list[int], said: str) -> None:
    with embedder(bert) as opened, pytest.raises(BadRequest, match=said) as problem:
        opened.worker.embed([[5], [6], [7], tokens])
    assert problem.value.field == "input[3]"


def test_an_empty_text_is_named(bert: Path) -> None:
    with embedder(bert) as opened:
        with pytest.raises(BadRequest) as problem:
            tokenize_inputs(opened.vocabulary, ["a", "b", "c", ""])
        assert problem.value.field == "input[3]"
        assert opened.worker.embed([]).result(PATIENCE).vectors == ()


def test_numbers_that_are_none_fail_only_their_own_request(folder: Path) -> None:
    weights = bert_weights()
    weights["token_embd.weight"][31] = numpy.nan
    path = make_bert(folder / "broken.gguf", weights)
    with embedder(path) as opened:
        good, bad = [2, 20, 21, 3], [2, 31, 3]
        answers = submit_together(opened.worker, [[good, good]], [[good, bad]], [[good]])
        assert numpy.isfinite(answers[0].result(PATIENCE).vectors).all()
        with pytest.raises(EngineFault, match="input 1"):
            answers[1].result(PATIENCE)
        assert numpy.isfinite(answers[2].result(PATIENCE).vectors).all()


def test_an_input_that_llama_cpp_refuses_fails_only_its_own_request(
    bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = Rows.encode

    def choosy(rows: Rows, context: Any) -> int:
        return -3 if 31 in rows._content[: rows._filled] else encode(rows, context)

    monkeypatch.setattr(Rows, "encode", choosy)
    with embedder(bert) as opened:
        good, bad = [2, 20, 21, 3], [2, 31, 3]
        answers = submit_together(opened.worker, [[good]], [[good, bad, good]], [[good]])
        assert len(answers[0].result(PATIENCE).vectors) == 1
        with pytest.raises(EngineFault, match="code -3"):
            answers[1].result(PATIENCE)
        assert len(answers[2].result(PATIENCE).vectors) == 1


def submit_together(worker: embedding.EmbeddingWorker, *requests: list[list[list[int]]]) -> list[Future[Any]]:
    """Submit requests while the worker cannot begin, so that they share a pass."""
    with worker._changed:
        return [worker.embed(inputs) for (inputs,) in requests]


def test_more_memory_than_there_is_is_not_taken(bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "_LARGE_OUTPUT", 0)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1000))
    with embedder(bert) as opened, pytest.raises(EngineFault, match="not free"):
        opened.worker.embed([[5] * 100]).result(PATIENCE)


def test_scores_are_those_of_the_model(ranker: Path) -> None:
    weights = bert_weights(ranks=True)
    with embedder(ranker) as opened:
        prompts = rank_prompts(opened.vocabulary, opened.form, "hello", ["that is", "42", "the user"], limit=128)
        assert prompts[0] == [2, *opened.vocabulary.tokenize("hello"), 3, *opened.vocabulary.tokenize("that is"), 3]
        ranking = opened.worker.rank(prompts).result(PATIENCE)
        assert ranking.tokens == tuple(map(len, prompts))
        assert numpy.allclose(ranking.scores, [bert_score(weights, prompt) for prompt in prompts], atol=CLOSE)
        with pytest.raises(BadRequest, match="ranks"):
            opened.worker.embed([[5]])


def test_a_file_with_its_own_wording_is_asked_in_it(folder: Path) -> None:
    path = make_reranker(folder / "qwen3.gguf")
    with embedder(path, LoadConfig(context_length=128, physical_batch_size=16)) as opened:
        documents = ["the user {query}", "hello " * 8]
        prompts = rank_prompts(opened.vocabulary, opened.form, "is it {document}?", documents, limit=128)
        asked = [opened.vocabulary.text(prompt) for prompt in prompts]
        assert asked[0] == "Query: is it {document}?\nDocument: the user {query}\nRelevant?"
        pieces = opened.worker.rank(prompts).result(PATIENCE).scores
    with embedder(path, LoadConfig(context_length=128)) as opened:
        whole = opened.worker.rank(prompts).result(PATIENCE).scores
    assert numpy.allclose(pieces, whole, atol=1e-3)
    assert all(0 < score < 1 for score in whole)
    assert abs(whole[0] - whole[1]) > 1e-3


@pytest.mark.parametrize("kind", ["template", "markers"])
def test_a_long_document_is_refused_or_cut_inside_its_prompt(folder: Path, ranker: Path, kind: str) -> None:
    path = make_reranker(folder / "cut.gguf") if kind == "template" else ranker
    with embedder(path) as opened:
        ask = ("hello", ["short", "the user is " * 40])
        with pytest.raises(ContextExceeded, match=r"documents\[1\]"):
            rank_prompts(opened.vocabulary, opened.form, *ask, limit=60)
        prompts = rank_prompts(opened.vocabulary, opened.form, *ask, limit=60, truncate=True)
        assert 50 < len(prompts[1]) <= 60
        if kind == "template":
            assert opened.vocabulary.text(prompts[1]).endswith("\nRelevant?")
        else:
            assert prompts[1][-1] == 3
        with pytest.raises(ContextExceeded):
            rank_prompts(opened.vocabulary, opened.form, "hello " * 80, ["a"], limit=60, truncate=True)


@pytest.mark.parametrize(("query", "documents", "field"), [("", ["a"], "query"), ("a", ["b", ""], "documents[1]")])
def test_empty_texts_cannot_be_ranked(ranker: Path, query: str, documents: list[str], field: str) -> None:
    with embedder(ranker) as opened, pytest.raises(BadRequest) as problem:
        rank_prompts(opened.vocabulary, opened.form, query, documents, limit=60)
    assert problem.value.field == field


def test_a_model_without_a_head_cannot_rank(bert: Path) -> None:
    with pytest.raises(BadRequest, match="no head") as problem:
        open_embedder(bert, LoadConfig(pooling="rank"))
    assert problem.value.field == "load.pooling"
    with embedder(bert) as opened, pytest.raises(BadRequest, match="cannot rank"):
        opened.worker.rank([[5]])


def test_files_that_contradict_themselves_are_refused(folder: Path) -> None:
    odd = make_bert(folder / "odd.gguf", bert_weights(), pooling=9)
    with pytest.raises(ModelUnusable, match="9"):
        open_embedder(odd, LoadConfig())
    with embedder(odd, LoadConfig(pooling="mean")) as opened:
        assert opened.worker.embed([[5]]).result(PATIENCE).tokens == (1,)
    labels = {"bert.classifier.output_labels": [f"label {number}" for number in range(100)]}
    wide = make_bert(folder / "wide.gguf", bert_weights(), pooling=4, metadata=labels)
    with pytest.raises(ModelUnusable, match="100"):
        open_embedder(wide, LoadConfig())


def test_it_works_beside_a_model_that_generates(bert: Path, folder: Path) -> None:
    path = make_scripted_model(folder / "endless.gguf", "on and on ", loop=True, context_length=8192)
    with loaded(path, LoadConfig(context_length=8192, threads=1)) as model, embedder(bert) as opened:
        task = model.submit(model.vocabulary.tokenize("Hi"), SamplingConfig(temperature=0.0))
        first_output(task)
        opened.worker.embed([[2, 20, 3]] * 50).result(PATIENCE)
        assert first_output(task), "the answer went on meanwhile"
        task.cancel()
