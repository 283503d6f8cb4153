"""How llama.cpp cuts text into words before byte-level BPE, for the names that `tokenizer.ggml.pre` may have.

The rules are those of `llm_tokenizer_bpe` in llama.cpp's `llama-vocab.cpp`: a list of regular expressions, each of
which cuts what the one before it left; what none matches stays together. Names that are not here are counted by
llama.cpp itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class PreTokenizer:
    """The rules of one name."""

    first: tuple[str, ...]
    """Expressions that cut before the last one."""
    last: str
    whole_words: bool = False
    """Whether a word that is a token is that token, however its merges would cut it (`ignore_merges`)."""


_ENDINGS: Final = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
_SPACE: Final = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
_SIGNS: Final = r"| ?[^\s\p{L}\p{N}]+[\r\n]*"
_WORD: Final = r"[^\r\n\p{L}\p{N}]?\p{L}+"
_DIGIT: Final = r"\p{N}"
_CHINESE: Final = "[一-龥\u3040-ゟ゠-ヿ]+"
_ASCII_SIGN_WORD: Final = r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"""

_GPT2: Final = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_LLAMA3: Final = rf"{_ENDINGS}|{_WORD}|\p{{N}}{{1,3}}{_SIGNS}{_SPACE}"
_QWEN2: Final = rf"{_ENDINGS}|{_WORD}|\p{{N}}{_SIGNS}{_SPACE}"
_QWEN35: Final = (
    rf"{_ENDINGS}|[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+|\p{{N}}| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*{_SPACE}"
)
# llama.cpp tells letters by their case only in ASCII: every other letter is of either.
_BIG, _SMALL = r"(?:(?=\p{L})[^a-z])", r"(?:(?=\p{L})[^A-Z])"
_CASED: Final = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_BIG}*{_SMALL}+ENDINGS|[^\r\n\p{{L}}\p{{N}}]?{_BIG}+{_SMALL}*ENDINGS"
    rf"|NUMBERS| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*{_SPACE}"
)
_GPT4O: Final = _CASED.replace("ENDINGS", f"{_ENDINGS}?").replace("NUMBERS", r"\p{N}{1,3}")
_TEKKEN: Final = _CASED.replace("ENDINGS", "").replace("NUMBERS", r"\p{N}")
_DEEPSEEK3: Final = (
    rf"{_ASCII_SIGN_WORD}|[^\r\n\p{{L}}\p{{P}}\p{{S}}]?[\p{{L}}\p{{M}}]+| ?[\p{{P}}\p{{S}}]+[\r\n]*{_SPACE}"
)
_BAILING: Final = (
    r"'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|"
    rf"{_WORD}|\p{{N}}{_SIGNS}|\s*[\r\n]|\s+(?!\S)|\s+"
)
_SEED: Final = rf"{_ENDINGS}|{_WORD}|\p{{N}}| ?[^\s\p{{L}}\p{{N}}\r\n]+{_SPACE}"
_MINICPM5: Final = rf"{_ENDINGS}|{_WORD}|\p{{N}}+{_SIGNS}{_SPACE}"

_RULES: Final = (
    (
        "gpt-2 phi-2 jina-es jina-de gigachat a.x-4.0 mellum exaone4 mpt olmo jais trillion granite-docling",
        PreTokenizer((), _GPT2),
    ),
    (
        "llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 glm4 glm5",
        PreTokenizer((), _LLAMA3, whole_words=True),
    ),
    ("dbrx smaug-bpe chatglm-bpe", PreTokenizer((), _LLAMA3)),
    ("qwen2 deepseek-r1-qwen kormo megrez stablelm2 hunyuan solar-open grok-2", PreTokenizer((), _QWEN2)),
    ("qwen35", PreTokenizer((), _QWEN35)),
    ("laguna", PreTokenizer((r"[^\n]+|\n+",), _QWEN2)),
    (
        "starcoder refact command-r smollm codeshell exaone minerva-7b mellum2",
        PreTokenizer((_DIGIT,), _GPT2),
    ),
    ("gpt-4o llama4 kanana2 talkie minimax-m2", PreTokenizer((), _GPT4O)),
    ("tekken", PreTokenizer((), _TEKKEN, whole_words=True)),
    ("deepseek-v3 hunyuan-dense joyai-llm hy_v4", PreTokenizer((r"\p{N}{1,3}", _CHINESE), _DEEPSEEK3)),
    ("bailingmoe bailingmoe2 llada-moe", PreTokenizer((), _BAILING)),
    ("seed-coder", PreTokenizer((), _SEED)),
    ("minicpm5", PreTokenizer((r"\p{N}{1,3}",), _MINICPM5, whole_words=True)),
)


def pre_tokenizer(name: str) -> PreTokenizer | None:
    """The rules of a name; `None` if it has to be left to llama.cpp."""
    return next((rules for names, rules in _RULES if name in names.split()), None)
