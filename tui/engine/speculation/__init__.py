"""Guessing the next tokens, so that the model checks several in one step. Answers stay what they would be.

`open_speculator` makes what `LoadConfig.speculation` asks for. A `Speculator` decides for each step whether guessing
pays, asks its drafter, and learns from what becomes of the guesses. `draft_config` is how a draft model is loaded.
"""

from tui.engine.speculation.opening import draft_config, open_speculator
from tui.engine.speculation.speculator import Drafter, Speculator

__all__ = ["Drafter", "Speculator", "draft_config", "open_speculator"]
