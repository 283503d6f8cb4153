"""lmdeck: a workbench for local language models that lives in the terminal."""

__version__ = "0.1.0"
