"""Texts as embedding and ranking models want to read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tui.domain import BadRequest, ContextExceeded
from tui.engine.vocabulary import Vocabulary

_QUERY, _DOCUMENT = "{query}", "{document}"
"""What a ranking template has in the places of the two texts (`tokenizer.chat_template.rerank`)."""


def tokenize_inputs(
    vocabulary: Vocabulary, inputs: Sequence[str | Sequence[int]], *, field: str = "input"
) -> list[list[int]]:
    """The tokens of each text with the markers that the model wants around it; tokens stay as they are.

    Raises BadRequest for an input that is empty or has tokens that there are none of.
    """
    tokenized = []
    for index, given in enumerate(inputs):
        if not given:
            raise BadRequest("The input is empty.", "Leave it out, or give it some text.", field=f"{field}[{index}]")
        if isinstance(given, str):
            tokenized.append(vocabulary.tokenize(given, add_special=True))
            continue
        wrong = next((token for token in given if not 0 <= token < vocabulary.size), None)
        if wrong is not None:
            raise BadRequest(
                f"This model has no token {wrong}; it has {vocabulary.size:,} from 0.",
                "Send texts, or tokens of this very model.",
                field=f"{field}[{index}]",
            )
        tokenized.append(list(given))
    return tokenized


@dataclass(frozen=True, slots=True)
class RankForm:
    """How a ranking model wants to read a query and a document."""

    template: str
    """The model file's own wording, empty if it has none."""
    start: tuple[int, ...]
    middle: tuple[int, ...]
    end: tuple[int, ...]
    """Tokens before, between and after the two texts where there is no wording."""


def rank_form(llama: Any, model: Any) -> RankForm:
    """What the file says about it; the markers go where llama.cpp's server puts them (`format_prompt_rerank`)."""
    vocabulary = llama.llama_model_get_vocab(model)
    template = llama.llama_model_chat_template(model, b"rerank")
    separator = llama.llama_vocab_sep(vocabulary)
    end = llama.llama_vocab_eos(vocabulary)
    beginning = (llama.llama_vocab_bos(vocabulary),) if llama.llama_vocab_get_add_bos(vocabulary) else ()
    ends = (separator if end < 0 else end,) if llama.llama_vocab_get_add_eos(vocabulary) else ()
    separates = (separator,) if llama.llama_vocab_get_add_sep(vocabulary) else ()
    return RankForm(
        template.decode("utf-8", "replace") if template else "",
        _known(beginning),
        _known(ends + separates),
        # BERT's own pairs end with a separator, which the server leaves out.
        _known(ends or separates),
    )


def rank_prompts(
    vocabulary: Vocabulary,
    form: RankForm,
    query: str,
    documents: Sequence[str],
    *,
    limit: int,
    truncate: bool = False,
) -> list[list[int]]:
    """A prompt for each document. `limit` is the most tokens of one; a document that is too long is cut if `truncate`.

    Raises BadRequest for an empty text, and ContextExceeded.
    """
    if not query:
        raise BadRequest("The query is empty.", "Say what the documents are to be compared with.", field="query")
    prompts = []
    for index, document in enumerate(documents):
        if not document:
            raise BadRequest("The document is empty.", "Leave it out.", field=f"documents[{index}]")
        prompt = _prompt(vocabulary, form, query, document)
        if len(prompt) > limit and truncate:
            prompt = _cut_prompt(vocabulary, form, query, document, limit)
        if len(prompt) > limit:
            raise ContextExceeded(
                f"documents[{index}] and the query have {len(prompt):,} tokens, but the model is loaded for {limit:,}.",
                "Split the document, ask for truncation, or load the model with a longer context.",
                prompt_tokens=len(prompt),
                context_length=limit,
            )
        prompts.append(prompt)
    return prompts


def _prompt(vocabulary: Vocabulary, form: RankForm, query: str, document: str) -> list[int]:
    if form.template:
        # A text that happens to have such a place in it is not filled in again.
        pieces = [piece.replace(_QUERY, query) for piece in form.template.split(_DOCUMENT)]
        return vocabulary.tokenize(document.join(pieces))
    # What looks like a marker in somebody's text is text.
    asked = vocabulary.tokenize(query, parse_special=False)
    found = vocabulary.tokenize(document, parse_special=False)
    return [*form.start, *asked, *form.middle, *found, *form.end]


def _cut_prompt(vocabulary: Vocabulary, form: RankForm, query: str, document: str, limit: int) -> list[int]:
    """The prompt with as much of the document's beginning as fits; still too long if the rest alone is."""
    low, high = 0, len(document)
    best = _prompt(vocabulary, form, query, document[:1])
    # More text is more tokens, so halving finds the place.
    while low < high:
        middle = (low + high + 1) // 2
        prompt = _prompt(vocabulary, form, query, document[:middle])
        if len(prompt) <= limit:
            low, best = middle, prompt
        else:
            high = middle - 1
    return best


def _known(tokens: tuple[int, ...]) -> tuple[int, ...]:
    """Without those that the vocabulary does not have."""
    return tuple(token for token in tokens if token >= 0)
