"""Images for models that can see: files to pixels, pixels to vectors through mtmd and a projector file, vectors into
the context. An image stands in a prompt's token list as negative numbers made of its content, so that everything
that compares token lists works with images as it does with text.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.engine.images.choice import choose_projector, likely_projector
    from tui.engine.images.chunks import MediaChunk
    from tui.engine.images.layout import MediaLayout, flatten
    from tui.engine.images.memory import projector_memory
    from tui.engine.images.pictures import Picture, decode_image
    from tui.engine.images.projector import Projector
    from tui.engine.images.step import ImageStep
    from tui.engine.images.trial import try_projector
else:
    from tui.lazy import lazy_names

    __getattr__ = lazy_names(
        __name__,
        {
            "choice": "choose_projector likely_projector",
            "chunks": "MediaChunk",
            "layout": "MediaLayout flatten",
            "memory": "projector_memory",
            "pictures": "Picture decode_image",
            "projector": "Projector",
            "step": "ImageStep",
            "trial": "try_projector",
        },
    )

__all__ = [
    "ImageStep",
    "MediaChunk",
    "MediaLayout",
    "Picture",
    "Projector",
    "choose_projector",
    "decode_image",
    "flatten",
    "likely_projector",
    "projector_memory",
    "try_projector",
]
