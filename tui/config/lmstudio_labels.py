"""What LM Studio's window calls the parameters that it has, too."""

from __future__ import annotations

LM_STUDIO_LABELS: dict[str, str] = {
    "context_length": "Context Length",
    "gpu_offload_ratio": "GPU Offload",
    "gpu_layers": "GPU Offload",
    "cpu_expert_layers_ratio": "Number of layers for which to force MoE weights onto CPU",
    "experts_used": "Number of Experts",
    "fit": "Automatic Optimize Based on Hardware",
    "fit_minimum_context": "Minimum AutoFit context length",
    "parallel": "Max Concurrent Predictions",
    "unified_kv_cache": "Unified KV Cache",
    "evaluation_batch_size": "Evaluation Batch Size",
    "physical_batch_size": "Physical Batch Size",
    "flash_attention": "Flash Attention",
    "key_cache_type": "K Cache Quantization Type",
    "value_cache_type": "V Cache Quantization Type",
    "offload_kv_cache": "Offload KV Cache to GPU Memory",
    "split_mode": "GPU Split Configuration",
    "context_checkpoints": "Context Checkpoints",
    "threads": "CPU Thread Pool Size",
    "rope_frequency_base": "RoPE Frequency Base",
    "rope_frequency_scale": "RoPE Frequency Scale",
    "keep_model_in_memory": "Keep Model in Memory",
    "try_mmap": "Try mmap()",
    "chat_template": "Chat Template",
    "max_tokens": "Limit Response Length",
    "stop": "Stop Strings",
    "overflow": "Context Overflow",
    "constraint": "Structured Output",
}
"""By the name of the parameter, as its localization files have them."""
