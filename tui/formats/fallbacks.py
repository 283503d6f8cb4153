"""Templates for model files that have none, by family."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

FALLBACK_TEMPLATE: Final = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""ChatML, for a model without a template: the form that most models without one have seen."""


def _turns(before: str, between: str, after: str, *, answer: str = "assistant", start: str = "") -> str:
    """A template of one form for every role: text, role, text, content, text."""
    role = "message.role" if answer == "assistant" else f"'{answer}' if message.role == 'assistant' else message.role"
    return (
        f"{start}{{% for message in messages %}}{before}{{{{ {role} }}}}{between}"
        f"{{{{ message.content | trim }}}}{after}"
        f"{{% endfor %}}{{% if add_generation_prompt %}}{before}{answer}{between}{{% endif %}}"
    )


_INSTRUCTION = (
    "{{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}[INST] {{ message.content }} [/INST]"
    "{% elif message.role == 'assistant' %} {{ message.content | trim }}{{ eos_token }}"
    "{% else %}{{ raise_exception('There is no place for the role ' ~ message.role) }}{% endif %}{% endfor %}"
)

# Gemma has no system role: raising sends the system's text into the user's.
_GEMMA = (
    "{{ bos_token }}{% for message in messages %}{% if message.role == 'system' %}"
    "{{ raise_exception('There is no place for a system message') }}{% endif %}"
    "<start_of_turn>{{ 'model' if message.role == 'assistant' else message.role }}\n"
    "{{ message.content | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)

_DEEPSEEK = (
    "{{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}<｜User｜>{{ message.content }}"
    "{% elif message.role == 'assistant' %}<｜Assistant｜>{{ message.content }}<｜end▁of▁sentence｜>"
    "{% else %}{{ message.content }}{% endif %}{% endfor %}{% if add_generation_prompt %}<｜Assistant｜>{% endif %}"
)

_COHERE = (
    "{{ bos_token }}{% for message in messages %}<|START_OF_TURN_TOKEN|>"
    "<|{{ {'user': 'USER', 'assistant': 'CHATBOT'}.get(message.role, 'SYSTEM') }}_TOKEN|>{{ message.content | trim }}"
    "<|END_OF_TURN_TOKEN|>{% endfor %}"
    "{% if add_generation_prompt %}<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>{% endif %}"
)

_HARMONY = (
    "{% for message in messages %}<|start|>"
    "{{ 'developer' if message.role == 'system' else message.role }}"
    "{{ '<|channel|>final' if message.role == 'assistant' }}<|message|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant{% endif %}"
)

_FAMILIES: Final = (
    (("<|im_start|>", "<|im_end|>"), FALLBACK_TEMPLATE),
    (("<|channel|>", "<|start|>", "<|message|>"), _HARMONY),
    (
        ("<|start_header_id|>", "<|eot_id|>"),
        _turns("<|start_header_id|>", "<|end_header_id|>\n\n", "<|eot_id|>", start="{{ bos_token }}"),
    ),
    (("<start_of_turn>", "<end_of_turn>"), _GEMMA),
    (("<|turn>", "<turn|>"), _turns("<|turn>", "\n", "<turn|>\n", answer="model", start="{{ bos_token }}")),
    (("<｜User｜>", "<｜Assistant｜>"), _DEEPSEEK),
    (("<|START_OF_TURN_TOKEN|>", "<|CHATBOT_TOKEN|>"), _COHERE),
    (
        ("<|start_of_role|>", "<|end_of_role|>"),
        _turns("<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>\n"),
    ),
    (("[gMASK]", "<|user|>", "<|assistant|>"), _turns("<|", "|>\n", "\n", start="[gMASK]<sop>")),
    (("<|user|>", "<|assistant|>", "<|end|>"), _turns("<|", "|>\n", "<|end|>\n")),
    (("<|user|>", "<|assistant|>"), _turns("<|", "|>\n", "{{ eos_token }}\n")),
    (("[INST]", "[/INST]"), _INSTRUCTION),
)
"""Special tokens that only one family has, and its form; what is told apart by fewer comes later."""


def family_template(tokens: Collection[str]) -> str:
    """The template for a model without one, from the special tokens in its vocabulary; ChatML where they tell nothing.

    A guess that is better than none: which tokens a model has says how its conversations were written down.
    """
    known = tokens if isinstance(tokens, set | frozenset | dict) else frozenset(tokens)
    return next(
        (template for markers, template in _FAMILIES if all(marker in known for marker in markers)), FALLBACK_TEMPLATE
    )
