"""Templates that would hang the program or take all its memory, by name.

Run as a program, it renders every one and prints what came of it as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from tui.domain import BadTemplate, text_message
from tui.formats import ChatFormat, limits

_LOOP_OF_LOOPS = "{% for a in range(99999) %}{% for b in range(99999) %}BODY{% endfor %}{% endfor %}"


def _grown(change: str, then: str, *, start: str = "x=[1], y=[1]") -> str:
    """What doubles sixty times, and then is used."""
    return f"{{% set n = namespace({start}) %}}{{% for i in range(60) %}}{change}{{% endfor %}}{then}"


def _nested(then: str) -> str:
    """Two equal lists that are small in memory and have 2**60 items to look at."""
    return _grown("{% set n.x = [n.x, n.x] %}{% set n.y = [n.y, n.y] %}", then)


def _nested_tuple(then: str) -> str:
    return _grown("{% set n.x = (n.x, n.x) %}", then, start="x=(1,)")


HOSTILE: dict[str, str] = {
    # Loops and recursion.
    "loops": _LOOP_OF_LOOPS.replace("BODY", ""),
    "loops that print": _LOOP_OF_LOOPS.replace("BODY", "x"),
    "loops with a condition": "{% for a in range(99999) if false %}{% endfor %}" * 300,
    "loops over a text": "{% for a in range(9) %}{% for c in 'x' * 7000000 %}{% endfor %}{% endfor %}",
    "a loop that prints much": "{% for a in range(99999) %}" + "x" * 90_000 + "{% endfor %}",
    "a cycler": "{% set c = cycler(1, 2) %}" + _LOOP_OF_LOOPS.replace("BODY", "{% set d = c.next() %}"),
    "macros by the thousand": (
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}"
    ),
    "a macro that calls itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a block that calls itself": "{% block a %}{{ self.a() }}{% endblock %}",
    "a loop that calls itself": "{% for x in [1] recursive %}{{ loop([1, 1]) }}{% endfor %}",
    "filters upon filters": _grown(
        "{% set n.x = n.x | map('string') %}" * 5, "{{ n.x | list }}", start="x=range(99999)"
    ),
    # Large texts.
    "times": "{{ 'a' * 10 ** 9 }}",
    "times, not printed": "{% set x = 1000000000 * 'a' %}",
    "times, compared": "{% if 'a' * 1000000000 == 'b' %}{% endif %}",
    "printf width": "{{ '%1000000000d' % 1 }}",
    "printf width from a value": "{{ '%*d' % (1000000000, 1) }}",
    "printf precision": "{{ '%.1000000000f' % 1 }}",
    "printf width of a name": "{{ '%(a)1000000000d' % {'a': 1} }}",
    "printf of much": "{% set a = 'x' * 100000 %}{{ ('%(a)s' * 1000) % {'a': a} }}",
    "format filter": "{{ '%1000000000d' | format(1) }}",
    "format method": "{{ '{:1000000000}'.format(1) }}",
    "format method, nested": "{{ '{:{}}'.format(1, 1000000000) }}",
    "format method of much": "{% set a = 'x' * 100000 %}{{ ('{0}' * 10000).format(a) }}",
    "format map": "{{ '{a:1000000000}'.format_map({'a': 1}) }}",
    "center": "{{ 'a' | center(1000000000) }}",
    "center by name": "{{ 'a' | center(width=1000000000) }}",
    "center as a block": "{% filter center(1000000000) %}a{% endfilter %}",
    "center as an assignment": "{% set x | center(1000000000) %}a{% endset %}",
    "center as a condition": "{% if 'a' | center(1000000000) %}{% endif %}",
    "center of each": "{{ ['a'] | map('center', 1000000000) | list }}",
    "center method": "{{ 'a'.center(1000000000) }}",
    "center method as an item": "{{ 'a'['center'](1000000000) }}",
    "center method of each": "{% for f in ['a'] | map(attribute='center') %}{{ f(10 ** 9) }}{% endfor %}",
    "ljust": "{{ 'a'.ljust(1000000000) }}",
    "rjust": "{{ 'a'.rjust(1000000000) }}",
    "zfill": "{{ 'a'.zfill(1000000000) }}",
    "indent": "{{ 'a\\nb' | indent(1000000000) }}",
    "indent by a text": "{% set a = '\\n' * 90000 %}{{ a | indent('x' * 1000) }}",
    "join": "{{ range(99999) | join('a' * 100000) }}",
    "join by name": "{{ range(99999) | join(d='a' * 100000) }}",
    "join method": "{{ ('a' * 90000).join('b' * 90000) }}",
    "join method, item by item": "{{ ('a' * 90000).join(range(90000) | map('string')) }}",
    "replace": "{% set a = 'a' * 90000 %}{{ a | replace('a', a) }}",
    "replace nothing": "{% set a = 'a' * 90000 %}{{ a | replace('', a) }}",
    "replace method": "{% set a = 'a' * 90000 %}{{ a.replace('a', a) }}",
    "plus": _grown("{% set n.x = n.x + n.x %}", "{{ n.x }}", start="x='aaaa'"),
    "tilde": _grown("{% set n.x = n.x ~ n.x %}", "{{ n.x }}", start="x='aaaa'"),
    "block assignment": _grown("{% set n.x %}{{ n.x }}{{ n.x }}{% endset %}", "{{ n.x }}", start="x='aaaa'"),
    "macro results": _grown("{% set n.x = m(n.x) %}", "", start="x='aaaa'").replace(
        "{% set n = ", "{% macro m(x) %}{{ x }}{{ x }}{% endmacro %}{% set n = ", 1
    ),
    "many large texts": "{% set n = namespace(x=[]) %}"
    "{% for i in range(99999) %}{% set n.x = [n.x, 'a' * 1000000 ~ i] %}{% endfor %}",
    "many large slices": "{% set t = 'a' * 4000000 %}{% set n = namespace(x=[]) %}"
    "{% for i in range(99999) %}{% set n.x = [n.x, t[i:]] %}{% endfor %}",
    "many large variables": "".join(f"{{% set x{number} = 'a' * 7000000 %}}" for number in range(300)),
    "dates": "{{ strftime_now('%c' * 1000000) }}",
    "JSON indent": "{{ [1] | tojson(indent=1000000000) }}",
    "JSON indent, deep": _grown("{% set n.x = [n.x] %}" * 4, "{{ ([n.x] * 1000) | tojson(indent=32) }}"),
    "JSON separators": "{{ range(99999) | list | tojson(separators=('a' * 100000, 'b')) }}",
    # Large lists.
    "list times": "{% set x = [1] * 1000000000 %}",
    "list plus": _grown("{% set n.x = n.x + n.x %}", ""),
    "many lists": "{% set n = namespace(x=[]) %}"
    "{% for i in range(99999) %}{% set n.x = [n.x, [1] * 90000] %}{% endfor %}",
    "many literals": "{% set n = namespace(x=[]) %}{% for i in range(99999) %}{% for j in range(99) %}"
    "{% set n.x = [n.x, [" + "1, " * 2000 + "]] %}{% endfor %}{% endfor %}",
    "batch": "{{ [1] | batch(1000000000, 1) | list }}",
    "slice": "{{ [1] | slice(1000000000) | list }}",
    # Characters of which Python makes a new object each time.
    "list of a text": "{{ ('語' * 7000000) | list }}",
    "slices of a text": "{{ ('語' * 7000000) | slice(2) | list }}",
    "sorted text": "{{ ('語' * 7000000) | sort }}",
    "grouped text": "{{ ('語' * 7000000) | groupby('a') }}",
    "title": "{{ ('語 ' * 3500000) | title }}",
    "split": "{{ ('語 ' * 3500000).split() }}",
    "split at a text": "{{ ('語 ' * 3500000).split(sep=' ') }}",
    "split from the end": "{{ ('語 ' * 3500000).rsplit(' ') }}",
    "lines": "{{ ('語\\n' * 3500000).splitlines(keepends=True) }}",
    "sum of lists": "{{ ([[1]] * 45000) | sum(start=[]) }}",
    "arguments by star": "{{ namespace(*('ab' * 1000000)) }}",
    "a list of everything": "{{ range(99999) | map('center', 1000) | list }}",
    # Small in memory, endless to look at.
    "nested, printed": _nested("{{ n.x }}"),
    "nested, joined": _nested("{% set z = n.x ~ '' %}"),
    "nested, as JSON": _nested("{{ n.x | tojson }}"),
    "nested, trimmed": _nested("{{ n.x | trim }}"),
    "nested, formatted": _nested("{{ '%s' % n.x }}"),
    "nested, format method": _nested("{{ '{}'.format(n.x) }}"),
    "nested, compared": _nested("{{ n.x == n.y }}"),
    "nested, looked for": _nested("{{ n.x in [n.y] }}"),
    "nested, tested": _nested("{{ n.x is eq(n.y) }}"),
    "nested, selected": _nested("{{ [n.x] | select('eq', n.y) | list }}"),
    "nested, index": _nested("{{ [n.x].index(n.y) }}"),
    "nested, sorted": _nested("{{ [n.x, n.y] | sort }}"),
    "nested, changed": _nested("{% for i in [1, 2] %}{{ loop.changed(n.x if loop.first else n.y) }}{% endfor %}"),
    "nested, raised": _nested("{{ raise_exception(n.x) }}"),
    "nested views": _grown("{% set n.x = {'a': n.x, 'b': n.x}.values() %}", "{{ n.x }}"),
    "nested namespaces": _grown("{% set n.x = namespace(a=n.x, b=n.x) %}", "{{ n.x }}"),
    "nested key": _nested_tuple("{% set d = {n.x: 1} %}"),
    "nested key, got": _nested_tuple("{{ {}.get(n.x) }}"),
    "nested key, item": _nested_tuple("{{ {}[n.x] }}"),
    "nested key, made": _nested_tuple("{{ dict([(n.x, 1)]) }}"),
    # Long computations in one step.
    "power": "{{ 10 ** (10 ** 8) }}",
    "product": _grown("{% set n.x = n.x * n.x %}", "", start="x=3"),
    "large numbers": "{{ [10 ** 4000] * 90000 }}",
    "rounding": "{{ 1.5 | round(1000000000, 'ceil') }}",
    **{
        f"{method} from the end": f"{{{{ ('a' * 1000000).{method}('a' * 50000 ~ 'b' ~ 'a' * 50000) }}}}"
        for method in ("rfind", "rindex", "rpartition", "rsplit")
    },
    **{
        f"{method} of many": f"{{{{ ('a' * 400000).{method}('b' * 200000 ~ 'a') }}}}"
        for method in ("strip", "lstrip", "rstrip")
    },
    "trim of many": "{{ ('a' * 400000) | trim('b' * 200000 ~ 'a') }}",
    "equal hashes": "{% set n = namespace(x=[]) %}{% for i in range(99999) %}"
    "{% set n.x = n.x + [(i * 2305843009213693951, 1)] %}{% endfor %}{{ dict(n.x) | length }}",
    # Long to compile.
    "parentheses": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "a long sum": "{{ " + "+".join(["1"] * 5000) + " }}",
    "a long path": "{{ a" + ".b" * 5000 + " }}",
    "nested conditions": "{% if a %}" * 500 + "{% endif %}" * 500,
    "nested loops": "{% for a in b %}" * 60 + "{% endfor %}" * 60,
    "many alternatives": "{% if a %}" + "{% elif a %}" * 5000 + "{% endif %}",
    "many outputs": "{{ a }}" * 14_000,
    "too long": "x" * 150_000,
    "spaces": "{%" + " " * 90_000,
    "openings": "{%" * 45_000,
    "quotes": "{{ '" * 20_000,
    "comments": "{# " * 30_000,
    "lines and spaces": "\n {%" * 20_000,
}


def main() -> None:
    """Render every template with less time than people get, to be quick."""
    limits.TIME_LIMIT = 0.3
    outcomes = {}
    for name, template in HOSTILE.items():
        began = time.thread_time()
        try:
            text = ChatFormat(template).render([text_message("user", "hi")]).text
            outcome = f"made {len(text)} characters"
        except BadTemplate as error:
            outcome = type(error).__name__
        outcomes[name] = (outcome, time.thread_time() - began)
    json.dump({"outcomes": outcomes, "kilobytes": peak_memory()}, sys.stdout)


def peak_memory() -> int:
    """The most memory that this program has used, in kilobytes."""
    try:
        # getrusage would tell the peak of the process that started this one, if that was larger.
        status = Path("/proc/self/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
