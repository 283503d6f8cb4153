"""An lmdeck whose models another lmdeck uses as a remote engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.conftest import ANSWER, REASONING, Running
from tui.domain import Event, Failed, Finished, GenerationRequest, ReasoningDelta, TextDelta, text_message
from tui.paths import Paths
from tui.workbench import Workbench


@pytest.fixture
def here(running: Running, tmp_path: Path) -> Iterator[Workbench]:
    workbench = Workbench(Paths(tmp_path, tmp_path / "cache", tmp_path / "logs"))
    workbench.add_remote("tower", running.url)
    yield workbench
    workbench.close()


def ask(workbench: Workbench, model: str) -> list[Event]:
    return list(workbench.generate(GenerationRequest(model, (text_message("user", "Hi"),))))


def test_its_models_answer_here(here: Workbench, running: Running) -> None:
    assert here.catalogue.find("tower/talker").remote == "tower"
    events = ask(here, "tower/thinker")
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == ANSWER
    assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == REASONING
    assert isinstance(events[-1], Finished)
    assert events[-1].stats.generated_tokens > 0
    # The list of its models may be asked for at any time.
    assert next(record.model for record in running.server.log.latest() if record.model) == "thinker"


def test_its_errors_are_told_here(here: Workbench) -> None:
    here.remotes.refresh()
    (last,) = [event for event in ask(here, "tower/embedder") if isinstance(event, Failed)]
    assert "vectors" in str(last.error) or "embed" in str(last.error)
