"""The guide's vocabulary: any text survives, words are cut alike wherever they stand."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from tui.builtin.training.corpus import dialogues
from tui.builtin.training.dialogue import segments, topic_token
from tui.builtin.training.seeds import held_out
from tui.builtin.training.vocabulary import Vocabulary, train_vocabulary


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    texts = ("".join(piece for piece, _ in segments(dialogue)) for dialogue in islice(dialogues(4), 300))
    return train_vocabulary(texts, 800, least=5)


def test_any_text_survives(vocabulary: Vocabulary) -> None:
    for text in ("Press ctrl+c.", "Grüße 你好 🙂\n\n\t  ok", '<tool_call>\n{"a": 1.5}\n</tool_call><|im_end|>\n', ""):
        assert vocabulary.text(vocabulary.encode(text)) == text


def test_a_value_is_cut_alike_in_request_and_call(vocabulary: Vocabulary) -> None:
    quoted = vocabulary.encode('"Wubakir7"')
    spaced = vocabulary.encode(" Wubakir7")
    bare = vocabulary.encode("Wubakir7")
    assert spaced[-len(bare) :] == bare
    assert quoted[1:-1] == bare


def test_markers_are_one_token(vocabulary: Vocabulary) -> None:
    assert vocabulary.encode("<|im_start|>") == [vocabulary.id("<|im_start|>")]
    assert len(vocabulary.encode("<tool_call></tool_call>")) == 2
    assert vocabulary.encode(topic_token("stop")) == [vocabulary.id(topic_token("stop"))]


def test_what_is_learned_is_marked_by_token(vocabulary: Vocabulary) -> None:
    tokens, learned = vocabulary.encode_segments(
        [("question ", False), ("answer", True), ("<|im_end|>", True), ("\n", False)]
    )
    text = vocabulary.text([token for token, learn in zip(tokens, learned, strict=True) if learn])
    assert text.strip() == "answer<|im_end|>"


def test_copied_words_are_cut_by_chance_but_alike(vocabulary: Vocabulary) -> None:
    pieces = [("say notification_limit ", False), ('{"notification_limit": 1}', True), (" limit", False)]
    plain, _ = vocabulary.encode_segments(pieces)
    cuts = set()
    for seed in range(20):
        tokens, learned = vocabulary.encode_segments(pieces, Random(seed))
        assert vocabulary.text(tokens) == vocabulary.text(plain)
        copied = [token for token, learn in zip(tokens, learned, strict=True) if learn]
        assert vocabulary.text(copied).strip() == '{"notification_limit": 1}'
        limit = tokens[len(tokens) - tokens[::-1].index(vocabulary.id("Ġ")) :]
        assert any(copied[at : at + len(limit)] == limit for at in range(len(copied)))
        cuts.add(tuple(tokens))
    assert len(cuts) > 5


def test_copied_words_give_way_to_others_everywhere_alike(vocabulary: Vocabulary) -> None:
    pieces = [
        ("<|im_start|>user\nrefresh the Ticket of Miriam<|im_end|>\n", False),
        ('<tool_call>\n{"name": "refresh_ticket", "arguments": {"user": "Miriam"}}\n</tool_call><|im_end|>', True),
        ("\nMiriam is a tool", False),
    ]
    plain = "".join(text for text, _ in pieces)
    made = set()
    for seed in range(40):
        tokens, learned = vocabulary.encode_segments(pieces, Random(seed), replaced=True)
        text = vocabulary.text(tokens)
        found = re.fullmatch(
            r'<\|im_start\|>user\n(\w+) the Ticket of (\w+)<\|im_end\|>\n<tool_call>\n\{"name": "(\w+)_ticket", '
            r'"arguments": \{"user": "(\w+)"\}\}\n</tool_call><\|im_end\|>\n(\w+) is a tool',
            text,
        )
        assert found, text
        assert found[1] == found[3]
        assert found[2] == found[4] == found[5]
        assert not any(held_out(word) for word in (found[1], found[2]) if word not in ("refresh", "Miriam"))
        copied = vocabulary.text([token for token, learn in zip(tokens, learned, strict=True) if learn])
        assert copied == text[text.index("<tool_call>") : text.rindex("<|im_end|>") + len("<|im_end|>")]
        made.add(text)
    assert plain in made
    assert len(made) > 10


def test_names_of_functions_that_are_not_called_give_way_too(vocabulary: Vocabulary) -> None:
    offered = "refresh_ticket(city: string) Refresh.\nrepair_bridge(city: string) Repair the bridge."
    pieces = [
        (f"<|im_start|>system\n# Tools\n{offered}<|im_end|>\n", False),
        ("<|im_start|>user\nrefresh the ticket for Ulm<|im_end|>\n", False),
        ('<tool_call>\n{"name": "refresh_ticket", "arguments": {"city": "Ulm"}}\n</tool_call><|im_end|>', True),
    ]
    made = set()
    for seed in range(40):
        tokens, _ = vocabulary.encode_segments(pieces, Random(seed), replaced=True)
        text = vocabulary.text(tokens)
        found = re.search(r"\n(\w+)_(\w+)\(city: string\) \w+ the (\w+)\.<", text)
        assert found, text
        assert found[2] == found[3]
        made.add((found[1], found[2]))
    assert ("repair", "bridge") in made
    assert len(made) > 10


def test_a_word_that_gives_way_does_so_with_a_capital_too(vocabulary: Vocabulary) -> None:
    pieces = [
        ("<|im_start|>system\n# Tools\nrefresh_ticket() Refresh a ticket.<|im_end|>\n", False),
        ("<|im_start|>user\nRefresh ticket<|im_end|>\n", False),
        ('<tool_call>\n{"name": "refresh_ticket", "arguments": {}}\n</tool_call><|im_end|>', True),
    ]
    made = set()
    for seed in range(40):
        text = vocabulary.text(vocabulary.encode_segments(pieces, Random(seed), replaced=True)[0])
        found = re.search(r"\n(\w+)_(\w+)\(\) (\w+) a (\w+)\..*user\n(\w+) (\w+)<.*: \"(\w+)_(\w+)\"", text, re.DOTALL)
        assert found, text
        assert found[3] == found[5] == found[1].capitalize()
        assert found[4] == found[6] == found[2] == found[8]
        assert found[7] == found[1]
        made.add(found[1])
    assert "refresh" in made
    assert len(made) > 8


def test_it_is_kept(vocabulary: Vocabulary, tmp_path: Path) -> None:
    vocabulary.save(tmp_path / "merges.json")
    assert Vocabulary.open(tmp_path / "merges.json").tokens == vocabulary.tokens
