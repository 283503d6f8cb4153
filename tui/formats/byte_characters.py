"""The characters by which byte-level BPE vocabularies spell bytes, as GPT-2 began it.

Printable bytes of Latin-1 stand for themselves, the others for the characters from U+0100 on, in their order.
"""

from __future__ import annotations

from functools import cache


@cache
def byte_of_character() -> dict[str, int]:
    """Each of the 256 characters with its byte."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = (byte for byte in range(256) if byte not in printable)
    return {chr(byte): byte for byte in printable} | {chr(0x100 + place): byte for place, byte in enumerate(others)}


def spelled_bytes(token: str) -> bytes | None:
    """The bytes that a token of the vocabulary stands for; `None` if it is spelled in another way."""
    table = byte_of_character()
    try:
        return bytes([table[character] for character in token])
    except KeyError:
        return None
