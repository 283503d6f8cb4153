"""The texts that models put around their reasoning and around their answers."""

from __future__ import annotations

from tui.formats.output.format import ReasoningTags

THINK = ReasoningTags("<think>", "</think>")
"""What most models write, and what fine-tunes write whose template says nothing of it."""

REASONING = (
    ReasoningTags("[THINK]", "[/THINK]", anywhere=True),
    ReasoningTags("<|channel>", "<channel|>", anywhere=True, title="thought\n"),
    ReasoningTags("<seed:think>", "</seed:think>"),
    ReasoningTags("<mm:think>", "</mm:think>"),
    ReasoningTags("<thinking>", "</thinking>"),
    ReasoningTags("<|START_THINKING|>", "<|END_THINKING|>", anywhere=True),
    ReasoningTags("<|inner_prefix|>", "<|inner_suffix|>", anywhere=True),
    ReasoningTags("<|think|>", "<|end|>", anywhere=True),
    ReasoningTags("Here is my thought process:", "Here is my response:"),
    ReasoningTags("Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"),
)
"""The tags of other families."""

ANSWER_TAGS = ("<answer>", "</answer>")
"""What some reasoning models put around their answer."""
