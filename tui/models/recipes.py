"""Virtual models: a `model.yaml` that gives a model on disk another name, other facts and its own defaults.

The format is LM Studio's (lmstudio.ai/docs/app/modelyaml). Read are `model`, `base`, `metadataOverrides` and the
fields of `config.load` and `config.operation`, `customFields` and `suggestions`; `tags` are for LM Studio's own
screen and passed over. Everything else is refused, so that nobody counts on what has no effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from tui.config import OWN_PREFIX, read_fields
from tui.domain import CustomField, ModelDefaults, ModelInfo, ModelUnusable, Suggestion
from tui.models.gguf_bytes import printable
from tui.models.recipe_fields import read_custom_fields, read_suggestions, wrong

_LONGEST: Final = 2**18
_KNOWN: Final = {"model", "base", "metadataOverrides", "config", "customFields", "suggestions", "tags"}
_FACTS: Final = {
    "domain",
    "architectures",
    "compatibilityTypes",
    "paramsStrings",
    "minMemoryUsageBytes",
    "contextLengths",
    "vision",
    "reasoning",
    "trainedForToolUse",
    "fim",
    "preferredMaxImageDimensionPixels",
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a `model.yaml` says."""

    key: str
    bases: tuple[tuple[str, ...], ...] = ()
    """For each base in order the names by which it may be found."""
    context_length: int = 0
    """0 leaves what the file says, and so do the `None`s."""
    tools: bool | None = None
    thinks: bool | None = None
    sees: bool | None = None
    embeds: bool | None = None
    defaults: ModelDefaults = field(default_factory=ModelDefaults)
    custom_fields: tuple[CustomField, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    problem: str = ""
    """What is wrong with it; the rest is empty then."""


def read_recipe(path: Path) -> Recipe:
    """Read a `model.yaml`; never raises for what is in it."""
    fallback = printable("/".join(path.parts[-3:-1]).lower()) or "model.yaml"
    try:
        with open(path, "rb") as file:
            data = file.read(_LONGEST + 1)
        if len(data) > _LONGEST:
            raise ModelUnusable("model.yaml is larger than any real one.")
        return _recipe(_parse(data))
    except OSError as error:
        return Recipe(fallback, problem=f"model.yaml cannot be read: {error.strerror or type(error).__name__}.")
    except ModelUnusable as error:
        return Recipe(fallback, problem=str(error))


def apply(recipe: Recipe, base: ModelInfo, path: Path, source: str) -> ModelInfo:
    """The virtual model that a recipe makes of a model on disk; `path` is where the recipe is."""
    return replace(
        base,
        key=recipe.key,
        name=recipe.key.rpartition("/")[2],
        publisher=recipe.key.rpartition("/")[0],
        base=base.key,
        recipe=path,
        source=source,
        family="",
        variant="",
        store_name="",
        context_length=recipe.context_length or base.context_length,
        tools=base.tools if recipe.tools is None else recipe.tools,
        thinks=base.thinks if recipe.thinks is None else recipe.thinks,
        # Only a projector file makes a model see, whatever is said about it.
        sees=base.sees and recipe.sees is not False,
        projectors=() if recipe.sees is False else base.projectors,
        embeds=base.embeds if recipe.embeds is None else recipe.embeds,
        defaults=ModelDefaults(tuple({**dict(base.defaults.values), **dict(recipe.defaults.values)}.items())),
        custom_fields=tuple({one.key: one for one in (*base.custom_fields, *recipe.custom_fields)}.values()),
        suggestions=(*base.suggestions, *recipe.suggestions),
    )


def without_base(recipe: Recipe, path: Path, source: str) -> ModelInfo:
    """The entry of a virtual model that cannot be used, with the reason."""
    problem = recipe.problem
    if not problem:
        names = ", ".join(names[0] for names in recipe.bases)
        problem = f"None of the models that it stands on is here: {names}. Download one of them."
    base = recipe.bases[0][0] if recipe.bases else "?"
    return ModelInfo(recipe.key, path, 0, files=(path,), base=base, recipe=path, source=source, problem=problem)


def _parse(data: bytes) -> Mapping[str, Any]:
    import yaml  # type: ignore[import-untyped]

    try:
        value = yaml.safe_load(data)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1:,}" if mark is not None else ""
        raise ModelUnusable(f"model.yaml is not YAML: there is a mistake{where}.") from error
    if not isinstance(value, dict):
        raise wrong("the file", "must be a mapping with model and base")
    return value


def _recipe(value: Mapping[str, Any]) -> Recipe:
    _refuse_others(value, _KNOWN, "")
    key = value.get("model")
    if not isinstance(key, str) or not _is_name(key):
        raise wrong("model", "must be a name such as owner/model")
    facts = _mapping(value, "metadataOverrides")
    _refuse_others(facts, _FACTS, "metadataOverrides.")
    config = _mapping(value, "config")
    _refuse_others(config, {"load", "operation"}, "config.")
    lengths = facts.get("contextLengths") or []
    if not isinstance(lengths, list) or not all(type(length) is int and 0 < length < 2**31 for length in lengths):
        raise wrong("metadataOverrides.contextLengths", "must be a list of whole numbers")
    side = facts.get("preferredMaxImageDimensionPixels")
    if side is not None and not (type(side) is int and 0 < side < 2**31):
        raise wrong("metadataOverrides.preferredMaxImageDimensionPixels", "must be a whole number")
    domain = facts.get("domain")
    return Recipe(
        key=key.lower(),
        bases=_bases(value.get("base")),
        context_length=max(lengths, default=0),
        tools=_flag(facts, "trainedForToolUse"),
        thinks=_flag(facts, "reasoning"),
        sees=_flag(facts, "vision"),
        embeds=None if domain is None else domain == "embedding",
        defaults=ModelDefaults(
            (
                *([("load.largest_image_side", side)] if side else []),
                *_values(config, "load"),
                *_values(config, "operation"),
            )
        ),
        custom_fields=read_custom_fields(value.get("customFields")),
        suggestions=read_suggestions(value.get("suggestions")),
    )


def _bases(value: Any) -> tuple[tuple[str, ...], ...]:
    """The names of each base: its key, and the repositories that it can be fetched from."""
    listed = [{"key": value}] if isinstance(value, str) else value
    if not isinstance(listed, list) or not listed:
        raise wrong("base", "must be the name of a model, or a list of models with a key")
    bases = []
    for number, item in enumerate(listed):
        if not isinstance(item, dict) or not isinstance(item.get("key"), str) or not item["key"].strip():
            raise wrong(f"base[{number}]", "must have a key")
        names = [item["key"].strip()]
        sources = item.get("sources") or []
        if not isinstance(sources, list):
            raise wrong(f"base[{number}].sources", "must be a list")
        for source in sources:
            match source:
                case {"user": str(user), "repo": str(repository)}:
                    names.append(f"{user}/{repository}")
                case dict():
                    continue
                case _:
                    raise wrong(f"base[{number}].sources", "must be a list of mappings with user and repo")
        bases.append(tuple(names))
    return tuple(bases)


def _values(config: Mapping[str, Any], part: str) -> Iterable[tuple[str, Any]]:
    """What the fields of one part of `config` say, by our dotted keys."""
    listed = _mapping(config, part, "config.").get("fields") or []
    if not isinstance(listed, list):
        raise wrong(f"config.{part}.fields", "must be a list")
    for number, item in enumerate(listed):
        if not isinstance(item, dict) or not isinstance(item.get("key"), str) or "value" not in item:
            raise wrong(f"config.{part}.fields[{number}]", "must have a key and a value")
        # Recipes are fetched from strangers, and our own keys can name servers and files.
        if item["key"].startswith(OWN_PREFIX):
            raise wrong(f"config.{part}", f"has the key {printable(item['key'], 80)!r}, which only presets may have")
    read = read_fields(listed)
    for one in read.unread:
        key = printable(one.key, 80)
        if one.reason:
            raise wrong(f"config.{part}", f"has a wrong value for {key}: {printable(one.reason, 200).rstrip('.')}")
        if not one.known:
            raise wrong(f"config.{part}", f"has the key {key!r}, which is not known here")
    return read.values.items()


def _mapping(value: Mapping[str, Any], name: str, above: str = "") -> Mapping[str, Any]:
    found = value.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise wrong(f"{above}{name}", "must be a mapping")
    return found


def _flag(facts: Mapping[str, Any], name: str) -> bool | None:
    value = facts.get(name)
    # LM Studio writes `mixed` where the variants of a model differ.
    if value is None or value == "mixed":
        return None
    if not isinstance(value, bool):
        raise wrong(f"metadataOverrides.{name}", "must be true, false or mixed")
    return value


def _refuse_others(value: Mapping[Any, Any], known: set[str], above: str) -> None:
    for name in value:
        if name not in known:
            raise wrong(f"{above}{printable(str(name), 60)}", "is not known here")


def _is_name(key: str) -> bool:
    parts = key.split("/")
    return len(key) <= 200 and key.isprintable() and " " not in key and len(parts) <= 2 and all(parts)
