"""What a person may write to mean a repository: `owner/name`, with a quantisation or a file, or an address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

_NAME: Final = re.compile(r"[\w](?:[\w.-]{0,94}[\w])?", re.ASCII)
"""One half of a repository's id, by the Hub's own rules (huggingface_hub's `validate_repo_id`)."""
_IN_PLAIN_WORDS: Final = re.compile(r"(?P<id>[^/@:\s]+/[^/@:\s]+)(?:[@:](?P<quantization>[\w.-]+))?", re.ASCII)
_HOSTS: Final = frozenset({"huggingface.co", "www.huggingface.co", "hf.co"})
_FILE_PAGES: Final = frozenset({"blob", "resolve", "raw"})


@dataclass(frozen=True, slots=True)
class HubAddress:
    """A repository on the Hub, and what of it is meant."""

    repository: str
    """`owner/name`."""
    quantization: str = ""
    """As it was written, such as `q4_k_m`; empty where it is left to us."""
    file: str = ""
    """The path of one file in the repository, from the address of its page."""
    revision: str = ""
    """A branch, tag or commit; empty for the main branch."""


def parse_address(text: str, endpoint: str = "") -> HubAddress | None:
    """What the text means; `None` where it is words to search for.

    Addresses are those of huggingface.co, hf.co and `endpoint`, with or without `https://`. A quantisation follows
    behind `@`, or behind `:` as llama.cpp and Ollama write it.
    """
    text = text.strip()
    plain = _IN_PLAIN_WORDS.fullmatch(text)
    if plain and is_repository(plain["id"]) and plain["id"].partition("/")[0] not in _HOSTS:
        return HubAddress(plain["id"], plain["quantization"] or "")
    hosts = _HOSTS | {urlsplit(endpoint).netloc}
    if not text.lower().startswith(("http://", "https://")):
        if text.partition("/")[0] not in hosts:
            return None
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        host, path = parts.netloc.rpartition("@")[2], unquote(parts.path)
    except ValueError:
        return None
    if host not in hosts:
        return None
    own = urlsplit(endpoint).path if host == urlsplit(endpoint).netloc else ""
    return _from_path(path.removeprefix(own).strip("/").split("/"))


def is_repository(text: str) -> bool:
    """Whether a text is a repository's id that can be asked for and be the name of folders."""
    halves = text.split("/")
    return len(halves) == 2 and all(
        _NAME.fullmatch(half) is not None and ".." not in half and "--" not in half for half in halves
    )


def _from_path(steps: list[str]) -> HubAddress | None:
    if len(steps) < 2:
        return None
    last, _, quantization = re.sub("[@:]", "@", steps[1]).partition("@")
    repository = f"{steps[0]}/{last}"
    if not is_repository(repository):
        return None
    page, rest = (steps[2], steps[3:]) if len(steps) > 3 else ("", [])
    if page in _FILE_PAGES and len(rest) > 1:
        return HubAddress(repository, quantization, "/".join(rest[1:]), rest[0])
    if page == "tree":
        return HubAddress(repository, quantization, revision=rest[0])
    return HubAddress(repository, quantization)
