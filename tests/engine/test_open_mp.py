"""A model with nothing to do keeps no threads that count against the others."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from tests.support.embedding_models import bert_weights, make_bert
from tests.support.engines import collect, loaded
from tests.support.model_maker import make_scripted_model
from tui.domain import LoadConfig, SamplingConfig

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads are counted by /proc")


def native_threads() -> int:
    return len(os.listdir("/proc/self/task"))


def comes_down_to(count: int) -> bool:
    for _ in range(200):
        if native_threads() <= count:
            return True
        time.sleep(0.01)
    return False


def test_helpers_go_when_an_answer_has_ended_and_come_again(tmp_path: Path) -> None:
    with loaded(make_scripted_model(tmp_path / "model.gguf", "hello"), LoadConfig(threads=4)) as model:
        idle = native_threads()
        for _ in range(3):
            assert collect(model.submit([1, 2, 3], SamplingConfig())).text == "hello"
            assert comes_down_to(idle)


def test_helpers_of_vectors_go_too(tmp_path: Path) -> None:
    with loaded(make_bert(tmp_path / "model.gguf", bert_weights()), LoadConfig(threads=4)) as model:
        idle = native_threads()
        first = model.embed(["hello"]).result(30).vectors
        assert comes_down_to(idle)
        again = model.embed(["hello"]).result(30).vectors
        assert [list(vector) for vector in again] == [list(vector) for vector in first]
