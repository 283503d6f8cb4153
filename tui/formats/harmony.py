"""gpt-oss prompts, rendered by their authors' own library, `openai-harmony`.

Its prompts are what the models were trained on; the template in the files differs in small ways. Where the library
or its vocabulary is not to be had, the template does nearly as well.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tui.domain import ImagePart, Message, ReasoningEffort, TextPart, Tool, ToolCallPart, ToolResultPart
from tui.formats.call_ids import match_results
from tui.formats.dialect import function_of
from tui.formats.harmony_vocabulary import write_vocabulary

if TYPE_CHECKING:
    import openai_harmony  # type: ignore[import-untyped]

_MARKERS: Final = ("<|start|>", "<|channel|>", "<|message|>")
_EFFORTS: Final = {"off": "Low", "minimal": "Low", "low": "Low", "medium": "Medium", "high": "High"}
_MOST_TOOL_TEXT: Final = 200_000
_LONGEST_WORD: Final = 2_000
"""The library's tokenizer takes quadratic time for text without spaces."""

_FOLDER_VARIABLE: Final = "TIKTOKEN_ENCODINGS_BASE"
_loading: Final = threading.Lock()


class HarmonyUnavailable(Exception):
    """The library cannot render this; the text says why."""


def speaks_harmony(template: str) -> bool:
    """Whether a template is one of gpt-oss, by the markers of its messages."""
    return all(marker in template for marker in _MARKERS)


class HarmonyRenderer:
    """Renders conversations with a model's vocabulary, whose file is kept in `folder`.

    `tokens` gives the strings of `tokenizer.ggml.tokens`; it is asked at the first rendering, and only if the folder
    does not have the file yet. `problem` says why the library cannot be used, once that is known. Safe to use from
    several threads.
    """

    def __init__(self, tokens: Callable[[], Sequence[str]], folder: Path) -> None:
        self._tokens = tokens
        self._folder = folder
        self._encoding: openai_harmony.HarmonyEncoding | None = None
        self.problem = ""

    def render(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Tool] = (),
        reasoning_effort: ReasoningEffort | None = None,
        options: Mapping[str, Any] = {},
        continue_last: bool = False,
        add_generation_prompt: bool = True,
        image_marker: str = "",
    ) -> str:
        """The prompt. Each message of a tool has one result. HarmonyUnavailable if the library cannot make it.

        Of the template's options `model_identity`, `reasoning_effort`, `builtin_tools` (`browser`, `python`) and
        `conversation_start_date` are heeded.
        """
        encoding = self._loaded()
        _check_size(tools)
        texts = _Placeholders()
        last = messages[-1] if continue_last else None
        told = _Conversation(texts, image_marker).messages(messages[:-1] if last else messages, tools)
        told.insert(0, _system(reasoning_effort, options))
        with _unavailable("The Harmony library cannot render this conversation"):
            import openai_harmony

            conversation = openai_harmony.Conversation.from_messages(told)
            assistant = openai_harmony.Role.ASSISTANT
            # What is dropped of earlier reasoning is decided here, so that tools have the same rules as answers.
            keep = openai_harmony.RenderConversationConfig(auto_drop_analysis=False)
            if add_generation_prompt or last:
                rendered = encoding.render_conversation_for_completion(conversation, assistant, keep)
            else:
                rendered = encoding.render_conversation(conversation, keep)
            text = texts.filled(encoding.decode_utf8(rendered))
        return text + _continuation(last) if last else text

    def _loaded(self) -> openai_harmony.HarmonyEncoding:
        # One at a time in the whole process: the library is told of its folder by the environment.
        with _loading:
            if self._encoding is None and not self.problem:
                try:
                    with _unavailable("The Harmony library cannot be used"):
                        self._encoding = self._load()
                except HarmonyUnavailable as error:
                    self.problem = str(error)
            if self._encoding is None:
                raise HarmonyUnavailable(self.problem)
            return self._encoding

    def _load(self) -> openai_harmony.HarmonyEncoding:
        import openai_harmony

        if not write_vocabulary(self._folder, self._tokens):
            raise ValueError("this model's tokens are not those of gpt-oss")
        before = os.environ.get(_FOLDER_VARIABLE)
        os.environ[_FOLDER_VARIABLE] = str(self._folder)
        try:
            return openai_harmony.load_harmony_encoding(openai_harmony.HarmonyEncodingName.HARMONY_GPT_OSS)
        finally:
            if before is None:
                del os.environ[_FOLDER_VARIABLE]
            else:
                os.environ[_FOLDER_VARIABLE] = before


@contextmanager
def _unavailable(message: str) -> Iterator[None]:
    """Whatever goes wrong in the library is a HarmonyUnavailable."""
    try:
        yield
    # Panics of the library's native code are no `Exception`.
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise HarmonyUnavailable(f"{message}: {error}") from error


class _Placeholders:
    """Short words in the place of texts, so that the library does not tokenise what people and tools say."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._mark = f"lmdeck-{secrets.token_hex(8)}-"

    def __call__(self, text: str) -> str:
        self._texts.append(text.encode("utf-8", "replace").decode())
        return f"{self._mark}{len(self._texts) - 1};"

    def filled(self, rendered: str) -> str:
        """The text with everything in its place."""
        return re.sub(rf"{self._mark}(\d+);", lambda found: self._texts[int(found[1])], rendered)


class _Conversation:
    """Our messages as the library's."""

    def __init__(self, texts: _Placeholders, image_marker: str) -> None:
        self._texts = texts
        self._image_marker = image_marker

    def messages(self, messages: Sequence[Message], tools: Sequence[Tool]) -> list[openai_harmony.Message]:
        """Everything behind the system message."""
        matched = match_results(messages)
        leading = 0
        while leading < len(matched) and matched[leading].role == "system":
            leading += 1
        instructions = "\n\n".join(message.text for message in matched[:leading] if message.text)
        made = [self._developer(instructions, tools)] if instructions or tools else []
        # Reasoning is forgotten once it has led to an answer.
        final = max((n for n, message in enumerate(matched) if _is_final(message)), default=-1)
        for index, message in enumerate(matched[leading:], leading):
            made += self._told(message, reasons=index > final)
        return made

    def _developer(self, instructions: str, tools: Sequence[Tool] = ()) -> openai_harmony.Message:
        from openai_harmony import DeveloperContent, Message, Role, ToolDescription

        content = DeveloperContent.new()
        if instructions:
            content = content.with_instructions(self._texts(instructions))
        if tools:
            content = content.with_function_tools(
                [ToolDescription.new(**function_of(tool, index)) for index, tool in enumerate(tools)]
            )
        return Message.from_role_and_content(Role.DEVELOPER, content)

    def _told(self, message: Message, reasons: bool) -> list[openai_harmony.Message]:
        from openai_harmony import Author, Role
        from openai_harmony import Message as Told

        match message.role:
            case "system":
                return [self._developer(message.text)]
            case "tool":
                return [
                    Told.from_author_and_content(
                        Author.new(Role.TOOL, f"functions.{part.name}"), self._texts(part.text)
                    )
                    .with_recipient("assistant")
                    .with_channel("commentary")
                    for part in message.parts
                    if isinstance(part, ToolResultPart)
                ]
            case "user":
                return [Told.from_role_and_content(Role.USER, self._texts(self._text(message)))]
            case "assistant":
                return self._answer(message, reasons)

    def _answer(self, message: Message, reasons: bool) -> list[openai_harmony.Message]:
        from openai_harmony import Message as Told
        from openai_harmony import Role

        def said(text: str, channel: str) -> openai_harmony.Message:
            return Told.from_role_and_content(Role.ASSISTANT, self._texts(text)).with_channel(channel)

        made = [said(message.reasoning, "analysis")] if message.reasoning and reasons else []
        calls = [part for part in message.parts if isinstance(part, ToolCallPart)]
        if message.text or not (calls or message.reasoning):
            # Before a call it is a preamble, which the person sees as well.
            made.append(said(message.text, "commentary" if calls else "final"))
        for call in calls:
            told = said(call.arguments or "{}", "commentary").with_recipient(f"functions.{call.name}")
            made.append(told.with_content_type("<|constrain|>json"))
        return made

    def _text(self, message: Message) -> str:
        return "".join(
            self._image_marker if isinstance(part, ImagePart) else part.text
            for part in message.parts
            if isinstance(part, TextPart | ImagePart)
        )


def _is_final(message: Message) -> bool:
    return message.role == "assistant" and bool(message.text) and not message.tool_calls


def _system(effort: ReasoningEffort | None, options: Mapping[str, Any]) -> openai_harmony.Message:
    from openai_harmony import Message, ReasoningEffort, Role, SystemContent

    asked = options.get("reasoning_effort", effort or "medium")
    content = SystemContent.new().with_reasoning_effort(ReasoningEffort(_EFFORTS.get(str(asked), "Medium")))
    content = content.with_conversation_start_date(
        str(options.get("conversation_start_date", datetime.now().strftime("%Y-%m-%d")))
    )
    if "model_identity" in options:
        content = content.with_model_identity(str(options["model_identity"]))
    builtin = options.get("builtin_tools") or ()
    if "browser" in builtin:
        content = content.with_browser_tool()
    if "python" in builtin:
        content = content.with_python_tool()
    return Message.from_role_and_content(Role.SYSTEM, content)


def _continuation(last: Message) -> str:
    """The answer that is gone on with, behind `<|start|>assistant`."""
    thought = f"<|channel|>analysis<|message|>{last.reasoning}" if last.reasoning else ""
    if not last.text:
        return thought or "<|channel|>final<|message|>"
    between = "<|end|><|start|>assistant" if thought else ""
    return f"{thought}{between}<|channel|>final<|message|>{last.text}"


def _check_size(tools: Sequence[Tool]) -> None:
    told = json.dumps([(tool.name, tool.description, tool.parameters) for tool in tools], ensure_ascii=False)
    if len(told) > _MOST_TOOL_TEXT or re.search(rf"[^\s\\]{{{_LONGEST_WORD}}}", told):
        raise HarmonyUnavailable("The tools are described at such length that the Harmony library would take long.")
