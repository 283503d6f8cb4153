"""What a thread asks of a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.threads.talk import talk, user
from tui.config import Decisions, ModelDefaultsStore, PresetStore, Settings
from tui.domain import (
    BadRequest,
    Constraint,
    Failed,
    FilePart,
    GenerationRequest,
    Message,
    ModelInfo,
    SamplingConfig,
    StorageFailed,
    TextPart,
    ToolCallPart,
    text_message,
)
from tui.threads import (
    StoredMessage,
    ThreadSettings,
    ThreadStore,
    check_continuable,
    clean_title,
    collapsed_for,
    messages_to_send,
    request_for,
    snapshot_of,
    title_request,
)

MODEL = ModelInfo("m", Path("/m.gguf"), 1)


@pytest.fixture
def decisions(tmp_path: Path) -> Decisions:
    made = Decisions(
        Settings(tmp_path / "settings.json"),
        PresetStore(tmp_path / "presets"),
        ModelDefaultsStore(tmp_path / "defaults"),
        lambda _: {},
    )
    made.presets.create("Kind", {"answer.system_prompt": "Be kind.", "sampling.top_k": 7, "sampling.top_p": 0.7})
    made.defaults.save("m", {"sampling.top_p": 0.1, "sampling.min_p": 0.2})
    return made


def asked(
    store: ThreadStore, decisions: Decisions, thread_id: str, sampling: SamplingConfig | None = None
) -> GenerationRequest:
    layers = store.settings_layers(thread_id)
    return request_for(decisions, "m", MODEL, layers, store.messages(thread_id), sampling)


def said(request: GenerationRequest) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in request.messages]


def test_the_layers_of_a_thread(store: ThreadStore, decisions: Decisions) -> None:
    folder = store.folders.create("Poems")
    thread = store.create_thread("T", folder_id=folder.id)
    store.add_message(thread.id, user("Q"))
    schema = Constraint("json_schema", "{}")
    store.folders.save_settings(
        folder.id, ThreadSettings("Rhyme.", preset="Kind", overrides={"sampling.temperature": 0.1, "sampling.seed": 5})
    )
    store.save_thread_settings(
        thread.id, ThreadSettings(overrides={"sampling.temperature": 0.9}, constraint=schema, stop=("END",))
    )
    request = asked(store, decisions, thread.id)
    assert said(request) == [("system", "Rhyme."), ("user", "Q")]
    sampling = request.sampling
    assert (sampling.temperature, sampling.seed, sampling.stop) == (0.9, 5, ("END",))
    assert (sampling.top_k, sampling.top_p, sampling.min_p, request.preset) == (7, 0.7, 0.2, "Kind")
    assert request.constraint == schema
    found = collapsed_for(decisions, MODEL, store.settings_layers(thread.id))
    keys = ("temperature", "seed", "top_k", "min_p", "top_n_sigma")
    assert [found.source(f"sampling.{key}").text for key in keys] == [
        "this thread “T”",
        "its folder “Poems”",
        "the preset “Kind”",
        "the model's defaults",
        "lmdeck's default",
    ]
    assert snapshot_of(request) == {
        "answer.constraint": {"kind": "json_schema", "source": "{}"},
        "answer.system_prompt": "Rhyme.",
        "preset": "Kind",
        "sampling.min_p": 0.2,
        "sampling.seed": 5,
        "sampling.stop": ["END"],
        "sampling.temperature": 0.9,
        "sampling.top_k": 7,
        "sampling.top_p": 0.7,
    }
    assert asked(store, decisions, thread.id, SamplingConfig(temperature=0.4)).sampling.temperature == 0.4
    store.save_thread_settings(thread.id, ThreadSettings("", preset=""))
    request = asked(store, decisions, thread.id)
    assert said(request) == [("user", "Q")]
    assert (request.sampling.top_k, request.sampling.top_p) == (40, 0.1)


def test_a_thread_that_says_nothing_asks_with_the_models_defaults(store: ThreadStore, decisions: Decisions) -> None:
    thread_id, _ = talk(store, "Q")
    request = asked(store, decisions, thread_id)
    assert said(request) == [("user", "Q")]
    assert snapshot_of(request) == {"sampling.min_p": 0.2, "sampling.top_p": 0.1}


def test_settings_that_cannot_be_name_their_key(store: ThreadStore, decisions: Decisions) -> None:
    thread_id, _ = talk(store, "Q")
    store.save_thread_settings(thread_id, ThreadSettings(overrides={"sampling.top_k": "many"}))
    with pytest.raises(BadRequest) as caught:
        asked(store, decisions, thread_id)
    assert caught.value.field == "sampling.top_k"


def test_notes_and_empty_answers_are_not_sent_and_files_are_text(store: ThreadStore) -> None:
    thread = store.create_thread("T")
    fenced = "see\n```\ncode\n```"
    store.add_message(thread.id, Message("user", (FilePart("a.md", fenced), TextPart("What is it?"))))
    store.add_message(thread.id, user("for me only"), kind="note")
    store.begin_answer(thread.id, model="m").record([Failed(StorageFailed("x"))])
    store.add_message(thread.id, user("Again"))
    sent = messages_to_send(store.messages(thread.id), "Be brief.")
    assert [message.role for message in sent] == ["system", "user", "user"]
    assert sent[1].text == f"\na.md:\n````\n{fenced}\n````\nWhat is it?"
    assert sent[2].text == "Again"


def test_a_system_prompt_stands_in_front_unless_the_thread_begins_with_one(
    store: ThreadStore, decisions: Decisions
) -> None:
    thread_id, (question,) = talk(store, "Q")
    store.save_thread_settings(thread_id, ThreadSettings("Front."))
    store.add_message(thread_id, text_message("system", "Now in French."))
    assert said(asked(store, decisions, thread_id)) == [
        ("system", "Front."),
        ("user", "Q"),
        ("system", "Now in French."),
    ]
    store.editor.insert(thread_id, text_message("system", "First."), after=None)
    assert said(asked(store, decisions, thread_id))[:2] == [("system", "First."), ("user", "Q")]
    assert question.parent_id is None


def stored(message: Message, kind: str = "message") -> StoredMessage:
    return StoredMessage("i", "t", None, message, "", "complete", "", None, 0.0, kind=kind)  # type: ignore[arg-type]


def test_what_can_be_gone_on_with() -> None:
    answer = stored(text_message("assistant", "x"))
    assert check_continuable(answer) is answer
    for other in (
        None,
        stored(user("x")),
        stored(text_message("assistant", "x"), "note"),
        stored(Message("assistant", (ToolCallPart("1", "f", "{}"),))),
    ):
        with pytest.raises(BadRequest):
            check_continuable(other)


def test_a_model_is_asked_for_a_title() -> None:
    long = text_message("assistant", "word " * 5000)
    request = title_request([text_message("system", "x"), user("Bread?"), long])
    assert [message.role for message in request] == ["user", "assistant", "user"]
    assert sum(len(message.text) for message in request) < 2500
    assert [message.role for message in title_request([user("Bread?")])] == ["user"]
    assert "Bread?" in title_request([user("Bread?")])[0].text


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("Baking Bread", "Baking Bread"),
        ('"Baking Bread."\n', "Baking Bread"),
        ("Title: **Baking Bread**", "Baking Bread"),
        ("**Title:** Baking Bread", "Baking Bread"),
        ("\n\n# Baking Bread\n\nThis title says", "Baking Bread"),
        ("„Brot backen“", "Brot backen"),
        ("", ""),
        ('""', ""),
    ],
)
def test_the_title_in_a_models_answer(answer: str, title: str) -> None:
    assert clean_title(answer) == title
