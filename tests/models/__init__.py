"""Tests of the models wing, and of the models that the tests make."""
