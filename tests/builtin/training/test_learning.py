"""Training a very small network for some steps, going on with it, and the model file that comes of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="torch is not installed; only those who train the guide need it")

from tui.builtin.training.__main__ import command  # noqa: E402
from tui.builtin.training.convert import read_model, write_model  # noqa: E402
from tui.builtin.training.corpus import dialogues  # noqa: E402
from tui.builtin.training.dialogue import segments  # noqa: E402
from tui.builtin.training.learning import Plan, Progress, open_checkpoint, rate_factor, train  # noqa: E402
from tui.builtin.training.network import Shape, grown, grown_shape, hidden_states, new_weights  # noqa: E402
from tui.builtin.training.vocabulary import train_vocabulary  # noqa: E402
from tui.models import read_header  # noqa: E402


def test_it_learns_goes_on_and_is_converted(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    texts = ("".join(piece for piece, _ in segments(dialogue)) for dialogue in islice(dialogues(4), 200))
    vocabulary = train_vocabulary(texts, 700, least=5)
    shape = Shape(len(vocabulary.tokens), layers=2, width=64, heads=2, kv_heads=1, feed_forward=64)
    reports: list[Progress] = []

    def trained(steps: int) -> Progress:
        weights = new_weights(shape, torch.Generator().manual_seed(1))
        return train(tmp_path, vocabulary, weights, shape, Plan(steps, portions=2, portion_tokens=400), reports.append)

    first = trained(12)
    begun = first.loss
    more = trained(30)
    assert (first.step, more.step) == (12, 30)
    assert more.tokens > first.tokens
    assert more.loss < begun
    weights = {name: weight.numpy() for name, weight in open_checkpoint(tmp_path / "checkpoint.pt")["weights"].items()}
    path = write_model(tmp_path / "small.gguf", shape, weights, vocabulary)
    assert read_header(path).architecture == "qwen3"


def test_a_file_is_read_back(tmp_path: Path) -> None:
    texts = ("".join(piece for piece, _ in segments(dialogue)) for dialogue in islice(dialogues(4), 50))
    vocabulary = train_vocabulary(texts, 600, least=5)
    shape = Shape(len(vocabulary.tokens), layers=1, width=64, heads=2, kv_heads=1, feed_forward=64)
    weights = new_weights(shape, torch.Generator().manual_seed(1))
    path = write_model(tmp_path / "small.gguf", shape, weights, vocabulary)
    read_shape, read_weights, read_vocabulary = read_model(path)
    assert read_shape == shape
    assert read_vocabulary.tokens == vocabulary.tokens
    assert read_weights.keys() == weights.keys()
    for name, weight in weights.items():
        assert torch.allclose(torch.tensor(read_weights[name]), weight, atol=0.02)


def test_a_grown_network_does_the_same_until_it_learns() -> None:
    before = Shape(50, layers=1, width=32, heads=2, kv_heads=1, feed_forward=32)
    after = replace(before, layers=3, feed_forward=64)
    weights = new_weights(before, torch.Generator().manual_seed(1))
    weights = {name: weight + 0.1 if weight.ndim > 1 else weight for name, weight in weights.items()}
    more = grown(weights, after, torch.Generator().manual_seed(2))
    tokens = torch.arange(20).reshape(2, 10)
    assert sum(weight.numel() for weight in more.values()) > 2 * sum(weight.numel() for weight in weights.values())
    assert torch.allclose(hidden_states(more, after, tokens), hidden_states(weights, before, tokens), atol=1e-5)


def test_a_base_is_grown_and_never_cut() -> None:
    own = Shape(50)
    for base in (replace(own, layers=2), replace(own, layers=9), replace(own, layers=2, feed_forward=640, width=96)):
        shape = grown_shape(base, own)
        assert shape.layers == max(base.layers, own.layers)
        assert shape.width == base.width
        weights = new_weights(base, torch.Generator().manual_seed(1))
        tokens = torch.arange(20).reshape(2, 10)
        more = grown(weights, shape, torch.Generator().manual_seed(2))
        assert torch.allclose(hidden_states(more, shape, tokens), hidden_states(weights, base, tokens), atol=1e-5)


@pytest.mark.parametrize(("begun", "highest"), [(False, 1.0), (True, 0.25)])
def test_rates_rise_and_fall(begun: bool, highest: float) -> None:
    plan = Plan(1000, begun=begun)
    factors = [rate_factor(step, plan) for step in range(1000)]
    assert factors[0] < 0.1
    assert max(factors) == pytest.approx(highest, rel=0.1)
    assert factors[-1] < 0.1
    assert all(factor > 0 for factor in factors)


def test_a_base_that_is_no_guide_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + bytes(90))
    folder = tmp_path / "training"
    done = CliRunner().invoke(command, ["--folder", str(folder), "--base", str(tmp_path / "broken.gguf")])
    assert done.exit_code == 2
    assert "broken.gguf is no guide" in done.output
    assert not list(folder.iterdir())
