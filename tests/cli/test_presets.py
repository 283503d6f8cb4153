"""`lmdeck presets`: what there is, in and out, and LM Studio's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.model_maker import make_tiny_model
from tui.cli.main import command
from tui.paths import find_paths
from tui.workbench import Workbench

PRESET = {
    "name": "Deep",
    "operation": {
        "fields": [
            {"key": "llm.prediction.temperature", "value": 0.1},
            {"key": "llm.prediction.tools", "value": {"type": "none"}},
        ]
    },
    "load": {"fields": []},
}


def lmdeck(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(command, ["presets", *arguments])
    assert done.exit_code == code, done.output
    return done


@pytest.mark.usefixtures("lmdeck_home")
def test_presets_come_and_go(tmp_path: Path) -> None:
    source = tmp_path / "deep.preset.json"
    source.write_text(json.dumps(PRESET))
    done = lmdeck("import", str(source))
    assert done.stdout == "Deep\n"
    assert "llm.prediction.tools has no effect here" in done.stderr
    assert json.loads(lmdeck("ls", "--json").stdout)[0]["identifier"] == "@local:deep"
    (tmp_path / "out").mkdir()
    written = Path(lmdeck("export", "deep", str(tmp_path / "out")).stdout.strip())
    assert json.loads(written.read_text())["operation"] == PRESET["operation"]
    lmdeck("rm", "Deep")
    assert lmdeck("ls").stdout == ""
    assert "There is no preset" in lmdeck("rm", "Deep", code=2).stderr
    assert "no file" in lmdeck("import", str(tmp_path / "none.json"), code=2).stderr


def test_everything_of_lm_studio_is_taken_over_once(lmdeck_home: Path) -> None:
    model = lmdeck_home / "models" / "maker" / "Tiny-GGUF" / "tiny.gguf"
    model.parent.mkdir(parents=True)
    make_tiny_model(model)
    home = lmdeck_home / "lmstudio"
    (home / "config-presets").mkdir(parents=True)
    (home / "config-presets" / "deep.preset.json").write_text(json.dumps(PRESET))
    (home / "config-presets" / "bad.preset.json").write_text("{")
    saved = home / ".internal" / "user-concrete-model-default-config" / "maker" / "Tiny-GGUF" / "tiny.gguf.json"
    saved.parent.mkdir(parents=True)
    fields = [{"key": "llm.load.contextLength", "value": 1024}]
    saved.write_text(json.dumps({"preset": "", "operation": {"fields": []}, "load": {"fields": fields}}))
    done = lmdeck("from-lmstudio", str(home))
    assert done.stdout == "preset Deep\ndefaults of tiny\n"
    assert "left bad.preset.json" in done.stderr
    workbench = Workbench(find_paths())
    assert workbench.defaults_of("tiny").load.context_length == 1024
    workbench.close()
    again = lmdeck("from-lmstudio", str(home))
    assert again.stdout == ""
    assert again.stderr.count("already") == 2
    assert "no folder" in lmdeck("from-lmstudio", str(home / "none"), code=2).stderr
