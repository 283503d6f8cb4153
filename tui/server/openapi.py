"""The server described in OpenAPI 3.1, from its own routes and wire types."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel
from starlette.routing import BaseRoute, Route

from tui import __version__

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def takes(wire: type[BaseModel]) -> Callable[[Endpoint], Endpoint]:
    """Note on an endpoint which wire type its body has, for the description."""

    def note(endpoint: Endpoint) -> Endpoint:
        endpoint.wire = wire  # type: ignore[attr-defined]
        return endpoint

    return note


def describe(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The OpenAPI document. Its summaries are the first lines of the endpoints' docstrings."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for route in routes:
        if not isinstance(route, Route):
            continue
        path = re.sub(r":\w+}", "}", route.path)
        for method in sorted((route.methods or {"GET"}) - {"HEAD"}):
            paths.setdefault(path, {})[method.lower()] = _operation(route, path, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "lmdeck", "version": __version__},
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _operation(route: Route, path: str, schemas: dict[str, Any]) -> dict[str, Any]:
    words = (route.endpoint.__doc__ or "").strip().partition("\n")[0]
    operation: dict[str, Any] = {"responses": {"200": {"description": "OK"}}}
    if words:
        operation["summary"] = words
    if names := re.findall(r"{(\w+)}", path):
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    wire: type[BaseModel] | None = getattr(route.endpoint, "wire", None)
    if wire is not None:
        schema = wire.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[wire.__name__] = schema
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{wire.__name__}"}}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation
