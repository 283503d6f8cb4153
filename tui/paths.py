"""Where everything of lmdeck lives on disk.

`LMDECK_HOME` puts it all below one folder; without it the platform's own places are used (XDG on Linux,
Application Support on macOS, AppData on Windows) by way of platformdirs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders and files of one installation. Nothing is created until it is written to."""

    data: Path
    """What a person would miss: threads, settings, models."""
    cache: Path
    """What can be made again: probe verdicts, self-test results."""
    logs: Path

    @property
    def database(self) -> Path:
        """The threads, in one SQLite file."""
        return self.data / "lmdeck.db"

    @property
    def attachments(self) -> Path:
        """The files that are attached to messages of the threads."""
        return self.data / "attachments"

    @property
    def models(self) -> Path:
        """The folder for model files; `LMDECK_MODELS` names another one."""
        chosen = os.environ.get("LMDECK_MODELS")
        return Path(chosen).expanduser() if chosen else self.data / "models"

    @property
    def settings(self) -> Path:
        """The settings file that people may edit."""
        return self.data / "settings.json"

    @property
    def requests(self) -> Path:
        """The requests that the server answered."""
        return self.data / "requests.db"

    @property
    def responses(self) -> Path:
        """The responses that clients may continue."""
        return self.data / "responses.db"

    @property
    def servers(self) -> Path:
        """Which processes serve, one file for each."""
        return self.data / "servers"

    @property
    def tokens(self) -> Path:
        """The server's API tokens, hashed."""
        return self.data / "tokens.json"

    @property
    def rest_chats(self) -> Path:
        """The conversations that clients of LM Studio's REST interface go on with."""
        return self.data / "rest-chats.db"

    @property
    def remotes(self) -> Path:
        """The remote engines with their keys; nobody else may read this file."""
        return self.data / "remotes.json"

    @property
    def presets(self) -> Path:
        """The presets, one file for each, in LM Studio's form."""
        return self.data / "presets"

    @property
    def model_defaults(self) -> Path:
        """The saved parameters of models, one file for each."""
        return self.data / "model-defaults"

    @property
    def speeds(self) -> Path:
        """How fast models were, by what they were loaded with."""
        return self.data / "speeds.json"

    @property
    def usage(self) -> Path:
        """When models were used last, and which are pinned."""
        return self.data / "usage.json"

    @property
    def model_index(self) -> Path:
        """What the headers of model files say."""
        return self.cache / "models.json"

    @property
    def downloads(self) -> Path:
        """The downloads, one file for each."""
        return self.data / "downloads"

    @property
    def stand_ins(self) -> Path:
        """Headers of models that lie on the Hub."""
        return self.cache / "stand-ins"

    @property
    def verdicts(self) -> Path:
        """What the probe and the self-test found out."""
        return self.cache / "verdicts.json"

    @property
    def vocabularies(self) -> Path:
        """Vocabularies of model files, in the form that other libraries read."""
        return self.cache / "vocabularies"

    @property
    def states(self) -> Path:
        """What models had read of conversations, so that they need not read it again."""
        return self.cache / "states"


def find_paths() -> Paths:
    """The paths for this process, from the environment."""
    home = os.environ.get("LMDECK_HOME")
    if home:
        root = Path(home).expanduser().absolute()
        return Paths(data=root, cache=root / "cache", logs=root / "logs")
    # platformdirs costs a few milliseconds, which somebody who sets LMDECK_HOME need not pay.
    from platformdirs import user_cache_path, user_data_path, user_log_path

    return Paths(
        data=user_data_path("lmdeck", appauthor=False),
        cache=user_cache_path("lmdeck", appauthor=False),
        logs=user_log_path("lmdeck", appauthor=False),
    )
