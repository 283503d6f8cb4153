"""Projector files through the real mtmd, and their images in the real context."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy
import pytest

from tests.support.model_maker import make_tiny_model
from tests.support.mtmd_reference import last_logits, reference_logits
from tests.support.projector_models import Kind, make_projector, make_text_model_with_axes, picture_file
from tui.domain import BadRequest, Cancelled, EngineFault, LoadConfig, ModelUnusable
from tui.engine.images import ImageStep, MediaChunk, MediaLayout, Projector, flatten, try_projector
from tui.engine.library import load_llama
from tui.engine.lifetime import Lifetime
from tui.engine.loading import Kernels, OpenModel, open_model
from tui.engine.rows import Rows
from tui.engine.vocabulary import Vocabulary

KINDS = get_args(Kind)
# Without flash attention results do not depend on how a prompt is cut.
PLAIN = LoadConfig(threads=1, context_length=512, flash_attention="off")
KERNELS = Kernels(extra_buffers=False)
IMAGES = [picture_file(), picture_file(200, 100, seed=1)]


@dataclass(frozen=True, slots=True)
class Seer:
    projector: Projector
    opened: OpenModel
    vocabulary: Vocabulary
    lifetime: Lifetime

    def ask(self, text: str, images: list[bytes], **options: Any) -> list[list[int] | MediaChunk]:
        return self.projector.prompt_chunks(text.replace("@", self.projector.marker), images, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for kind in KINDS:
        make_projector(folder / f"{kind}.gguf", kind)
    make_tiny_model(folder / "plain-text.gguf")
    make_text_model_with_axes(folder / "axes-text.gguf")
    return folder


def model_for(folder: Path, kind: Kind) -> Path:
    return folder / ("axes-text.gguf" if kind == "qwen2vl" else "plain-text.gguf")


@contextmanager
def seeing(folder: Path, kind: Kind, config: LoadConfig = PLAIN) -> Iterator[Seer]:
    opened, lifetime = open_model(model_for(folder, kind), config, KERNELS), Lifetime()
    try:
        vocabulary = Vocabulary(load_llama(), opened.model, lifetime)
        projector = Projector(folder / f"{kind}.gguf", opened, config, KERNELS, vocabulary, lifetime)
        try:
            yield Seer(projector, opened, vocabulary, lifetime)
        finally:
            projector.close()
    finally:
        opened.close()


@pytest.fixture(scope="module", params=KINDS)
def seer(request: pytest.FixtureRequest, folder: Path) -> Iterator[Seer]:
    with seeing(folder, request.param) as opened:
        yield opened


def read(seer: Seer, tokens: list[int], layout: MediaLayout, start: int = 0, piece: int = 5) -> Any:
    """Read a history into sequence 0 in small pieces, and give the logits after its last token."""
    context, index = seer.opened.context, start
    images = ImageStep(512, width=seer.projector.width, axes=seer.projector.axes)
    text = Rows(512)
    while index < len(tokens):
        found = layout.chunk_at(index)
        if found is None:
            end = min(index + piece, layout.next_chunk(index) or len(tokens))
            text.clear()
            positions = [layout.position(at) for at in range(index, end)]
            text.add(tokens[index:end], positions, 0, outputs=1)
            assert text.decode(context) == 0
            index = end
        else:
            begin, chunk = found
            count = images.most(chunk, index - begin, piece)
            assert images.decode(context, 0, chunk, index - begin, count, layout.position(begin)) == 0
            index += count
    return last_logits(context)


def forget(seer: Seer, position: int = 0) -> None:
    llama = load_llama()
    assert llama.llama_memory_seq_rm(llama.llama_get_memory(seer.opened.context), 0, position, -1)


def test_a_prompt_is_read_as_mtmd_reads_it(seer: Seer) -> None:
    text = "the user @ and @ is it"
    tokens, layout = flatten(seer.ask(text, IMAGES))
    forget(seer)
    ours = read(seer, tokens, layout)
    marked = text.replace("@", seer.projector.marker)
    reference = reference_logits(seer.projector, seer.opened.context, marked, IMAGES)
    assert numpy.allclose(ours, reference, atol=1e-4)
    other, layout = flatten(seer.ask(text, IMAGES[::-1]))
    forget(seer)
    assert not numpy.allclose(read(seer, other, layout), reference, atol=0.01), "it does see the images"


def test_a_conversation_can_be_cut_back_to_the_beginning_of_an_image(seer: Seer) -> None:
    tokens, layout = flatten(seer.ask("the user @ is @ it", IMAGES))
    forget(seer)
    expected = read(seer, tokens, layout)
    (_, _), (second, chunk) = layout.spans
    kept = layout.whole(second + chunk.token_count - 1)
    assert kept == second
    forget(seer, layout.position(kept))
    assert numpy.allclose(read(seer, tokens, layout, start=kept), expected, atol=1e-4)


def test_the_next_turn_begins_with_the_same_tokens_and_encodes_nothing(
    seer: Seer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = flatten(seer.ask("the user @ is", IMAGES[:1]))
    monkeypatch.setattr(Projector, "_encode", lambda *_: pytest.fail("encoded again"))
    again, _ = flatten(seer.ask("the user @ is it", IMAGES[:1]))
    assert again[: len(first)] == first
    monkeypatch.undo()
    other, layout = flatten(seer.ask("the user @ is", [picture_file(seed=9)]))
    start = layout.spans[0][0]
    assert other[:start] == first[:start]
    assert other[start] != first[start], "another image differs from its first token on"


def test_vectors_that_were_forgotten_are_made_again(seer: Seer) -> None:
    before = seer.ask("@", IMAGES[1:])
    seer.projector._memo._vectors.clear()
    after = seer.ask("@", IMAGES[1:])
    for one, other in zip(before, after, strict=True):
        if isinstance(one, MediaChunk):
            assert isinstance(other, MediaChunk)
            assert numpy.array_equal(one.embeddings, other.embeddings)
            assert one.identity == other.identity


def test_the_same_image_twice_is_the_same_twice(seer: Seer) -> None:
    pieces = [piece for piece in seer.ask("@ @", [IMAGES[0], IMAGES[0]]) if isinstance(piece, MediaChunk)]
    assert len(pieces) == 2
    assert pieces[0].identity == pieces[1].identity


def test_a_smaller_image_takes_fewer_tokens_where_the_model_can(folder: Path) -> None:
    with seeing(folder, "qwen2vl") as seer:
        large, _ = flatten(seer.ask("@", [picture_file(300, 300)]))
        small, _ = flatten(seer.ask("@", [picture_file(300, 300)], largest_side=100))
        assert len(small) < len(large)
        chunk = next(piece for piece in seer.ask("@", IMAGES[1:]) if isinstance(piece, MediaChunk))
        assert chunk.position_count < chunk.token_count


def test_text_is_tokenised_as_without_images(seer: Seer) -> None:
    text = "<|im_start|>user\nit is\0that"
    assert seer.ask(text, []) == [seer.vocabulary.tokenize(text)]
    assert seer.ask("", []) == []


@pytest.mark.parametrize(("text", "images"), [("no place", 1), ("@ @", 1), ("@", 0), ("<__media__>", 1)])
def test_images_and_their_places_have_to_match(seer: Seer, text: str, images: int) -> None:
    with pytest.raises(BadRequest, match="room"):
        seer.ask(text, IMAGES[:images])


def test_a_damaged_image_is_named(seer: Seer) -> None:
    with pytest.raises(BadRequest) as problem:
        seer.ask("@ @", [IMAGES[0], b"nothing"])
    assert problem.value.field == "images[1]"


def test_encoding_can_be_stopped(seer: Seer) -> None:
    with pytest.raises(Cancelled):
        seer.ask("@", [picture_file(seed=5)], should_stop=lambda: True)


def test_an_image_that_needs_one_pass_must_fit_into_it(folder: Path) -> None:
    small = LoadConfig(threads=1, context_length=512, physical_batch_size=3)
    with seeing(folder, "gemma3", small) as seer, pytest.raises(BadRequest, match="4 or more") as problem:
        seer.ask("@", IMAGES[:1])
    assert problem.value.field == "load.physical_batch_size"


def test_nothing_is_encoded_for_a_model_that_is_gone(folder: Path) -> None:
    with seeing(folder, "mlp") as seer:
        seer.projector.close()
        with pytest.raises(EngineFault, match="unloaded"):
            seer.ask("@", IMAGES[:1])
    with seeing(folder, "mlp") as seer:
        seer.lifetime.end()
        with pytest.raises(EngineFault, match="unloaded"):
            seer.ask("@", IMAGES[:1])


@pytest.mark.parametrize("wrong", ["width", "text", "missing part", "no projector"])
def test_a_file_that_does_not_belong_to_the_model_is_refused(folder: Path, wrong: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.gguf"
    match wrong:
        case "width":
            make_projector(path, "mlp", width=32)
        case "text":
            path = folder / "plain-text.gguf"
        case "missing part":
            path.write_bytes((folder / "mlp.gguf").read_bytes()[:20_000])
        case _:
            make_projector(path, "mlp", metadata={"clip.projector_type": "unheard-of"})
    opened, lifetime = open_model(folder / "plain-text.gguf", PLAIN, KERNELS), Lifetime()
    try:
        vocabulary = Vocabulary(load_llama(), opened.model, lifetime)
        with pytest.raises(ModelUnusable, match=path.name):
            Projector(path, opened, PLAIN, KERNELS, vocabulary, lifetime)
    finally:
        opened.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_trial_says_what_the_file_needs(folder: Path, kind: Kind) -> None:
    found = try_projector(model_for(folder, kind), folder / f"{kind}.gguf", PLAIN, KERNELS)
    assert found["non_causal"] == (kind == "gemma3")
    assert found["tokens"] == {"mlp": 16, "gemma3": 4, "qwen2vl": 33}[kind]
    assert found["bytes"] > 0
