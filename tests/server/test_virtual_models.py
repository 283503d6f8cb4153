"""Virtual models beside the models whose files they use: whoever asks for one gets that one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.model_maker import make_scripted_model
from tui.domain import ServerOptions
from tui.paths import find_paths
from tui.server.lmstudio.listing import instances_of
from tui.server.services import Services
from tui.workbench import Workbench


@pytest.fixture
def workbench(lmdeck_home: Path) -> Iterator[Workbench]:
    (lmdeck_home / "models").mkdir()
    make_scripted_model(lmdeck_home / "models" / "hello.gguf", "Hello.")
    recipe = lmdeck_home / "models" / "acme" / "mood" / "model.yaml"
    recipe.parent.mkdir(parents=True)
    recipe.write_text("model: acme/mood\nbase: hello\n")
    workbench = Workbench(find_paths())
    yield workbench
    workbench.close()


def test_a_virtual_model_is_not_its_base_that_is_loaded(workbench: Workbench) -> None:
    services = Services(workbench, cast(Any, None), cast(Any, None), ServerOptions)
    loaded = workbench.load("hello", identifier="greeter")
    assert services.find_model("hello").key == "greeter", "nobody loads a model twice without wanting to"
    assert services.find_model("acme/mood").key == "acme/mood"
    base, virtual = (workbench.catalogue.find(name) for name in ("hello", "acme/mood"))
    assert instances_of(base, [loaded]) == [loaded]
    assert instances_of(virtual, [loaded]) == []
