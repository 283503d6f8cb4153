"""Damaged and hostile model files on the whole road: listed with a reason, or refused with one; nothing dies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hostile import hostile_files
from tests.support.model_maker import make_scripted_model
from tui.domain import Failed, Finished, GenerationRequest, LoadConfig, SamplingConfig, text_message
from tui.paths import find_paths
from tui.workbench import Workbench

ANSWER = "Still here."


@pytest.mark.timeout(600)
def test_every_hostile_file_has_its_reason_and_the_program_lives_on(lmdeck_home: Path) -> None:
    files = hostile_files(lmdeck_home / "models")
    assert len(files) >= 50
    make_scripted_model(lmdeck_home / "models" / "good.gguf", ANSWER)
    workbench = Workbench(find_paths())
    listed = {model.path: model for model in workbench.catalogue.models()}
    refused = 0
    for file in files:
        model = listed.get(file.path)
        assert (model is not None) == file.listed, file.what
        if model is None:
            continue
        if not model.usable:
            refused += 1
            assert model.problem.endswith("."), file.what
            continue
        assert file.usable_header, f"{file.what} was taken for a model"
        request = GenerationRequest(
            model.key,
            (text_message("user", "Hi"),),
            sampling=SamplingConfig(max_tokens=2),
            load=LoadConfig(threads=1, context_length=256),
        )
        last = list(workbench.generate(request))[-1]
        assert isinstance(last, Failed | Finished), file.what
        if isinstance(last, Failed):
            refused += 1
            assert len(last.error.message) > 15, file.what
            assert last.error.advice, file.what
            assert last.error.code in ("model_unusable", "bad_template", "engine_fault", "bad_request"), file.what
        workbench.unload(model.key)
    assert refused >= 50
    text = "".join(
        getattr(event, "text", "")
        for event in workbench.generate(GenerationRequest("good", (text_message("user", "Hi"),)))
    )
    assert text == ANSWER
    workbench.close()
