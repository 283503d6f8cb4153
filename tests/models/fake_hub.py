"""A Hub on this machine: Hugging Face's interface, its redirects to another host, and its misfortunes, as a plan says.

It speaks what huggingface_hub speaks (a test proves it with that library), over two servers, as the Hub keeps large
files elsewhere: `/api/models…` and `/owner/name/resolve/…` here, the bytes there.
"""

from __future__ import annotations

import hashlib
import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any, Literal
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

Fault = Literal[
    "", "500", "503", "429", "reset", "cut", "stall", "corrupt", "ignores range", "portal", "expired", "short",
    "trickle",
]  # fmt: skip
"""What happens instead of an answer. `cut`, `stall` and `corrupt` begin as the right one does; `trickle` is the right
one, in drops."""

Plan = Callable[[str, int], Fault]
"""What shall go wrong, by the path of a request for a file and how often that was asked for before."""

TOKEN = "hf_let_me_in"
"""Whoever brings it is logged in, and has accepted all terms."""
COMMIT = "c0ffee" + "0" * 34
DROP, BETWEEN_DROPS = 16, 0.005
"""Bytes and seconds of a trickle: some three thousand bytes a second."""
_LARGE = 64
"""Bytes from which on a file counts as large, and lies on the other server."""


@dataclass
class FakeRepository:
    """One repository."""

    files: dict[str, bytes | Path]
    likes: int = 0
    downloads: int = 0
    updated: str = "2026-01-01T00:00:00.000Z"
    gated: Literal[False, "auto", "manual"] = False
    private: bool = False
    licence: str = "apache-2.0"
    gguf: Mapping[str, Any] | None = None
    tags: tuple[str, ...] = ("gguf",)
    card: Mapping[str, Any] = field(default_factory=dict)

    def data(self, path: str) -> bytes:
        found = self.files[path]
        return found.read_bytes() if isinstance(found, Path) else found


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    range: str
    authorized: bool
    on_cdn: bool


class FakeHub:
    """The two servers, what lies there, and what they were asked."""

    def __init__(self, plan: Plan | None = None, *, delay: float = 0.0, chunk: int = 64 * 1024) -> None:
        """`delay` is how many seconds there are between the chunks of a file."""
        self.repositories: dict[str, FakeRepository] = {}
        self.plan = plan or well
        self.delay = delay
        self.chunk = chunk
        self.page_of = 30
        self.asked: list[Asked] = []
        self.faults: Counter[str] = Counter()
        self.sent = 0
        """Bytes of files that left."""
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._digests: dict[tuple[str, str], tuple[str, str]] = {}
        self._hub = self._serve(_HubHandler)
        self._cdn = self._serve(_CdnHandler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._hub.server_port}"

    @property
    def cdn_url(self) -> str:
        # Another name is another origin, which a token must not reach.
        return f"http://localhost:{self._cdn.server_port}"

    def add(self, name: str, files: Mapping[str, bytes | Path], **facts: Any) -> FakeRepository:
        """Publish a repository."""
        self.repositories[name] = FakeRepository(dict(files), **facts)
        return self.repositories[name]

    def file_requests(self, path: str = "") -> list[Asked]:
        """The requests for bytes of files, or of one file."""
        return [asked for asked in self.asked if asked.on_cdn and asked.method == "GET" and path in asked.path]

    def digests(self, name: str, path: str) -> tuple[str, str]:
        """The sha256 of a file, and git's name of it."""
        data = self.repositories[name].data(path)
        key = (name, path)
        if key not in self._digests:
            git = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            self._digests[key] = hashlib.sha256(data).hexdigest(), git
        return self._digests[key]

    def close(self) -> None:
        self._closing.set()
        for server in (self._hub, self._cdn):
            server.shutdown()
            server.server_close()

    def note(self, asked: Asked) -> None:
        with self._lock:
            self.asked.append(asked)

    def next_fault(self, path: str) -> Fault:
        with self._lock:
            nth, self._counts[path] = self._counts[path], self._counts[path] + 1
            fault = self.plan(path, nth)
            if fault:
                self.faults[fault] += 1
            return fault

    def hang(self, connection: socket.socket) -> None:
        """Send nothing until the client has gone."""
        connection.settimeout(0.05)
        while not self._closing.is_set():
            try:
                if not connection.recv(1024):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    def _serve(self, handler: type[_Handler]) -> ThreadingHTTPServer:
        server = _Server(("127.0.0.1", 0), type("Handler", (handler,), {"hub": self}))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    on_cdn = False
    hub: FakeHub

    def log_message(self, format: str, *args: Any) -> None: ...

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = Asked(
            self.command,
            unquote(parts.path),
            parse_qs(parts.query, keep_blank_values=True),
            self.headers.get("Range", ""),
            self.headers.get("Authorization") == f"Bearer {TOKEN}",
            self.on_cdn,
        )
        self.hub.note(asked)
        self.answer(asked)

    def answer(self, asked: Asked) -> None:
        raise NotImplementedError

    def reply(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        own = {"Content-Length": str(len(body)), **(headers or {})}
        for name, value in own.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def json(self, value: Any, headers: Mapping[str, str] | None = None) -> None:
        self.reply(200, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def error(self, status: int, code: str = "", message: str = "", headers: Mapping[str, str] | None = None) -> None:
        told = {"X-Error-Code": code, "X-Error-Message": message} if code else {}
        self.reply(status, json.dumps({"error": message or code}).encode(), {**told, **(headers or {})})

    def reset(self) -> None:
        """Break the connection as a machine that falls over does."""
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        with suppress(OSError):
            self.connection.close()

    def simple_fault(self, fault: Fault) -> bool:
        """Answer with a fault that needs no file."""
        if fault in ("500", "503"):
            self.error(int(fault))
        elif fault == "429":
            self.error(429, headers={"Retry-After": "0"})
        elif fault == "reset":
            self.reset()
        elif fault == "portal":
            self.reply(200, b"<html>Please log in to this network</html>", {"Content-Type": "text/html"})
        else:
            return False
        return True


class _HubHandler(_Handler):
    """The interface, and where files are."""

    def answer(self, asked: Asked) -> None:
        steps = asked.path.strip("/").split("/")
        match steps:
            case ["api", "models"]:
                self._search(asked)
            case ["api", "models", owner, name, *rest]:
                self._repository(asked, f"{owner}/{name}", rest)
            case [owner, name, "resolve", revision, *path] if path:
                self._resolve(asked, f"{owner}/{name}", revision, "/".join(path))
            case _:
                self.error(404, "", "Not found")

    def _search(self, asked: Asked) -> None:
        if self.simple_fault(self.hub.next_fault(asked.path)):
            return
        query = {name: values[0] for name, values in asked.query.items()}
        words = query.get("search", "").lower().split()
        found = [
            (name, repository)
            for name, repository in self.hub.repositories.items()
            if all(word in name.lower() for word in words)
            and (not repository.private or asked.authorized)
            and {*asked.query.get("filter", [])} <= {*repository.tags, f"license:{repository.licence}"}
            and query.get("author", "") in ("", name.partition("/")[0])
        ]
        orders: dict[str, Callable[[tuple[str, FakeRepository]], Any]] = {
            "downloads": lambda entry: -entry[1].downloads,
            "likes": lambda entry: -entry[1].likes,
            "lastModified": lambda entry: [-ord(letter) for letter in entry[1].updated],
        }
        if query.get("sort") in orders:
            found.sort(key=orders[query["sort"]])
        start = int(query.get("cursor", "0"))
        limit = min(int(query.get("limit", "1000")), self.hub.page_of)
        headers = {}
        if start + limit < len(found):
            again = [(name, value) for name, values in asked.query.items() if name != "cursor" for value in values]
            following = urlencode([*again, ("cursor", str(start + limit))])
            headers["Link"] = f'<{self.hub.url}/api/models?{following}>; rel="next"'
        expand = asked.query.get("expand", [])
        entries = [self._entry(name, repository) for name, repository in found[start : start + limit]]
        kept = {"id", "_id", "modelId", *expand}
        self.json([{k: v for k, v in one.items() if not expand or k in kept} for one in entries], headers)

    def _entry(self, name: str, repository: FakeRepository) -> dict[str, Any]:
        return {
            "_id": hashlib.md5(name.encode()).hexdigest()[:24],
            "id": name,
            "modelId": name,
            "author": name.partition("/")[0],
            "sha": COMMIT,
            "lastModified": repository.updated,
            "createdAt": repository.updated,
            "private": repository.private,
            "gated": repository.gated,
            "disabled": False,
            "downloads": repository.downloads,
            "likes": repository.likes,
            "tags": [*repository.tags, f"license:{repository.licence}"],
            "pipeline_tag": "text-generation",
            "library_name": "gguf",
            "cardData": {"license": repository.licence, **repository.card},
            "gguf": repository.gguf,
        }

    def _repository(self, asked: Asked, name: str, rest: list[str]) -> None:
        if self.simple_fault(self.hub.next_fault(asked.path)):
            return
        repository = self._allowed(asked, name)
        if repository is None:
            return
        match rest:
            case [] | ["revision", "main"] | ["revision", "c0ffee0000000000000000000000000000000000"]:
                siblings = [self._sibling(name, path, asked) for path in repository.files]
                self.json({**self._entry(name, repository), "siblings": siblings})
            case ["tree", revision] if revision in ("main", COMMIT):
                self.json([self._tree_entry(name, path) for path in repository.files])
            case _:
                self.error(404, "RevisionNotFound", f"Invalid rev id: {rest[-1]}")

    def _sibling(self, name: str, path: str, asked: Asked) -> dict[str, Any]:
        if "blobs" not in asked.query:
            return {"rfilename": path}
        size = len(self.hub.repositories[name].data(path))
        sha256, git = self.hub.digests(name, path)
        large = {"lfs": {"sha256": sha256, "size": size, "pointerSize": 134}} if size >= _LARGE else {}
        return {"rfilename": path, "size": size, "blobId": git, **large}

    def _tree_entry(self, name: str, path: str) -> dict[str, Any]:
        size = len(self.hub.repositories[name].data(path))
        sha256, git = self.hub.digests(name, path)
        large = {"lfs": {"oid": sha256, "size": size, "pointerSize": 134}} if size >= _LARGE else {}
        return {"type": "file", "oid": git, "size": size, "path": path, **large}

    def _allowed(self, asked: Asked, name: str) -> FakeRepository | None:
        token = self.headers.get("Authorization", "")
        if token and not asked.authorized:
            self.error(401, "", "Invalid credentials in Authorization header")
            return None
        repository = self.hub.repositories.get(name)
        if repository is None or (repository.private and not asked.authorized):
            self.error(404 if asked.authorized else 401, "RepoNotFound", "Repository not found")
            return None
        return repository

    def _resolve(self, asked: Asked, name: str, revision: str, path: str) -> None:
        repository = self._allowed(asked, name)
        if repository is None:
            return
        if revision not in ("main", COMMIT):
            self.error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return
        if path not in repository.files:
            self.error(404, "EntryNotFound", "Entry not found", {"X-Repo-Commit": COMMIT})
            return
        if repository.gated and not asked.authorized:
            self.error(401, "GatedRepo", f"Access to model {name} is restricted.", {"X-Repo-Commit": COMMIT})
            return
        data = repository.data(path)
        sha256, git = self.hub.digests(name, path)
        if len(data) < _LARGE or path.endswith(".md"):
            self.reply(200, data, {"X-Repo-Commit": COMMIT, "ETag": f'"{git}"', "Accept-Ranges": "bytes"})
            return
        headers = {
            "X-Repo-Commit": COMMIT,
            "X-Linked-Size": str(len(data)),
            "X-Linked-ETag": f'"{sha256}"',
            "ETag": f'"{sha256}"',
            "Accept-Ranges": "bytes",
            "Location": f"{self.hub.cdn_url}/{quote(name)}/{sha256}/{quote(path)}?Expires=1&Signature=abc",
        }
        self.reply(302, b"Found. Redirecting", headers)


class _CdnHandler(_Handler):
    """The bytes of large files."""

    on_cdn = True

    def answer(self, asked: Asked) -> None:
        owner, name, _, *rest = asked.path.strip("/").split("/")
        path = "/".join(rest)
        data = self.hub.repositories[f"{owner}/{name}"].data(path)
        fault = self.hub.next_fault(asked.path)
        if fault == "expired":
            self.error(403, "", "Request has expired")
            return
        if self.simple_fault(fault):
            return
        start, stop = self._span(asked.range, len(data), fault)
        if start >= len(data) and asked.range:
            self.reply(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            return
        body = bytearray(data[start:stop])
        if fault == "corrupt" and body:
            body[len(body) // 2] ^= 0x55
        if fault == "short":
            body = body[: len(body) // 2]
        partial = bool(asked.range) and fault != "ignores range"
        self.send_response(206 if partial else 200)
        if partial:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{asked.path.split("/")[3]}"')
        self.end_headers()
        if self.command != "HEAD":
            self._send(bytes(body), fault)

    def _span(self, wanted: str, size: int, fault: Fault) -> tuple[int, int]:
        if not wanted or fault == "ignores range":
            return 0, size
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        return int(first), min(int(last) + 1, size) if last else size

    def _send(self, body: bytes, fault: Fault) -> None:
        end = len(body) // 2 if fault in ("cut", "stall") else len(body)
        chunk = DROP if fault == "trickle" else self.hub.chunk
        for at in range(0, end, chunk):
            piece = body[at : min(at + chunk, end)]
            self.wfile.write(piece)
            self.hub.sent += len(piece)
            if delay := BETWEEN_DROPS if fault == "trickle" else self.hub.delay:
                time.sleep(delay)
        if fault == "cut":
            self.wfile.flush()
            self.reset()
        elif fault == "stall":
            self.hub.hang(self.connection)
            self.close_connection = True


def seeded_plan(seed: int, rate: float, most: int = 3) -> Plan:
    """Faults for a part of all requests, the same for the same seed, and at most some in a row for one file."""
    kinds: tuple[Fault, ...] = (
        "500", "503", "429", "reset", "cut", "stall", "corrupt", "ignores range", "portal", "expired", "short",
    )  # fmt: skip

    def plan(path: str, nth: int) -> Fault:
        random = Random(f"{seed}:{path}:{nth}")
        return random.choice(kinds) if nth < most and random.random() < rate else ""

    return plan


def well(_path: str, _nth: int) -> Fault:
    """Nothing goes wrong."""
    return ""


def always(fault: Fault, what: str = "") -> Plan:
    """The same misfortune for every request whose path has something in it."""

    def plan(path: str, _nth: int) -> Fault:
        return fault if what in path else ""

    return plan


@contextmanager
def fake_hub(plan: Plan | None = None, **settings: Any) -> Iterator[FakeHub]:
    """A Hub for the length of a block."""
    hub = FakeHub(plan, **settings)
    try:
        yield hub
    finally:
        hub.close()
