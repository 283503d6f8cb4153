"""The tests of lmdeck, in folders that mirror `tui/`."""
