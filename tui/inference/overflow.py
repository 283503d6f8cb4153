"""What is sent of a conversation that is longer than the context.

Decided on whole messages, before anything is computed: the system prompt and the last message of the user, with all
that came after it, always go along. What is left out is told, never silent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tui.domain import ContextExceeded, Message, OverflowPolicy, TextPart, ToolResultPart

Tokenize = Callable[[Sequence[Message]], list[int]]
"""The tokens of a conversation as the model would read it."""

# Tokens kept free for the answer where no limit was asked for: this many, or this part of a small context.
_ANSWER_ROOM = 1024
_ANSWER_PART = 4
# Characters of a clipped text that are always left.
_SHORTEST_CLIP = 200
_CLIP_NOTE = "\n[… {:,} characters left out …]\n"


@dataclass(frozen=True, slots=True)
class FittedConversation:
    """What is sent."""

    messages: tuple[Message, ...]
    tokens: list[int]
    dropped: int = 0
    """Messages that were left out."""
    clipped: int = 0
    """Messages of which only the beginning and the end are sent."""

    @property
    def trimmed(self) -> bool:
        """Whether anything is missing."""
        return bool(self.dropped or self.clipped)


def fit_conversation(
    messages: Sequence[Message],
    policy: OverflowPolicy,
    tokenize: Tokenize,
    context_length: int,
    max_tokens: int | None,
) -> FittedConversation:
    """The conversation as far as the policy lets it go along. Raises ContextExceeded where it cannot be made to fit."""
    whole = tuple(messages)
    tokens = tokenize(whole)
    if policy == "error":
        if len(tokens) + (max_tokens or 1) > context_length:
            raise _exceeded(len(tokens), context_length, max_tokens)
        return FittedConversation(whole, tokens)
    if policy == "stopAtLimit":
        if len(tokens) >= context_length:
            raise _exceeded(len(tokens), context_length, None)
        return FittedConversation(whole, tokens)
    if len(tokens) < context_length and len(tokens) + min(max_tokens or 1, context_length // _ANSWER_PART) <= (
        context_length
    ):
        return FittedConversation(whole, tokens)
    reserve = min(max_tokens or _ANSWER_ROOM, max(1, context_length // _ANSWER_PART))
    return _trim(whole, policy, tokenize, context_length, max(1, context_length - reserve))


def _trim(
    messages: tuple[Message, ...], policy: OverflowPolicy, tokenize: Tokenize, context_length: int, room: int
) -> FittedConversation:
    head, exchanges, last = _split(messages)
    order = list(range(len(exchanges)))
    if policy == "truncateMiddle" and order:
        order = [*order[1:], order[0]]  # the first exchange often says what it is all about

    def without(count: int) -> tuple[Message, ...]:
        gone = set(order[:count])
        kept = (message for place, exchange in enumerate(exchanges) if place not in gone for message in exchange)
        return (*head, *kept, *last)

    fewest, most = 1, len(exchanges)
    best: FittedConversation | None = None
    while fewest <= most:
        count = (fewest + most) // 2
        kept = without(count)
        tokens = tokenize(kept)
        if len(tokens) <= room:
            best = FittedConversation(kept, tokens, dropped=len(messages) - len(kept))
            most = count - 1
        else:
            fewest = count + 1
    if best is not None:
        return best
    return _clip(without(len(exchanges)), len(messages), tokenize, context_length, room)


def _clip(
    messages: tuple[Message, ...], before: int, tokenize: Tokenize, context_length: int, room: int
) -> FittedConversation:
    """Cut the middle out of long tool results, then of the user's last message, until it fits."""
    tokens = tokenize(messages)
    for clipped, place in enumerate(_clippable(messages), start=1):
        length = _length(messages[place])
        shortest, longest = min(_SHORTEST_CLIP, length), length - 1
        found: tuple[tuple[Message, ...], list[int]] | None = None
        while shortest <= longest:
            # Near enough is good enough: each try renders and counts everything.
            middle = (shortest + longest) // 2
            tried = (*messages[:place], _clipped(messages[place], middle), *messages[place + 1 :])
            tried_tokens = tokenize(tried)
            if len(tried_tokens) <= room:
                found, shortest = (tried, tried_tokens), middle + 1
            else:
                longest = middle - 1
            if longest - shortest < length // 64:
                break
        if found is None:
            least = (*messages[:place], _clipped(messages[place], _SHORTEST_CLIP), *messages[place + 1 :])
            found = (least, tokenize(least))
        messages, tokens = found
        if len(tokens) <= room:
            return FittedConversation(messages, tokens, before - len(messages), clipped)
    raise _exceeded(len(tokens), context_length, None)


def _split(messages: tuple[Message, ...]) -> tuple[tuple[Message, ...], list[tuple[Message, ...]], tuple[Message, ...]]:
    """System messages at the beginning, earlier exchanges, and everything from the last user message on.

    An exchange is a user message with all that answers it, so that no tool result loses its call.
    """
    start = next((place for place, message in enumerate(messages) if message.role != "system"), len(messages))
    users = [place for place in range(start, len(messages)) if messages[place].role == "user"]
    if not users:
        return messages[:start], [], messages[start:]
    borders = [start, *(place for place in users if place > start)]
    exchanges = [messages[begin:end] for begin, end in pairwise(borders) if begin < users[-1]]
    return messages[:start], exchanges, messages[users[-1] :]


def _clippable(messages: tuple[Message, ...]) -> list[int]:
    """Messages that may be shortened: tool results first, the longest of them before others, then the user's last."""
    users = [place for place, message in enumerate(messages) if message.role == "user"]
    last = users[-1] if users else 0
    results = [place for place in range(last, len(messages)) if messages[place].role == "tool"]
    places = sorted(results, key=lambda place: -_length(messages[place])) + users[-1:]
    return [place for place in places if _length(messages[place]) > _SHORTEST_CLIP]


def _length(message: Message) -> int:
    return sum(len(part.text) for part in message.parts if isinstance(part, TextPart | ToolResultPart))


def _clipped(message: Message, keep: int) -> Message:
    """The message with only so many characters of its longest text, from its beginning and its end."""
    texts = [part for part in message.parts if isinstance(part, TextPart | ToolResultPart)]
    longest = max(texts, key=lambda part: len(part.text))
    keep = max(0, keep - (_length(message) - len(longest.text)))
    front, back = keep - keep // 3, keep // 3
    text = longest.text
    shorter = text[:front] + _CLIP_NOTE.format(len(text) - front - back) + (text[-back:] if back else "")
    parts = tuple(replace(part, text=shorter) if part is longest else part for part in message.parts)
    return replace(message, parts=parts)


def _exceeded(tokens: int, context_length: int, max_tokens: int | None) -> ContextExceeded:
    wanted = f" and the answer may take {max_tokens:,} more" if max_tokens else ""
    return ContextExceeded(
        f"The conversation has {tokens:,} tokens{wanted}, but the context holds {context_length:,}.",
        "Send less, start a new thread, or load the model with a longer context.",
        prompt_tokens=tokens,
        context_length=context_length,
    )
