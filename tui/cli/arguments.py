"""Arguments that several verbs take: names of models, and how a shell completes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.domain import BadRequest, ModelNotFound

if TYPE_CHECKING:
    from tui.workbench import Workbench

# How long remote engines may take to say what they have, where there is no other model. Seconds.
_REMOTE_PATIENCE = 5.0


def model_or_only_one(workbench: Workbench, name: str | None) -> str:
    """The model that was named, the only one that answers, or the built-in one where there is no other.

    Raises ModelNotFound where that leaves a choice.
    """
    from tui.models import unnamed_choice

    if name is not None:
        return name
    possible = unnamed_choice(workbench.catalogue.models(abilities=False))
    if all(model.builtin for model in possible):
        workbench.remotes.refresh(wait=_REMOTE_PATIENCE)
        possible = list(workbench.remotes.models()) or possible
    usable = [model.key for model in possible]
    if len(usable) == 1:
        return usable[0]
    if not usable:
        raise ModelNotFound(
            "There is no model to ask.",
            f"Put a GGUF file into {workbench.paths.models}, name a file, or add a remote engine.",
        )
    raise ModelNotFound("There are several models.", f"Name one of: {', '.join(usable)}.")


def complete_model(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Keys of usable models that begin with what was typed."""
    from tui.paths import find_paths
    from tui.workbench import Workbench

    models = Workbench(find_paths()).catalogue.models(abilities=False)
    return [model.key for model in models if model.usable and model.key.startswith(incomplete.lower())]


def assigned(assignments: tuple[str, ...]) -> dict[str, str]:
    """Typed values by the names of their parameters, of `--set NAME=VALUE`. Raises BadRequest."""
    values = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise BadRequest(f"{assignment!r} is not a parameter.", "Write it as NAME=VALUE.", field="--set")
        values[name.strip().replace("-", "_")] = value
    return values


def template_option(text: str) -> tuple[str, str]:
    """The name and the JSON text of `--option NAME=JSON`, a variable for the chat template. Raises BadRequest."""
    name, found, value = text.partition("=")
    if not name or not found:
        raise BadRequest(f"{text} is no option.", "Write NAME=JSON, such as enable_thinking=false.", field="option")
    return name, value


def split_user_repo(text: str) -> tuple[str, str]:
    """The two names of `user/repo`. Raises BadRequest."""
    user, slash, repository = text.strip().partition("/")
    if not slash or not user or not repository:
        raise BadRequest(f"{text!r} is not of the form user/repo.", "Such as acme/my-model-GGUF.", field="user-repo")
    return user, repository
