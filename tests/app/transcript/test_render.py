"""Every kind of block, as it looks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.app.transcript.samples import ANSWER, PALETTE, drawn, plain, widest
from tui.app.transcript.blocks import code_blocks, parse
from tui.app.transcript.highlight import CodeStream, highlight
from tui.app.transcript.inline import BOLD, CODE, ITALIC
from tui.app.transcript.text import ALL_GUTTER, clean


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        ("One\ntwo.", ["One two."]),
        ("One  \ntwo\\\nthree<br>four", ["One", "two", "three", "four"]),
        ("# Title\ntext", ["Title", "text"]),
        ("text\n\n## Title\n\ntext", ["text", "", "Title", "text"]),
        ("- a\n- b\n  - c\n\n- d", ["• a", "• b", "  ◦ c", "", "• d"]),
        ("3. a\n7. b", ["3. a", "4. b"]),
        ("- [x] a\n- [ ] b", ["[x] a", "[ ] b"]),
        ("- one two three four", ["• one two three", "  four"]),
        ("> a\n>\n> b", ["▎ a", "▎ ", "▎ b"]),
        ("a\n\n---\nb", ["a", "", "─" * 16, "", "b"]),
        ("[x](http://y)", ["x (http://y)"]),
        ("<http://y>", ["http://y"]),
        ("[y](http://y/)", ["y"]),
        ("![a](b)", ["a (b)"]),
        ("[a]: http://b", ["[a]: http://b"]),
        ("<b>x</b>", ["<b>x</b>"]),
        ("&#27; &lt;", ["� <"]),
    ],
)
def test_blocks(source: str, rows: list[str]) -> None:
    assert plain(drawn(source, 16)) == rows


def test_what_people_type_keeps_its_lines() -> None:
    assert plain(drawn("a\nb\n\nc", 10, keep_lines=True)) == ["a", "b", "", "c"]


def test_code_has_its_language_its_number_and_its_bar() -> None:
    assert plain(drawn("```c\nint  x;\n\tlong name;\n```\n\n~~~\ny\n~~~", 24)) == [
        "╶─ c ──────── block 1 ─╴",
        "│ int  x;",
        "│     long name;",
        "╶──────────────────────╴",
        "",
        "╶──────────── block 2 ─╴",
        "│ y",
        "╶──────────────────────╴",
    ]


def test_long_code_goes_on_behind_a_broken_bar() -> None:
    assert plain(drawn("```\nabcdefghijkl mno\n```", 14))[1:-1] == ["│ abcdefghijkl", "┊  mno"]


def test_code_blocks_are_numbered_in_order_also_inside_lists() -> None:
    source = "- a\n  ```\n  one\n  ```\n\n> ```\n> two\n> ```\n\n```\nthree\n```"
    assert [(block.number, block.text) for block in code_blocks(parse(source))] == [
        (1, "one"),
        (2, "two"),
        (3, "three"),
    ]


def test_a_table_is_as_wide_as_its_text() -> None:
    assert plain(drawn("| a | long head |\n|--:|:-:|\n| 100 | x |\n| 2 | y |", 40)) == [
        "  a │ long head",
        "────┼──────────",
        "100 │     x",
        "  2 │     y",
    ]


def test_a_table_shrinks_its_widest_column_first() -> None:
    rows = plain(drawn("| n | what it is |\n|---|---|\n| 12 | a text that does not fit into one row |", 26))
    assert rows == [
        "n  │ what it is",
        "───┼──────────────────────",
        "12 │ a text that does not",
        "   │ fit into one row",
    ]


def test_a_table_with_too_many_columns_becomes_records() -> None:
    rows = plain(drawn("|" + "head|" * 9 + "\n|" + "-|" * 9 + "\n|" + "value|" * 9, 40))
    assert rows[1:] == ["head: value"] * 9


def test_a_table_of_wide_characters_stays_aligned_at_80_columns() -> None:
    rows = plain(drawn(ANSWER, 73))
    table = [row for row in rows if " │ " in row]
    assert len(table) > 4
    assert widest(drawn(ANSWER, 73)) <= 73
    assert {row.index("│") for row in table if row.isascii()} <= {13}


def test_inline_marks_become_styles() -> None:
    (row,) = drawn("**b** *i* `c` plain", 40)
    styles = dict(row.spans)
    assert styles["b"] == PALETTE.marked(BOLD, PALETTE.text)
    assert styles["b"].bold
    assert styles["i"] == PALETTE.marked(ITALIC, PALETTE.text)
    assert styles["c"] == PALETTE.marked(CODE, PALETTE.text)
    assert styles["c"].color == PALETTE.inline_code.color
    assert styles[" plain"] == PALETTE.text


def test_code_is_coloured_by_its_language() -> None:
    assert highlight("python", "for x in 'a':  # b")[0] == (
        ("for", "keyword"),
        (" x ", ""),
        ("in", "keyword"),
        (" ", ""),
        ("'a'", "string"),
        (":  ", ""),
        ("# b", "comment"),
    )
    assert highlight("no such language", "for x") == ((("for x", ""),),)
    assert highlight("python", "a\n\n") == ((("a", ""),), (), ())


def test_code_that_comes_line_by_line_is_coloured_with_what_is_above() -> None:
    code = ["def f():", '    """Doc', '    more"""', '    return "x"']
    stream = CodeStream("python")
    assert [stream.add(line) for line in code] == list(highlight("python", "\n".join(code)))


def test_decoration_is_no_text() -> None:
    rows = drawn("```c\nx\n```\n\n> q\n\n---", 20)
    assert [row.gutter for row in rows] == [ALL_GUTTER, 2, ALL_GUTTER, 0, 2, 0, ALL_GUTTER]


def test_nested_text_is_never_pushed_out_of_view() -> None:
    source = "".join("  " * level + f"- level {level}\n" for level in range(40)) + "\n" + "> " * 40 + "deep"
    rows = drawn(source, 30)
    assert widest(rows) <= 30
    text = " ".join(plain(rows))
    assert "level 39" in text
    assert "deep" in text


@given(st.text(alphabet=st.sampled_from("ab *_`[]()#>-|\n\t1.~!<&日\x1b"), max_size=200), st.integers(20, 60))
def test_no_text_is_too_wide_or_fails(source: str, width: int) -> None:
    rows = drawn(source, width)
    assert widest(rows) <= width
    assert all("\x1b" not in row and "\n" not in row for row in plain(rows))


@given(st.lists(st.sampled_from(["word", "日本語", "`code`", "**bold**", "é"]), min_size=1, max_size=60))
def test_prose_loses_nothing(parts: list[str]) -> None:
    source = " ".join(parts)
    shown = "".join(plain(drawn(source, 24))).replace(" ", "")
    assert shown == clean(source).replace(" ", "").replace("`", "").replace("*", "")
