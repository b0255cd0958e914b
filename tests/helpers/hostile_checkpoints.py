"""Files made to cost time or memory, or to crash the program that loads them as a checkpoint."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import torch

MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2)


def text(value: str) -> bytes:
    """Opcode of a text."""
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    """Opcode of an integer."""
    data = pickle.encode_long(value)
    return b"\x8a" + bytes([len(data)]) + data


def name(module: str, function: str) -> bytes:
    """Opcode of a global name."""
    return f"c{module}\n{function}\n".encode()


def call(module: str, function: str, *arguments: bytes) -> bytes:
    """Opcodes that call a function."""
    return name(module, function) + b"(" + b"".join(arguments) + b"tR"


def tensor(
    size: int, *, stored: int = 1, key: str = "0", stride: int = 1, offset: int = 0
) -> bytes:
    """Opcodes of a float32 vector in a storage of `stored` numbers."""
    storage = b"(" + text("storage") + name("torch", "FloatStorage") + text(key) + text("cpu")
    storage += number(stored) + b"tQ"
    shape = number(size) + b"\x85" + number(stride) + b"\x85"
    hooks = call("collections", "OrderedDict")
    return call(
        "torch._utils", "_rebuild_tensor_v2", storage, number(offset), shape, b"\x89", hooks
    )


def archive(body: bytes, stored: bytes = b"\0" * 4, *, compress: bool = False) -> bytes:
    """A file of today's torch around the opcodes of one value."""
    buffer = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", method) as file:
        file.writestr("archive/data.pkl", b"\x80\x02" + body + b".")
        file.writestr("archive/byteorder", b"little")
        file.writestr("archive/data/0", stored)
        file.writestr("archive/version", b"3\n")
    return buffer.getvalue()


def stream(body: bytes, keys: tuple[str, ...] = ()) -> bytes:
    """A file of torch before 1.6 around the opcodes of one value."""
    return MAGIC + b"\x80\x02" + body + b"." + pickle.dumps(list(keys), 2)


def nested(depth: int) -> bytes:
    """A tuple that holds another one twice, which holds another one twice, and so on."""
    return b")" + b"q\x00h\x00\x86" * depth


def _hash_bomb() -> bytes:
    return b"}" + nested(60) + b"Ns"


def _doubled_text() -> bytes:
    body = text("x" * 64)
    for codec in ["latin1"] + ["hex"] * 28:
        body = call("_codecs", "encode", body, text(codec))
    return body


def _overlapping() -> bytes:
    """Many entries of an archive's directory that point to the same data."""
    content = archive(b"}", b"\0" * 1_000_000)
    end = content.rindex(b"PK\x05\x06")
    fields = list(struct.unpack("<4s4H2IH", content[end:]))
    start = fields[6]
    directory = content[start:end]
    at = directory.index(b"archive/data/0") - 46
    entry = directory[at : at + 46 + len("archive/data/0")]
    copies = b"".join(entry.replace(b"data/0", f"data{i:1x}0".encode()[:6]) for i in range(16))
    fields[3] = fields[4] = fields[3] + 16
    fields[5] = len(directory) + len(copies)
    return content[:start] + directory + copies + struct.pack("<4s4H2IH", *fields)


def _saved(value: object, **options: bool) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


_GOOD = _saved({"state_dict": {"weight": torch.arange(300.0)}})
_GOOD_STREAM = _saved(
    {"state_dict": {"weight": torch.arange(300.0)}}, _use_new_zipfile_serialization=False
)


def _tar() -> bytes:
    import tarfile  # noqa: PLC0415

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        for part in ("storages", "tensors", "pickle"):
            info = tarfile.TarInfo(part)
            info.size = 4
            file.addfile(info, io.BytesIO(b"\x80\x02N."))
    return buffer.getvalue()


def _sparse() -> bytes:
    return _saved({"state_dict": {"weight": torch.eye(4).to_sparse()}})


def _cycle() -> bytes:
    return b"]q\x00h\x00a"


_ARRAY = (
    name("numpy.core.multiarray", "_reconstruct")
    + b"("
    + name("numpy", "ndarray")
    + number(0)
    + b"\x85"
    + text("b")
    + b"tR"
)
_U1 = call("numpy", "dtype", text("u1"), b"\x89", b"\x88")
_OBJECT = call("numpy", "dtype", text("O8"), b"\x89", b"\x88")


def _array(shape: bytes, dtype: bytes, data: bytes) -> bytes:
    return _ARRAY + b"(" + number(1) + shape + dtype + b"\x89" + data + b"tb"


HOSTILE: dict[str, Callable[[], bytes]] = {
    # Time
    "a key that takes ages to hash": lambda: archive(_hash_bomb()),
    "the same in an old file": lambda: stream(_hash_bomb()),
    "a set of tuples that take ages": lambda: archive(
        call("__builtin__", "set", b"](" + nested(60) + b"e")
    ),
    "pairs with such a key": lambda: archive(
        call("collections", "OrderedDict", b"](" + nested(60) + b"N\x86e")
    ),
    "tuples in tuples": lambda: archive(nested(60)),
    "lists in lists in lists": lambda: archive(b"]" + b"q\x00](h\x00h\x00e" * 60),
    "a list that holds itself": lambda: archive(_cycle()),
    "a tuple 100,000 deep": lambda: archive(b")" + b"\x85" * 100_000),
    "two million lists": lambda: archive(b"](" + b"]" * 2_000_000 + b"e"),
    "integers of one hash": lambda: archive(
        b"}(" + b"".join(number(i * (2**61 - 1)) + b"N" for i in range(50_000)) + b"u"
    ),
    # Memory
    "bytes of a number": lambda: archive(call("__builtin__", "bytes", number(10**10))),
    "a bytearray of a number": lambda: archive(call("__builtin__", "bytearray", number(10**10))),
    "an array with a number for data": lambda: archive(
        _array(number(10) + b"\x85", _U1, number(3 * 10**9))
    ),
    "an array of objects without them": lambda: archive(
        _array(number(10**10) + b"\x85", _OBJECT, b"]")
    ),
    "an array of a huge shape": lambda: archive(
        _array(b"(" + number(2**60) * 400 + b"t", _OBJECT, b"]")
    ),
    "text encoded again and again": lambda: archive(_doubled_text()),
    "compressed": lambda: archive(tensor(10**7, stored=10**7), b"\0" * (4 * 10**7), compress=True),
    "a compressed pickle": lambda: archive(b"](" + b"N" * 10**7 + b"e", compress=True),
    "parts of an archive that overlap": _overlapping,
    "a tensor larger than its data": lambda: archive(tensor(10**10)),
    "a tensor that repeats its data": lambda: archive(tensor(10**10, stride=0)),
    "a tensor beyond its data": lambda: archive(tensor(1, offset=5)),
    "data larger than its part": lambda: archive(tensor(10**9, stored=10**9)),
    "data that an old file lacks": lambda: stream(tensor(10**9, stored=10**9), ("0",)),
    "data that an old file does not list": lambda: stream(tensor(1)),
    "an empty tensor made by size": lambda: archive(call("torch", "Tensor", number(10**10))),
    "a tensor without data": lambda: archive(
        call("torch._utils", "_rebuild_meta_tensor_no_storage", name("torch", "float32"))
    ),
    # Whatever else
    "sparse": _sparse,
    "a method of a dictionary replaced": lambda: archive(
        call("collections", "OrderedDict") + b"}" + text("items") + b"Nsb"
    ),
    "a function as a value": lambda: archive(name("torch._utils", "_rebuild_tensor_v2")),
    "a device that does not exist": lambda: archive(call("torch", "device", text("fridge"))),
    "cut short": lambda: _GOOD[:-100],
    "cut in half": lambda: _GOOD[: len(_GOOD) // 2],
    "an old one cut short": lambda: _GOOD_STREAM[:-100],
    "an old one cut in half": lambda: _GOOD_STREAM[: len(_GOOD_STREAM) // 2],
    "something behind it": lambda: _GOOD + b"x" * 30,
    "tar": _tar,
    "text": lambda: b"<html><body>404 Not Found</body></html>",
    "empty": lambda: b"",
    "a pickle alone": lambda: pickle.dumps({"state_dict": {}}),
    "an archive of other things": lambda: archive(b"}").replace(b"data.pkl", b"data.txt"),
}
"""What the file tries -> a function that makes it. None of them is a checkpoint."""


def write(folder: Path) -> list[Path]:
    """Write all of them to a folder."""
    paths = []
    for index, make in enumerate(HOSTILE.values()):
        paths.append(folder / f"{index:02d}.pth")
        paths[-1].write_bytes(make())
    return paths
