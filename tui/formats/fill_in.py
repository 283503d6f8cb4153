"""Prompts by which a model fills in the middle between two texts (FIM), for models that have the tokens for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tui.domain import BadRequest, ModelVocabulary

_ROLES: Final[dict[str, tuple[str, ...]]] = {
    "fim_pre": (
        "<|fim_prefix|>",
        "<fim-prefix>",
        "<fim_prefix>",
        "<｜fim▁begin｜>",
        "<PRE>",
        "▁<PRE>",
        "<|code_prefix|>",
        "<|prefix|>",
        "[PREFIX]",
    ),
    "fim_suf": (
        "<|fim_suffix|>",
        "<fim-suffix>",
        "<fim_suffix>",
        "<｜fim▁hole｜>",
        "<SUF>",
        "▁<SUF>",
        "<|code_suffix|>",
        "<|suffix|>",
        "[SUFFIX]",
    ),
    "fim_mid": (
        "<|fim_middle|>",
        "<fim-middle>",
        "<fim_middle>",
        "<｜fim▁end｜>",
        "<MID>",
        "▁<MID>",
        "<|code_middle|>",
        "<|middle|>",
        "[MIDDLE]",
    ),
    "fim_rep": ("<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"),
    "fim_sep": ("<|file_sep|>", "<file_sep>", "<|file_separator|>"),
}
"""Names of the tokens in files that do not say which have these roles; those that llama.cpp knows, and Mistral's."""

_MISTRAL: Final = "[SUFFIX]"


@dataclass(frozen=True, slots=True)
class FillInTokens:
    """A model's tokens for filling in, as its vocabulary spells them."""

    prefix: str
    suffix: str
    middle: str
    """Empty for Mistral's models, where the prefix comes last."""
    repository: str = ""
    file: str = ""
    """Before each file of a repository; empty where there is no such token."""


def fill_in_tokens(vocabulary: ModelVocabulary) -> FillInTokens | None:
    """The tokens by the file's own account, or else by their names; `None` if the model cannot fill in."""
    return find_fill_in_tokens(vocabulary.tokens, vocabulary.special)


def find_fill_in_tokens(tokens: Sequence[str], roles: Mapping[str, int] = {}) -> FillInTokens | None:
    """The same from the tokens alone, and the numbers of those whose role (`fim_pre` and so on) is known."""
    known = frozenset(tokens)
    found = {role: next((name for name in names if name in known), "") for role, names in _ROLES.items()}
    found |= {role: tokens[number] for role, number in roles.items() if role in _ROLES and 0 <= number < len(tokens)}
    if not found["fim_pre"] or not found["fim_suf"] or not (found["fim_mid"] or found["fim_suf"] == _MISTRAL):
        return None
    middle = "" if found["fim_suf"] == _MISTRAL else found["fim_mid"]
    return FillInTokens(found["fim_pre"], found["fim_suf"], middle, found["fim_rep"], found["fim_sep"])


def fim_prompt(
    tokens: FillInTokens | None,
    prefix: str,
    suffix: str,
    *,
    suffix_first: bool = False,
    files: Sequence[tuple[str, str]] = (),
    file_name: str = "",
) -> str:
    """The prompt whose answer belongs between prefix and suffix.

    `files` are names and contents of others in the same repository, which models with a token for it are shown first,
    and `file_name` is this one's. `suffix_first` is for models that were trained so. Markers inside the texts are
    taken apart, so that they stay text. BadRequest for a model without the tokens.
    """
    if tokens is None:
        raise BadRequest(
            "This model cannot fill in the middle: its vocabulary has no tokens for it.",
            "Use a model for code, such as Qwen2.5-Coder, or leave the suffix out.",
            field="suffix",
        )
    swapped = suffix_first or not tokens.middle
    before, after = tokens.prefix + _plain(prefix, tokens), tokens.suffix + _plain(suffix, tokens)
    return _context(tokens, files, file_name) + (after + before if swapped else before + after) + tokens.middle


def _context(tokens: FillInTokens, files: Sequence[tuple[str, str]], file_name: str) -> str:
    """The other files, as Qwen2.5-Coder and llama.cpp's `/infill` write them."""
    if not tokens.file or not files:
        return ""
    told = [f"{tokens.repository}project\n"] if tokens.repository else []
    told += [f"{tokens.file}{_plain(name, tokens)}\n{_plain(text, tokens)}\n" for name, text in files]
    told.append(f"{tokens.file}{_plain(file_name or 'this file', tokens)}\n")
    return "".join(told)


def _plain(text: str, tokens: FillInTokens) -> str:
    """The text with a space inside of what would be taken for one of these tokens."""
    for marker in (tokens.prefix, tokens.suffix, tokens.middle, tokens.repository, tokens.file):
        if marker:
            text = text.replace(marker, f"{marker[0]} {marker[1:]}")
    return text
