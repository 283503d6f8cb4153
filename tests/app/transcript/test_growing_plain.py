"""Plain text in pieces comes out as the same text in one piece."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from tests.app.transcript.test_transcript import TranscriptApp, answer, screen_rows
from tui.app.transcript.growing_plain import GrowingPlain

TEXT = st.lists(
    st.sampled_from(["word", " ", "  ", "\n", "\r\n", "\t", "longer-word-than-the-row", "é", "漢字"]), max_size=40
)


def rows_of(pieces: list[str]) -> list[str]:
    growing = GrowingPlain(12, Style())
    for piece in pieces:
        before = list(growing.rows)
        first = growing.feed(piece)
        assert growing.rows[:first] == before[:first]
    return ["".join(text for text, _ in row.spans).rstrip() for row in growing.rows]


@given(TEXT)
def test_pieces_make_the_rows_of_the_whole(words: list[str]) -> None:
    assert rows_of([character for word in words for character in word]) == rows_of(["".join(words)])


async def test_plain_text_mode_shows_the_markup_of_all_messages() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        transcript = app.transcript
        transcript.show([answer("**bold** and `code`")])
        transcript.show_plain(True)
        transcript.start_answer(answer())
        transcript.stream("# Title\n\nsome **te")
        transcript.stream("xt**")
        await pilot.pause()
        shown = "\n".join(screen_rows(transcript))
        assert "**bold** and `code`" in shown
        assert "# Title" in shown
        assert "some **text**" in shown
        transcript.show_plain(False)
        await pilot.pause()
        shown = "\n".join(screen_rows(transcript))
        assert "**" not in shown
        assert "Title" in shown
