"""A remote engine, as a person configured it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RemoteEndpoint:
    """An OpenAI-compatible server whose models are used like those of this machine."""

    name: str
    """What its models' keys begin with: the model `m` of the endpoint `home` is `home/m`."""
    url: str
    """The address below which `/models` and `/chat/completions` lie, without a slash at its end."""
    key: str = field(default="", repr=False)
    """The API key; empty where the server wants none. It is in no representation, so that no log has it."""

    @property
    def masked_key(self) -> str:
        """Enough of the key to tell it from another one, never all of it; empty where there is none."""
        if not self.key:
            return ""
        return f"…{self.key[-4:]}" if len(self.key) >= 16 else "…"
