"""Threads that tests fill and look at."""

from __future__ import annotations

from tui.domain import Message, Role, text_message
from tui.threads import StoredMessage, ThreadStore


def texts(store: ThreadStore, thread_id: str) -> list[str]:
    """What the active branch says."""
    return [stored.message.text for stored in store.messages(thread_id)]


def user(text: str) -> Message:
    return text_message("user", text)


def talk(store: ThreadStore, *said: str, title: str = "") -> tuple[str, list[StoredMessage]]:
    """A thread in which people and model take turns; its id and its messages."""
    thread = store.create_thread(title)
    roles: tuple[Role, Role] = ("user", "assistant")
    messages = [
        store.add_message(thread.id, text_message(roles[index % 2], text), model="m" if index % 2 else "")
        for index, text in enumerate(said)
    ]
    return thread.id, messages
