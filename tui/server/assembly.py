"""Where the server is put together: every dialect over one set of services."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp

from tui.domain import ServerOptions
from tui.server.answering import Answers
from tui.server.application import build_application
from tui.server.lmstudio import lmstudio_dialect, lmstudio_v0_dialect
from tui.server.openai import openai_dialect
from tui.server.request_log import RequestLog
from tui.server.responses import responses_dialect
from tui.server.services import Services
from tui.server.tokens import TokenStore
from tui.workbench import Workbench


def assemble(
    workbench: Workbench, log: RequestLog, tokens: TokenStore, options: Callable[[], ServerOptions]
) -> tuple[ASGIApp, Answers]:
    """The application, and what its answers can be stopped by."""
    services = Services(workbench, log, tokens, options)
    answers = Answers(services)
    dialects = [
        openai_dialect(answers),
        responses_dialect(answers),
        lmstudio_dialect(answers),
        lmstudio_v0_dialect(answers),
    ]
    return build_application(services, dialects), answers
