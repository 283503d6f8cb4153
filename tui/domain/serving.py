"""What people see of the local server: its options, its state, its API tokens and the requests it answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from tui.domain.generation import GenerationStats
from tui.domain.messages import ToolCallPart

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"

RequestState = Literal["received", "queued", "loading", "reading", "answering", "done", "failed", "cancelled"]

Permission = Literal["generate", "models"]
"""`generate` asks models for answers and vectors; `models` loads, unloads and downloads them."""

PERMISSIONS: tuple[Permission, ...] = get_args(Permission)


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Everything that shapes the server. Defaults are LM Studio's where it has the option."""

    port: int = 1234
    bind: str = LOOPBACK
    """The address to listen on. Any other than a loopback one lets other machines in."""
    cors: bool = False
    """Whether web pages of other origins may use the server."""
    require_tokens: bool = False
    """Whether every request needs an API token."""
    just_in_time: bool = True
    """Whether a request loads the model that it names."""
    just_in_time_ttl: float | None = 3600.0
    """Seconds without work after which a model that a request loaded goes; `None` is never."""
    auto_evict: bool = True
    """Whether a model that a request loads takes the place of the one that another request loaded before."""
    log_prompts: bool = True
    """Whether the request log keeps what was asked and answered."""
    extra_hosts: tuple[str, ...] = ()
    """Names besides its own under which the server may be called, such as that of a reverse proxy."""
    largest_body: int = 64 * 1024 * 1024
    """Bytes of a request's body; images come in it."""

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return self.bind in ("localhost", "::1") or self.bind.startswith("127.")


@dataclass(frozen=True, slots=True)
class ServerState:
    """What a person sees of the server."""

    running: bool
    address: str
    """The URL to give to clients; empty while it does not run."""
    problem: str
    """Why it does not run though it should, as a sentence."""
    since: float = 0.0
    """When it began to listen, in seconds since 1970; 0 while it does not run."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """One token, without its secret."""

    id: str
    name: str
    permissions: tuple[Permission, ...]
    created: float
    """Seconds since 1970."""
    secret_hash: str
    """SHA-512 of the secret, in base64."""


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request as it stands at a moment."""

    id: str
    started: float
    """Seconds since 1970."""
    method: str
    path: str
    dialect: str
    client: str
    """Address and program of whoever asked."""
    token: str
    """Name of the API token that came with it; empty without one."""
    state: RequestState
    status: int
    """HTTP status; 0 while there is no answer yet."""
    seconds: float
    """How long it took, or takes already."""
    model: str
    streamed: bool
    body: str
    """The request's JSON, secrets and images taken out."""
    prompt: str
    """What the model was given."""
    output: str
    reasoning: str
    tool_calls: tuple[ToolCallPart, ...]
    error: str
    stats: GenerationStats | None
    progress: str
    """What it is doing now, in a word or two."""
    tokens: int = 0
    """What has been generated so far, in tokens; the figures of an ended request have the exact count."""

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state in ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class RequestTotals:
    """Sums over all requests since the program began."""

    requests: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    cached_prompt_tokens: int = 0
    generated_tokens: int = 0
    seconds: float = 0.0
