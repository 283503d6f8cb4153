"""Training a small byte-level BPE vocabulary, and a model file that has nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from tests.support.gguf_file import write_gguf
from tests.support.vocabulary import BYTE_CHARACTERS, CONTROL, NORMAL, USER_DEFINED, Vocabulary, spell

MARKERS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool>")


def train_vocabulary(words: Sequence[str], merges: int, markers: Sequence[str] = MARKERS) -> Vocabulary:
    """The vocabulary that byte-level BPE makes of these words: the most frequent pair is merged first."""
    counts = Counter(tuple(spell(word.encode())) for word in words)
    tokens, rules = list(BYTE_CHARACTERS), []
    for _ in range(merges):
        pairs: Counter[tuple[str, str]] = Counter()
        for parts, count in counts.items():
            for pair in pairwise(parts):
                pairs[pair] += count
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        rules.append(" ".join(best))
        tokens.append("".join(best))
        counts = Counter({_merged(parts, best): count for parts, count in counts.items()})
    types = [NORMAL] * len(tokens) + [CONTROL] * len(markers)
    types[-1] = USER_DEFINED
    return Vocabulary([*tokens, *markers], types, rules)


def _merged(parts: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    made: list[str] = []
    for part in parts:
        if made and made[-1] == pair[0] and part == pair[1]:
            made[-1] += part
        else:
            made.append(part)
    return tuple(made)


def write_vocabulary_file(path: Path, vocabulary: Vocabulary, pre_tokenizer: str, name: str = "words") -> Path:
    """A model file of a vocabulary and no weights, which llama.cpp opens with `vocab_only`."""
    header = {
        "general.name": name,
        "llama.block_count": 1,
        "llama.context_length": 128,
        "llama.embedding_length": 32,
        "llama.feed_forward_length": 64,
        "llama.attention.head_count": 2,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": pre_tokenizer,
        "tokenizer.ggml.tokens": vocabulary.tokens,
        "tokenizer.ggml.token_type": vocabulary.types,
        "tokenizer.ggml.merges": vocabulary.merges,
        "tokenizer.ggml.bos_token_id": vocabulary.id("<|endoftext|>"),
        "tokenizer.ggml.eos_token_id": vocabulary.id("<|endoftext|>"),
        "tokenizer.ggml.add_bos_token": False,
    }
    return write_gguf(path, "llama", header, {})
