"""Log-probabilities find the text that their tokens made."""

from __future__ import annotations

from tui.domain import Event, Logprobs, ReasoningDelta, TextDelta, TokenLogprob, ToolCallStarted
from tui.server.responses.logprobs import LogprobSharing


def tokens(*pieces: str | bytes) -> Logprobs:
    data = [piece.encode() if isinstance(piece, str) else piece for piece in pieces]
    return Logprobs(tuple(TokenLogprob(index, piece, -0.5) for index, piece in enumerate(data)))


def shared(sharing: LogprobSharing, *events: Event) -> list[list[str]]:
    return [[found["token"] for found in logprobs] for _, logprobs in sharing.share(events)]


def test_reasoning_markers_and_text() -> None:
    sharing = LogprobSharing()
    found = shared(
        sharing,
        ReasoningDelta("k now", 9),
        TextDelta("k Hello", 0),
        tokens("<think>", "k", " now", "</think>", "\n\n", "k", " Hel", "lo"),
    )
    assert found == [["k", " now"], ["k", " Hel", "lo"]]


def test_a_text_that_begins_or_ends_inside_a_token() -> None:
    sharing = LogprobSharing()
    assert shared(sharing, TextDelta("one t"), tokens("one", " two")) == [["one", " two"]]
    assert shared(sharing, TextDelta("wo three"), tokens(" three", "<end>")) == [[" three"]]
    assert shared(sharing, TextDelta("four"), tokens("\n\nfour")) == [["\n\nfour"]]


def test_characters_of_several_tokens_and_tokens_before_their_text() -> None:
    sharing = LogprobSharing()
    raw = "🙂".encode()
    assert shared(sharing, tokens(raw[:2])) == []
    assert [len(found) for found in shared(sharing, TextDelta("🙂!"), tokens(raw[2:], "!"))] == [3]


def test_calls_have_none_and_cost_the_text_nothing() -> None:
    sharing = LogprobSharing()
    found = shared(
        sharing, ToolCallStarted(0, "a", "f", 2), TextDelta("Done"), tokens("<call>", "{}", "</call>", "Done")
    )
    assert found == [[], ["Done"]]


def test_impossible_tokens_are_numbers_too() -> None:
    sharing = LogprobSharing()
    never = TokenLogprob(0, b"a", float("-inf"), ((1, b"b", -0.1),))
    ((_, (found,)),) = sharing.share([TextDelta("a"), Logprobs((never,))])
    assert found["logprob"] == -9999.0
    assert found["top_logprobs"] == [{"token": "b", "bytes": [98], "logprob": -0.1}]
