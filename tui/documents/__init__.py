"""Files as context for a conversation: extract their text, cut it, embed it, find the parts that matter.

Nothing here yet; threads carry text only.
"""
