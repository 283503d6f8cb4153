"""Templates that mean harm end in BadTemplate, soon and without eating the memory."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.formats.hostile_templates import HOSTILE
from tui.domain import BadTemplate, text_message
from tui.formats import ChatFormat

# What these do is stopped by Jinja or Python, as a fault rather than as a limit.
FAULTS = {
    "arguments by star",
    "nested loops",
    "spaces",
    "openings",
    "quotes",
    "comments",
    "lines and spaces",
}


def test_all_of_them_end_soon_in_little_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.formats.hostile_templates"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        timeout=150,
    )
    result = json.loads(done.stdout)
    outcomes = {name: outcome for name, (outcome, _) in result["outcomes"].items()}
    assert outcomes == {name: "BadTemplate" if name in FAULTS else "TemplateTooCostly" for name in HOSTILE}
    slow = {name: seconds for name, (_, seconds) in result["outcomes"].items() if seconds > 2.0}
    assert slow == {}
    assert result["kilobytes"] < 200_000


def test_an_endless_loop_ends_within_about_two_seconds() -> None:
    began = time.thread_time()
    with pytest.raises(BadTemplate, match="in line 2: it runs longer than 2 seconds") as caught:
        ChatFormat("\n" + HOSTILE["loops"]).render([text_message("user", "hi")])
    assert 1.9 < time.thread_time() - began < 3.5
    assert caught.value.advice
    assert caught.value.line == 2


def test_a_stopped_template_can_be_used_again() -> None:
    chat_format = ChatFormat(
        "{{ messages[0].content }}{% if 'loop' in messages[0].content %}"
        "{% for a in range(99999) %}{{ 'x' * 100000 }}{% endfor %}{% endif %}"
    )
    for _ in range(2):
        with pytest.raises(BadTemplate):
            chat_format.render([text_message("user", "loop")])
        assert chat_format.render([text_message("user", "fine")]).text == "fine"


def test_a_long_honest_conversation_is_no_harm() -> None:
    """Copying everything for every message, as some templates do, takes time and room that grow with both."""
    chat_format = ChatFormat(
        "{% set n = namespace(text='') %}{% for message in messages %}"
        "{% set n.text = n.text ~ '<' ~ message.role ~ '>' ~ message.content | trim ~ '\n' %}{% endfor %}{{ n.text }}"
    )
    messages = [text_message("user" if number % 2 else "assistant", "word " * 400) for number in range(600)]
    text = chat_format.render(messages).text
    assert len(text) > 600 * 1999
    assert text.count("<user>") == 300


def test_one_message_of_a_million_words() -> None:
    text = "word " * 1_000_000
    assert text in ChatFormat("").render([text_message("user", text)]).text


def test_several_threads_may_render_at_once() -> None:
    chat_format = ChatFormat("{% for i in range(2000) %}{{ messages[0].content }}{% endfor %}")
    found: list[str] = []

    def work(text: str) -> None:
        found.append(chat_format.render([text_message("user", text)]).text)

    workers = [threading.Thread(target=work, args=(letter,)) for letter in "abcd"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(found) == [letter * 2000 for letter in "abcd"]
