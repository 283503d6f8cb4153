"""Texts that the tests of the transcript share."""

from __future__ import annotations

from rich.style import Style

from tui.app.transcript.blocks import parse
from tui.app.transcript.palette import Palette
from tui.app.transcript.render import render_all
from tui.app.transcript.text import Row, cells, clean

PALETTE = Palette(
    text=Style(color="white"),
    inline_code=Style(color="yellow"),
    link=Style(underline=True),
    dim=Style(dim=True),
    heading=Style(color="bright_white"),
    code_keyword=Style(color="blue"),
    code_string=Style(color="green"),
    rule=Style(color="bright_black"),
)

ANSWER = '''# Release notes

Here are the notes with **bold**, *italic*, `inline code`, ~~gone~~ and a [link](https://example.com/docs).
They wrap at the width of the pane.

## Highlights
- Model loading shows a progress bar
- Threads can be filed in folders
  - a nested item with a rather long text that has to be wrapped over more than one row of the pane
    1. deep
- [x] done
- [ ] open

1. First do this:
   ```bash
   pip install lmdeck
   ```

2. Then that.

```python
from tui.engine import Engine

def load(name: str, *, context: int = 8192) -> Engine:
	"""A docstring
	over lines."""
	return Engine.load(name, ctx=context)  # a comment that is so long that it goes past the width of the pane
```

> A quote that says something wise.
> And more.

| Model | Size | What it is good for |
|:------|-----:|---------------------|
| Qwen3-8B | 4.9 GB | Everyday chat, code and reasoning, quite fast on a laptop with a GPU |
| 日本語モデル | 12 GB | 日本語の文章を書くのが得意です |

---

你好，世界！这是一段很长的中文文本，用来测试换行是否正确，标点符号不应该出现在行首。你好，世界！
'''


def drawn(source: str, width: int, *, keep_lines: bool = False) -> list[Row]:
    """The rows of a whole text."""
    return render_all(parse(clean(source), keep_lines=keep_lines), width, PALETTE)


def plain(rows: list[Row]) -> list[str]:
    """What the rows look like without styles."""
    return ["".join(text for text, _ in row.spans) for row in rows]


def widest(rows: list[Row]) -> int:
    """The widest row, in cells."""
    return max((sum(cells(text) for text, _ in row.spans) for row in rows), default=0)
