"""What the tests of every wing share: a maker of small GGUF models, and damaged files."""

from tests.support.model_maker import make_scripted_model, make_tiny_model
from tests.support.scripts import long_script
from tests.support.vocabulary import CHATML_TEMPLATE

__all__ = ["CHATML_TEMPLATE", "long_script", "make_scripted_model", "make_tiny_model"]
