"""The corpus: the same for the same number, right calls, and nothing that the check asks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import islice
from random import Random

from tui.builtin.training.checking import call_cases, form_cases, question_cases
from tui.builtin.training.corpus import dialogues
from tui.builtin.training.dialogue import Dialogue, Parameter, Turn, segments, topic_token
from tui.builtin.training.forms import given_keys
from tui.builtin.training.grammar import as_spelt
from tui.builtin.training.inventing import invent
from tui.builtin.training.seeds import NAMING, any_words, facts, functions, held_out, words
from tui.builtin.training.talking import draw_question, program_facts
from tui.builtin.training.values import Values

COUNT = 1500
TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "string[]": list}


@cache
def some(seed: int = 5) -> Sequence[Dialogue]:
    return tuple(islice(dialogues(seed), COUNT))


def test_the_same_number_makes_the_same_corpus() -> None:
    one, again, other = (list(islice(dialogues(seed), 40)) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_calls_are_of_offered_functions_with_values_of_their_types() -> None:
    calls = 0
    for dialogue in some():
        offered = {function.name: function for function in dialogue.functions}
        for call in (call for turn in dialogue.turns for call in turn.calls):
            parameters: dict[str, Parameter] = {p.name: p for p in offered[call.name].parameters}
            calls += 1
            for name, value in call.arguments.items():
                assert isinstance(value, TYPES[parameters[name].type]), (call, parameters[name])
                assert value in parameters[name].choices or not parameters[name].choices
            assert {p.name for p in parameters.values() if not p.optional} <= set(call.arguments)
    assert calls > COUNT / 4


def test_no_two_offered_functions_do_the_same() -> None:
    for dialogue in some():
        names = [function.name for function in dialogue.functions]
        assert len(names) == len(set(names))
        for seed in functions("calls"):
            assert sum(name in seed.names for name in names) <= 1, (names, seed.names)


def test_a_vague_request_still_has_what_is_copied() -> None:
    values = Values(Random(3))
    for asked in (invent(values, vague=1.0) for _ in range(300)):
        said = [value for value in asked.call.arguments.values() if isinstance(value, str)]
        assert all(text.removeprefix("https://") in asked.request for text in said), asked


def test_the_keys_of_a_form_are_given_and_what_is_between_them_is_learned() -> None:
    answer = Turn("assistant", '{"name": "Bo", "likes": [{"what": "tea"}]}', given=('name"', 'likes"', 'what"'))
    pieces = segments(Dialogue((Turn("user", "Who?"), answer)))
    assert "".join(piece for piece, learn in pieces if learn) == '{": "Bo", ": [{": "tea"}]}<|im_end|>'
    assert given_keys(json.loads(answer.text)) == answer.given


def test_names_are_spelt_as_they_are_or_as_they_are_typed() -> None:
    texts = {as_spelt("is f2 for gguf files of llama.cpp or lm studio", Random(number)) for number in range(20)}
    assert texts == {
        "is f2 for gguf files of llama.cpp or lm studio",
        "is F2 for GGUF files of llama.cpp or LM Studio",
    }


def test_answers_in_json_are_json() -> None:
    answers = [turn.text for dialogue in some() for turn in dialogue.turns if turn.role == "assistant"]
    made = [json.loads(answer) for answer in answers if answer.startswith("{")]
    assert len(made) > COUNT / 20


def test_only_answers_are_learned() -> None:
    for dialogue in some()[:200]:
        pieces = segments(dialogue)
        learned = "".join(piece for piece, learn in pieces if learn)
        last = dialogue.turns[-1]
        assert "<|im_start|>" not in learned
        assert learned.endswith(topic_token(last.topic) if last.only_topic else "<|im_end|>")


def test_a_topic_comes_first_and_only_in_the_last_answer() -> None:
    broken_off = 0
    for dialogue in some():
        text = "".join(piece for piece, _ in segments(dialogue))
        *earlier, last = (turn for turn in dialogue.turns if turn.role == "assistant")
        assert text.count("<|about ") == bool(last.topic)
        if last.topic and not last.thought:
            assert f"<|im_start|>assistant\n{topic_token(last.topic)}" in text
        assert not any(turn.only_topic for turn in earlier)
        broken_off += last.only_topic
    assert COUNT / 8 < broken_off < COUNT


def test_the_text_of_an_earlier_answer_with_a_topic_is_not_learned() -> None:
    turns = (Turn("user", "q"), Turn("assistant", "Old.", topic="stop"), Turn("user", "q"), Turn("assistant", "New."))
    learned = "".join(piece for piece, learn in segments(Dialogue(turns)) if learn)
    assert learned == "New.<|im_end|>"


def test_held_out_questions_are_never_trained() -> None:
    asked = {turn.text.strip(" ?.!").lower() for dialogue in some() for turn in dialogue.turns if turn.role == "user"}
    held_out = {question.lower() for _, _, question in question_cases()}
    assert not asked & held_out
    long = [question for question in held_out if question.count(" ") > 1]
    assert not [text for text in asked if any(question in text for question in long)]


def test_a_held_out_question_that_the_seeds_have_is_not_drawn() -> None:
    fact = next(fact for fact in program_facts() if fact.held_out)
    phrases = (("Q", fact.held_out[0]), ("Q", "something else"))
    drawn = {draw_question(replace(fact, questions=phrases), Random(number)) for number in range(20)}
    assert drawn == {"something else"}


def test_held_out_words_are_never_trained() -> None:
    verbs = set(words("verb", kept_out=True))
    assert verbs
    names = {function.name for dialogue in some() for function in dialogue.functions}
    for case in call_cases():
        assert case.call.name not in names
    assert all(held_out(verb) for verb in verbs)


def test_names_are_made_of_all_words_but_those_kept_out() -> None:
    known = set(any_words())
    assert len(known) > 3000
    assert {"folder", "melody"} <= known
    asked = {part for seed in functions("held_out_calls") for name in seed.names for part in name.split("_")}
    kept = {word for name in NAMING for word in words(name, kept_out=True)}
    assert not known & (asked | kept | {f"{word}s" for word in kept})
    lists = {word for name in NAMING for word in words(name)}
    names = {part for d in some() for function in d.functions for part in function.name.split("_")}
    assert len(names & known - lists) > 200


def test_descriptions_say_more_at_times() -> None:
    said = [function.description for dialogue in some() for function in dialogue.functions if function.description]
    longer = [text for text in said if not text.endswith((".", "!", "?"))]
    assert len(said) / 20 < len(longer) < len(said) / 2


def test_every_fact_answers_its_own_questions() -> None:
    known = (*program_facts(), *facts("talk"))
    assert len(program_facts()) >= 120
    assert len({fact.id for fact in known}) == len(known)
    for fact in known:
        assert fact.questions, fact.id
        assert all(fact.answered_by(answer) for answer in fact.answers), fact.id
        assert fact.key_facts or not fact.held_out, fact.id
    # Key facts tell answers apart, but for a few that say the same.
    for fact in known:
        same = [other.id for other in known if other is not fact and fact.answered_by(other.answers[0])]
        assert not fact.held_out or len(same) < 7, (fact.id, same)


def test_held_out_sets_are_whole() -> None:
    assert len(question_cases()) >= 150
    assert len(call_cases()) >= 150
    assert len({json.dumps(case.schema) + case.request for case in form_cases()}) >= 40
    for seed in functions("held_out_calls"):
        assert all(arguments is not None for _, arguments in seed.requests)
