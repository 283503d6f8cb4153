"""Finds the stylesheets: in the package when it is installed, at the top of the checkout otherwise."""

from __future__ import annotations

from pathlib import Path


def stylesheet(name: str) -> Path:
    """The path of a stylesheet, such as that of `chat`. Each screen names its own, so that it is read when it opens."""
    package = Path(__file__).parent.parent
    places = [folder / f"{name}.tcss" for folder in (package / "styles", package.parent / "styles")]
    found = next((path for path in places if path.is_file()), None)
    if found is None:
        raise FileNotFoundError(f"A stylesheet is missing: {' or '.join(str(path) for path in places)}.")
    return found
