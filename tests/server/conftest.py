"""A running server over scripted models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.embedding_models import bert_weights, make_bert, make_reranker
from tests.support.model_maker import make_scripted_model, make_tiny_model
from tui.domain import ServerOptions
from tui.paths import Paths
from tui.server import Server
from tui.workbench import Workbench

ANSWER = "Hello! Grüße aus München, 你好."
REASONING = "Let me see."
MESSAGES = [{"role": "user", "content": "Hi"}]
ASKING: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": MESSAGES},
    "/v1/completions": {"prompt": "Hi"},
    "/v1/responses": {"input": "Hi"},
    "/api/v0/chat/completions": {"messages": MESSAGES},
    "/api/v0/completions": {"prompt": "Hi"},
    "/api/v1/chat": {"input": "Hi"},
}
"""The shortest request of each dialect, without a model."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server, its workbench, and where clients find it."""

    server: Server
    workbench: Workbench

    @property
    def url(self) -> str:
        return self.server.state.address

    @property
    def openai(self) -> str:
        return f"{self.url}/v1"


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "models"
    folder.mkdir()
    make_scripted_model(folder / "talker.gguf", ANSWER)
    make_scripted_model(folder / "thinker.gguf", f"<think>{REASONING}</think>\n\n{ANSWER}")
    make_tiny_model(folder / "random.gguf", extra_tokens=200)
    _make_callers(folder)
    make_bert(folder / "embedder.gguf", bert_weights())
    make_reranker(folder / "reranker.gguf")
    return folder


def _make_callers(folder: Path) -> None:
    """Models that call tools when they are asked, and answer when they are given a result."""
    template = Path(__file__).parents[1] / "support" / "templates" / "mistral-small-3.2.jinja"
    city = '[TOOL_CALLS]get_weather[CALL_ID]abcdef123[ARGS]{"city": "Ulm", "days": 3}'
    zone = '[TOOL_CALLS]get_time[CALL_ID]abcdef124[ARGS]{"zone": "Europe/Berlin"}'
    for name, script in (("caller", city), ("callers", city + zone)):
        make_scripted_model(
            folder / f"{name}.gguf",
            script,
            chat_template=template.read_text(encoding="utf-8"),
            special=(),
            control=("[TOOL_CALLS]", "[CALL_ID]", "[ARGS]", "[INST]", "[/INST]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]"),
            later=("[/TOOL_RESULTS]", ANSWER),
        )


@pytest.fixture(scope="package")
def running(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    root = tmp_path_factory.mktemp("home")
    (root / "models").symlink_to(models_folder)
    workbench = Workbench(Paths(root, root / "cache", root / "logs"))
    # Several models at once, as nobody in these tests waits for another one's model to go.
    server = Server(workbench)
    server.start(ServerOptions(port=0, auto_evict=False))
    yield Running(server, workbench)
    server.close()
    workbench.close()
