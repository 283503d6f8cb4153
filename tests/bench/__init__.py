"""Benchmarks, run by hand: `python -m tests.bench NAME [--json]`. Each measures against a baseline in the same run."""
