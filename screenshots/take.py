"""Takes the README's pictures: `python -m screenshots.take`. The program is the real one, the model a scripted one."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from tests.support.model_maker import make_scripted_model
from tui.__main__ import make_server
from tui.app.app import LmdeckApp
from tui.config import Settings
from tui.domain import LoadConfig, text_message
from tui.paths import Paths
from tui.workbench import Workbench

FOLDER = Path(__file__).parent
MODEL = "tour-1b-q8_0"
ANSWER = """<think>The person wants to see what this can do: a short list, some code, a table.</think>\
Threads keep **every word** on disk as it comes, and several of them can run at once:

- the next turn reads only what is new,
- `ctrl+c` stops an answer, and what it said stays,
- deleting goes to a trash, and `u` brings it back.

```python
@dataclass(frozen=True)
class Point:
    x: float
    y: float

    def length(self) -> float:
        # the distance from the origin
        return (self.x**2 + self.y**2) ** 0.5
```

| parameter | asked | loaded |
| --- | --- | --- |
| context length | 1,000 | 1,024 |
| GPU layers | auto | 25 |
"""
QUESTIONS = ("Plan a reading week", "What does context length cost?", "Rename these files", "A point in the plane")


def prepare(home: Path) -> Paths:
    paths = Paths(home, home / "cache", home / "logs")
    folder = paths.models / "lmdeck" / "Tour-1B-GGUF"
    folder.mkdir(parents=True)
    make_scripted_model(folder / "Tour-1B-Q8_0.gguf", ANSWER, layers=8, quantization="q8_0", context_length=8192)
    make_scripted_model(paths.models / "notes-0.6b-F16.gguf", "Noted.", context_length=32_768)
    (paths.models / "half-a-download-Q4_K_M.gguf").write_bytes(b"GGUF\x03\x00\x00\x00" + bytes(300))
    workbench = Workbench(paths)
    for question in QUESTIONS:
        thread = workbench.threads.create_thread()
        workbench.threads.add_message(thread.id, text_message("user", question))
    workbench.close()
    Settings(paths.settings).set("last_thread", thread.id)
    return paths


async def take(name: str, size: tuple[int, int], *, answered: bool, keys: tuple[str, ...] = ()) -> None:
    with tempfile.TemporaryDirectory(prefix="lmdeck-picture-") as folder:
        workbench = Workbench(prepare(Path(folder)))
        if answered:
            workbench.load(MODEL, LoadConfig())
            (thread, *_) = workbench.threads.list_threads()
            workbench.answer(thread.id, MODEL).generation.wait(60)
        app = LmdeckApp(workbench, lambda: make_server(workbench, "screen"))
        async with app.run_test(size=size) as pilot:
            await pilot.pause(1.0)
            for key in keys:
                await pilot.press(key)
                await pilot.pause(1.5)
            (FOLDER / f"{name}.svg").write_text(app.export_screenshot(title="lmdeck"), encoding="utf-8")


async def main() -> None:
    await take("chat-wide", (120, 36), answered=True)
    await take("chat-narrow", (80, 24), answered=True)
    await take("models", (80, 24), answered=False, keys=("ctrl+o",))
    await take("load", (80, 24), answered=False, keys=("ctrl+o", "enter"))


if __name__ == "__main__":
    asyncio.run(main())
