"""Searching and looking at repositories, and what is said when the Hub refuses or is not there."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from pathlib import Path

import pytest
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

from tests.models.fake_hub import COMMIT, TOKEN, FakeHub, always, well
from tests.models.hub_models import noise, publish_tiny
from tui.domain import Cancelled, HubFailed, ModelNotFound
from tui.models.hub import Hub, HubAddress, HubConnection, find_repository
from tui.models.hub.connection import Patience


def test_the_fake_hub_speaks_as_huggingface_hub_expects(fake: FakeHub, tmp_path: Path) -> None:
    large = noise("x", 5000)
    fake.add("a/one", {"x-Q8_0.gguf": large, "README.md": b"# One", "small.txt": b"hi"}, downloads=3)
    fake.add("a/gated", {"x.gguf": large}, gated="auto")
    for number in range(5):
        fake.add(f"b/more-{number}", {}, downloads=number)
    fake.page_of = 2
    api = HfApi(endpoint=fake.url, token=False)
    listed = list(api.list_models(filter="gguf", sort="downloads", expand=["downloads", "gguf"]))
    assert [one.id for one in listed][:2] == ["b/more-4", "a/one"]
    assert len(listed) == 7
    info = api.model_info("a/one", files_metadata=True)
    assert info.sha == COMMIT
    (file,) = [one for one in info.siblings or [] if one.rfilename == "x-Q8_0.gguf"]
    assert file.lfs is not None
    assert file.lfs.sha256 == hashlib.sha256(large).hexdigest()
    assert {one.path for one in api.list_repo_tree("a/one")} == {"x-Q8_0.gguf", "README.md", "small.txt"}
    for name, data in (("x-Q8_0.gguf", large), ("small.txt", b"hi")):
        path = hf_hub_download("a/one", name, endpoint=fake.url, token=False, cache_dir=tmp_path)
        assert Path(path).read_bytes() == data
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("a/none")
    with pytest.raises(GatedRepoError):
        hf_hub_download("a/gated", "x.gguf", endpoint=fake.url, token=False, cache_dir=tmp_path)


def test_results_come_page_by_page_in_the_wanted_order(fake: FakeHub, hub: Hub) -> None:
    for number in range(70):
        fake.add(f"maker/tiny-{number:02}-GGUF", {}, likes=number, downloads=-number)
    fake.add("maker/tiny-safetensors", {}, tags=("safetensors",))
    pages = hub.search("tiny", "likes")
    first = next(pages)
    assert [one.id for one in first][:2] == ["maker/tiny-69-GGUF", "maker/tiny-68-GGUF"]
    assert len([asked for asked in fake.asked if asked.path == "/api/models"]) == 1, "the second page was not wanted"
    assert [len(page) for page in pages] == [30, 10]
    assert not next(iter(hub.search("nothing like it")))
    assert len(next(hub.search("", "downloads"))) == 30


def test_a_page_that_could_not_be_had_is_asked_for_again(fake: FakeHub, hub: Hub) -> None:
    for number in range(40):
        fake.add(f"maker/tiny-{number:02}-GGUF", {})
    pages = hub.search("tiny")
    assert len(next(pages)) == 30
    fake.plan = always("503")
    with pytest.raises(HubFailed, match="HTTP 503"):
        next(pages)
    fake.plan = well
    assert [len(page) for page in pages] == [10]


def test_details_have_everything_that_is_shown(fake: FakeHub, hub: Hub, tmp_path: Path) -> None:
    publish_tiny(fake, tmp_path)
    details = hub.details("maker/tiny-GGUF")
    assert details.revision == COMMIT
    assert [one.name for one in details.variants] == ["Q4_0", "Q8_0", "F16"]
    one = details.repository
    assert (one.licence, one.parameters, one.architecture, one.context_length) == (
        "apache-2.0", 1_200_000, "llama", 2048,
    )  # fmt: skip
    assert details.base_models == ("maker/tiny",)
    assert hub.readme(details).startswith("# Tiny")
    assert "license:" not in hub.readme(details)


def test_a_damaged_answer_is_no_crash(fake: FakeHub, hub: Hub) -> None:
    repository = fake.add("a/odd", {"x-Q8_0.gguf": noise("x", 100)})
    repository.gguf = {"total": "many", "architecture": ["a\x1b[31m"], "context_length": -1}
    repository.card = {"license": {"x": 1}, "base_model": [1, None, "ok/ok"], "language": "en"}
    repository.updated = "yesterday"
    details = hub.details("a/odd")
    assert details.repository.parameters == details.repository.context_length == 0
    assert details.base_models == ("ok/ok",)
    fake.plan = always("portal")
    with pytest.raises(HubFailed, match="does not answer as the Hub does"):
        hub.details("a/odd")
    with pytest.raises(HubFailed, match="does not answer as the Hub does"):
        next(hub.search("odd"))


@pytest.mark.parametrize(
    ("repository", "token", "said", "advice"),
    [
        ("a/none", "", "no repository 'a/none'", "hf auth login"),
        ("a/private", "", "or it is private", "HF_TOKEN"),
        ("a/none", TOKEN, "no repository", "Check the name"),
        ("a/open", "hf_wrong", "does not accept your token", "Log in again"),
    ],
)
def test_refusals_say_what_to_do(
    fake: FakeHub, hub: Hub, monkeypatch: pytest.MonkeyPatch, repository: str, token: str, said: str, advice: str
) -> None:
    fake.add("a/private", {}, private=True)
    fake.add("a/open", {})
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(HubFailed, match=said) as caught:
        hub.details(repository)
    assert advice in caught.value.advice
    assert caught.value.lasting


def test_a_gated_repository_says_where_its_terms_are(fake: FakeHub, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.add("a/gated", {"x-Q8_0.gguf": noise("x", 5000)}, gated="manual")
    details = hub.details("a/gated")
    assert details.repository.gated == "manual"
    with pytest.raises(HubFailed, match="accept its terms") as caught:
        hub.stand_in(details, details.variants[0])
    assert f"{fake.url}/a/gated" in caught.value.advice
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hub.connection.run(hub.connection.piece("a/gated", COMMIT, "x-Q8_0.gguf", 0, 10))
    assert any(asked.authorized for asked in fake.asked if not asked.on_cdn)
    assert not any(asked.authorized for asked in fake.asked if asked.on_cdn), "the token reached the other server"


def test_nobody_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    hub = Hub(HubConnection(f"http://127.0.0.1:{port}"), tmp_path)
    with pytest.raises(HubFailed, match="cannot be reached") as caught:
        next(hub.search("x"))
    assert caught.value.offline
    assert "this machine work without it" in caught.value.advice
    hub.close()


def test_a_server_that_says_nothing_holds_nobody_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hub = Hub(HubConnection(f"http://127.0.0.1:{silent.getsockname()[1]}", Patience(silence=0.2)), tmp_path)
        with pytest.raises(HubFailed, match="does not answer"):
            next(hub.search("x"))
        hub.close()
        patient = Hub(HubConnection(f"http://127.0.0.1:{silent.getsockname()[1]}"), tmp_path)
        caught: list[Exception] = []

        def ask() -> None:
            try:
                next(patient.search("x"))
            except Exception as error:
                caught.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        connection, _ = silent.accept()
        connection.recv(1)
        started = time.monotonic()
        patient.close()
        asking.join(5)
        assert time.monotonic() - started < 3
        assert isinstance(caught[0], Cancelled)
        connection.close()


def test_offline_by_wish(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(HubFailed, match="HF_HUB_OFFLINE"):
        next(hub.search("x"))


def test_the_endpoint_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/hf/")
    assert HubConnection().endpoint == "https://mirror.example/hf"
    monkeypatch.delenv("HF_ENDPOINT")
    assert HubConnection().endpoint == "https://huggingface.co"


def test_a_repository_without_gguf_leads_to_one_that_has_some(fake: FakeHub, hub: Hub) -> None:
    fake.add("maker/model", {"model.safetensors": b"x"}, tags=("safetensors",))
    with pytest.raises(ModelNotFound, match="no GGUF files"):
        find_repository(hub, HubAddress("maker/model"))
    fake.add("someone/model-quantized", {"m-Q8_0.gguf": noise("m", 100)})
    with pytest.raises(ModelNotFound, match="someone/model-quantized"):
        find_repository(hub, HubAddress("maker/model"))
    fake.add("lmstudio-community/model-GGUF", {"m-Q8_0.gguf": noise("m", 100)})
    assert find_repository(hub, HubAddress("maker/model")).repository.id == "lmstudio-community/model-GGUF"
