"""A library of 500 model files with vocabularies of real size: the first look at it, and every later start; and what a
model with such a vocabulary would need, when a load parameter was changed.

The baselines are what other ways of learning the same cost in the same run: the reader of the `gguf` package for the
headers (measured on a few of the files, for each of which it does the same), listing the folder for a start, and a
child process of its own for an estimate.
"""

from __future__ import annotations

import itertools
import os
import struct
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import gguf

from tests.bench.report import Report, in_turn, median
from tests.support.engines import info_of
from tests.support.model_maker import make_tiny_model
from tests.support.raw_gguf import INT32, STRING, RawFile, array_value, number_value, small_model, string, text_value
from tui.domain import LoadConfig
from tui.engine import Engine, LogRing
from tui.engine.child import Job, run
from tui.models import Catalogue
from tui.models.describe import Abilities

FILES = 500
FAMILIES = 25
TOKENS = 150_000
READ_BY_GGUF = 3
QUANTISATIONS = ("Q2_K", "Q3_K_M", "Q4_0", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K", "Q8_0", "F16")


def make_library(folder: Path, files: int = FILES, tokens: int = TOKENS) -> None:
    """Write the files: repositories with several quantisations each, whose weights are holes in the files."""
    for family in range(FAMILIES):
        model = _with_vocabulary(small_model(), tokens, family)
        for number in range(files * family // FAMILIES, files * (family + 1) // FAMILIES):
            place = number - files * family // FAMILIES
            kind = QUANTISATIONS[place % len(QUANTISATIONS)]
            repository = folder / f"owner-{family % 7}" / f"Model-{family}-{place // len(QUANTISATIONS)}-GGUF"
            repository.mkdir(parents=True, exist_ok=True)
            named = model.with_key("general.name", text_value(f"Model {family} {number}"))
            named = named.with_key("general.file_type", number_value(15))
            header = named.header()
            with open(repository / f"Model-{family}-{place // len(QUANTISATIONS)}-{kind}.gguf", "wb") as file:
                file.write(header)
                file.truncate(len(header) + 64 + sum(-(-tensor.size // 32) * 32 for tensor in named.tensors))


def _with_vocabulary(model: RawFile, tokens: int, family: int) -> RawFile:
    """The model with this many tokens and merges, as long as those of real vocabularies; each family has its own."""
    words = [f"{'Ġ' if number % 2 else ''}{number * 7919 + family:x}{'ing' * (number % 3)}" for number in range(tokens)]
    merges = [f"{word[:2]} {word[2:]}" for word in words]
    model = model.with_key("tokenizer.ggml.tokens", _texts(words)).with_key("tokenizer.ggml.merges", _texts(merges))
    types = array_value(INT32, tokens, struct.pack("<i", 1) * tokens)
    model = model.with_key("tokenizer.ggml.token_type", types)
    tensors = [replace(tensor, dimensions=(32, tokens)) if tensor.dimensions[-1] > 32 else tensor
               for tensor in model.tensors]  # fmt: skip
    return replace(model, tensors=tuple(tensors))


def _texts(texts: list[str]) -> bytes:
    return array_value(STRING, len(texts), b"".join(map(string, texts)))


def measure(rounds: int) -> Report:
    with tempfile.TemporaryDirectory(prefix="lmdeck-bench-") as home:
        folder, index = Path(home) / "models", Path(home) / "index.json"
        make_library(folder)
        files = sorted(folder.rglob("*.gguf"))

        def look(*, cold: bool) -> float:
            if cold:
                index.unlink(missing_ok=True)
            started = time.perf_counter()
            catalogue = Catalogue([folder], index=index, probe=lambda _: Abilities())
            assert len(catalogue.models()) == FILES
            assert all(model.usable for model in catalogue.models())
            return time.perf_counter() - started

        def with_gguf() -> float:
            started = time.perf_counter()
            for file in files[:: FILES // READ_BY_GGUF][:READ_BY_GGUF]:
                assert len(gguf.GGUFReader(file).tensors) > 1
            return (time.perf_counter() - started) * FILES / READ_BY_GGUF

        def listing() -> float:
            started = time.perf_counter()
            assert sum(os.stat(file).st_size for file in folder.rglob("*.gguf")) > 0
            return time.perf_counter() - started

        engine = Engine(Path(home) / "verdicts.json", LogRing())
        kernels = engine.self_test().kernels
        model = info_of(make_tiny_model(Path(home) / "whole.gguf", context_length=2**20, extra_tokens=TOKENS))
        lengths = itertools.count(256, 256)

        def after_change() -> float:
            # The first value starts the child if it has gone meanwhile; a person goes on changing.
            for _ in range(2):
                config = LoadConfig(context_length=next(lengths))
                started = time.perf_counter()
                assert engine.estimate(model, config).needed > 0
            return time.perf_counter() - started

        def in_fresh_child() -> float:
            job = Job("probe", str(model.path), LoadConfig(context_length=next(lengths)), kernels)
            started = time.perf_counter()
            assert not run(job).problem
            return time.perf_counter() - started

        look(cold=True)  # compiled files, and the disk's cache
        contestants = {
            "cold": lambda: look(cold=True),
            "warm": lambda: look(cold=False),
            "gguf": with_gguf,
            "listing": listing,
            "estimate": after_change,
            "fresh child": in_fresh_child,
        }
        try:
            results = in_turn(rounds, contestants)
        finally:
            engine.close()
    return Report(
        "library",
        {
            "cold_scan_500_s": median(results["cold"]),
            "warm_start_500_s": median(results["warm"]),
            "gguf_reader_500_s": median(results["gguf"]),
            "listing_500_s": median(results["listing"]),
            "estimate_after_change_ms": median(results["estimate"]) * 1000,
            "estimate_in_fresh_child_ms": median(results["fresh child"]) * 1000,
            "estimate_after_change_ratio": median(results["estimate"]) / median(results["fresh child"]),
        },
        f"the gguf package's reader on {READ_BY_GGUF} of the files, scaled to all; listing the folder with sizes; "
        "a child process of its own for each estimate",
    )
