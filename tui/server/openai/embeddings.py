"""Vectors of texts, and how well texts answer a query."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from tui.domain import BadRequest
from tui.engine import Embeddings, Ranking

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

MOST_INPUTS = 2048
"""OpenAI's own limit of inputs in one request."""


class EmbeddingsRequest(BaseModel):
    """`POST /v1/embeddings`."""

    model_config = ConfigDict(extra="ignore")

    model: str = ""
    input: str | list[str] | list[int] | list[list[int]]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = Field(None, ge=1)
    normalize: bool = True
    truncate: bool = False
    """Whether an input that is too long loses its end, rather than being refused."""
    ttl: float | None = None

    def inputs(self) -> list[str | Sequence[int]]:
        """What vectors are wanted of. Raises BadRequest for nothing, or too much."""
        given = self.input
        alone = isinstance(given, str) or (given and isinstance(given[0], int))
        inputs: list[Any] = [given] if alone else list(given)
        if not inputs or len(inputs) > MOST_INPUTS:
            raise BadRequest(f"There are {len(inputs):,} inputs.", f"Send 1 to {MOST_INPUTS:,} at once.", field="input")
        return inputs


class RerankRequest(BaseModel):
    """`POST /v1/rerank`, as Jina and Cohere have it."""

    model_config = ConfigDict(extra="ignore")

    model: str = ""
    query: str = Field(min_length=1)
    documents: list[str | dict[str, Any]] = Field(min_length=1, validation_alias=AliasChoices("documents", "texts"))
    top_n: int | None = Field(None, ge=1)
    return_documents: bool = False
    truncate: bool = False
    ttl: float | None = None

    def texts(self) -> list[str]:
        """The documents. Raises BadRequest for one without a text."""
        return [_text(document, index) for index, document in enumerate(self.documents)]


def embeddings_body(wire: EmbeddingsRequest, model: str, found: Embeddings) -> dict[str, Any]:
    """The answer on the wire. Raises BadRequest for dimensions that the vectors do not have."""
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(_cut(wire, vector), wire.encoding_format)}
        for index, vector in enumerate(found.vectors)
    ]
    tokens = sum(found.tokens)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def rerank_body(wire: RerankRequest, texts: Sequence[str], model: str, found: Ranking) -> dict[str, Any]:
    """The documents that answer best, the best first."""
    order = sorted(range(len(texts)), key=lambda index: -found.scores[index])[: wire.top_n]
    results = [
        {
            "index": index,
            "relevance_score": found.scores[index],
            **({"document": {"text": texts[index]}} if wire.return_documents else {}),
        }
        for index in order
    ]
    tokens = sum(found.tokens)
    return {
        "object": "list",
        "model": model,
        "results": results,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _cut(wire: EmbeddingsRequest, vector: NDArray[float32]) -> NDArray[float32]:
    """The first dimensions of a vector, of unit length again; models trained for it (Matryoshka) lose little."""
    if wire.dimensions is None or vector.ndim != 1:
        return vector
    if wire.dimensions > len(vector):
        raise BadRequest(
            f"The vectors of this model have {len(vector):,} dimensions.",
            "Ask for that many or fewer.",
            field="dimensions",
        )
    from tui.engine import unit_length

    shorter = vector[: wire.dimensions]
    return unit_length(shorter) if wire.normalize else shorter


def _encoded(vector: NDArray[float32], form: str) -> Any:
    if form == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
    return vector.tolist()


def _text(document: str | dict[str, Any], index: int) -> str:
    text = document.get("text") if isinstance(document, dict) else document
    if not isinstance(text, str) or not text:
        raise BadRequest("The document has no text.", "Leave it out.", field=f"documents[{index}]")
    return text
