"""Makes LoRA adapters for the models of `model_maker`."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy


def make_lora(path: Path, *, width: int = 64, rows: int = 64, strength: float = 1.0) -> Path:
    """Write an adapter of rank 2 for the attention output of the first layer; return its path."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_string("general.type", "adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 2.0)
    random = numpy.random.default_rng(7)
    for name, shape in (("a", (2, width)), ("b", (rows, 2))):
        weights = random.normal(0, strength, shape).astype(numpy.float32)
        writer.add_tensor(f"blk.0.attn_output.weight.lora_{name}", weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
