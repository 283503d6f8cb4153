"""The formats: how many collected cases are parsed rightly, and what parsing and rendering cost.

A case passes if it gives the expected message whole, byte by byte and in several random cuts. The growth of the cost
is that of the last thousand tokens of a 20,000-token answer against the first thousand in the same run, the worst of
a plain answer, one inside one argument, and one of many calls.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench.report import Report, median
from tests.support.output_templates import TEMPLATES
from tests.support.toolcall_cases import failure, load_cases
from tui.domain import Message, TextPart, Tool, ToolCallPart, text_message
from tui.formats import ChatFormat, OutputParser, detect_output_format

TOKENS = 20_000
EDGE = 1_000
RANDOM_CUTS = 5

# A fine-tune's ChatML with tools, with what makes templates slow: loops over messages and calls, JSON, conditions.
TEMPLATE = (
    "{%- if tools %}<|im_start|>system\n# Tools\n{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}<|im_end|>\n"
    "{%- endif %}{%- for message in messages %}{%- if message.role == 'tool' %}<|im_start|>user\n<tool_response>\n"
    "{{ message.content }}\n</tool_response><|im_end|>\n{%- else %}<|im_start|>{{ message.role }}\n"
    "{{ message.content }}{% for call in message.tool_calls or [] %}\n<tool_call>\n"
    '{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}\n</tool_call>'
    "{% endfor %}<|im_end|>\n{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

_TOOLS = (Tool("write", parameters='{"properties": {"text": {"type": "string"}}}'),)
_WORDS = (b" word", b" <b>", b'\\"', b"\\n", " é".encode(), b" {x}", b" it's", b" [1]")


def _answers() -> dict[str, tuple[str, bytes, tuple[bytes, ...]]]:
    """Families, how their answers begin, and the tokens that then come again and again."""
    call = b'<tool_call>\n{"name": "write", "arguments": {"text": "a"}}\n</tool_call>\n'
    return {
        "text": ("qwen3", b"Well,", _WORDS),
        "reasoning": ("qwen3", b"<think>Well,", _WORDS),
        "json argument": ("hermes", b'<tool_call>\n{"name": "write", "arguments": {"text": "', _WORDS),
        "tagged argument": ("qwen3-coder", b"<function=write>\n<parameter=text>\n", _WORDS),
        "untyped argument": ("qwen3-coder", b"<function=write>\n<parameter=other>\n", _WORDS),
        "python argument": ("lfm2", b'<|tool_call_start|>[write(text="', _WORDS),
        "braced argument": ("gemma4", b'<|tool_call>call:write{text:<|"|>', _WORDS),
        "harmony": ("gpt-oss", b"<|channel|>final<|message|>", _WORDS),
        "calls": ("hermes", b"", tuple(call[at : at + 4] for at in range(0, len(call), 4))),
    }


def growth(family: str, opening: bytes, tokens: tuple[bytes, ...]) -> float:
    """The cost of the last thousand tokens over that of the first."""
    parser = OutputParser(detect_output_format(TEMPLATES[family]), tools=_TOOLS)
    parser.feed(opening, 1)
    costs = []
    for _ in range(TOKENS // EDGE):
        pieces = [tokens[number % len(tokens)] for number in range(EDGE)]
        started = time.process_time()
        for piece in pieces:
            parser.feed(piece, 1)
        costs.append(time.process_time() - started)
    return costs[-1] / costs[0]


def conversation() -> Iterator[Message]:
    """One hundred messages: questions, calls, results, answers."""
    yield text_message("system", "You are a helpful assistant.")
    for number in range(33):
        call = ToolCallPart(f"call{number:05d}", "write", '{"text": "' + "some words " * 20 + '"}')
        yield text_message("user", f"Question {number}: " + "what do you think about this? " * 8)
        yield Message("assistant", (TextPart("I look."), call))
        yield text_message("assistant", "It is so. " * 30)


def render_milliseconds() -> float:
    """What rendering takes, templates compiled: the least of three."""
    chat_format = ChatFormat(TEMPLATE)
    messages = list(conversation())
    chat_format.render(messages)
    times = []
    for _ in range(3):
        started = time.perf_counter()
        chat_format.render(messages)
        times.append(time.perf_counter() - started)
    return min(times) * 1000


def measure(rounds: int) -> Report:
    cases = load_cases()
    figures = {
        "cases_total": float(len(cases)),
        "cases_passed": float(sum(not failure(case, RANDOM_CUTS) for case in cases)),
    }
    worst = 0.0
    for name, answer in _answers().items():
        grown = median([growth(*answer) for _ in range(rounds)])
        figures[f"growth_{name.replace(' ', '_')}"] = grown
        worst = max(worst, grown)
    figures["parse_cost_growth"] = worst
    figures["render_100_messages_ms"] = median([render_milliseconds() for _ in range(rounds)])
    return Report("formats", figures, "the first thousand tokens of the same answer; expected messages of the cases")
