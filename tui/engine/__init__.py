"""llama.cpp in this process: probe a file, load it, schedule many conversations in it, sample, stop, measure.

The engine knows tokens and bytes, not conversations or templates. Importing this wing loads no native code;
that happens on the first load.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.engine.bench import Bench, BenchOutcome, BenchResult, BenchTrial
    from tui.engine.bench_plot import bench_rows
    from tui.engine.engine import Engine
    from tui.engine.images import MediaLayout
    from tui.engine.library import describe_build, library_version
    from tui.engine.loaded import LoadedModel
    from tui.engine.loading import DEFAULT_CONTEXT_LENGTH, Kernels, LoadProgress, default_threads
    from tui.engine.log import LogLine, LogRing
    from tui.engine.machine import Machine
    from tui.engine.memory import readable_size
    from tui.engine.self_test import SelfTest
    from tui.engine.task import Delivery, GenerationTask
    from tui.engine.vectors import Embeddings, Ranking, unit_length
else:
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "bench": "Bench BenchOutcome BenchResult BenchTrial",
            "bench_plot": "bench_rows",
            "engine": "Engine",
            "images": "MediaLayout",
            "library": "describe_build library_version",
            "loaded": "LoadedModel",
            "loading": "DEFAULT_CONTEXT_LENGTH Kernels LoadProgress default_threads",
            "log": "LogLine LogRing",
            "machine": "Machine",
            "memory": "readable_size",
            "self_test": "SelfTest",
            "task": "Delivery GenerationTask",
            "vectors": "Embeddings Ranking unit_length",
        },
    )

__all__ = [
    "DEFAULT_CONTEXT_LENGTH",
    "Bench",
    "BenchOutcome",
    "BenchResult",
    "BenchTrial",
    "Delivery",
    "Embeddings",
    "Engine",
    "GenerationTask",
    "Kernels",
    "LoadProgress",
    "LoadedModel",
    "LogLine",
    "LogRing",
    "Machine",
    "MediaLayout",
    "Ranking",
    "SelfTest",
    "bench_rows",
    "default_threads",
    "describe_build",
    "library_version",
    "readable_size",
    "unit_length",
]
