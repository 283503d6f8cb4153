"""The wing is cheap to import."""

from __future__ import annotations

import subprocess
import sys


def test_nothing_heavy_is_imported() -> None:
    heavy = ("llama_cpp", "numpy", "gguf", "textual", "rich", "httpx", "jinja2", "sqlite3", "asyncio", "difflib")
    program = f"import sys, tui.models; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
