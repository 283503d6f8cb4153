"""Power cuts while an answer is being written."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.support.power import DAMAGES, Damage, cut_power


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_store_is_whole_and_a_second_is_lost_at_most(tmp_path: Path, damage: Damage) -> None:
    chance = random.Random(damage)
    cuts = []
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        cuts.append(cut_power(folder, damage, chance, longest=1.0))
    assert [cut.problem for cut in cuts] == [""] * 3
    if damage == "unsynced":
        assert max(cut.lost_seconds for cut in cuts) < 1.0
    else:
        assert any(cut.cut_bytes for cut in cuts)
    assert any(cut.pieces for cut in cuts) or damage == "anywhere"
