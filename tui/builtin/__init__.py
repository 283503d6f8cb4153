"""What ships inside the package to work without a network.

Nothing here yet; models come from the models folder.
"""
