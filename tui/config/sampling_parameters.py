"""Every parameter of sampling, and of an answer beyond it, declared once."""

from __future__ import annotations

from typing import get_args

from tui.config.parameters import Parameter, declare
from tui.domain import AnswerConfig, OverflowPolicy, ReasoningEffort, SamplingConfig

SAMPLING_PARAMETERS = declare(
    SamplingConfig,
    Parameter("temperature", "Temperature", "number", "0 always takes the likeliest token.", minimum=0, group="basic"),
    Parameter("top_k", "Top k", "integer", "Only the k likeliest tokens; 0 for all.", minimum=-1, group="basic"),
    Parameter(
        "top_p", "Top p", "number", "Only the likeliest tokens up to this sum.", minimum=0, maximum=1, group="basic"
    ),
    Parameter(
        "min_p", "Min p", "number", "Only tokens this likely beside the best.", minimum=0, maximum=1, group="basic"
    ),
    Parameter(
        "repeat_penalty", "Repeat penalty", "number", "Above 1 discourages repetition.", minimum=0.01, group="basic"
    ),
    Parameter("max_tokens", "Token limit", "integer", "The longest answer.", minimum=1, unit="tokens", group="basic"),
    Parameter("seed", "Seed", "integer", "The same seed gives the same answer; auto draws one.", group="basic"),
    Parameter("stop", "Stop strings", "strings", "Texts that end the answer, such as ###, \\n\\n.", group="basic"),
    Parameter("dynamic_temperature_range", "Dynamic range", "number", "Half-width of dynamic temperature.", minimum=0),
    Parameter("dynamic_temperature_exponent", "Dynamic exponent", "number", "Shape of dynamic temperature.", minimum=0),
    Parameter("typical_p", "Typical p", "number", "Locally typical sampling; 1 is off.", minimum=0, maximum=1),
    Parameter("top_n_sigma", "Top n sigma", "number", "Tokens within n deviations of the best; -1 is off.", minimum=-1),
    Parameter("xtc_probability", "XTC probability", "number", "How often the top choices go.", minimum=0, maximum=1),
    Parameter("xtc_threshold", "XTC threshold", "number", "What counts as a top choice.", minimum=0, maximum=1),
    Parameter("dry_multiplier", "DRY multiplier", "number", "Strength against repeated phrases; 0 is off.", minimum=0),
    Parameter("dry_base", "DRY base", "number", "How fast it grows with the phrase.", minimum=0),
    Parameter("dry_allowed_length", "DRY length", "integer", "Phrases this long may repeat.", minimum=0),
    Parameter("dry_penalty_last_n", "DRY window", "integer", "Tokens to look back; -1 for all.", minimum=-1),
    Parameter("dry_sequence_breakers", "DRY breakers", "strings", "Texts that no repeated phrase goes across."),
    Parameter("mirostat", "Mirostat", "integer", "Version 1 or 2; 0 is off.", minimum=0, maximum=2),
    Parameter("mirostat_learning_rate", "Mirostat rate", "number", "How fast it adapts.", minimum=0),
    Parameter("mirostat_target_entropy", "Mirostat entropy", "number", "How surprising the text shall be.", minimum=0),
    Parameter("repeat_last_n", "Repeat window", "integer", "Tokens that penalties look back; -1 for all.", minimum=-1),
    Parameter("presence_penalty", "Presence penalty", "number", "Against tokens that occurred."),
    Parameter("frequency_penalty", "Frequency penalty", "number", "Against tokens, for each time they occurred."),
    Parameter("logit_bias", "Logit bias", "biases", "Tokens and what is added to their logits, such as 42=-1.5."),
    Parameter("min_tokens", "Least tokens", "integer", "The answer does not end before.", minimum=0, unit="tokens"),
    Parameter(
        "top_logprobs",
        "Alternatives",
        "integer",
        "Report each token's log-probability and this many others; auto reports none.",
        minimum=0,
        maximum=100,
    ),
    Parameter("ignore_end_of_generation", "Ignore the end", "boolean", "Never let the model end its answer."),
)

ANSWER_PARAMETERS = declare(
    AnswerConfig,
    Parameter("system_prompt", "System prompt", "text", "What the model is told before the conversation."),
    Parameter(
        "reasoning_effort",
        "Thinking",
        "choice",
        "How much a reasoning model thinks. Auto leaves it to the model.",
        choices=get_args(ReasoningEffort),
        group="basic",
    ),
    Parameter(
        "overflow",
        "On overflow",
        "choice",
        "What is done with a conversation that is longer than the context.",
        choices=get_args(OverflowPolicy),
    ),
)
"""`constraint`, the form of the answer, is none that one line could say."""
