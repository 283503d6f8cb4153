"""Tools, calls and results in prompts, with templates that take them in different ways or not at all."""

from __future__ import annotations

import json

import pytest

from tui.domain import (
    BadRequest,
    Message,
    ReasoningPart,
    TextPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
    text_message,
)
from tui.formats import ChatFormat

USER = text_message("user", "Hello")
ADD = Tool("add", "Adds.", '{"type": "object", "properties": {"a": {"type": "integer"}}}')
FIRST, SECOND = ToolCallPart("id-1", "add", '{"a": 1}'), ToolCallPart("id-2", "sub", '{"b": "x"}')
RESULTS = (
    Message("tool", (ToolResultPart("id-1", "add", "one"),)),
    Message("tool", (ToolResultPart("id-2", "", "two"),)),
)
CALLED = Message("assistant", (FIRST,))
BOTH = Message("assistant", (TextPart("Let me see."), FIRST, SECOND))

PLAIN = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
CALLS = (
    "{% for t in tools or [] %}{{ t.function.name }}:{% endfor %}"
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% for c in m.tool_calls or [] %}"
    "({{ c.id }} {{ c.function.name }} {{ c.function.arguments | tojson }}){% endfor %}"
    "{% if m.role == 'tool' %}<{{ m.tool_call_id }} {{ m.name }}>{% endif %}{% endfor %}"
)


def render(template: str, *messages: Message, tools: tuple[Tool, ...] = ()) -> str:
    return ChatFormat(template).render(messages, tools=tools).text


def test_calls_and_results() -> None:
    assert render(CALLS, USER, BOTH, *RESULTS, tools=(ADD,)) == (
        'add:[user]Hello[assistant]Let me see.(id-1 add {"a": 1})(id-2 sub {"b": "x"})'
        "[tool]one<id-1 add>[tool]two<id-2 sub>"
    )


def test_results_in_one_message_or_with_what_the_user_says() -> None:
    together = Message("tool", tuple(part for message in RESULTS for part in message.parts))
    assert render(CALLS, USER, BOTH, together) == render(CALLS, USER, BOTH, *RESULTS)
    said = Message("user", (*RESULTS[0].parts, TextPart("And now?")))
    assert render(CALLS, USER, CALLED, said).endswith("[tool]one<id-1 add>[user]And now?")


@pytest.mark.parametrize(
    ("call_ids", "result_ids", "expected"),
    [
        (("a", "b"), ("b", "a"), ["<b sub>", "<a add>"]),
        (("", ""), ("", ""), ["<call_0 add>", "<call_1 sub>"]),
        (("a", "b"), ("b", "zzz"), ["<b sub>", "<zzz >"]),
        (("a", ""), ("a", ""), ["<a add>", "<call_1 sub>"]),
    ],
)
def test_results_find_their_calls(call_ids: tuple[str, str], result_ids: tuple[str, str], expected: list[str]) -> None:
    calls = (ToolCallPart(call_ids[0], "add", "{}"), ToolCallPart(call_ids[1], "sub", "{}"))
    results = (Message("tool", (ToolResultPart(result_id, "", "x"),)) for result_id in result_ids)
    text = render(CALLS, USER, Message("assistant", calls), *results)
    assert [f"<{part.partition('>')[0]}>" for part in text.split("<")[1:]] == expected


def test_results_without_ids_go_by_name() -> None:
    results = (Message("tool", (ToolResultPart("", name, name),)) for name in ("sub", "add"))
    assert render(CALLS, USER, BOTH, *results).endswith("[tool]sub<id-2 sub>[tool]add<id-1 add>")


def test_ids_as_mistral_wants_them() -> None:
    template = CALLS.replace(
        "({{ c.id }}", "{% if c.id | length != 9 %}{{ raise_exception('nine') }}{% endif %}({{ c.id }}"
    )
    chat_format = ChatFormat(template)
    assert chat_format.capabilities.tool_call_ids == "nine_alphanumerics"
    text = chat_format.render([USER, BOTH, *RESULTS]).text
    first, second = (part.split()[0] for part in text.split("(")[1:3])
    assert first != second
    assert all(len(made) == 9 and made.isalnum() for made in (first, second))
    assert f"<{first} add>" in text
    assert f"<{second} sub>" in text
    assert chat_format.render([USER, BOTH, *RESULTS]).text == text
    kept = Message("assistant", (ToolCallPart("Abc123xyz", "add", "{}"),))
    assert "(Abc123xyz add" in chat_format.render([USER, kept]).text


def test_ids_as_kimi_wants_them() -> None:
    template = CALLS.replace("({{ c.id }} {{ c.function.name }}", "({{ c.id }}")
    chat_format = ChatFormat(template)
    assert chat_format.capabilities.tool_call_ids == "functions_name_index"
    text = chat_format.render([USER, BOTH, *RESULTS, CALLED, RESULTS[0]]).text
    assert '(functions.add:0 {"a": 1})(functions.sub:1 {"b": "x"})' in text
    assert "<functions.add:0 add>" in text
    assert text.endswith('(functions.add:2 {"a": 1})[tool]one<functions.add:2 add>')


def test_arguments_as_text_where_the_template_joins_them() -> None:
    template = CALLS.replace("c.function.arguments | tojson }}", "c.function.arguments + '' }}")
    assert ChatFormat(template).capabilities.tool_call_arguments == "text"
    assert '(id-1 add {"a": 1})' in render(template, USER, CALLED)
    assert ChatFormat(CALLS).capabilities.tool_call_arguments == "object"
    # A template that prints an object as Python does wants a text.
    template = CALLS.replace("c.function.arguments | tojson }}", "c.function.arguments }}")
    assert '(id-1 add {"a": 1})' in render(template, USER, CALLED)


@pytest.mark.parametrize("arguments", ['{"a": 1', "[1, 2]", "", "nonsense"])
def test_arguments_that_are_no_object_are_kept(arguments: str) -> None:
    text = render(CALLS, USER, Message("assistant", (ToolCallPart("i", "add", arguments),)))
    shown = json.loads(text.partition("add ")[2][:-1])
    assert shown == ({} if not arguments else {"arguments": [1, 2] if arguments == "[1, 2]" else arguments})


def test_one_call_at_a_time_where_more_are_refused() -> None:
    refusal = "{% if (m.tool_calls or []) | length > 1 %}{{ raise_exception('one') }}{% endif %}"
    template = CALLS.replace("[{{ m.role }}]", refusal + "[{{ m.role }}]")
    assert not ChatFormat(template).capabilities.parallel_tool_calls
    assert render(template, USER, BOTH, *RESULTS, USER) == (
        '[user]Hello[assistant]Let me see.(id-1 add {"a": 1})[tool]one<id-1 add>'
        '[assistant](id-2 sub {"b": "x"})[tool]two<id-2 sub>[user]Hello'
    )


def test_text_and_calls_apart_where_calls_need_null_content() -> None:
    template = (
        "{% for m in messages %}[{{ m.role }}]{% if m.role == 'assistant' and m.content is none %}"
        "{{ m.tool_calls[0].function.name + m.tool_calls[0].function.arguments }}"
        "{% else %}{{ m.content }}{% endif %}{% endfor %}"
    )
    capabilities = ChatFormat(template).capabilities
    assert (capabilities.null_content, capabilities.tool_call_arguments) == (True, "text")
    said = Message("assistant", (TextPart("Hm."), FIRST))
    assert render(template, USER, said, RESULTS[0]) == '[user]Hello[assistant]Hm.[assistant]add{"a": 1}[tool]one'


def test_a_template_that_knows_of_no_tools() -> None:
    prompt = ChatFormat(PLAIN).render([USER, CALLED, RESULTS[0]], tools=[ADD])
    assert prompt.tools_in_text
    system, _, rest = prompt.text.partition("[user]")
    assert system.startswith("[system]")
    assert '{"name": "add", "description": "Adds.", "parameters": {"type": "object"' in system
    assert '[TOOL_REQUEST]{"name": "tool_name", "arguments": {"argument": "value"}}[END_TOOL_REQUEST]' in system
    assert rest == (
        'Hello[assistant][TOOL_REQUEST]{"name": "add", "arguments": {"a": 1}}[END_TOOL_REQUEST]'
        '[user][TOOL_RESULT]{"name": "add", "content": "one"}[END_TOOL_RESULT]'
    )


def test_tools_join_the_system_message_that_is_there_or_the_users() -> None:
    text = render(PLAIN, text_message("system", "Be kind."), USER, tools=(ADD,))
    assert text.startswith("[system]Be kind.\n\nYou can use")
    no_system = "{% for m in messages if m.role != 'system' %}[{{ m.role }}]{{ m.content }}{% endfor %}"
    assert render(no_system, USER, tools=(ADD,)).startswith("[user]You can use")


def test_calls_of_earlier_turns_without_tools_are_text_too() -> None:
    text = render(PLAIN, USER, BOTH, *RESULTS)
    assert "You can use" not in text
    assert text.count("[TOOL_REQUEST]") == 2
    assert text.count("[user]") == 2
    assert text.count("[TOOL_RESULT]") == 2


def test_a_form_of_calls_without_a_place_for_tools_is_shown_as_an_example() -> None:
    rest = CALLS.partition("{% endfor %}")[2]
    template = rest.replace("({{ c.id }} ", "<call>").replace("tojson }})", "tojson }}</call>")
    prompt = ChatFormat(template).render([USER, CALLED, RESULTS[0]], tools=[ADD])
    assert not prompt.tools_in_text
    assert '\n<call>tool_name {"argument": "value"}</call>\n' in prompt.text
    assert '[assistant]<call>add {"a": 1}</call>[tool]one' in prompt.text


def test_calls_that_templates_drop_are_written_as_their_models_do() -> None:
    drops = "{% if tools %}<|tool_list_start|>{{ tools | tojson }}{% endif %}" + PLAIN
    text = render(drops, USER, BOTH, *RESULTS, tools=(ADD,))
    assert '[assistant]Let me see.\n<|tool_call_start|>[add(a=1), sub(b="x")]<|tool_call_end|>[tool]one' in text
    granite = drops.replace("<|tool_list_start|>", "<|tool_call|>")
    assert '<|tool_call|>[{"name": "add", "arguments": {"a": 1}}][tool]one' in render(granite, USER, CALLED, RESULTS[0])


def test_results_where_there_is_no_role_for_them() -> None:
    template = CALLS.replace(
        "[{{ m.role }}]", "{% if m.role == 'tool' %}{{ raise_exception('no tools') }}{% endif %}[{{ m.role }}]"
    )
    assert not ChatFormat(template).capabilities.tool_results
    text = render(template, USER, CALLED, RESULTS[0], tools=(ADD,))
    assert text.endswith('(id-1 add {"a": 1})[user][TOOL_RESULT]{"name": "add", "content": "one"}[END_TOOL_RESULT]')


def test_a_result_without_a_call_is_not_lost() -> None:
    template = "{% set n = namespace(open=false) %}" + CALLS.replace(
        "[{{ m.role }}]",
        "{% if m.tool_calls %}{% set n.open = true %}{% endif %}"
        "{% if m.role == 'tool' and not n.open %}{{ raise_exception('no call') }}{% endif %}[{{ m.role }}]",
    )
    assert '"content": "one"' in render(template, USER, RESULTS[0])


def test_reasoning_that_cannot_go_with_calls_is_dropped_rather_than_the_call() -> None:
    template = "{% for m in messages if m.tool_calls and m.thinking %}{{ raise_exception('both') }}{% endfor %}" + CALLS
    thought = Message("assistant", (ReasoningPart("hm"), FIRST))
    assert render(template, USER, thought) == '[user]Hello[assistant](id-1 add {"a": 1})'


def test_tools_in_other_variables_and_forms() -> None:
    flat = "{% for t in tools or [] %}{{ t.name }}:{% endfor %}" + PLAIN
    assert render(flat, USER, tools=(ADD,)) == "add:[user]Hello"
    xml = "{% for t in xml_tools or [] %}{{ t.function.name }}:{% endfor %}" + PLAIN
    assert render(xml, USER, tools=(ADD,)) == "add:[user]Hello"
    text = "{{ 'F' + functions + datetime[:0] }}" + PLAIN
    made = render(text, USER, tools=(ADD,))
    assert json.loads(made[1:].partition("[user]")[0])[0]["name"] == "add"
    assert render(text, USER) == "F[][user]Hello"


def test_a_place_for_tools_inside_the_system_message() -> None:
    template = (
        "{% for m in messages %}[{{ m.role }}]{{ m.content }}"
        "{% if m.role == 'system' and tools %}{{ tools[0].function.name }}{% endif %}{% endfor %}"
    )
    assert render(template, USER, tools=(ADD,)) == "[system]add[user]Hello"
    assert render(template, USER) == "[user]Hello"
    assert render(template, text_message("system", "S:"), USER, tools=(ADD,)) == "[system]S:add[user]Hello"


def test_a_tool_without_parameters() -> None:
    template = (
        "{% for t in tools or [] %}{{ t.function.name }}{{ t.function.parameters.properties | tojson }}"
        "{{ t.function.parameters.type }}{% endfor %}" + PLAIN
    )
    for parameters in ("", "{}", '{"type": "object"}'):
        assert render(template, USER, tools=(Tool("f", "", parameters),)).startswith("f{}object")


@pytest.mark.parametrize("parameters", ["{", "[]", "1"])
def test_parameters_that_are_no_schema(parameters: str) -> None:
    with pytest.raises(BadRequest) as caught:
        render(CALLS, USER, tools=(ADD, Tool("f", "", parameters)))
    assert caught.value.field == "tools[1].parameters"
