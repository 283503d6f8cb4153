"""Small chat templates with the markers of one family each, for what is read off a template."""

from __future__ import annotations

_CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_THINK = "{% if reasoning %}<think>\n{{ reasoning }}\n</think>\n\n{% endif %}"
_HERMES = (
    "{% for call in calls %}<tool_call>\n"
    '{"name": "{{ call.name }}", "arguments": {{ call.arguments | tojson }}}\n</tool_call>{% endfor %}'
)
_FUNCTION_TAGS = (
    "{% for call in calls %}<tool_call>\n<function={{ call.name }}>\n{% for k, v in call.arguments | items %}"
    "<parameter={{ k }}>\n{{ v }}\n</parameter>\n{% endfor %}</function>\n</tool_call>{% endfor %}"
)
_DEEPSEEK_R1 = (
    "{% for call in calls %}<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>{{ call.type }}<｜tool▁sep｜>{{ call.name }}\n"
    "```json\n{{ call.arguments }}\n```<｜tool▁call▁end｜>{% endfor %}<｜tool▁calls▁end｜>"
    "<｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>{{ result }}<｜tool▁output▁end｜><｜tool▁outputs▁end｜>"
)
_DEEPSEEK_V31 = (
    "<｜tool▁calls▁begin｜>{% for call in calls %}<｜tool▁call▁begin｜>{{ call.name }}<｜tool▁sep｜>"
    "{{ call.arguments }}<｜tool▁call▁end｜>{% endfor %}<｜tool▁calls▁end｜>"
    "<｜tool▁output▁begin｜>{{ result }}<｜tool▁output▁end｜>"
)
_KEY_VALUE = (
    "{% for call in calls %}<tool_call>{{ call.name }}\n{% for k, v in call.arguments | items %}"
    "<arg_key>{{ k }}</arg_key>\n<arg_value>{{ v }}</arg_value>\n{% endfor %}</tool_call>{% endfor %}"
)
_GEMMA4 = (
    "{% if reasoning %}<|channel>thought\n{{ reasoning }}\n<channel|>{% endif %}"
    "{% for call in calls %}<|tool_call>call:{{ call.name }}{{ '{' }}{{ call.arguments }}}<tool_call|>{% endfor %}"
)

TEMPLATES = {
    "plain": _CHATML,
    "think": _CHATML + _THINK,
    "hermes": _CHATML + _HERMES,
    "qwen3": _CHATML + _THINK + _HERMES,
    "qwen3-coder": _CHATML + _FUNCTION_TAGS,
    "qwen3.5": _CHATML + _THINK + _FUNCTION_TAGS,
    "deepseek-r1": _THINK + _DEEPSEEK_R1,
    "deepseek-v3.1": _THINK + _DEEPSEEK_V31,
    "deepseek-v3.2": (
        _THINK + "{% set dsml = '｜DSML｜' %}<{{ dsml }}function_calls>{% for call in calls %}"
        '<{{ dsml }}invoke name="{{ call.name }}">{% endfor %}'
    ),
    "deepseek-v4.1": (
        _THINK + "{% set dsml = '｜DSML｜' %}<{{ dsml }} calls>{% for call in calls %}"
        '<{{ dsml }} invoke name="{{ call.name }}">{% endfor %}'
    ),
    "ernie": _CHATML + _THINK + _HERMES,
    "functiongemma": (
        "{% for call in calls %}<start_function_call>call:{{ call.name }}{{ '{' }}{{ call.arguments }}}"
        "<end_function_call>{% endfor %}"
    ),
    "gemma4": _GEMMA4,
    "gigachat": "function call<|role_sep|>\n{{ call }}<|message_sep|>\n\n",
    "gigachat3.1": "<|function_call|>{{ call }}<|message_sep|>\n\n",
    "glm": _THINK + _KEY_VALUE,
    "granite": (
        "<|start_of_role|>system<|end_of_role|> respond only with <|tool_call|> followed by a JSON list of tools. "
        "Write your thoughts after 'Here is my thought process:' and then 'Here is my response:'."
    ),
    "granite-code": '<function_call> {"name": "{{ name }}", "arguments": {{ arguments }}}',
    "gpt-oss": "<|start|>assistant to=functions.{{ name }}<|channel|>commentary json<|message|>{{ arguments }}<|call|>",
    "hunyuan": "<think>\n{{ reasoning }}\n</think>\n<answer>\n{{ content }}\n</answer>",
    "internlm": '<|action_start|><|plugin|>{"name": "{{ name }}", "parameters": {{ parameters }}}<|action_end|>',
    "json-tools": _CHATML + _HERMES,
    "iquest": _THINK + _KEY_VALUE.replace("tool_call>", "iquest_tool_call>"),
    "jamba": '<tool_calls>[{"name": "{{ name }}", "arguments": {{ arguments }}}]</tool_calls>',
    "kimi": (
        "<|tool_calls_section_begin|><|tool_call_begin|>{{ id }}<|tool_call_argument_begin|>{{ arguments }}"
        "<|tool_call_end|><|tool_calls_section_end|>"
    ),
    "lfm2": _THINK + "List of tools: <|tool_list_start|>[{{ tools }}]<|tool_list_end|>",
    "llama3": 'Respond in the format {"name": function name, "parameters": dictionary of argument name and its value}.',
    "llama4": "<|python_start|>[{{ name }}({{ arguments }})]<|python_end|>",
    "longcat": (
        _CHATML + "<longcat_tool_call>{{ name }}<longcat_arg_key>{{ k }}</longcat_arg_key>\n"
        "<longcat_arg_value>{{ v }}</longcat_arg_value></longcat_tool_call>"
    ),
    "minimax-m2": (
        _THINK + '<minimax:tool_call>\n<invoke name="{{ name }}">\n<parameter name="{{ k }}">{{ v }}</parameter>\n'
        "</invoke>\n</minimax:tool_call>"
    ),
    "minimax-m3": (
        "{% if reasoning %}<mm:think>{{ reasoning }}</mm:think>{% endif %}{% set lead = ']<]minimax[>[' %}"
        '{{ lead }}<tool_call>\n{{ lead }}<invoke name="{{ name }}">{{ elements }}{{ lead }}</invoke>\n'
        "{{ lead }}</tool_call>"
    ),
    "mistral-nemo": "[INST]{{ content }}[/INST][TOOL_CALLS][{{ call | tojson }}]</s>",
    "mistral-small": "[TOOL_CALLS]{{ name }}[CALL_ID]{{ id }}[ARGS]{{ arguments }}",
    "magistral": "[THINK]{{ reasoning }}[/THINK][TOOL_CALLS]{{ name }}[ARGS]{{ arguments }}",
    "muse": (
        "<|start|>assistant to=self<|message|>{{ reasoning }}<|eom|><|start|>assistant to=user<|message|>{{ content }}"
        '<|eot|><atem:function_calls>\n<atem:invoke name="{{ name }}">'
    ),
    "olmo3": "<function_calls>{{ calls }}</function_calls>",
    "olmo3-think": _THINK + "<function_calls>{{ calls }}</function_calls>",
    "functools": "functools[{{ calls }}]",
    "pythonic": "Put calls in the format of [func_name1(params_name1=params_value1, params_name2=params_value2)]",
    "step3": '<｜tool_calls_begin｜><｜tool_call_begin｜>function<｜tool_sep｜><steptml:invoke name="{{ name }}">',
    "xlam": 'Answer in the format: [{"name": "tool_call_name", "arguments": {"arg1": "value1"}}, ...]',
}
"""By a name of our own for the family."""
