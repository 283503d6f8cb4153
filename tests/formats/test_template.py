"""The template language, as Hugging Face's `apply_chat_template` has it."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tui.domain import BadTemplate
from tui.formats.template import PromptTemplate

MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "  Hi <b>  "},
    {"role": "assistant", "content": "Hello", "reasoning_content": "hm"},
]


def render(source: str, **variables: Any) -> str:
    return PromptTemplate(source).render(
        {"messages": MESSAGES, "tools": None, "bos_token": "<s>", **variables}, characters=100, messages=3
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        # Blocks take their line with them.
        ("a\n  {% if true %}\nb\n  {% endif %}\nc", "a\nb\nc"),
        ("a\n  {%- if true %}  b {%- endif %}\nc", "a  bc"),
        ("{{ 1 }}\n", "1"),
        ("{# comment #}\nx", "x"),
        ("{% for m in messages %}{{ m.role }}{% if not loop.last %},{% endif %}{% endfor %}", "system,user,assistant"),
        (
            "{% for i in range(9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i > 3 %}{% break %}{% endif %}{{ i }}"
            "{% endfor %}",
            "013",
        ),
        (
            "{% for m in messages if m.role != 'user' %}{{ loop.index }}/{{ loop.length }}{% else %}-{% endfor %}",
            "1/22/2",
        ),
        ("{% for m in [] %}{% else %}none{% endfor %}", "none"),
        ("{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}{{ v }}{% endfor %}", "a1b2"),
        ("{% for a in [1, [2, [3]]] recursive %}{{ loop(a) if a is iterable else a }}{% endfor %}", "123"),
        ("{% generation %}a{{ bos_token }}{% endgeneration %}b", "a<s>b"),
        ("{% set x = 1 %}{% generation %}{% set x = 2 %}{% endgeneration %}{{ x }}", "2"),
        ("{{ messages[1].content | trim }}|{{ messages[1]['content'].strip() }}", "Hi <b>|Hi <b>"),
        ("{{ messages[1:] | length }}{{ messages[-1].role[:4] }}{{ 'abc'[::-1] }}", "2assicba"),
        ("{{ messages | map(attribute='role') | join(', ') }}", "system, user, assistant"),
        ("{{ messages | selectattr('role', 'equalto', 'user') | list | length }}", "1"),
        (
            "{{ messages | rejectattr('reasoning_content', 'defined') | map(attribute='role') | list }}",
            "['system', 'user']",
        ),
        (
            "{% set n = namespace(x=1) %}{% for m in messages %}{% set n.x = m.role %}{% endfor %}{{ n.x }}",
            "assistant",
        ),
        (
            "{% macro say(m, end='.') %}{{ m.content }}{{ end }}{% endmacro %}{{ say(messages[0], end='!') }}",
            "Be kind.!",
        ),
        ("{% macro wrap() %}<{{ caller() }}>{% endmacro %}{% call wrap() %}x{% endcall %}", "<x>"),
        ("{% set x %}a{{ 1 }}{% endset %}{{ x }}", "a1"),
        ("{% filter upper %}a{% endfilter %}", "A"),
        (
            "{{ missing }}{{ missing is defined }}{{ missing | default('d') }}{{ messages[0].missing is none }}",
            "FalsedFalse",
        ),
        ("{{ 'x' if tools else 'y' }}{{ tools is none }}{{ tools is defined }}", "yTrueTrue"),
        ("{{ 'a' ~ 1 ~ none ~ true }}", "a1NoneTrue"),
        (
            "{{ 'a' + 'b' * 3 }}{{ [1] + [2] }}{{ 7 // 2 }}{{ 7 % 4 }}{{ 2 ** 5 }}{{ 7 / 2 }}{{ -3 + 1 }}",
            "abbb[1, 2]33323.5-2",
        ),
        (
            "{{ 'user' in messages[1].values() }}{{ 'x' not in 'xyz' }}{{ 1 < 2 < 3 }}{{ 'role' in messages[0] }}",
            "TrueFalseTrueTrue",
        ),
        (
            "{{ '%s is %d' % ('a', 3) }}{{ '%05.1f' | format(2.25) }}{{ '{} {a:>4}'.format(1, a=2) }}",
            "a is 3002.21    2",
        ),
        (
            "{{ 'a</think>b'.split('</think>')[-1] }}{{ 'a b c'.split(maxsplit=1) }}{{ 'a,b'.rsplit(',', 1)[0] }}",
            "b['a', 'b c']a",
        ),
        (
            "{{ 'ab'.startswith('a') }}{{ 'ab'.replace('a', 'x') }}{{ 'ab' | replace('b', 'y') }}{{ 'ab'.find('b') }}",
            "Truexbay1",
        ),
        ("{{ 'a\nb' | indent(2) }}{{ 'a\nb' | indent(width=1, first=true) }}", "a\n  b a\n b"),
        (
            "{{ {'b': 1, 'a': 2} | dictsort }}{{ [3, 1] | sort }}{{ [1, 1] | unique | list }}",
            "[('a', 2), ('b', 1)][1, 3][1]",
        ),
        ("{{ '3' | int + 1 }}{{ '1.5' | float }}{{ 2.567 | round(1) }}{{ [1, 2] | sum }}{{ -1 | abs }}", "41.52.631"),
        (
            "{{ 'x' | safe }}{{ '<' | e }}{{ 'ab' | first }}{{ 'ab' | last }}{{ [1, 2] | reverse | list }}",
            "x&lt;ab[2, 1]",
        ),
        (
            "{{ [1, 2, 3] | batch(2) | list }}{{ [1, 2] | min }}{{ [1, 2] | max }}{{ 'a b' | title }}",
            "[[1, 2], [3]]12A B",
        ),
        (
            "{{ messages[0].get('content') }}{{ messages[0].get('x', 'y') }}{{ messages[0].keys() | list }}",
            "Be kind.y['role', 'content']",
        ),
        (
            "{{ dict(a=1) }}{{ dict([('a', 1)], b=2) }}{% set j = joiner(';') %}{{ j() }}{{ j() }}",
            "{'a': 1}{'a': 1, 'b': 2};",
        ),
        (
            "{{ 5 is number }}{{ 'a' is string }}{{ {} is mapping }}{{ [] is sequence }}{{ 'a' is in ['a'] }}",
            "True" * 5,
        ),
        ("{{ '\\ud83d\\ude00'|length }}", "2"),
    ],
)
def test_the_language(source: str, expected: str) -> None:
    assert render(source) == expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("tojson", '{"é": "<b>&\'", "b": [1, true, null]}'),
        ("tojson(ensure_ascii=true)", '{"\\u00e9": "<b>&\'", "b": [1, true, null]}'),
        ("tojson(sort_keys=true)", '{"b": [1, true, null], "é": "<b>&\'"}'),
        ("tojson(separators=(',', ':'))", '{"é":"<b>&\'","b":[1,true,null]}'),
        ("tojson(indent=2)", '{\n  "é": "<b>&\'",\n  "b": [\n    1,\n    true,\n    null\n  ]\n}'),
    ],
)
def test_json_as_hugging_face_writes_it(call: str, expected: str) -> None:
    assert render(f"{{{{ value | {call} }}}}", value={"é": "<b>&'", "b": [1, True, None]}) == expected


def test_the_date() -> None:
    year = render("{{ strftime_now('%Y-%m-%d') }}")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", year)
    assert abs((datetime.fromisoformat(year) - datetime.now()).days) <= 1


def test_what_a_template_raises_is_told() -> None:
    with pytest.raises(BadTemplate) as caught:
        render("\n\n{{ raise_exception('Only  two\nroles!') }}")
    assert caught.value.message == "The model's chat template refuses this conversation: Only two roles!"
    assert (caught.value.line, caught.value.code) == (3, "bad_template")


@pytest.mark.parametrize(
    ("source", "line", "cause"),
    [
        ("a\n{% if %}", 2, "Expected an expression"),
        ("a\n\n{% for x in y %}", 3, "Unexpected end of template"),
        ("{{ 'a' | nonsense }}", 1, "No filter named 'nonsense'"),
        ("a\n{% for m in messages %}\n{{ m.nothing.more }}{% endfor %}", 3, "has no attribute 'nothing'"),
        ("{% macro m() %}\n{{ nothing() }}{% endmacro %}\n\n{{ m() }}", 2, "'nothing' is undefined"),
        ("\n{{ 1 / 0 }}", 2, "division by zero (ZeroDivisionError)"),
        ("\n{{ 'a' + 1 }}", 2, "TypeError"),
        ("{% include 'x' %}", 1, "no loader"),
        ("{{ [1] | tojson }}\n{{ missing | tojson }}", 2, "not JSON serializable"),
        ("x\n{{ [1].append(2) }}", 2, "unsafe"),
    ],
)
def test_faults_have_a_line_and_a_cause(source: str, line: int, cause: str) -> None:
    with pytest.raises(BadTemplate) as caught:
        render(source)
    assert caught.value.line == line
    assert f"in line {line}: " in caught.value.message
    assert cause in caught.value.message
    assert caught.value.advice


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ '{0.__class__.__mro__}'.format(1) }}",
        "{{ [''] | map(attribute='__class__') | list }}",
        "{{ raise_exception.__globals__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ (1).to_bytes }}",
        "{{ ''.encode }}",
        "{{ messages.append }}",
        "{{ messages[0].pop }}",
        "{{ self.__init__ }}",
    ],
)
def test_nothing_leads_into_python(source: str) -> None:
    try:
        made = render(source)
    except BadTemplate as error:
        made = error.message
    assert made in ("", "[Undefined]") or "is unsafe" in made


def test_templates_cannot_change_what_they_are_given() -> None:
    before = repr(MESSAGES)
    for change in ("messages.pop()", "messages[0].update(role='x')", "messages[0].clear()", "messages.sort()"):
        with pytest.raises(BadTemplate):
            render(f"{{{{ {change} }}}}")
    assert repr(MESSAGES) == before


def test_halves_of_characters_do_not_come_out() -> None:
    assert render("a{{ '\\ud800' }}b") == "a?b"


def test_a_long_cause_is_cut() -> None:
    with pytest.raises(BadTemplate) as caught:
        render("{{ raise_exception('x' * 5000) }}")
    assert len(caught.value.message) < 600


def test_jinja_is_loaded_only_when_something_is_rendered() -> None:
    script = """
import sys
from tui.formats import ChatFormat
chat_format = ChatFormat("{{ 1 }}")
assert "jinja2" not in sys.modules
assert not {"textual", "llama_cpp", "httpx", "numpy"} & set(sys.modules)
chat_format.render([])
assert "jinja2" in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], check=True)
