"""What is noted of a request while it is served, and after."""

from __future__ import annotations

from tui.domain import Finished, GenerationStats, PromptProgress, TextDelta
from tui.server.records import RequestEntry


def test_what_comes_after_the_end_changes_no_state() -> None:
    entry = RequestEntry(method="POST", path="/v1/x", dialect="openai", client="", token="")
    entry.saw([PromptProgress(1, 0, 2)])
    assert entry.record().state == "reading"
    entry.ended("cancelled", status=200)
    entry.saw([PromptProgress(2, 0, 2), TextDelta("late"), Finished(GenerationStats(generated_tokens=1))])
    record = entry.record()
    assert (record.state, record.progress) == ("cancelled", "")
    assert record.stats == GenerationStats(generated_tokens=1)
