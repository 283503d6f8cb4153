"""Where models may lie on this machine: lmdeck's own folder, and those of other programs, which are only read."""

from tui.models.stores.known import known_sources
from tui.models.stores.source import OWN, Source

__all__ = ["OWN", "Source", "known_sources"]
