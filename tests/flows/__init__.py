"""Flows in a real terminal, as a person would go through them."""
