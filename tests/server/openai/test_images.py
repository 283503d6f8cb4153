"""Images in data URLs, to a model that sees and to one that does not."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.server.conftest import Running
from tests.support.model_maker import make_tiny_model
from tests.support.projector_models import make_projector, picture_file


@pytest.fixture(scope="module")
def client(running: Running, models_folder: Path) -> openai.OpenAI:
    folder = models_folder / "sees"
    folder.mkdir()
    make_projector(folder / "mmproj-sees-f16.gguf", "gemma3")
    make_tiny_model(folder / "sees.gguf")
    running.workbench.catalogue.refresh()
    return openai.OpenAI(base_url=running.openai, api_key="none", max_retries=0)


def picture(seed: int) -> dict[str, Any]:
    data = base64.b64encode(picture_file(seed=seed)).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}


def ask(client: openai.OpenAI, *parts: dict[str, Any], model: str = "sees") -> Any:
    messages: Any = [{"role": "user", "content": [{"type": "text", "text": "what is it"}, *parts]}]
    return client.chat.completions.create(
        model=model, messages=messages, max_tokens=8, temperature=0, extra_body={"ignore_eos": True}
    )


def test_the_answer_is_of_the_image(client: openai.OpenAI) -> None:
    one, same, other, none = (ask(client, *parts) for parts in ([picture(0)], [picture(0)], [picture(1)], []))
    texts = [done.choices[0].message.content for done in (one, same, other, none)]
    assert texts[0] == texts[1] != texts[2]
    assert one.usage.prompt_tokens > none.usage.prompt_tokens + 4
    assert same.usage.prompt_tokens_details.cached_tokens > none.usage.prompt_tokens


def test_responses_take_images_too(client: openai.OpenAI) -> None:
    url = picture(0)["image_url"]["url"]
    content: Any = [{"type": "input_text", "text": "what is it"}, {"type": "input_image", "image_url": url}]
    seen = client.responses.create(model="sees", input=[{"role": "user", "content": content}], max_output_tokens=16)
    blind = client.responses.create(model="sees", input="what is it", max_output_tokens=16)
    assert seen.usage is not None
    assert blind.usage is not None
    assert seen.usage.input_tokens > blind.usage.input_tokens + 4


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("data:image/png;base64,AAAA", "image"),
        ("data:image/png;base64,@@@", "base64"),
        ("https://example.invalid/a.png", "data:"),
        ("file:///etc/hostname", "data:"),
    ],
)
def test_what_is_no_image_is_refused_with_its_place(client: openai.OpenAI, url: str, said: str) -> None:
    with pytest.raises(openai.BadRequestError, match=said):
        ask(client, {"type": "image_url", "image_url": {"url": url}})


def test_a_model_that_does_not_see_says_so(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="image"):
        ask(client, picture(0), model="random")
