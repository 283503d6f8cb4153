"""What can be done to the message under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from tui.app.bridge import Waiting
from tui.domain import ReasoningPart, TextPart, text_message

if TYPE_CHECKING:
    from tui.app.screens.chat import ChatScreen
    from tui.domain import Message
    from tui.threads import StoredMessage

COMING = "This answer is still coming. ctrl+c stops it."


async def in_hand(screen: ChatScreen, *, at_rest: bool = True) -> StoredMessage | None:
    """The message under the cursor as it lies on disk, unless it is still coming, which is said."""
    await screen.conversation.take_ended()
    shown = screen.transcript.cursor_message()
    stored = screen.conversation.stored(shown.id) if shown else None
    if stored is None or (at_rest and screen.bridge.running(screen.conversation.thread_id)):
        screen.notify(COMING if shown else "There is no message yet.", severity="warning", markup=False)
        return None
    return stored


def with_text(message: Message, text: str) -> Message:
    """The message with another text; its reasoning and attachments stay what and where they are."""
    rest = [part for part in message.parts if not isinstance(part, TextPart)]
    place = next((n for n, part in enumerate(message.parts) if isinstance(part, TextPart)), len(message.parts))
    before = sum(1 for part in message.parts[:place] if not isinstance(part, TextPart))
    return replace(message, parts=(*rest[:before], TextPart(text), *rest[before:]))


def with_reasoning(message: Message, text: str) -> Message:
    """The message with other reasoning, all else as it is."""
    rest = tuple(part for part in message.parts if not isinstance(part, ReasoningPart))
    return replace(message, parts=(ReasoningPart(text), *rest) if text.strip() else rest)


async def edit(screen: ChatScreen) -> None:
    """Change the text: in its place, or as a new version, which is answered if it is the person's."""
    from tui.app.screens.writing_dialog import WritingDialog

    stored = await in_hand(screen)
    if stored is None:
        return
    theirs = stored.message.role == "user"
    result = await screen.app.push_screen_wait(
        WritingDialog(
            "Edit the message",
            stored.message.text,
            second="new version, answer it" if theirs else "keep as a new version",
        )
    )
    if result is not None:
        await _keep(screen, stored, with_text(stored.message, result.text), as_version=result.second)


async def edit_reasoning(screen: ChatScreen) -> None:
    """Change what the model thought; its text stays as it is."""
    from tui.app.screens.writing_dialog import WritingDialog

    stored = await in_hand(screen)
    if stored is None:
        return
    result = await screen.app.push_screen_wait(WritingDialog("Edit the thinking", stored.message.reasoning))
    if result is not None:
        await _keep(screen, stored, with_reasoning(stored.message, result.text), as_version=False)


async def edit_outside(screen: ChatScreen) -> None:
    """Change the text in the person's own editor."""
    from tui.app.external_editor import edit_text

    stored = await in_hand(screen)
    if stored is not None:
        text = edit_text(screen.app, stored.message.text)
        if text is not None and text != stored.message.text:
            await _keep(screen, stored, with_text(stored.message, text), as_version=False)


async def _keep(screen: ChatScreen, stored: StoredMessage, message: Message, *, as_version: bool) -> None:
    conversation = screen.conversation
    if not as_version:
        undo = await conversation.store(lambda store: store.editor.edit_in_place(stored.id, message))
        await conversation.reload()
        screen.can_undo(undo, "Message changed")
        return
    version, undo = await conversation.store(lambda store: store.editor.edit(stored.id, message))
    await conversation.reload(version.id)
    screen.can_undo(undo, "New version kept beside the old one; ← shows that")
    if message.role == "user":
        screen.bridge.waiting[stored.thread_id] = Waiting(version.id)
        await screen.answer_waiting(stored.thread_id)


async def regenerate(screen: ChatScreen) -> None:
    """Let the model answer once more, beside the answers that there are."""
    stored = await in_hand(screen)
    if stored is None:
        return
    question = stored.parent_id if stored.message.role == "assistant" else stored.id
    if question is None:
        screen.notify("There is no message above that could be answered.", severity="warning", markup=False)
        return
    screen.bridge.waiting[stored.thread_id] = Waiting(question)
    await screen.answer_waiting(stored.thread_id)


async def answer_again(screen: ChatScreen) -> None:
    """Let the model answer the person's last message once more."""
    conversation = screen.conversation
    await conversation.take_ended()
    question = conversation.last_question()
    if question is not None and not screen.bridge.running(conversation.thread_id):
        screen.bridge.waiting[conversation.thread_id] = Waiting(question.id)
        await screen.answer_waiting(conversation.thread_id)


async def go_on(screen: ChatScreen) -> None:
    """Let the model continue an answer."""
    stored = await in_hand(screen)
    if stored is None:
        return
    if stored.message.role != "assistant" or stored.id != screen.conversation.messages[-1].id:
        screen.notify("Only the last answer can be continued.", severity="warning", markup=False)
        return
    screen.bridge.waiting[stored.thread_id] = Waiting(stored.id, continues=True)
    await screen.answer_waiting(stored.thread_id)


async def version(screen: ChatScreen, step: int) -> None:
    """Show another version of a message, with what followed it."""
    stored = await in_hand(screen)
    if stored is not None and stored.versions > 1:
        shown = await screen.conversation.store(lambda store: store.editor.step_version(stored.id, step))
        if shown is not None:
            await screen.conversation.reload(shown)
            screen.refresh_bindings()


async def branch(screen: ChatScreen) -> None:
    """Go on from here in another branch of the same thread."""
    stored = await in_hand(screen)
    if stored is not None and screen.conversation.branch_at(stored.id):
        screen.action_focus_composer()


async def branch_thread(screen: ChatScreen) -> None:
    """Go on from here in a thread of its own."""
    stored = await in_hand(screen, at_rest=False)
    if stored is not None:
        thread = await screen.conversation.store(lambda store: store.branch_thread(stored.id))
        await screen.open_thread(thread.id)
        screen.notify("A new thread with everything up to that message.", markup=False)


async def insert(screen: ChatScreen, kind: Literal["message", "note"] = "message") -> None:
    """Write a message below, without asking the model; a note is never sent to one."""
    from tui.app.screens.writing_dialog import WritingDialog

    conversation = screen.conversation
    shown = screen.transcript.cursor_message()
    stored = await in_hand(screen) if shown else None
    if (shown and stored is None) or not conversation.thread_id:
        if not shown:
            screen.notify("Send a message first.", severity="warning", markup=False)
        return
    after = stored.id if stored else None
    second = "" if kind == "note" else "as an answer of the model"
    title = "A note, never sent" if kind == "note" else "Add a message of yours"
    result = await screen.app.push_screen_wait(WritingDialog(title, "", second=second))
    if result is None or not result.text.strip():
        return
    message = text_message("assistant" if result.second else "user", result.text)
    added, undo = await conversation.store(
        lambda store: store.editor.insert(conversation.thread_id, message, after=after, kind=kind)
    )
    await conversation.reload(added.id)
    screen.can_undo(undo)


async def switch_role(screen: ChatScreen) -> None:
    """Make the person's message one of the model, and the other way round."""
    stored = await in_hand(screen)
    if stored is not None:
        role: Literal["user", "assistant"] = "user" if stored.message.role == "assistant" else "assistant"
        undo = await screen.conversation.store(lambda store: store.editor.set_role(stored.id, role))
        await screen.conversation.reload()
        screen.can_undo(undo)


async def delete(screen: ChatScreen, *, following: bool = False) -> None:
    """Delete the message; what follows moves up, or goes too."""
    stored = await in_hand(screen)
    if stored is not None:
        screen.bridge.waiting.pop(stored.thread_id, None)
        undo = await screen.conversation.store(
            lambda store: store.editor.delete(stored.id) if following else store.editor.delete_single(stored.id)
        )
        await screen.conversation.reload()
        await screen.refresh_threads()
        screen.can_undo(undo)


COMMANDS: dict[str, Callable[[ChatScreen], Coroutine[Any, Any, None]]] = {
    "edit": edit,
    "edit_reasoning": edit_reasoning,
    "edit_outside": edit_outside,
    "regenerate": regenerate,
    "continue": go_on,
    "previous_version": lambda screen: version(screen, -1),
    "next_version": lambda screen: version(screen, 1),
    "branch": branch,
    "branch_thread": branch_thread,
    "insert": insert,
    "note": lambda screen: insert(screen, "note"),
    "role": switch_role,
    "delete": delete,
    "delete_following": lambda screen: delete(screen, following=True),
}
"""What `ChatScreen.action_message` can be asked for."""
