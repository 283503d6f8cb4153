"""Finds the stylesheets: in the package when it is installed, at the top of the checkout otherwise."""

from __future__ import annotations

from pathlib import Path


def find_stylesheets() -> list[Path]:
    """Every `.tcss` file that the screens need, in the order in which they are read."""
    package = Path(__file__).parent.parent
    folder = next((place for place in (package / "styles", package.parent / "styles") if place.is_dir()), None)
    if folder is None:
        raise FileNotFoundError(f"The stylesheets are missing: neither {package / 'styles'} nor a checkout has them.")
    return sorted(folder.glob("*.tcss"))
