"""Text from bytes that come in pieces: tokens end in the middle of characters."""

from __future__ import annotations

import codecs


class Utf8Decoder:
    """Decodes UTF-8 piece by piece without ever splitting a character.

    What is not UTF-8 becomes U+FFFD, as `bytes.decode(errors="replace")` would have it for the whole.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> str:
        """The characters that are complete with these bytes."""
        return self._decoder.decode(data)

    def finish(self) -> str:
        """U+FFFD if a character was left unfinished, otherwise nothing."""
        return self._decoder.decode(b"", final=True)
