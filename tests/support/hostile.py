"""Damaged and hostile model files, at least fifty, each wrong in its own way."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support.raw_gguf import (
    ARRAY,
    BOOL,
    INT32,
    STRING,
    UINT8,
    UINT32,
    UINT64,
    RawFile,
    RawTensor,
    array_value,
    number_value,
    real_value,
    small_model,
    string,
    text_value,
    texts_value,
)

HUGE = 2**63
LARGE = 2**32


@dataclass(frozen=True, slots=True)
class HostileFile:
    """One file that no program should die of."""

    path: Path
    what: str
    usable_header: bool = False
    """Whether a reader of headers may accept it, because only the model or its template is bad."""
    listed: bool = True
    """Whether a catalogue should list it at all."""


def hostile_files(folder: Path) -> list[HostileFile]:
    """Write all of them into `folder` (created when needed) and say what each is.

    The unreadable file is readable to root.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files: list[HostileFile] = []
    for number, (what, content, usable) in enumerate(_contents()):
        path = folder / f"{number:03}-{what.replace(' ', '-')}.gguf"
        path.write_bytes(content.encode() if isinstance(content, RawFile) else content)
        files.append(HostileFile(path, what, usable))
    return [*files, *_split_sets(folder), *_odd_entries(folder)]


def _contents() -> Iterator[tuple[str, RawFile | bytes, bool]]:
    yield from ((what, content, False) for what, content in _bad_starts())
    yield from ((what, content, False) for what, content in _truncated())
    yield from ((what, content, False) for what, content in _bad_keys())
    yield from ((what, content, False) for what, content in _bad_tensors())
    yield from ((what, content, True) for what, content in _bad_models())
    yield from ((what, content, True) for what, content in _bad_templates())


def _bad_starts() -> Iterator[tuple[str, RawFile | bytes]]:
    model = small_model()
    yield "empty", b""
    yield "one byte", b"G"
    yield "magic only", b"GGUF"
    yield "wrong magic", replace(model, magic=b"GGML")
    yield "web page", b"<!DOCTYPE html><html><body>404: not found</body></html>" * 20
    yield "big endian", b"GGUF" + struct.pack(">IQQ", 3, 0, 0) + bytes(64)
    yield "version 0", replace(model, version=0)
    yield "version 1", replace(model, version=1)
    yield "version 99", replace(model, version=99)
    yield "random after magic", b"GGUF" + random.Random(1).randbytes(5000)
    yield "random after start", model.start() + random.Random(2).randbytes(5000)
    yield "zeros after start", model.start() + bytes(5000)
    yield "key count 2^63", replace(model, key_count=HUGE)
    yield "key count 2^32", replace(model, key_count=LARGE)
    yield "key count too small", replace(model, key_count=len(model.keys) - 1)
    yield "tensor count 2^63", replace(model, tensor_count=HUGE)
    yield "tensor count 2^32", replace(model, tensor_count=LARGE)
    yield "tensor count too large", replace(model, tensor_count=len(model.tensors) + 1)


def _truncated() -> Iterator[tuple[str, bytes]]:
    model = small_model()
    whole, header = model.encode(), model.header()
    yield "cut in the counts", whole[:20]
    yield "cut in a key", whole[:40]
    yield "cut in the tokens", whole[: whole.index(b"tokenizer.ggml.tokens") + 500]
    yield "cut in the token types", whole[: whole.index(b"tokenizer.ggml.token_type") + 500]
    yield "cut in the template", whole[: whole.index(b"tokenizer.chat_template") + 60]
    yield "cut in the tensor infos", whole[: whole.index(b"blk.0.attn_q") + 20]
    yield "cut after the header", header
    yield "cut in the data", whole[: len(header) + 3000]
    yield "last kilobyte missing", whole[:-1024]


def _bad_keys() -> Iterator[tuple[str, RawFile | bytes]]:
    model = small_model()
    start = replace(model, key_count=1).start()
    yield "key length 2^63", start + struct.pack("<Q", HUGE) + bytes(64)
    yield "key length 2^64 minus 1", start + struct.pack("<Q", 2**64 - 1) + bytes(64)
    yield "string length 2^63", model.with_key("general.name", struct.pack("<IQ", STRING, HUGE))
    yield "array length 2^62", model.with_key("x.y", array_value(UINT32, 2**62, bytes(16)))
    yield "array length 2^61 of 8 bytes", model.with_key("x.y", array_value(UINT64, 2**61, bytes(16)))
    yield "array of strings length 2^62", model.with_key("x.y", array_value(STRING, 2**62, string("a")))
    yield "string in an array 2^63 long", model.with_key("x.y", array_value(STRING, 1, struct.pack("<Q", HUGE)))
    yield "nested arrays", model.with_key("x.y", array_value(ARRAY, 1, struct.pack("<IQ", ARRAY, 1) * 5000))
    yield "array of arrays", model.with_key("x.y", array_value(ARRAY, 2, struct.pack("<IQI", UINT32, 1, 7) * 2))
    yield "unknown value type", model.with_key("x.y", struct.pack("<II", 99, 0))
    yield "unknown array type", model.with_key("x.y", array_value(99, 1, bytes(8)))
    yield "duplicated key", replace(model, keys=(*model.keys, model.keys[3]))
    yield "empty key", model.with_key("", number_value(1))
    yield "alignment 0", model.with_key("general.alignment", number_value(0))
    yield "alignment 3", model.with_key("general.alignment", number_value(3))
    yield "alignment 2^31", model.with_key("general.alignment", number_value(2**31))
    yield "alignment as text", model.with_key("general.alignment", text_value("32"))
    yield "no architecture", model.without_key("general.architecture")
    yield "architecture as number", model.with_key("general.architecture", number_value(7))
    yield "architecture empty", model.with_key("general.architecture", text_value(""))


def _bad_tensors() -> Iterator[tuple[str, RawFile | bytes]]:
    model = small_model()
    before = replace(model, tensors=(), tensor_count=1).header()
    name = string("token_embd.weight")
    first = model.tensors[1]
    yield "tensor type unknown", model.with_tensor(1, replace(first, type=77))
    yield "tensor type removed", model.with_tensor(1, replace(first, type=4))
    yield "tensor offset past the end", model.with_tensor(1, replace(first, offset=2**40))
    yield "tensor offset 2^63", model.with_tensor(1, replace(first, offset=HUGE))
    yield "tensor offset overflows", model.with_tensor(1, replace(first, offset=2**64 - 32))
    yield "tensor offset unaligned", model.with_tensor(1, replace(first, offset=7))
    yield "tensors overlap", model.with_tensor(1, replace(first, offset=0))
    yield "tensor dimension 0", model.with_tensor(1, replace(first, dimensions=(0,)))
    yield "tensor dimension 2^40", model.with_tensor(1, replace(first, dimensions=(2**40,), offset=0))
    yield "tensor product overflows", model.with_tensor(1, replace(first, dimensions=(2**33, 2**31), offset=0))
    yield "tensor with no dimension", model.with_tensor(1, replace(first, dimensions=()))
    yield "tensor with 5 dimensions", model.with_tensor(1, replace(first, dimensions=(32, 1, 1, 1, 1)))
    yield "tensor with 2^31 dimensions", before + name + struct.pack("<I", 2**31) + bytes(4096)
    yield "tensor row not of whole blocks", model.with_tensor(1, RawTensor("output_norm.weight", (31,), type=8))
    yield "duplicated tensor", replace(model, tensors=(*model.tensors, model.tensors[0]))
    yield "tensor name 2^40 long", before + struct.pack("<Q", 2**40) + bytes(4096)


def _bad_models() -> Iterator[tuple[str, RawFile]]:
    model = small_model()
    few = [chr(ord("a") + n) for n in range(20)]
    yield "architecture unknown", model.with_key("general.architecture", text_value("no-such-architecture"))
    yield "no vocabulary", model.without_key("tokenizer.ggml.tokens")
    yield "vocabulary of numbers", model.with_key("tokenizer.ggml.tokens", array_value(UINT32, 4, bytes(16)))
    yield "vocabulary as text", model.with_key("tokenizer.ggml.tokens", text_value("tokens"))
    yield "vocabulary empty", model.with_key("tokenizer.ggml.tokens", array_value(STRING, 0, b""))
    yield "vocabulary with duplicates", model.with_key("tokenizer.ggml.tokens", texts_value(["a"] * 259))
    yield "vocabulary shorter than weights", model.with_key("tokenizer.ggml.tokens", texts_value(few))
    yield "fewer scores than tokens", model.with_key("tokenizer.ggml.scores", array_value(6, 3, bytes(12)))
    yield "fewer token types than tokens", model.with_key("tokenizer.ggml.token_type", array_value(INT32, 1, bytes(4)))
    yield "scores of texts", model.with_key("tokenizer.ggml.scores", texts_value(["a"] * 259))
    yield "merges without spaces", model.with_key("tokenizer.ggml.merges", texts_value(["", "ab", " "]))
    yield "tokenizer unknown", model.with_key("tokenizer.ggml.model", text_value("nonsense"))
    yield "end token past the vocabulary", model.with_key("tokenizer.ggml.eos_token_id", number_value(2**31))
    yield "beginning token past the vocabulary", model.with_key("tokenizer.ggml.bos_token_id", number_value(2**32 - 1))
    yield "no tensors", replace(model, tensors=())
    yield "one tensor missing", replace(model, tensors=model.tensors[:-1])
    yield "one tensor of a wrong shape", model.with_tensor(3, RawTensor("blk.0.attn_norm.weight", (16,)))
    yield "no layer count", model.without_key("llama.block_count")
    yield "layer count 0", model.with_key("llama.block_count", number_value(0))
    yield "layer count 2^31", model.with_key("llama.block_count", number_value(2**31))
    yield "layer count as text", model.with_key("llama.block_count", text_value("many"))
    yield "head count 0", model.with_key("llama.attention.head_count", number_value(0))
    yield "head count 7", model.with_key("llama.attention.head_count", number_value(7))
    yield "head count 2^31", model.with_key("llama.attention.head_count", number_value(2**31))
    yield "embedding length 0", model.with_key("llama.embedding_length", number_value(0))
    yield "context length 0", model.with_key("llama.context_length", number_value(0))
    yield "context length 2^32 minus 1", model.with_key("llama.context_length", number_value(2**32 - 1))
    yield "rope base not a number", model.with_key("llama.rope.freq_base", real_value(float("nan")))
    yield "rope dimensions 2^31", model.with_key("llama.rope.dimension_count", number_value(2**31))
    yield "epsilon infinite", model.with_key("llama.attention.layer_norm_rms_epsilon", real_value(float("inf")))
    yield "name of invalid characters", model.with_key("general.name", text_value(b"\xff\xfe\x1b[2J\x80"))
    yield "file type unknown", model.with_key("general.file_type", number_value(999))
    yield "yes-no value of 7", model.with_key("tokenizer.ggml.add_bos_token", struct.pack("<IB", BOOL, 7))
    yield "split count without parts", model.with_key("split.count", struct.pack("<IH", 2, 5))
    yield "bytes after the data", replace(model, data=bytes(2 * sum(tensor.size for tensor in model.tensors) + 4096))
    yield "adapter", model.with_key("general.type", text_value("adapter"))
    yield (
        "control bytes in a tensor name",
        replace(model, tensors=(*model.tensors, RawTensor(b"\x1b]0;x\x07\xff", (32,)))),
    )
    yield "array of yes-no values", model.with_key("x.flags", array_value(UINT8, 3, b"\1\2\3"))


def _bad_templates() -> Iterator[tuple[str, RawFile]]:
    templates: list[tuple[str, str | bytes]] = [
        ("template of 20 MB", "{# x #}" + "x" * 20_000_000),
        ("template that loops", "{% for a in range(10**9) %}{% for b in range(10**9) %}{% endfor %}{% endfor %}"),
        ("template that grows", "{% set ns = namespace(x='x') %}{% for a in range(99) %}{% set ns.x = ns.x + ns.x %}"
         "{% endfor %}{{ ns.x }}"),
        ("template that repeats", "{{ 'x' * 10**12 }}"),
        ("template that raises", "{{ raise_exception('never') }}"),
        ("template that divides by zero", "{{ 1 / 0 }}"),
        ("template with a syntax error", "{% for message in messages %}{{ message.content }"),
        ("template that escapes", "{{ ''.__class__.__mro__[1].__subclasses__() }}"),
        ("template that formats its way out", "{{ '{0.__class__.__init__.__globals__}'.format(messages) }}"),
        ("template that includes", "{% include '/etc/passwd' %}"),
        ("template that recurses", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
        ("template of invalid characters", b"\xff\xfe{{ messages }}\x80"),
        ("template nested deeply", "{{" + "(" * 5000 + "1" + ")" * 5000 + "}}"),
        ("template empty", ""),
    ]  # fmt: skip
    model = small_model()
    for what, template in templates:
        yield what, model.with_key("tokenizer.chat_template", text_value(template))
    yield "template as number", model.with_key("tokenizer.chat_template", number_value(7))
    yield "template missing", model.without_key("tokenizer.chat_template")


def _split_sets(folder: Path) -> Iterator[HostileFile]:
    """Sets of parts that are not whole. The header of each part by itself is right."""
    model = small_model()

    def part(number: int, count: int) -> bytes:
        numbered = model.with_key("split.no", struct.pack("<IH", 2, number))
        return numbered.with_key("split.count", struct.pack("<IH", 2, count)).encode()

    for name, what, parts in (
        ("hole", "split set with a missing part", ((1, part(0, 3)), (3, part(2, 3)))),
        ("headless", "split set without its first part", ((2, part(1, 3)), (3, part(2, 3)))),
        ("liar", "split set that counts wrongly", ((1, part(0, 7)), (2, part(1, 7)), (3, part(2, 7)))),
        ("rotten", "split set with a damaged part", ((1, part(0, 3)), (2, b"GGUF"), (3, part(2, 3)))),
    ):
        paths = [folder / f"{name}-{number:05}-of-00003.gguf" for number, _ in parts]
        for path, (_, content) in zip(paths, parts, strict=True):
            path.write_bytes(content)
        yield HostileFile(paths[0], what, usable_header=True)


def _odd_entries(folder: Path) -> Iterator[HostileFile]:
    """Things that are called like a model and are not a file that can be read."""
    directory = folder / "directory.gguf"
    directory.mkdir(exist_ok=True)
    yield HostileFile(directory, "a folder", listed=False)
    dangling = folder / "dangling.gguf"
    dangling.unlink(missing_ok=True)
    dangling.symlink_to(folder / "nowhere.gguf")
    yield HostileFile(dangling, "a link to nothing")
    for name, target in (("loop-a.gguf", "loop-b.gguf"), ("loop-b.gguf", "loop-a.gguf"), ("loop", ".")):
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    yield HostileFile(folder / "loop-a.gguf", "a link that leads to itself")
    pipe = folder / "pipe.gguf"
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    yield HostileFile(pipe, "a named pipe, which would be read for ever")
    unreadable = folder / "unreadable.gguf"
    unreadable.unlink(missing_ok=True)
    unreadable.write_bytes(small_model().encode())
    unreadable.chmod(0)
    yield HostileFile(unreadable, "a file without permission to read", usable_header=os.geteuid() == 0)
