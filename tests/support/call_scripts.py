"""What models of many families write when they call tools, word for word, as scripts for made models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui.domain import ReasoningEffort

_FOLDER: Final = Path(__file__).parent / "templates"

THOUGHT: Final = "I need the weather."
CITY_CALL: Final = ("get_weather", {"city": "Ulm", "days": 3})
ZONE_CALL: Final = ("get_time", {"zone": "Europe/Berlin"})


@dataclass(frozen=True, slots=True)
class CallScripts:
    """One family: what it writes in several situations."""

    template: str
    """Name of a template in `templates/`."""
    call: str
    """`CITY_CALL` alone."""
    parallel: str
    """`CITY_CALL` and `ZONE_CALL`."""
    nonsense: str
    """Something that begins like a call and is none."""
    markers: tuple[str, ...]
    """The texts among all these that are single tokens in the family's vocabulary."""
    opening: str = "<think>\n"
    closing: str = "\n</think>\n\n"
    """Around the reasoning."""
    preopened: bool = False
    """The prompt ends with the opening."""
    effort: ReasoningEffort | None = None
    """What the request has to say so that the model reasons."""
    lonely: bool = False
    """Nothing is said before a call, as it has no marker."""

    @property
    def source(self) -> str:
        """The chat template."""
        return (_FOLDER / f"{self.template}.jinja").read_text(encoding="utf-8")

    def reasoned(self, thought: str, answer: str) -> str:
        """An answer behind reasoning."""
        return ("" if self.preopened else self.opening) + thought + self.closing + answer

    def plain(self, answer: str) -> str:
        """An answer without reasoning."""
        return self.closing.lstrip() + answer if self.preopened else answer


_CITY = '{"city": "Ulm", "days": 3}'
_ZONE = '{"zone": "Europe/Berlin"}'
_HERMES_CITY = '<tool_call>\n{"name": "get_weather", "arguments": ' + _CITY + "}\n</tool_call>"
_HERMES_ZONE = '<tool_call>\n{"name": "get_time", "arguments": ' + _ZONE + "}\n</tool_call>"
_THINK: Final = ("<think>", "</think>")
_LEAD: Final = "]<]minimax[>["
_ELEMENTS_CITY = (
    f'{_LEAD}<invoke name="get_weather">{_LEAD}<city>Ulm{_LEAD}</city>{_LEAD}<days>3{_LEAD}</days>{_LEAD}</invoke>\n'
)
_ELEMENTS_ZONE = f'{_LEAD}<invoke name="get_time">{_LEAD}<zone>Europe/Berlin{_LEAD}</zone>{_LEAD}</invoke>\n'
_CODER_CITY = (
    "<tool_call>\n<function=get_weather>\n<parameter=city>\nUlm\n</parameter>\n<parameter=days>\n3\n</parameter>\n"
    "</function>\n</tool_call>"
)
_CODER_ZONE = (
    "<tool_call>\n<function=get_time>\n<parameter=zone>\nEurope/Berlin\n</parameter>\n</function>\n</tool_call>"
)
_GLM_CITY = (
    "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Ulm</arg_value>\n"
    "<arg_key>days</arg_key>\n<arg_value>3</arg_value>\n</tool_call>"
)
_GLM_ZONE = "<tool_call>get_time\n<arg_key>zone</arg_key>\n<arg_value>Europe/Berlin</arg_value>\n</tool_call>"
_INVOKE_CITY = (
    '<invoke name="get_weather">\n<parameter name="city">Ulm</parameter>\n<parameter name="days">3</parameter>\n'
    "</invoke>\n"
)
_INVOKE_ZONE = '<invoke name="get_time">\n<parameter name="zone">Europe/Berlin</parameter>\n</invoke>\n'
_DEEPSEEK_CITY = f"<｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{_CITY}<｜tool▁call▁end｜>"
_DEEPSEEK_ZONE = f"<｜tool▁call▁begin｜>get_time<｜tool▁sep｜>{_ZONE}<｜tool▁call▁end｜>"
_R1_CITY = f"<｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{_CITY}\n```<｜tool▁call▁end｜>"
_R1_ZONE = f"<｜tool▁call▁begin｜>function<｜tool▁sep｜>get_time\n```json\n{_ZONE}\n```<｜tool▁call▁end｜>"
_KIMI_CITY = f"<|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>{_CITY}<|tool_call_end|>"
_KIMI_ZONE = f"<|tool_call_begin|>functions.get_time:1<|tool_call_argument_begin|>{_ZONE}<|tool_call_end|>"
_LIST = '[{"name": "get_weather", "arguments": ' + _CITY + '}, {"name": "get_time", "arguments": ' + _ZONE + "}]"
_COHERE_CITY = '{"tool_call_id": "0", "tool_name": "get_weather", "parameters": ' + _CITY + "}"
_COHERE_ZONE = '{"tool_call_id": "1", "tool_name": "get_time", "parameters": ' + _ZONE + "}"
_REQUEST_CITY = '[TOOL_REQUEST]{"name": "get_weather", "arguments": ' + _CITY + "}[END_TOOL_REQUEST]"
_REQUEST_ZONE = '[TOOL_REQUEST]{"name": "get_time", "arguments": ' + _ZONE + "}[END_TOOL_REQUEST]"
_DEEPSEEK_MARKERS = (
    "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>", "<｜tool▁sep｜>",
)  # fmt: skip

CALL_SCRIPTS: Final[dict[str, CallScripts]] = {
    "tagged JSON (Qwen)": CallScripts(
        "qwen3",
        _HERMES_CITY,
        f"{_HERMES_CITY}\n{_HERMES_ZONE}",
        "<tool_call>\nI cannot do that.\n</tool_call>",
        ("<tool_call>", "</tool_call>", *_THINK),
    ),
    "tagged JSON (Hermes)": CallScripts(
        "hermes",
        _HERMES_CITY,
        f"{_HERMES_CITY}\n{_HERMES_ZONE}",
        '<tool_call>\n{"city": "Ulm"}\n</tool_call>',
        ("<tool_call>", "</tool_call>"),
    ),
    "array behind a tag (Granite)": CallScripts(
        "granite-3.3",
        '<|tool_call|>[{"name": "get_weather", "arguments": ' + _CITY + "}]",
        f"<|tool_call|>{_LIST}",
        "<|tool_call|>None of them helps.",
        ("<|tool_call|>",),
    ),
    "array in tags (Nemotron)": CallScripts(
        "nemotron-nano-v2",
        '<TOOLCALL>[{"name": "get_weather", "arguments": ' + _CITY + "}]</TOOLCALL>",
        f"<TOOLCALL>{_LIST}</TOOLCALL>",
        "<TOOLCALL>[1, 2]</TOOLCALL>",
        ("<TOOLCALL>", "</TOOLCALL>", *_THINK),
        preopened=True,
    ),
    "array behind a marker (Mistral Nemo)": CallScripts(
        "mistral-nemo",
        '[TOOL_CALLS][{"name": "get_weather", "arguments": ' + _CITY + ', "id": "abcdef123"}]',
        f"[TOOL_CALLS]{_LIST}",
        "[TOOL_CALLS](nothing to call)",
        ("[TOOL_CALLS]",),
    ),
    "name and arguments (Magistral)": CallScripts(
        "magistral",
        f"[TOOL_CALLS]get_weather[ARGS]{_CITY}",
        f"[TOOL_CALLS]get_weather[ARGS]{_CITY}[TOOL_CALLS]get_time[ARGS]{_ZONE}",
        "[TOOL_CALLS] - nothing to call",
        ("[TOOL_CALLS]", "[ARGS]", "[THINK]", "[/THINK]"),
        opening="[THINK]",
        closing="[/THINK]",
    ),
    "name, id and arguments (Mistral Small)": CallScripts(
        "mistral-small-3.2",
        f"[TOOL_CALLS]get_weather[CALL_ID]abcdef123[ARGS]{_CITY}",
        f"[TOOL_CALLS]get_weather[CALL_ID]abcdef123[ARGS]{_CITY}[TOOL_CALLS]get_time[CALL_ID]abcdef124[ARGS]{_ZONE}",
        "[TOOL_CALLS] - nothing to call",
        ("[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"),
    ),
    "sections (DeepSeek V3.1)": CallScripts(
        "deepseek-v3.1",
        f"<｜tool▁calls▁begin｜>{_DEEPSEEK_CITY}<｜tool▁calls▁end｜>",
        f"<｜tool▁calls▁begin｜>{_DEEPSEEK_CITY}{_DEEPSEEK_ZONE}<｜tool▁calls▁end｜>",
        "<｜tool▁calls▁begin｜>none<｜tool▁calls▁end｜>",
        (*_DEEPSEEK_MARKERS, *_THINK),
        opening="",
        effort="high",
    ),
    "fenced sections (DeepSeek R1)": CallScripts(
        "deepseek-r1",
        f"<｜tool▁calls▁begin｜>{_R1_CITY}<｜tool▁calls▁end｜>",
        f"<｜tool▁calls▁begin｜>{_R1_CITY}\n{_R1_ZONE}<｜tool▁calls▁end｜>",
        "<｜tool▁calls▁begin｜>none<｜tool▁calls▁end｜>",
        (*_DEEPSEEK_MARKERS, *_THINK),
        preopened=True,
    ),
    "function tags (Qwen3-Coder)": CallScripts(
        "qwen3-coder",
        _CODER_CITY,
        f"{_CODER_CITY}\n{_CODER_ZONE}",
        "<tool_call>\nI cannot do that.\n</tool_call>",
        ("<tool_call>", "</tool_call>", *_THINK),
    ),
    "keys and values (GLM)": CallScripts(
        "glm-4.6",
        _GLM_CITY,
        f"{_GLM_CITY}\n{_GLM_ZONE}",
        "<tool_call>I cannot do that, sorry.</tool_call>",
        ("<tool_call>", "</tool_call>", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>", *_THINK),
        opening="<think>",
        closing="</think>\n\n",
    ),
    "qualified names (Kimi)": CallScripts(
        "kimi-k2",
        f"<|tool_calls_section_begin|>{_KIMI_CITY}<|tool_calls_section_end|>",
        f"<|tool_calls_section_begin|>{_KIMI_CITY}{_KIMI_ZONE}<|tool_calls_section_end|>",
        "<|tool_calls_section_begin|>none<|tool_calls_section_end|>",
        (
            "<|tool_calls_section_begin|>",
            "<|tool_calls_section_end|>",
            "<|tool_call_begin|>",
            "<|tool_call_argument_begin|>",
            "<|tool_call_end|>",
        ),
    ),
    "as Python writes them (LFM2)": CallScripts(
        "lfm2",
        '<|tool_call_start|>[get_weather(city="Ulm", days=3)]<|tool_call_end|>',
        '<|tool_call_start|>[get_weather(city="Ulm", days=3), get_time(zone="Europe/Berlin")]<|tool_call_end|>',
        "<|tool_call_start|>(none)<|tool_call_end|>",
        ("<|tool_call_start|>", "<|tool_call_end|>"),
    ),
    "lines as Python writes them (OLMo 3)": CallScripts(
        "olmo-3",
        '<function_calls>\nget_weather(city="Ulm", days=3)\n</function_calls>',
        '<function_calls>\nget_weather(city="Ulm", days=3)\nget_time(zone="Europe/Berlin")\n</function_calls>',
        "<function_calls>\n- none -\n</function_calls>",
        ("<function_calls>", "</function_calls>", *_THINK),
        preopened=True,
    ),
    "braces (Gemma 4)": CallScripts(
        "gemma-4",
        '<|tool_call>call:get_weather{city:<|"|>Ulm<|"|>,days:3}<tool_call|>',
        '<|tool_call>call:get_weather{city:<|"|>Ulm<|"|>,days:3}<tool_call|>'
        '<|tool_call>call:get_time{zone:<|"|>Europe/Berlin<|"|>}<tool_call|>',
        "<|tool_call>none, sorry",
        ("<|tool_call>", "<tool_call|>", '<|"|>', "<|channel>", "<channel|>"),
        opening="<|channel>thought\n",
        closing="\n<channel|>",
    ),
    "invocations (MiniMax)": CallScripts(
        "minimax-m2",
        f"<minimax:tool_call>\n{_INVOKE_CITY}</minimax:tool_call>",
        f"<minimax:tool_call>\n{_INVOKE_CITY}{_INVOKE_ZONE}</minimax:tool_call>",
        "<minimax:tool_call>\nnone\n</minimax:tool_call>",
        ("<minimax:tool_call>", "</minimax:tool_call>", *_THINK),
        preopened=True,
    ),
    "elements (MiniMax M3)": CallScripts(
        "minimax-m3",
        f"{_LEAD}<tool_call>\n{_ELEMENTS_CITY}{_LEAD}</tool_call>",
        f"{_LEAD}<tool_call>\n{_ELEMENTS_CITY}{_ELEMENTS_ZONE}{_LEAD}</tool_call>",
        f"{_LEAD}<tool_call>\nnone",
        (_LEAD, "<mm:think>", "</mm:think>"),
        opening="<mm:think>",
        closing="</mm:think>",
        preopened=True,
    ),
    "actions (Command R7B)": CallScripts(
        "command-r7b",
        f"<|START_ACTION|>[\n    {_COHERE_CITY}\n]<|END_ACTION|>",
        f"<|START_ACTION|>[\n    {_COHERE_CITY},\n    {_COHERE_ZONE}\n]<|END_ACTION|>",
        "<|START_ACTION|>none<|END_ACTION|>",
        ("<|START_ACTION|>", "<|END_ACTION|>", "<|START_THINKING|>", "<|END_THINKING|>"),
        opening="<|START_THINKING|>",
        closing="<|END_THINKING|>",
    ),
    "bare JSON (Llama 3)": CallScripts(
        "llama-3.1",
        '{"name": "get_weather", "parameters": ' + _CITY + "}",
        '{"name": "get_weather", "parameters": ' + _CITY + '}; {"name": "get_time", "parameters": ' + _ZONE + "}",
        '{"name": "get_news", "parameters": {"city": "Ulm"}}',
        (),
        lonely=True,
    ),
    "the default form": CallScripts(
        "chatml",
        _REQUEST_CITY,
        f"{_REQUEST_CITY}\n{_REQUEST_ZONE}",
        "[TOOL_REQUEST]none[END_TOOL_REQUEST]",
        (),
    ),
}
"""By what the shape is called. Harmony is not among them: there, reasoning and calls are messages of their own."""
