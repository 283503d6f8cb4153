"""Which of llama.cpp's kernels this machine can really run, found out once for each build and processor.

Some virtual machines advertise instructions that kill the process at their first use; AMX, which ggml uses for
repacked weights, is the known case. A child decodes a few tokens of a model that has every common weight type;
if it dies, it is tried again with less, and what worked is remembered.
"""

from __future__ import annotations

import struct
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tui.domain import EngineFault, LmdeckError, LoadConfig
from tui.engine.child import Job, Outcome
from tui.engine.library import build_identity
from tui.engine.loading import Kernels
from tui.engine.log import LogRing
from tui.engine.verdicts import VerdictStore

# ggml_type of ggml.h, with bytes and elements of a block
_WEIGHT_TYPES: tuple[tuple[int, int, int], ...] = (
    (1, 2, 1),  # F16
    (30, 2, 1),  # BF16
    (2, 18, 32),  # Q4_0
    (3, 20, 32),  # Q4_1
    (8, 34, 32),  # Q8_0
    (12, 144, 256),  # Q4_K
    (13, 176, 256),  # Q5_K
    (14, 210, 256),  # Q6_K
    (23, 136, 256),  # IQ4_XS
)
_F32 = (0, 4, 1)
_WIDTH = 256
_VOCABULARY = 64
_ALIGNMENT = 32

_ATTEMPTS: tuple[tuple[Kernels, str], ...] = (
    (Kernels(), "all kernels work"),
    (Kernels(extra_buffers=False), "weights are not repacked, because those kernels crash on this machine"),
    (Kernels(gpu=False), "the GPU is not used, because its kernels crash on this machine"),
    (
        Kernels(extra_buffers=False, gpu=False),
        "weights are not repacked and the GPU is not used, because both crash on this machine",
    ),
)


@dataclass(frozen=True, slots=True)
class SelfTest:
    """The outcome: what may be used, and a sentence for people."""

    kernels: Kernels
    summary: str


def self_test(store: VerdictStore, run_job: Callable[[Job], Outcome]) -> SelfTest:
    """The remembered outcome for this build and processor, or a new test of half a second.

    `run_job` does a job in a child process. Raises EngineFault if llama.cpp cannot compute here at all.
    """
    key = f"self-test:{build_identity()}"
    known = store.get(key)
    if isinstance(known, int) and 0 <= known < len(_ATTEMPTS):
        return SelfTest(*_ATTEMPTS[known])
    problem = ""
    with tempfile.TemporaryDirectory(prefix="lmdeck-") as folder:
        model = Path(folder) / "self-test.gguf"
        model.write_bytes(_model())
        for number, (kernels, summary) in enumerate(_ATTEMPTS):
            outcome = run_job(Job("decode", str(model), LoadConfig(parallel=1), kernels))
            if not outcome.problem:
                store.put(key, number)
                return SelfTest(kernels, summary)
            problem = problem or outcome.problem
    raise EngineFault(
        f"llama.cpp cannot compute on this machine. {problem}",
        "Reinstall llama-cpp-python from source for this processor; `lmdeck doctor` shows the build.",
    )


class MachineTest:
    """The self-test of one engine: done once, beside other work or by whoever asks first. Safe to use from any thread.

    With a `run_job` whose child stays, that child goes on with the first model to be laid out.
    """

    def __init__(self, store: VerdictStore, run_job: Callable[[Job], Outcome], log: LogRing) -> None:
        self._store = store
        self._run_job = run_job
        self._log = log
        self._testing = threading.Lock()
        self._outcome: SelfTest | None = None

    def begin(self) -> None:
        """Have it done meanwhile. Returns at once; problems are told to whoever asks for the outcome."""

        def test() -> None:
            with suppress(LmdeckError, OSError):
                self.outcome()

        threading.Thread(target=test, name="lmdeck-self-test", daemon=True).start()

    def outcome(self) -> SelfTest:
        """The outcome, waited for. Raises as `self_test` does, and what `run_job` raises."""
        with self._testing:
            if self._outcome is None:
                self._outcome = self_test(self._store, self._run_job)
                level = "info" if self._outcome.kernels == Kernels() else "warning"
                self._log.write("engine", level, f"self-test: {self._outcome.summary}")
            return self._outcome


def _model() -> bytes:
    """A GGUF file (version 3, ggml's docs/gguf.md): one Llama layer for each weight type, all weights zero."""
    values: dict[str, str | int | float] = {
        "general.architecture": "llama",
        "llama.context_length": 256,
        "llama.embedding_length": _WIDTH,
        "llama.block_count": len(_WEIGHT_TYPES),
        "llama.feed_forward_length": _WIDTH,
        "llama.attention.head_count": 4,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.vocab_size": _VOCABULARY,
        "tokenizer.ggml.model": "none",
    }
    tensors: list[tuple[str, tuple[int, ...], tuple[int, int, int]]] = [
        ("token_embd.weight", (_WIDTH, _VOCABULARY), _F32),
        ("output_norm.weight", (_WIDTH,), _F32),
    ]
    for layer, kind in enumerate(_WEIGHT_TYPES):
        tensors += [(f"blk.{layer}.{name}_norm.weight", (_WIDTH,), _F32) for name in ("attn", "ffn")]
        tensors += [
            (f"blk.{layer}.{name}.weight", (_WIDTH, _WIDTH), kind)
            for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
        ]
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    header += b"".join(_text(key) + _value(value) for key, value in values.items())
    offset = 0
    for name, shape, (number, block_bytes, block_elements) in tensors:
        header += _text(name) + struct.pack("<I", len(shape))
        header += b"".join(struct.pack("<Q", size) for size in shape) + struct.pack("<IQ", number, offset)
        elements = shape[0] * (shape[1] if len(shape) > 1 else 1)
        offset += _padded(elements // block_elements * block_bytes)
    return header.ljust(_padded(len(header)), b"\0") + bytes(offset)


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _value(value: str | int | float) -> bytes:
    # gguf_metadata_value_type: 8 is a string, 4 an unsigned 32-bit integer, 6 a 32-bit float
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    return struct.pack("<II", 4, value) if isinstance(value, int) else struct.pack("<If", 6, value)


def _padded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
