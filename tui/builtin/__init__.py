"""What ships with the program so that it works at once, without a network and without any download.

Two model files: the guide, a tiny model that knows lmdeck, and all-MiniLM-L6-v2 for vectors of texts. A checkout may
lack either of them; then there is one model less, and nothing else is different. The packages beside this file make
the files and are not needed to use them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.builtin.files import EMBEDDING, GUIDE, BuiltInModels
else:
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(__name__, {"files": "EMBEDDING GUIDE BuiltInModels"})

__all__ = ["EMBEDDING", "GUIDE", "BuiltInModels"]
