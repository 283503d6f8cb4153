"""The small, closed family of errors that lmdeck shows to people and clients.

Every error carries a `code` for programs, a `message` that says what is wrong and an `advice` that says
what the person can do. Faces translate them into a toast, an exit code or a wire error; nobody parses text.
"""

from __future__ import annotations

from typing import ClassVar


class LmdeckError(Exception):
    """Something went wrong that a person should read about, in two sentences."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".strip()


class ModelNotFound(LmdeckError):
    """No model in the catalogue answers to the name that was asked for."""

    code = "model_not_found"


class ModelUnusable(LmdeckError):
    """The model file is damaged, hostile, or of a kind that this build of llama.cpp cannot load."""

    code = "model_unusable"


class ModelWillNotFit(LmdeckError):
    """Loading with these parameters would need more memory than is free.

    `needed_bytes` and `available_bytes` are 0 where they are not known; both are of `device`, or of all devices where
    that is empty. `level` is the guardrail that refused.
    """

    code = "model_will_not_fit"

    def __init__(
        self,
        message: str,
        advice: str = "",
        *,
        needed_bytes: int = 0,
        available_bytes: int = 0,
        device: str = "",
        level: str = "",
    ) -> None:
        super().__init__(message, advice)
        self.needed_bytes = needed_bytes
        self.available_bytes = available_bytes
        self.device = device
        self.level = level


class ContextExceeded(LmdeckError):
    """The prompt does not fit into the loaded context. Both figures are in tokens."""

    code = "context_length_exceeded"

    def __init__(self, message: str, advice: str = "", *, prompt_tokens: int, context_length: int) -> None:
        super().__init__(message, advice)
        self.prompt_tokens = prompt_tokens
        self.context_length = context_length


class BadTemplate(LmdeckError):
    """The chat template failed. `line` counts from 1 and is 0 where the cause has no line."""

    code = "bad_template"

    def __init__(self, message: str, advice: str = "", *, line: int = 0) -> None:
        super().__init__(message, advice)
        self.line = line


class BadRequest(LmdeckError):
    """A value that was asked for is impossible. `field` is its dotted path, such as `load.context_length`."""

    code = "bad_request"

    def __init__(self, message: str, advice: str = "", *, field: str) -> None:
        super().__init__(message, advice)
        self.field = field


class Busy(LmdeckError):
    """The thing is in use and cannot do this now."""

    code = "busy"


class Cancelled(LmdeckError):
    """The work was stopped before it ended, by a person or because its model was unloaded."""

    code = "cancelled"


class EngineFault(LmdeckError):
    """llama.cpp, or the machine beneath it, failed in a way that is not the request's fault."""

    code = "engine_fault"


class RemoteFailed(LmdeckError):
    """A remote engine refused or could not be reached. `status` is its HTTP status, 0 where there was no answer."""

    code = "remote_failed"

    def __init__(self, message: str, advice: str = "", *, status: int = 0) -> None:
        super().__init__(message, advice)
        self.status = status


class HubFailed(LmdeckError):
    """The Hub (Hugging Face, or what `HF_ENDPOINT` names) refused or could not be reached.

    `status` is its HTTP status, 0 where there was no answer. `lasting` says that asking again changes nothing before
    somebody does something about it; `retry_after` is how many seconds it asked us to wait.
    """

    code = "hub_failed"

    def __init__(
        self, message: str, advice: str = "", *, status: int = 0, lasting: bool = False, retry_after: float = 0.0
    ) -> None:
        super().__init__(message, advice)
        self.status = status
        self.lasting = lasting
        self.retry_after = retry_after

    @property
    def offline(self) -> bool:
        """Whether there was no answer at all."""
        return not self.status


class StorageFailed(LmdeckError):
    """The disk or the database refused. What was on disk before is still there."""

    code = "storage_failed"


class BadFile(LmdeckError):
    """A file that shall be imported is not what it must be. `file` is its name as the person knows it.

    `line` counts from 1 and is 0 where the fault has no line; `field` is the dotted path of the value within the
    document, empty where the fault is not in one value.
    """

    code = "bad_file"

    def __init__(self, message: str, advice: str = "", *, file: str, line: int = 0, field: str = "") -> None:
        super().__init__(message, advice)
        self.file = file
        self.line = line
        self.field = field
