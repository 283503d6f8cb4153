"""Other forms of English verbs: enough for the verbs of the seeds."""

from __future__ import annotations

_VOWELS = "aeiou"
_DOUBLED = (
    "drop", "fit", "forget", "get", "let", "pin", "put", "quit", "remap", "reset", "run", "set", "split", "stop",
    "submit", "swap",
)  # fmt: skip
_PARTICIPLES = {
    "back": "backed", "begin": "begun", "bring": "brought", "build": "built", "choose": "chosen", "feed": "fed",
    "find": "found", "fit": "fitted", "forget": "forgotten", "give": "given", "hide": "hidden", "keep": "kept",
    "leave": "left", "make": "made", "override": "overridden", "put": "put", "quit": "quit", "read": "read",
    "rebind": "rebound", "redo": "redone", "reset": "reset", "run": "run", "send": "sent", "resend": "resent",
    "set": "set", "show": "shown", "shrink": "shrunk", "split": "split", "spread": "spread", "take": "taken",
    "tell": "told", "throw": "thrown", "undo": "undone", "write": "written", "see": "seen", "get": "got",
}  # fmt: skip


def third_person(verb: str) -> str:
    """`copy` as in: it copies."""
    if verb.endswith(("s", "sh", "ch", "x", "z")) or verb in ("go", "do", "undo", "redo"):
        return verb + "es"
    return verb[:-1] + "ies" if _ends_in_consonant_y(verb) else verb + "s"


def gerund(verb: str) -> str:
    """`copy` as in: copying."""
    if verb.endswith("e") and not verb.endswith(("ee", "ye")):
        return verb[:-1] + "ing"
    return (verb + verb[-1] if verb in _DOUBLED else verb) + "ing"


def participle(verb: str) -> str:
    """`copy` as in: it is copied."""
    if verb in _PARTICIPLES:
        return _PARTICIPLES[verb]
    if verb.endswith("e"):
        return verb + "d"
    if _ends_in_consonant_y(verb):
        return verb[:-1] + "ied"
    return (verb + verb[-1] if verb in _DOUBLED else verb) + "ed"


def _ends_in_consonant_y(verb: str) -> bool:
    return verb.endswith("y") and verb[-2] not in _VOWELS
