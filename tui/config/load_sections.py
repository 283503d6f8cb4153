"""Under which headings the parameters of loading stand where all of them are shown."""

from __future__ import annotations

LOAD_SECTIONS: dict[str, tuple[str, ...]] = {
    "Context": (
        "context_length",
        "parallel",
        "unified_kv_cache",
        "context_checkpoints",
        "fit",
        "fit_minimum_context",
    ),
    "Cache": (
        "flash_attention",
        "key_cache_type",
        "value_cache_type",
        "offload_kv_cache",
        "full_sliding_window_cache",
    ),
    "Devices": (
        "gpu_layers",
        "gpu_offload_ratio",
        "cpu_expert_layers_ratio",
        "split_mode",
        "main_gpu",
        "tensor_split",
        "disabled_gpus",
        "tensor_overrides",
        "rpc_servers",
    ),
    "Computing": ("threads", "batch_threads", "evaluation_batch_size", "physical_batch_size", "experts_used"),
    "Speculation": (
        "speculation",
        "draft_model",
        "draft_max_tokens",
        "draft_min_tokens",
        "draft_min_probability",
    ),
    "Reading the file": ("try_mmap", "keep_model_in_memory", "direct_io"),
    "Positions": (
        "rope_frequency_base",
        "rope_frequency_scale",
        "rope_scaling",
        "yarn_original_context",
        "yarn_extrapolation_factor",
        "yarn_attention_factor",
        "yarn_beta_fast",
        "yarn_beta_slow",
    ),
    "Additions": ("lora", "projector", "largest_image_side", "chat_template", "seed"),
    "Embeddings": ("embedding", "pooling"),
}
"""Names of fields by heading, in the order of the form. What is in none of them comes last, under "Other"."""
