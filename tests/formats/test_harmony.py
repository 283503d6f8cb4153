"""gpt-oss prompts, made by OpenAI's own library with a vocabulary that comes from the model file."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.vocabulary import spell
from tui.domain import (
    ImagePart,
    Message,
    ReasoningPart,
    TextPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
    text_message,
)
from tui.formats import ChatFormat, HarmonyRenderer
from tui.formats.harmony import HarmonyUnavailable
from tui.formats.harmony_vocabulary import FILE_NAME, SHA256, vocabulary_file, write_vocabulary

TEMPLATE = (Path(__file__).parents[1] / "support" / "templates" / "gpt-oss.jinja").read_text()
NAME_IN_PACKAGE = "fb374d419588a4632f3f557e76b4b70aebbca790"
"""What tiktoken calls the file in its cache; LiteLLM ships it under this name."""

SYSTEM, USER = text_message("system", "Be kind."), text_message("user", "How is the weather?")
CALL = ToolCallPart("c1", "get_weather", '{"city": "Ulm"}')
RESULT = Message("tool", (ToolResultPart("c1", "get_weather", '{"sky": "clear"}'),))
WEATHER = Tool(
    "get_weather", "The weather in a city.", '{"type": "object", "properties": {"city": {"type": "string"}}}'
)
DATE = ("conversation_start_date", '"2026-01-31"')


@pytest.fixture(scope="session")
def tokens() -> Sequence[str]:
    """The first tokens of gpt-oss as its model files spell them."""
    path = os.environ.get("LMDECK_O200K") or ""
    package = find_spec("litellm")
    if package is not None and package.submodule_search_locations:
        path = os.path.join(package.submodule_search_locations[0], "litellm_core_utils", "tokenizers", NAME_IN_PACKAGE)
    if not os.path.exists(path):
        pytest.skip("needs o200k_base.tiktoken: install litellm, which ships it, or name the file by LMDECK_O200K")
    return [spell(base64.b64decode(line.split()[0])) for line in Path(path).read_bytes().splitlines()]


@pytest.fixture(scope="session")
def renderer(tokens: Sequence[str], tmp_path_factory: pytest.TempPathFactory) -> HarmonyRenderer:
    pytest.importorskip("openai_harmony")
    return HarmonyRenderer(lambda: [*tokens, "<|startoftext|>"], tmp_path_factory.mktemp("harmony"))


@pytest.fixture
def chat_format(renderer: HarmonyRenderer) -> ChatFormat:
    return ChatFormat(TEMPLATE, harmony=renderer)


def rendered(chat_format: ChatFormat, *messages: Message, tools: Sequence[Tool] = ()) -> str:
    """The prompt without the system message."""
    text = chat_format.render(messages, tools=tools, options=[DATE]).text
    return text.partition("<|end|>")[2]


def test_the_vocabulary_is_rebuilt_byte_for_byte(tokens: Sequence[str], tmp_path: Path) -> None:
    assert write_vocabulary(tmp_path / "a" / "b", lambda: tokens)
    data = (tmp_path / "a" / "b" / FILE_NAME).read_bytes()
    assert hashlib.sha256(data).hexdigest() == SHA256
    assert list((tmp_path / "a" / "b").iterdir()) == [tmp_path / "a" / "b" / FILE_NAME]


def test_the_tokens_are_read_only_once(tokens: Sequence[str], tmp_path: Path) -> None:
    assert write_vocabulary(tmp_path, lambda: tokens)
    assert write_vocabulary(tmp_path, lambda: pytest.fail("read again"))
    (tmp_path / FILE_NAME).write_bytes(b"damaged")
    assert write_vocabulary(tmp_path, lambda: tokens)


def test_other_tokens_make_no_vocabulary(tmp_path: Path) -> None:
    assert vocabulary_file(["a"] * 199_998) is None
    assert vocabulary_file(["▁a"] * 199_998) is None
    assert vocabulary_file(["a"]) is None
    assert not write_vocabulary(tmp_path, lambda: ["a"] * 200_000)
    assert list(tmp_path.iterdir()) == []


def test_without_the_vocabulary_the_template_is_used(tmp_path: Path) -> None:
    harmony = HarmonyRenderer(lambda: ["a"] * 200_000, tmp_path)
    chat_format = ChatFormat(TEMPLATE, harmony=harmony)
    assert chat_format.render([USER]).text == ChatFormat(TEMPLATE).render([USER]).text
    assert "are not those of gpt-oss" in harmony.problem
    with pytest.raises(HarmonyUnavailable, match="cannot be used"):
        harmony.render([USER])


def test_a_folder_that_cannot_be_written_is_no_end(tmp_path: Path, tokens: Sequence[str]) -> None:
    (tmp_path / "file").touch()
    harmony = HarmonyRenderer(lambda: tokens, tmp_path / "file" / "folder")
    assert ChatFormat(TEMPLATE, harmony=harmony).render([USER]).text
    assert harmony.problem


def test_other_templates_are_not_rendered_by_it(renderer: HarmonyRenderer) -> None:
    assert ChatFormat("", harmony=renderer).render([USER]).text.startswith("<|im_start|>user")


def test_the_system_and_developer_messages(chat_format: ChatFormat) -> None:
    text = chat_format.render([SYSTEM, USER], tools=[WEATHER], reasoning_effort="high", options=[DATE]).text
    assert text == (
        "<|start|>system<|message|>You are ChatGPT, a large language model trained by OpenAI.\n"
        "Knowledge cutoff: 2024-06\nCurrent date: 2026-01-31\n\nReasoning: high\n\n"
        "# Valid channels: analysis, commentary, final. Channel must be included for every message.\n"
        "Calls to these tools must go to the commentary channel: 'functions'.<|end|>"
        "<|start|>developer<|message|># Instructions\n\nBe kind.\n\n# Tools\n\n## functions\n\n"
        "namespace functions {\n\n// The weather in a city.\ntype get_weather = (_: {\ncity?: string,\n}) => any;\n\n"
        "} // namespace functions<|end|><|start|>user<|message|>How is the weather?<|end|><|start|>assistant"
    )
    assert "## functions" not in chat_format.render([SYSTEM, USER]).text
    assert "developer" not in chat_format.render([USER]).text


def test_built_in_tools_are_there_when_they_are_asked_for(chat_format: ChatFormat) -> None:
    plain = chat_format.render([USER]).text
    assert "browser" not in plain
    assert "python" not in plain
    both = chat_format.render([USER], options=[("builtin_tools", '["browser", "python"]')]).text
    assert "## browser" in both
    assert "## python" in both
    assert "You are Max." in chat_format.render([USER], options=[("model_identity", '"You are Max."')]).text


@pytest.mark.parametrize(
    ("effort", "word"), [("off", "low"), ("minimal", "low"), ("low", "low"), ("medium", "medium"), (None, "medium")]
)
def test_effort(chat_format: ChatFormat, effort: str | None, word: str) -> None:
    assert f"\nReasoning: {word}\n" in chat_format.render([USER], reasoning_effort=effort).text  # type: ignore[arg-type]


def test_a_call_with_its_reasoning_preamble_and_result(chat_format: ChatFormat) -> None:
    answer = Message("assistant", (ReasoningPart("I need the tool."), TextPart("Let me see."), CALL))
    assert rendered(chat_format, USER, answer, RESULT) == (
        "<|start|>user<|message|>How is the weather?<|end|>"
        "<|start|>assistant<|channel|>analysis<|message|>I need the tool.<|end|>"
        "<|start|>assistant<|channel|>commentary<|message|>Let me see.<|end|>"
        "<|start|>assistant to=functions.get_weather<|channel|>commentary <|constrain|>json<|message|>"
        '{"city": "Ulm"}<|call|>'
        '<|start|>functions.get_weather to=assistant<|channel|>commentary<|message|>{"sky": "clear"}<|end|>'
        "<|start|>assistant"
    )


def test_reasoning_is_dropped_after_the_final_answer(chat_format: ChatFormat) -> None:
    called = Message("assistant", (ReasoningPart("I need the tool."), CALL))
    final = Message("assistant", (ReasoningPart("Good weather."), TextPart("Fine.")))
    text = rendered(chat_format, USER, called, RESULT, final, USER, called, RESULT)
    assert text.count("I need the tool.") == 1
    assert "Good weather." not in text
    assert text.index("Fine.") < text.index("I need the tool.")


def test_an_answer_is_continued(chat_format: ChatFormat) -> None:
    answer = Message("assistant", (ReasoningPart("Hm."), TextPart("Fine, but ")))
    prompt = chat_format.render([USER, answer], continue_last=True)
    assert prompt.text.endswith(
        "<|start|>assistant<|channel|>analysis<|message|>Hm.<|end|>"
        "<|start|>assistant<|channel|>final<|message|>Fine, but "
    )
    assert not prompt.reasoning_open
    thinking = chat_format.render([USER, Message("assistant", (ReasoningPart("Hm."),))], continue_last=True)
    assert thinking.text.endswith("<|start|>assistant<|channel|>analysis<|message|>Hm.")
    assert thinking.reasoning_open


def test_texts_stay_as_they_are(chat_format: ChatFormat) -> None:
    odd = "  a\r\n<|im_end|>\t\ud800 lmdeck-0; \\1 "
    assert f"<|message|>{odd.replace(chr(0xD800), '?')}<|end|>" in chat_format.render([text_message("user", odd)]).text
    later = rendered(chat_format, USER, text_message("system", "Now be brief."), USER)
    assert "<|start|>developer<|message|># Instructions\n\nNow be brief.<|end|>" in later
    image = Message("user", (TextPart("What is "), ImagePart(b"x"), TextPart("?")))
    assert "What is <__media__>?" in chat_format.render([image]).text


def test_huge_texts_take_no_time(chat_format: ChatFormat) -> None:
    word = "a" * 2_000_000
    assert word in chat_format.render([text_message("user", word)]).text
    huge = Tool("get", word)
    assert word in chat_format.render([USER], tools=[huge]).text
