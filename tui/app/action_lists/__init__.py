"""Every action, in lists by the part of the screen where it works; `tui.app.actions` makes the one registry of them."""
