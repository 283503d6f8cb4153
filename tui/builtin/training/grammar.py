"""Phrases with choices, such as `stop [the|an] answer`, and the many ways of asking for the same thing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from tui.builtin.training.inflecting import gerund, participle, third_person

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SPACES = re.compile(r" {2,}")

_HOW = (
    "how do I {}", "how do I {}", "how can I {}", "how to {}", "how would I {}", "how does one {}", "how could I {}",
    "how do you {}", "what is the way to {}", "what do I do to {}", "what must I do to {}", "I want to {}",
    "I would like to {}", "I'd like to {}", "I need to {}", "can I {}", "is there a way to {}", "is it possible to {}",
    "where can I {}", "tell me how to {}", "show me how to {}", "explain how to {}", "I do not know how to {}",
    "what should I do to {}", "{}", "please {}", "help me to {}", "I am trying to {}", "could I {}", "how shall I {}",
)  # fmt: skip
_KEY = (
    "which key do I press to {}", "what key do I press to {}", "which key is there to {}", "what is the key to {}",
    "the key to {}", "key to {}", "what do I press to {}", "which shortcut is there to {}", "is there a key to {}",
    "what's the shortcut to {}", "which button do I press to {}", "how do I {} with the keyboard", "keys to {}",
    "which keys {}", "is there a shortcut to {}", "what must I press to {}",
)  # fmt: skip
_WHAT = (
    "what is {}", "what is {}", "what's {}", "explain {}", "tell me about {}", "what does {} mean", "describe {}",
    "what is meant by {}", "can you explain {}", "I do not understand {}", "what about {}", "{}",
    "what do you know about {}",
    "please explain {}", "tell me what {} is", "explain what {} is", "how does {} work", "what is {} good for",
    "what is {} for", "what does {} do", "why {}", "define {}", "give me an explanation of {}", "help me understand {}",
)  # fmt: skip
_WHAT_DOES = (
    "which key {}", "what key {}", "which shortcut {}", "what {}", "the key that {}", "is there a key that {}",
    "what do I press that {}", "is there something that {}", "which button {}", "tell me what {}",
)  # fmt: skip
_ABOUT_DOING = (
    "help with {}", "I am stuck with {}", "{}", "what about {}", "how does {} work", "is {} possible",
    "tell me about {}", "I have trouble {}", "how do I go about {}", "the way of {}", "any hints for {}",
)  # fmt: skip
_HOW_DONE = (
    "how is {} {}", "how is {} {}", "how can {} be {}", "can {} be {}", "where is {} {}", "how do I get {} {}",
    "is it possible to have {} {}", "how does {} get {}", "may {} be {}", "I would like to have {} {}",
)  # fmt: skip
_NOT_DONE = frozenset(
    "begin connect fit get go jump let look reach scroll see search speed switch tell turn walk".split()  # noqa: SIM905
)
"""Verbs whose seeds go on with more than the thing that something is done to."""
_PARTICLES = frozenset("at away back between down for from in of off on out over through to up".split())  # noqa: SIM905
_BEFORE = (
    "please ", "hey, ", "hi, ", "hello, ", "ok, ", "so ", "and ", "sorry, ", "excuse me, ", "quick question: ",
    "well, ",
    "can you tell me, ", "tell me, ", "just wondering, ", "now ", "also, ", "one more thing: ", "in lmdeck, ", "hm, ",
)  # fmt: skip
_AFTER = (
    " please", " in lmdeck", " here", " thanks", ", please", " now", " again", ", thank you", " then",
    " in this program",
    ", do you know", " exactly", " actually", " quickly",
)  # fmt: skip
_SYNONYMS = tuple(
    tuple(line.split("|"))
    for line in (
        "answer|reply|response", "answers|replies|responses", "thread|conversation|chat", "threads|conversations|chats",
        "message|prompt|question", "see|view|look at|have a look at", "open|bring up|get to",
        "delete|remove|erase|get rid of|throw away", "change|modify|alter|adjust|edit", "key|shortcut|button|hotkey",
        "keys|shortcuts|hotkeys", "choose|select|pick", "stop|end|cancel|halt|interrupt|abort", "find|locate|look for",
        "search|look through", "make|create|produce", "quit|exit|close|leave", "start|launch|begin|run",
        "memory|ram", "gpu|graphics card|video card", "machine|computer|pc|laptop", "fast|quick", "faster|quicker",
        "slow|sluggish", "big|large|huge", "bigger|larger", "small|little|tiny", "picture|image|photo",
        "pictures|images|photos", "download|fetch|get|obtain", "save|store|keep", "saved|stored|kept",
        "folder|directory", "shell|command line|terminal", "program|application|app|tool", "write|type|compose",
        "use|work with|employ", "explain|describe", "restore|recover|bring back|get back", "rename|give a new name to",
        "send|submit", "copy|put into the clipboard", "old|earlier|previous|past", "another|a different|some other",
        "hide|put out of sight", "unload|eject|drop", "several|multiple|many",
        "turn on|switch on|enable|start", "turn off|switch off|disable|stop", "thinking|reasoning|thoughts",
        "server|api server|local server", "token|api token|api key", "weights|parameters", "license|licence",
        "needs|requires|takes", "need|require|want", "file|gguf", "line break|new line", "mean|stand for",
        "internet|network",
    )
)  # fmt: skip
_SAME_MEANING = {words: group for group in _SYNONYMS for words in group}
_MEANT = re.compile(r"\b(" + "|".join(sorted(map(re.escape, _SAME_MEANING), key=len, reverse=True)) + r")\b")
_NAMES = (
    "AI", "AMX", "Anthropic", "API", "APIs", "AVX", "ASCII", "BF16", "BM25", "CLI", "CORS", "CPU", "CPUs",
    "CSV", "CUDA", "DRY", "F16", "FP4", "GB", "GBNF", "GGML", "GGUF", "GGUFs", "GPT-OSS", "GPU", "GPUs", "HF",
    "HTML", "HTTP", "HTTPS", "Hugging Face", "ID", "IQ4_XS", "JSON", "KV", "Linux", "Llama", "LLM", "LLMs",
    "LM Studio", "LoRA", "LoRAs", "Mac", "MCP", "MLA", "MoE", "MTP", "MXFP4", "Ollama", "OpenAI", "OS", "PDF",
    "PNG", "Python", "Q4", "Q4_0", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8", "Q8_0", "Qwen", "RAG", "RAM", "RoPE",
    "SDK", "SSH", "SWA", "TLS", "TTL", "UI", "URL", "URLs", "VRAM", "Vulkan", "Windows", "XTC", "YaRN",
)  # fmt: skip
_PROPER_NAMES = {name.lower(): name for name in _NAMES}
_LONGEST_FIRST = sorted(map(re.escape, _PROPER_NAMES), key=len, reverse=True)
_PROPER = re.compile(rf"\b(?:{'|'.join(_LONGEST_FIRST)}|f\d\d?)\b(?!\.cpp)")
_DROPPED = re.compile(r"\b(the|a|an|my|do|does|I|can|is|to|of|me|it|you|that|this) ")


def in_other_words(text: str, random: Random, exact: Sequence[str] = ()) -> str:
    """The question with some of its words for others that mean the same, and now and then without the small ones.

    What is in `exact`, values to be copied, stays as it is.
    """
    if any(value in text for value in exact):
        return text
    draw = random.random()
    if draw < 0.45:
        text = _MEANT.sub(lambda m: random.choice(_SAME_MEANING[m[0]]) if random.random() < 0.5 else m[0], text)
    if draw < 0.08 or draw > 0.94:
        text = _DROPPED.sub(lambda m: "" if random.random() < 0.6 else m[0], text)
    return text


def as_spelt(text: str, random: Random) -> str:
    """The question with its names and abbreviations as they are written, or as they are typed in haste.

    The seeds have them in small letters.
    """
    return _PROPER.sub(lambda m: _PROPER_NAMES.get(m[0], m[0].upper()), text) if random.random() < 0.5 else text


def spoken(phrase: str, random: Random) -> str:
    """The phrase with one alternative of each choice."""
    while match := _CHOICE.search(phrase):
        phrase = phrase[: match.start()] + random.choice(match[1].split("|")) + phrase[match.end() :]
    return _SPACES.sub(" ", phrase).strip()


def first_spoken(phrase: str) -> str:
    """The phrase with the first alternative of each choice that is not empty."""
    while match := _CHOICE.search(phrase):
        words = next((word for word in match[1].split("|") if word), "")
        phrase = phrase[: match.start()] + words + phrase[match.end() :]
    return _SPACES.sub(" ", phrase).strip()


def asked(kind: str, phrase: str, random: Random) -> str:
    """A question made of a seed: `S` and `V` are things to do, `N` things to know, `Q` whole questions."""
    words = spoken(phrase, random)
    draw = random.random()
    if kind in ("S", "V") and draw < 0.25:
        words = _inflected(kind, words, random)
    elif kind == "S" and draw < 0.5:
        words = random.choice(_KEY).format(words)
    elif kind in ("S", "V"):
        words = random.choice(_HOW).format(words)
    elif kind == "N":
        words = random.choice(_WHAT).format(words)
    return words


def _inflected(kind: str, words: str, random: Random) -> str:
    """A question in which the verb that the words begin with has another form."""
    verb, _, rest = words.partition(" ")
    draw = random.random()
    if kind == "S" and draw < 0.4:
        return random.choice(_WHAT_DOES).format(f"{third_person(verb)} {rest}".strip())
    if draw < 0.7 or verb in _NOT_DONE or not rest or rest.split(" ", 1)[0] in _PARTICLES:
        return random.choice(_ABOUT_DOING).format(f"{gerund(verb)} {rest}".strip())
    return random.choice(_HOW_DONE).format(rest, participle(verb))


def as_people_write(text: str, random: Random, exact: Sequence[str] = ()) -> str:
    """The text with what people put around a question, their capitals, and now and then a slip of the fingers.

    What is in `exact`, values to be copied, stays as it is.
    """
    if random.random() < 0.18:
        text = random.choice(_BEFORE) + text
    question = text.split(" ", 1)[0].lower() in _QUESTION_WORDS
    if random.random() < 0.15 and not text.endswith(("?", ".", '"')):
        text += random.choice(_AFTER)
    if random.random() < 0.08:
        text = _slip(text, random, exact)
    if random.random() < 0.55 and not any(text.startswith(value) for value in exact):
        text = text[:1].upper() + text[1:]
    elif random.random() < 0.2 and not exact:
        text = text.lower()
    if not text.endswith(("?", ".", "!", '"')) and random.random() < 0.6:
        text += "?" if question or random.random() < 0.25 else random.choice((".", "", "!", "."))
    return text


_QUESTION_WORDS = frozenset(
    "how what which where why who when can is are do does may must should will could would what's".split()  # noqa: SIM905
)


def _slip(text: str, random: Random, exact: Sequence[str]) -> str:
    """The text with one word misspelt: two letters in the wrong order, one lost or one twice."""
    words = text.split(" ")
    kept = {part for value in exact for part in value.split(" ")}
    places = [n for n, word in enumerate(words) if len(word) > 4 and word.isalpha() and word not in kept]
    if not places:
        return text
    place = random.choice(places)
    word = words[place]
    at = random.randrange(1, len(word) - 1)
    match random.randrange(3):
        case 0:
            words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case 1:
            words[place] = word[:at] + word[at + 1 :]
        case _:
            words[place] = word[:at] + word[at] + word[at:]
    return " ".join(words)
