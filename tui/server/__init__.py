"""The local server: one folder for each HTTP dialect, every one a pair of translations over the one road.

Nothing here yet; no port is opened.
"""
