"""`lmdeck get`: finds a model on the Hub and downloads it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

import click

from tui.domain import LmdeckError, ModelNotFound

if TYPE_CHECKING:
    from tui.models.hub import Fit, HubAddress, Repository, RepositoryDetails, Variant
    from tui.workbench import Workbench

_MOST_FOUND = 10
_FIT_TAGS = {"gpu": "Full GPU", "partial": "Partial GPU", "cpu": "CPU fit", "none": "Won't fit"}


@click.command()
@click.argument("name", required=False, default="")
@click.option("--gguf", is_flag=True, help="Only GGUF files, which is all that lmdeck runs; for scripts made for lms.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing: take the best match and the recommended quantisation.")
@click.option("--select", is_flag=True, help="Choose among the quantisations, even where one was recommended.")
@click.option(
    "-n", "--limit", type=click.IntRange(1, 100), default=_MOST_FOUND, help="How many results a search shows."
)
@click.option(
    "--list", "only_list", is_flag=True, help="Show what there is, with sizes and whether it fits. No download."
)
def get(name: str, gguf: bool, yes: bool, select: bool, limit: int, only_list: bool) -> None:  # noqa: ARG001
    """Download the model NAME from Hugging Face.

    NAME is words to search for, among them author:NAME and licence:mit if you like, or owner/name, owner/name@q4_k_m,
    or an address such as https://huggingface.co/owner/name. Without a quantisation, the one is taken that most people
    should take and that fits this machine.

    ctrl+c pauses the download; the same command goes on with it. Gated and private models need a login (hf auth login)
    or HF_TOKEN; HF_ENDPOINT names another Hub.
    """
    from tui.cli.progress import follow
    from tui.paths import find_paths
    from tui.workbench import Workbench

    may_ask = sys.stdin.isatty() and sys.stderr.isatty() and not yes
    if select and not may_ask:
        raise click.UsageError("--select needs a terminal, and does not go with --yes.")
    workbench = Workbench(find_paths())
    try:
        address = _address(workbench, name, limit, may_ask=may_ask)
        details = _details(workbench, address)
        if only_list:
            _print_variants(workbench, details)
            return
        variant = _variant(workbench, details, address, select=select)
        repository = details.repository.id
        if workbench.downloads.has(repository, variant):
            click.echo(f"{repository} {variant.name} is here already.", err=True)
            return
        _announce(workbench, details, variant)
        if may_ask and not click.confirm("Download it?", default=True, err=True):
            return
        download = workbench.downloads.add(repository, details.revision, variant)
        follow(workbench, download, f"lmdeck get {repository}@{variant.name}")
    finally:
        workbench.close()


def _address(workbench: Workbench, name: str, limit: int, *, may_ask: bool) -> HubAddress:
    """The repository that is meant, by search where the name is none."""
    from tui.models.hub import HubAddress

    address = workbench.hub.address(name)
    if address is not None:
        return address
    words, _, quantization = name.partition("@")
    pages = workbench.hub.search(words, "match" if words else "trending")
    found = list(islice((one for page in pages for one in page), limit))
    if not found:
        raise ModelNotFound(f"Nothing on {workbench.hub.endpoint} fits {name!r}.", "Try fewer or other words.")
    exact = [one for one in found if one.id.partition("/")[2].casefold().removesuffix("-gguf") == words.casefold()]
    if not may_ask:
        if len(found) == 1 or exact:
            return HubAddress((exact or found)[0].id, quantization)
        _print_found(found)
        raise ModelNotFound(f"{len(found)} repositories fit {name!r}.", "Name one of them: lmdeck get owner/name")
    _print_found(found)
    number = click.prompt("Which one", type=click.IntRange(1, len(found)), default=1, err=True)
    return HubAddress(found[number - 1].id, quantization)


def _details(workbench: Workbench, address: HubAddress) -> RepositoryDetails:
    from tui.models.hub import find_repository

    details = find_repository(workbench.hub, address)
    if details.repository.id.casefold() != address.repository.casefold():
        click.echo(f"{address.repository} has no GGUF files; {details.repository.id} has.", err=True)
    return details


def _variant(workbench: Workbench, details: RepositoryDetails, address: HubAddress, *, select: bool) -> Variant:
    from tui.models.hub import find_variant

    chosen = find_variant(details, address, lambda one: workbench.fit_on_hub(details, one))
    if not select:
        return chosen
    _print_variants(workbench, details, numbered=True)
    default = details.variants.index(chosen) + 1
    number = click.prompt("Which one", type=click.IntRange(1, len(details.variants)), default=default, err=True)
    return details.variants[number - 1]


def _announce(workbench: Workbench, details: RepositoryDetails, variant: Variant) -> None:
    from tui.engine import readable_size

    files = variant.all_files
    shown = f"{len(files)} files, " if len(files) > 1 else ""
    click.echo(
        f"↓ To download: {details.repository.id} {variant.name} – {shown}{readable_size(variant.size)}", err=True
    )
    if details.repository.licence:
        click.echo(f"  Licence: {details.repository.licence}", err=True)
    click.echo(f"  {_fit_text(workbench, details, variant)}", err=True)


def _fit_text(workbench: Workbench, details: RepositoryDetails, variant: Variant) -> str:
    from tui.engine import readable_size

    try:
        fit = workbench.fit_on_hub(details, variant)
    except LmdeckError as problem:
        return f"Whether it fits cannot be known: {problem.message}"
    if fit.kind == "none":
        return f"Won't fit: {fit.problem}"
    return f"{fit_tag(fit)}: needs {readable_size(fit.needed)} with a context of {fit.context_length:,} tokens"


def fit_tag(fit: Fit) -> str:
    """A verdict in a few words, much as `lms get` has them."""
    layers = f" ({fit.gpu_layers} of {fit.layers} layers)" if fit.kind == "partial" and fit.layers else ""
    return _FIT_TAGS[fit.kind] + layers


def _print_found(found: Sequence[Repository]) -> None:
    from tui.cli.model_records import parameters_text

    for number, one in enumerate(found, start=1):
        facts = [parameters_text(one.parameters), f"{one.downloads:,} downloads", "gated" if one.gated else ""]
        click.echo(f"{number:3}  {one.id}  {' · '.join(filter(None, facts))}", err=True)


def _print_variants(workbench: Workbench, details: RepositoryDetails, *, numbered: bool = False) -> None:
    """The choices to standard output, as they become known; for a choice to standard error."""
    from tui.engine import readable_size
    from tui.models.hub import in_preference

    best = in_preference(details.variants)[:1]
    width = max(len(one.name) for one in details.variants)
    for number, variant in enumerate(details.variants, start=1):
        try:
            fit = fit_tag(workbench.fit_on_hub(details, variant))
        except LmdeckError as problem:
            fit = f"? {problem.message}"
        tags = ["★ Recommended" if variant in best else ""]
        tags.append("✓ Downloaded" if workbench.downloads.has(details.repository.id, variant) else "")
        row = [variant.name.ljust(width), f"{readable_size(variant.size):>9}", fit, *filter(None, tags)]
        click.echo((f"{number:3}  " if numbered else "") + "  ".join(row), err=numbered)
