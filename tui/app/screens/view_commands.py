"""Finding, looking closer and setting up: what is done neither to one message nor to a row of the list."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tui.app.screens import drafting, exchange, finding, sampling_command, thread_setup
from tui.app.screens.message_commands import in_hand
from tui.app.transcript_messages import author_of
from tui.domain import STOP_REASON_TEXT

if TYPE_CHECKING:
    from tui.app.screens.chat import ChatScreen
    from tui.domain import GenerationStats
    from tui.threads import StoredMessage


async def split(screen: ChatScreen) -> None:
    """Show a second thread beside this one, or this one alone again."""
    if screen.split:
        await screen.close_other()
        screen.conversation_changed()
        await screen.refresh_threads()
    else:
        await screen.split_view()
    screen.action_focus_composer()
    screen.refresh_bindings()


async def other_pane(screen: ChatScreen) -> None:
    """Write to the other thread."""
    if screen.split:
        await screen.activate(1 - screen.active)
        if screen.composer.has_focus or not screen.transcript_of(1 - screen.active).has_focus:
            return
        screen.transcript.focus()


async def about(screen: ChatScreen) -> None:
    """Show which model and which settings wrote a message, and what it cost."""
    from tui.app.screens.reading_dialog import ReadingDialog

    stored = await in_hand(screen, at_rest=False)
    if stored is not None:
        screen.app.push_screen(ReadingDialog("About the message", facts_text(stored)))


def facts_text(stored: StoredMessage) -> str:
    """Everything that is known of a message but its text, one fact to a line."""
    facts = [("from", author_of(stored)), ("written", f"{datetime.fromtimestamp(stored.created):%Y-%m-%d %H:%M:%S}")]
    if stored.edited:
        facts.append(("edited", f"{datetime.fromtimestamp(stored.edited):%Y-%m-%d %H:%M:%S}"))
    if stored.versions > 1:
        facts.append(("version", f"{stored.version} of {stored.versions}"))
    facts.append(("state", stored.status))
    facts += _cost(stored.stats) if stored.stats else []
    facts += sorted((name, str(value)) for name, value in stored.settings.items())
    width = max(len(name) for name, _ in facts)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in facts)


def _cost(stats: GenerationStats) -> list[tuple[str, str]]:
    facts = [
        ("ended because", STOP_REASON_TEXT[stats.stop_reason]),
        ("generated", f"{stats.generated_tokens:,} tokens, {stats.generation_speed:.1f} a second"),
        ("of these thought", f"{stats.reasoning_tokens:,} tokens" if stats.reasoning_tokens else ""),
        ("first token", f"after {stats.time_to_first_token:.2f} s"),
        (
            "prompt",
            f"{stats.prompt_tokens:,} tokens, {stats.cached_prompt_tokens:,} of them from the cache, "
            f"{stats.prompt_speed:.0f} a second",
        ),
        ("cache", stats.cache_miss),
        ("context", f"{stats.context_used:,} of {stats.context_length:,} tokens" if stats.context_length else ""),
        (
            "drafts",
            f"{stats.draft_tokens_accepted:,} of {stats.draft_tokens_offered:,} tokens right"
            if stats.draft_tokens_offered
            else "",
        ),
        ("model loaded in", f"{stats.load_time:.1f} s" if stats.load_time else ""),
    ]
    return [(name, value) for name, value in facts if value]


async def prompt(screen: ChatScreen) -> None:
    """Show what the model reads: for a message of this session as it was, otherwise as it would be now."""
    from tui.app.screens.reading_dialog import ReadingDialog

    title, text = await drafting.prompt_text(screen)
    screen.app.push_screen(ReadingDialog(title, text))


COMMANDS: dict[str, Callable[[ChatScreen], Coroutine[Any, Any, None]]] = {
    "search": finding.search,
    "jump": finding.jump,
    "archive": finding.archived,
    "trash": finding.trash,
    "empty_trash": finding.empty_trash,
    "split": split,
    "other_pane": other_pane,
    "about": about,
    "prompt": prompt,
    "system_prompt": thread_setup.system_prompt,
    "sampling": sampling_command.sampling,
    "folder_defaults": thread_setup.folder_defaults,
    "export": exchange.export,
    "export_message": lambda screen: exchange.export(screen, "message"),
    "import": exchange.bring_in,
    "attach": drafting.attach,
    "edit_draft": drafting.edit_draft,
}
"""What `ChatScreen.action_view` can be asked for."""
