"""The model's own answers, computed in NumPy from the original weights: what any conversion is measured by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

    from tui.builtin.embedding_model.source import Source


class Reference:
    """BERT as Hugging Face's `BertModel` computes it, with the mean of all tokens, of length 1."""

    def __init__(self, source: Source) -> None:
        from tokenizers import Tokenizer

        self._weights = source.weights
        self._layers: int = source.config["num_hidden_layers"]
        self._heads: int = source.config["num_attention_heads"]
        self._epsilon: float = source.config["layer_norm_eps"]
        self._tokenizer = Tokenizer.from_file(str(source.tokenizer))
        # The file pads and cuts every text to one length, which sentence-transformers does not do either.
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text between `[CLS]` and `[SEP]`."""
        return list(self._tokenizer.encode(text).ids)

    def vector(self, tokens: Sequence[int]) -> NDArray[float32]:
        """The vector of a text's tokens."""
        import numpy

        weights, prefix = self._weights, "embeddings."
        states = weights[f"{prefix}word_embeddings.weight"][list(tokens)]
        states = states + weights[f"{prefix}position_embeddings.weight"][: len(tokens)]
        states = self._norm(states + weights[f"{prefix}token_type_embeddings.weight"][0], f"{prefix}LayerNorm")
        for number in range(self._layers):
            layer = f"encoder.layer.{number}."
            attended = self._linear(self._attention(states, layer), f"{layer}attention.output.dense")
            states = self._norm(states + attended, f"{layer}attention.output.LayerNorm")
            inner = _gelu(self._linear(states, f"{layer}intermediate.dense"))
            states = self._norm(states + self._linear(inner, f"{layer}output.dense"), f"{layer}output.LayerNorm")
        mean = states.mean(axis=0)
        vector: NDArray[float32] = mean / numpy.linalg.norm(mean)
        return vector

    def _attention(self, states: Any, layer: str) -> Any:
        import numpy

        names = ("query", "key", "value")
        queries, keys, values = (self._split(self._linear(states, f"{layer}attention.self.{name}")) for name in names)
        scores = queries @ keys.transpose(0, 2, 1) / keys.shape[-1] ** 0.5
        likely = numpy.exp(scores - scores.max(axis=-1, keepdims=True))
        heads = likely / likely.sum(axis=-1, keepdims=True) @ values
        return heads.transpose(1, 0, 2).reshape(states.shape)

    def _split(self, states: Any) -> Any:
        """Heads first, then tokens, then what is left of the width."""
        return states.reshape(len(states), self._heads, -1).transpose(1, 0, 2)

    def _linear(self, states: Any, name: str) -> Any:
        return states @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _norm(self, states: Any, name: str) -> Any:
        centred = states - states.mean(axis=-1, keepdims=True)
        scale = ((centred**2).mean(axis=-1, keepdims=True) + self._epsilon) ** -0.5
        return centred * scale * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def _gelu(values: Any) -> Any:
    """With the error function, as the model was trained; NumPy itself has none."""
    import math

    import numpy

    error = numpy.frompyfunc(math.erf, 1, 1)(values / math.sqrt(2)).astype(values.dtype)
    return values * (1 + error) / 2
