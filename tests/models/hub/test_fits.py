"""Whether a model fits, from its header on the Hub: as much of it as is needed, and the same verdict as afterwards."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from tests.models.fake_hub import FakeHub
from tests.models.hub_models import publish_tiny
from tests.support.model_maker import make_tiny_model
from tests.support.projector_models import make_projector
from tests.support.raw_gguf import number_value, small_model
from tui.domain import FittedLoad, LmdeckError, LoadConfig, MemoryEstimate, ModelInfo, ModelUnusable, ModelWillNotFit
from tui.models import Catalogue
from tui.models.hub import Hub, Variant, fit_of, places_of
from tui.paths import Paths
from tui.workbench import Workbench

MIB = 2**20


def estimates(workbench: Workbench, model: ModelInfo) -> MemoryEstimate:
    return workbench.engine.fit(model, LoadConfig(context_length=1024), alone=True).estimate


def sizes(estimate: MemoryEstimate) -> dict[str, tuple[int, ...]]:
    return {
        one.device: (one.weights, one.kv_cache, one.compute, one.outputs, one.projector) for one in estimate.devices
    }


def arrive(hub: Hub, models: Path, repository: str, variant: Variant) -> ModelInfo:
    """The model as the catalogue shows it once all of its files are here."""
    for file, place in places_of(repository, variant):
        target = models / place
        target.parent.mkdir(parents=True, exist_ok=True)
        work = hub.connection.piece(repository, "main", file.path, 0, file.size)
        target.write_bytes(hub.connection.run(work))
    catalogue = Catalogue([models])
    (found,) = [one for one in catalogue.models() if one.path == models / places_of(repository, variant)[-1][1]]
    return found


@pytest.fixture
def workbench(tmp_path: Path, fake: FakeHub, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    monkeypatch.setenv("HF_ENDPOINT", fake.url)
    return Workbench(Paths(tmp_path / "data", tmp_path / "cache", tmp_path / "logs"))


def test_the_verdict_is_that_of_the_file_once_it_is_here(fake: FakeHub, workbench: Workbench, tmp_path: Path) -> None:
    files = publish_tiny(fake, tmp_path, layers=3, context_length=1024)
    make_projector(tmp_path / "mmproj-F16.gguf", "gemma3")
    fake.repositories["maker/tiny-GGUF"].files = {**files, "mmproj-F16.gguf": tmp_path / "mmproj-F16.gguf"}
    hub = workbench.hub
    details = hub.details("maker/tiny-GGUF")
    for variant in details.variants[1:]:
        there = hub.stand_in(details, variant)
        assert there.size == variant.files[0].size
        expected = workbench.fit_on_hub(details, variant)
        here = arrive(hub, workbench.paths.models, "maker/tiny-GGUF", variant)
        found = workbench.fit_here(here)
        assert (found.kind, found.context_length) == (expected.kind, expected.context_length)
        assert found.needed == expected.needed
        assert sizes(estimates(workbench, here)) == sizes(estimates(workbench, there))
        assert all(projector for *_, projector in sizes(estimates(workbench, here)).values())
    workbench.close()


def test_a_split_set_is_read_part_by_part(fake: FakeHub, workbench: Workbench) -> None:
    whole = small_model()
    half = len(whole.tensors) // 2
    parts = {}
    for number, tensors in enumerate((whole.tensors[:half], whole.tensors[half:])):
        part = replace(whole, tensors=tensors) if not number else replace(whole, keys=(), tensors=tensors)
        part = part.with_key("split.no", struct.pack("<IH", 2, number)).with_key(
            "split.count", struct.pack("<IH", 2, 2)
        )
        part = part.with_key("split.tensors.count", struct.pack("<Ii", 5, len(whole.tensors)))
        parts[f"m-F32-{number + 1:05}-of-00002.gguf"] = part.encode()
    fake.add("a/split", parts)
    details = workbench.hub.details("a/split")
    (variant,) = details.variants
    expected = workbench.fit_on_hub(details, variant)
    here = arrive(workbench.hub, workbench.paths.models, "a/split", replace(variant, files=variant.files[::-1]))
    assert len(here.files) == 2
    assert workbench.fit_here(here).needed == expected.needed
    workbench.close()


def test_only_the_header_is_read_and_a_vocabulary_only_once(fake: FakeHub, hub: Hub, tmp_path: Path) -> None:
    for quantization in ("q4_0", "q8_0", "f16"):
        make_tiny_model(tmp_path / f"m-{quantization.upper()}.gguf", quantization=quantization, extra_tokens=80_000)  # type: ignore[arg-type]
    longer = {"general.name": "A name that moves everything behind it"}
    make_tiny_model(tmp_path / "n-Q5_0.gguf", quantization="q8_0", extra_tokens=80_000, metadata=longer)
    fake.add("a/large", {path.name: path for path in tmp_path.glob("*.gguf")})
    details = hub.details("a/large")
    sent = []
    for variant in details.variants:
        before = fake.sent
        info = hub.stand_in(details, variant)
        sent.append(fake.sent - before)
        real = (tmp_path / variant.files[0].path).read_bytes()
        header = info.path.read_bytes()
        assert len(header) == len(real)
        tensors = header.index(b"token_embd.weight")
        assert header[: tensors + 200] == real[: tensors + 200]
        assert info.vocabulary_size > 80_000
    first, *others = sent
    assert MIB < first < 4 * MIB
    assert max(others) < 400 * 1024
    before = len(fake.asked)
    hub.stand_in(details, details.variants[0])
    assert len(fake.asked) == before, "a header that is here was asked for again"


def test_a_vocabulary_that_only_looks_the_same_is_not_borrowed(fake: FakeHub, hub: Hub, tmp_path: Path) -> None:
    one = make_tiny_model(tmp_path / "one-Q8_0.gguf", quantization="q8_0", extra_tokens=30_000)
    data = bytearray(make_tiny_model(tmp_path / "two-F16.gguf", extra_tokens=30_000).read_bytes())
    # The same number of tokens with the same lengths, the first of which is another one.
    start = data.index(b"tokenizer.ggml.tokens") + len("tokenizer.ggml.tokens") + 4 + 4 + 8 + 8
    data[start] ^= 0x01
    fake.add("a/two", {"one-Q8_0.gguf": one, "two-F16.gguf": bytes(data)})
    details = hub.details("a/two")
    paths = [hub.stand_in(details, variant).path for variant in details.variants]
    assert paths[1].read_bytes()[: start + 5000] == bytes(data[: start + 5000])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"GGUF" + b"\xff" * 400, "version|damaged|keys"),
        (b"not a model at all" * 20, "not a GGUF"),
        (small_model().encode()[:2000], "cut off"),
        (small_model().with_key("llama.block_count", number_value(0)).encode(), "block_count"),
        (struct.pack("<4sIQQ", b"GGUF", 3, 1, 2**40) + bytes(500), "claims"),
    ],
)
def test_a_damaged_header_is_told_before_anything_is_downloaded(
    fake: FakeHub, hub: Hub, data: bytes, said: str
) -> None:
    fake.add("a/bad", {"bad-Q8_0.gguf": data})
    details = hub.details("a/bad")
    with pytest.raises(ModelUnusable, match=said):
        hub.stand_in(details, details.variants[0])


def test_a_size_that_is_a_lie_harms_nobody(fake: FakeHub, hub: Hub) -> None:
    fake.add("a/liar", {"x-Q8_0.gguf": small_model().encode()})
    details = hub.details("a/liar")
    (variant,) = details.variants
    for size in (10, 2**52):
        lie = replace(variant, files=(replace(variant.files[0], size=size),))
        with pytest.raises(LmdeckError, match=r"damaged|cut off|kept|less"):
            hub.stand_in(details, lie)


def verdict(model: ModelInfo, gpu_layers: int | None, **devices: int) -> str:
    from tui.domain import DeviceMemory

    memory = tuple(DeviceMemory(name, weights, 0, 0) for name, weights in devices.items())

    def fitting(_: ModelInfo, config: LoadConfig) -> FittedLoad:
        return FittedLoad(replace(config, gpu_layers=gpu_layers), MemoryEstimate(memory))

    return fit_of(model, fitting).kind


def test_the_four_verdicts() -> None:
    model = ModelInfo("m", Path("m.gguf"), 10, layers=30, context_length=100_000)
    assert verdict(model, None, CUDA0=100, CPU=5) == "gpu"
    assert verdict(model, 12, CUDA0=50, CPU=55) == "partial"
    assert verdict(model, 0, CUDA0=0, CPU=100) == "cpu"
    assert verdict(model, None, CPU=100) == "cpu"

    def refusing(*_: object) -> FittedLoad:
        raise ModelWillNotFit("m needs 9 GB.", needed_bytes=9)

    fit = fit_of(model, refusing)
    assert (fit.kind, fit.needed, fit.problem, fit.rank) == ("none", 9, "m needs 9 GB.", 3)
