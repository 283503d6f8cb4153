"""From a `LoadConfig` to `llama_model_params`: which devices hold what, and how the file is read."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

from tui.domain import BadRequest, LoadConfig
from tui.engine.checks import check_against_model
from tui.engine.devices import add_rpc_server, buffer_types, gpu_handles
from tui.engine.facts import read_facts
from tui.engine.library import load_llama

# enum llama_load_mode of llama.h
_LOAD_NONE, _LOAD_MMAP, _LOAD_MLOCK, _LOAD_MMAP_MLOCK, _LOAD_DIRECT = 0, 1, 2, 3, 4
# enum llama_split_mode of llama.h
_SPLIT_MODES = {"none": 0, "layer": 1, "row": 2, "tensor": 3}
_INTEGER_OVERRIDE = 0
# The tensors that hold experts, as llama.cpp's own --n-cpu-moe names them (common/common.h).
_EXPERT_TENSORS = r"\.ffn_(up|down|gate|gate_up)_(ch|)exps"


class _BufferOverride(ctypes.Structure):
    """`llama_model_tensor_buft_override` of llama.h, which the Python bindings leave out."""

    _fields_ = [("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p)]


class ModelParameters:
    """`llama_model_params` and the arrays that they point to, which must live as long as loading takes."""

    def __init__(self, path: Path, config: LoadConfig, *, extra_buffers: bool, gpu: bool, simulate: bool) -> None:
        """Raises BadRequest, naming the field, for what this machine or this model does not have."""
        self._llama = load_llama()
        self._kept: list[Any] = []
        self.native = parameters = self._llama.llama_model_default_params()
        for server in config.rpc_servers:
            add_rpc_server(server)
        self._layers = self._experts = 0
        self._architecture = ""
        if self._needs_facts(config):
            facts = read_facts(path)
            check_against_model(config, facts)
            self._layers, self._architecture = facts.layers, facts.architecture
        parameters.n_gpu_layers = self._gpu_layers(config)
        parameters.split_mode = _SPLIT_MODES[config.split_mode]
        parameters.load_mode = _load_mode(config, simulate)
        parameters.no_alloc = simulate
        parameters.use_extra_bufts = extra_buffers
        parameters.load_mtp = config.speculation == "mtp"
        self._choose_devices(config, gpu)
        self._override_tensors(config)
        if config.experts_used is not None:
            self._override_value(f"{self._architecture}.expert_used_count", config.experts_used)

    @staticmethod
    def _needs_facts(config: LoadConfig) -> bool:
        return bool(config.gpu_offload_ratio or config.cpu_expert_layers_ratio or config.experts_used)

    def _gpu_layers(self, config: LoadConfig) -> int:
        if config.gpu_offload_ratio is not None:
            # The output counts as one more layer.
            return round(config.gpu_offload_ratio * (self._layers + 1))
        return -1 if config.gpu_layers is None else config.gpu_layers

    def _choose_devices(self, config: LoadConfig, gpu: bool) -> None:
        parameters = self.native
        handles = gpu_handles() if gpu else []
        wanted = [handle for number, handle in enumerate(handles) if number not in config.disabled_gpus]
        if not gpu:
            parameters.n_gpu_layers = 0
        if len(wanted) < len(handles) or not gpu:
            # A list that ends with NULL; an empty one is no device at all.
            parameters.devices = ctypes.cast(
                self._keep((ctypes.c_void_p * (len(wanted) + 1))(*wanted)), ctypes.c_void_p
            )
        if wanted:
            if config.main_gpu >= len(wanted):
                raise BadRequest(
                    f"There is no GPU number {config.main_gpu}.",
                    f"Choose 0 to {len(wanted) - 1}.",
                    field="load.main_gpu",
                )
            parameters.main_gpu = config.main_gpu
        if config.tensor_split:
            most = self._llama.llama_max_devices()
            if len(config.tensor_split) > most:
                raise BadRequest(
                    f"{len(config.tensor_split)} shares were given for at most {most} devices.",
                    "Give one for each GPU.",
                    field="load.tensor_split",
                )
            parameters.tensor_split = self._keep((ctypes.c_float * most)(*config.tensor_split))

    def _override_tensors(self, config: LoadConfig) -> None:
        known = buffer_types()
        pairs = list(config.tensor_overrides)
        held_back = round(config.cpu_expert_layers_ratio * self._layers)
        if held_back:
            numbers = "|".join(map(str, range(held_back)))
            pairs.append((rf"blk\.({numbers}){_EXPERT_TENSORS}", "CPU"))
        if not pairs:
            return
        overrides = (_BufferOverride * (len(pairs) + 1))()  # ends with an empty one
        for place, (pattern, name) in enumerate(pairs):
            if name not in known:
                raise BadRequest(
                    f"There is no buffer type {name!r} on this machine.",
                    f"Choose one of {', '.join(known)}.",
                    field="load.tensor_overrides",
                )
            overrides[place].pattern = self._keep(pattern.encode())
            overrides[place].buffer_type = known[name]
        self.native.tensor_buft_overrides = ctypes.cast(self._keep(overrides), ctypes.c_void_p)

    def _override_value(self, key: str, value: int) -> None:
        overrides = (self._llama.llama_model_kv_override * 2)()  # ends with an empty key
        overrides[0].tag = _INTEGER_OVERRIDE
        overrides[0].key = key.encode()
        overrides[0].value.val_i64 = value
        self.native.kv_overrides = self._keep(overrides)

    def _keep(self, value: Any) -> Any:
        self._kept.append(value)
        return value


def _load_mode(config: LoadConfig, simulate: bool) -> int:
    if simulate:
        return _LOAD_NONE  # with no_alloc a memory map aborts the process
    if config.direct_io:
        return _LOAD_DIRECT
    if config.try_mmap:
        return _LOAD_MMAP_MLOCK if config.keep_model_in_memory else _LOAD_MMAP
    return _LOAD_MLOCK if config.keep_model_in_memory else _LOAD_NONE
