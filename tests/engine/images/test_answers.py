"""Images in answers: through the engine's queue, cache and batches, beside other answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import pytest

from tests.support.engines import collect, info_of, loaded
from tests.support.model_maker import make_tiny_model
from tests.support.projector_models import Kind, make_projector, make_text_model_with_axes, picture_file
from tui.domain import BadRequest, ContextExceeded, LoadConfig, SamplingConfig
from tui.engine import Engine, LoadedModel, LogRing

KINDS = get_args(Kind)
PLAIN = LoadConfig(threads=1, context_length=512, parallel=4, flash_attention="off")
GREEDY = SamplingConfig(temperature=0.0, max_tokens=8, ignore_end_of_generation=True)
FIRST, SECOND = picture_file(), picture_file(200, 100, seed=1)


@pytest.fixture(scope="module", params=KINDS)
def model_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pair(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def model(model_file: Path) -> Iterator[LoadedModel]:
    with loaded(model_file, PLAIN) as model:
        yield model


def make_pair(folder: Path, kind: Kind) -> Path:
    make_projector(folder / "mmproj-text-f16.gguf", kind)
    maker: Callable[[Path], object] = make_text_model_with_axes if kind == "qwen2vl" else make_tiny_model
    maker(folder / "text.gguf")
    return folder / "text.gguf"


def ask(model: LoadedModel, text: str, images: list[bytes], sampling: SamplingConfig = GREEDY) -> tuple[str, int]:
    """The answer, and how many tokens of the prompt were in the cache."""
    assert model.image_marker is not None
    tokens, media = model.read_images(text.replace("@", model.image_marker), images, lambda: False)
    done = collect(model.submit(tokens, sampling, media=media))
    assert done.error is None
    return done.text, done.stats.cached_prompt_tokens


def test_the_answer_depends_on_the_image_and_on_nothing_else(model: LoadedModel) -> None:
    one, _ = ask(model, "the user @ is", [FIRST])
    other, _ = ask(model, "the user @ is", [SECOND])
    again, cached = ask(model, "the user @ is", [FIRST])
    assert one != other
    assert (again, cached > 0) == (one, True)


def test_the_next_turn_keeps_the_image_in_the_cache(model: LoadedModel, model_file: Path) -> None:
    tokens, media = model.read_images(f"it {model.image_marker} was", [SECOND], lambda: False)
    first = collect(model.submit(tokens, GREEDY, media=media))
    follow_up = f"it @ was{first.text} and @ then"
    warm, cached = ask(model, follow_up, [SECOND, FIRST])
    assert cached >= media.spans[0][1].token_count
    with loaded(model_file, PLAIN) as fresh:
        cold, nothing = ask(fresh, follow_up, [SECOND, FIRST])
    assert (warm, nothing) == (cold, 0)


def test_answers_about_images_run_beside_others(model: LoadedModel) -> None:
    alone = [ask(model, "the user @ is", [FIRST])[0], ask(model, "@ and @ is it", [SECOND, FIRST])[0]]
    text = collect(model.submit(model.vocabulary.tokenize("the user is it"), GREEDY)).text
    prompts = [
        model.read_images(words.replace("@", str(model.image_marker)), images, lambda: False)
        for words, images in (("the user @ is", [FIRST]), ("@ and @ is it", [SECOND, FIRST]))
    ]
    tasks = [model.submit(tokens, GREEDY, media=media) for tokens, media in prompts]
    tasks.append(model.submit(model.vocabulary.tokenize("the user is it"), GREEDY))
    assert [collect(task).text for task in tasks] == [*alone, text]
    figures = model.cache_figures()
    assert figures is not None
    assert figures.leaked_cells == 0


def test_a_prompt_must_not_end_with_an_image(tmp_path: Path) -> None:
    with loaded(make_pair(tmp_path, "mlp"), PLAIN) as model:
        with pytest.raises(BadRequest, match="ends with an image"):
            ask(model, "the user @", [FIRST])
        assert ask(model, "the user @ is", [FIRST])[0]


def test_images_that_cannot_be_read_or_are_too_many_are_refused(model: LoadedModel) -> None:
    with pytest.raises(ContextExceeded):
        ask(model, "@ " * 40 + "is", [picture_file(seed=seed) for seed in range(40)])
    with pytest.raises(BadRequest, match=r"images\[0\]"):
        ask(model, "@ is", [b"no image"])
    assert ask(model, "the user @ is", [FIRST])[0]


def test_guessing_leaves_conversations_with_images_alone(tmp_path: Path) -> None:
    path = make_pair(tmp_path, "mlp")
    with loaded(path, PLAIN) as model:
        plain, _ = ask(model, "the user @ is the user the user", [FIRST])
    with loaded(path, LoadConfig(threads=1, context_length=512, flash_attention="off", speculation="ngram")) as model:
        assert ask(model, "the user @ is the user the user", [FIRST])[0] == plain


def test_penalties_do_not_stumble_over_images(model: LoadedModel) -> None:
    sampling = SamplingConfig(
        temperature=0.0, max_tokens=8, repeat_penalty=1.3, dry_multiplier=0.8, ignore_end_of_generation=True
    )
    assert ask(model, "the user @ is", [FIRST], sampling)[0]


def test_files_beside_the_model_that_do_not_work_are_left_out_with_a_word(tmp_path: Path) -> None:
    make_tiny_model(tmp_path / "text.gguf")
    (tmp_path / "mmproj-broken.gguf").write_bytes(b"GGUF and nothing else")
    make_projector(tmp_path / "mmproj-other.gguf", "mlp", width=48)
    log = LogRing()
    with loaded(tmp_path / "text.gguf", PLAIN, log) as model:
        assert model.image_marker is None
        with pytest.raises(BadRequest, match="cannot see images"):
            model.read_images("is", [FIRST], lambda: False)
        assert collect(model.submit(model.vocabulary.tokenize("the user"), GREEDY)).tokens == 8
    notes = [line.text for line in log.lines(0) if "not used for images" in line.text]
    assert len(notes) == 2


def test_a_projector_that_was_asked_for_and_does_not_work_is_an_error(tmp_path: Path) -> None:
    make_tiny_model(tmp_path / "text.gguf")
    (tmp_path / "eyes.gguf").write_bytes(b"GGUF and nothing else")
    engine = Engine(tmp_path / "verdicts.json", LogRing())
    config = LoadConfig(threads=1, context_length=512, projector=str(tmp_path / "eyes.gguf"))
    with pytest.raises(BadRequest, match=r"eyes\.gguf cannot be used") as problem:
        engine.load(info_of(tmp_path / "text.gguf"), config)
    assert problem.value.field == "load.projector"
    assert engine.loaded() == ()
    engine.close()


def test_a_model_with_a_projector_can_do_without(tmp_path: Path) -> None:
    path = make_pair(tmp_path, "mlp")
    with loaded(path, LoadConfig(threads=1, context_length=512, projector="off")) as model:
        assert model.image_marker is None
