"""Where models may lie on this machine: lmdeck's own folder, and those of other programs, which are only read."""

from tui.models.stores.built_in import built_in_source
from tui.models.stores.known import known_sources
from tui.models.stores.source import OWN, Source

__all__ = ["OWN", "Source", "built_in_source", "known_sources"]
