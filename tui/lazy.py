"""Packages that offer names from many files without importing them all.

Making a frozen dataclass costs a millisecond, and the first paint waits for every import before it. A package
that uses this imports a file when one of its names is asked for (PEP 562).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(package: str, files: Mapping[str, str]) -> Callable[[str], Any]:
    """A `__getattr__` for a package: each file of it, with the names that it offers separated by spaces."""
    home = {name: file for file, names in files.items() for name in names.split()}

    def __getattr__(name: str) -> Any:  # noqa: N807
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{home[name]}"), name)

    return __getattr__
