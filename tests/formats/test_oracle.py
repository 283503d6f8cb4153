"""Our prompts are Hugging Face's, over templates of many families.

The templates in `tests/support/templates` are our own, in the forms and the styles of their families. With
LMDECK_TEMPLATES naming a folder of `*.jinja` files, those of the publishers are compared as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.chat_oracle import BEGINNING, END, Comparison, compare, oracle_prompt
from tests.support.conversations import CONVERSATIONS, Conversation
from tui.domain import text_message
from tui.formats import ChatFormat

pytest.importorskip("transformers", reason="the oracle is Hugging Face's transformers, which is not installed")

FOLDER = Path(__file__).parents[1] / "support" / "templates"
OWN = sorted(FOLDER.glob("*.jinja"))

_TOOLS = ("tools", "a call and its result", "parallel calls", "a whole turn with tools and reasoning, and the next")
_CALLS = _TOOLS[1:]
_SYSTEM = ("system and several turns", "reasoning in the history", "thinking off", "thinking on")

NO_TOOLS = [
    "alpaca",
    "chatml",
    "deepseek-r1",
    "exaone",
    "gemma-2",
    "gemma-3",
    "internlm",
    "llama-2",
    "llama-3",
    "mistral-7b",
    "phi-3",
    "phi-4",
    "rwkv-world",
    "vicuna",
    "zephyr",
]
NO_SYSTEM = ["gemma-2", "mistral-7b"]
DROPS_CALLS = ["granite-3.3", "lfm2", "smollm3"]
ONE_CALL = ["gigachat", "gpt-oss", "llama-3.1"]
NEEDS_TOOLS = ["hermes"]
NEEDS_SYSTEM_FOR_TOOLS = ["phi-4-mini"]


def _exceptions() -> Iterator[tuple[str, str]]:
    """What Hugging Face refuses, or renders only with a part of the conversation lost, so that we do otherwise."""
    # The tools themselves are lost: we explain them in the system message.
    yield from ((name, conversation) for name in NO_TOOLS for conversation in _TOOLS)
    # A system message raises: its text goes in front of the user's.
    yield from ((name, conversation) for name in NO_SYSTEM for conversation in _SYSTEM)
    # The calls of earlier answers are lost: we write them into the text of the answer.
    yield from ((name, conversation) for name in DROPS_CALLS for conversation in _CALLS)
    # A second call raises or is lost: we make two answers of it.
    yield from ((name, "parallel calls") for name in ONE_CALL)
    # Without tools it raises, since it goes through `none`: we give it an empty list.
    yield from ((name, conversation) for name in NEEDS_TOOLS for conversation in ("one message", *_SYSTEM))
    # The tools are told inside a system message, which this conversation has not: we add an empty one.
    yield from ((name, "a call and its result") for name in NEEDS_SYSTEM_FOR_TOOLS)


HALF = Conversation((text_message("user", "Hello"), text_message("assistant", "Once upon")), words=("Hello",))
EXCEPTIONS = frozenset(_exceptions())


def _differences(path: Path) -> dict[str, Comparison]:
    template = path.read_text(encoding="utf-8")
    found = {}
    for name, first in compare(template, CONVERSATIONS).items():
        # Some templates tell the time, which may have gone on between the two.
        made = first if first.ours == first.theirs else compare(template, {name: CONVERSATIONS[name]})[name]
        assert [word for word in CONVERSATIONS[name].words if word not in made.ours] == [], (name, made.ours)
        if made.theirs is None or made.ours != made.theirs:
            found[name] = made
    return found


def test_there_are_enough() -> None:
    assert len(OWN) >= 40
    assert len(CONVERSATIONS) >= 8
    assert {name for name, _ in EXCEPTIONS} <= {path.stem for path in OWN}


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_own_templates(path: Path) -> None:
    differences = _differences(path)
    for name, made in differences.items():
        assert made.theirs is None, f"{name}\n--- ours ---\n{made.ours}\n--- theirs ---\n{made.theirs}"
    assert set(differences) == {conversation for template, conversation in EXCEPTIONS if template == path.stem}


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_continued_answers(path: Path) -> None:
    template = path.read_text(encoding="utf-8")
    theirs, ours = _continued(template)
    if ours != theirs:  # the time may have gone on between the two
        theirs, ours = _continued(template)
    assert ours.endswith("Once upon")
    if theirs is None:
        # It refuses a conversation without tools, as above.
        assert path.stem in NEEDS_TOOLS
    else:
        assert ours == theirs


def _continued(template: str) -> tuple[str | None, str]:
    """The prompt of an answer that is to be gone on with: theirs and ours."""
    theirs = oracle_prompt(template, HALF, {}, continue_last=True)
    ours = ChatFormat(template, beginning_token=BEGINNING, end_token=END).render(HALF.messages, continue_last=True)
    return theirs, ours.text


def test_published_templates() -> None:
    folder = os.environ.get("LMDECK_TEMPLATES")
    if not folder:
        pytest.skip("set LMDECK_TEMPLATES to a folder of chat templates (*.jinja) to compare those as well")
    paths = sorted(Path(folder).glob("*.jinja"))
    assert paths
    different = [
        (path.stem, name)
        for path in paths
        for name, made in _differences(path).items()
        # Where there is none, ours holds all words of the conversation, as `_differences` has checked.
        if made.theirs is not None
    ]
    assert different == []
