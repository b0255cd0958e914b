"""Pickles: damaged opcode by opcode, forged to run code, or small ones that ask for much."""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from itertools import pairwise
from random import Random

from fuzzing.mutations import BYTE_MUTATIONS

TRACE = "executed"
"""File that forged pickles make, in the folder in which they are executed."""

_GLOBALS = tuple(
    f"c{module}\n{name}\n".encode()
    for module, name in (
        ("posix", "system"), ("os", "mkdir"), ("builtins", "eval"), ("builtins", "exec"),
        ("builtins", "getattr"), ("builtins", "bytes"), ("builtins", "bytearray"),
        ("builtins", "list"), ("builtins", "dict"), ("builtins", "set"), ("builtins", "range"),
        ("__builtin__", "set"), ("_codecs", "encode"), ("collections", "OrderedDict"),
        ("collections", "Counter"), ("collections", "defaultdict"), ("numpy", "dtype"),
        ("numpy", "ndarray"), ("numpy", "load"), ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "scalar"),
        ("mmengine.logging.history_buffer", "HistoryBuffer"), ("torch", "FloatStorage"),
        ("torch", "HalfStorage"), ("torch", "Tensor"), ("torch", "Size"), ("torch", "device"),
        ("torch", "float32"), ("torch._utils", "_rebuild_tensor_v2"),
        ("torch._utils", "_rebuild_parameter"), ("torch._utils", "_rebuild_sparse_tensor"),
        ("torch._utils", "_rebuild_meta_tensor_no_storage"),
        ("torch.nn.parameter", "Parameter"), ("torch.serialization", "_get_layout"),
        ("torch._tensor", "_rebuild_from_type_v2"), ("pickle", "loads"), ("subprocess", "Popen"),
        ("fashionkp_mm.compat.checkpoints", "_Array"), ("functools", "partial"),
    )
)  # fmt: skip
_OPCODES = (
    b"N", b")", b"}", b"]", b"(", b"t", b"R", b"b", b"0", b"2", b"\x85", b"\x86", b"\x87", b"e",
    b"u", b"s", b"a", b"o", b"Q", b"\x81", b"\x92", b"\x93", b"\x94", b"\x88", b"\x89", b".",
    b"K\x00", b"K\x07", b"M\xff\xff", b"J\xff\xff\xff\x7f", b"J\xff\xff\xff\xff", b"\x8a\x00",
    b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x8b\xff\xff\xff\x7f", b"h\x00", b"h\x01",
    b"h\x05", b"q\x01", b"q\x05", b"\x95\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f", b"X\xff\xff\xff\xff", b"X\x01\x00\x00\x00x",
    b"B\xff\xff\xff\x7f", b"C\x01x", b"\x97", b"\x98", b"I9999999999999999999\n",
    b"L" + b"9" * 5000 + b"L\n", b"G\x7f\xf8\x00\x00\x00\x00\x00\x00", b"Pstorage\n",
    b"i__builtin__\neval\n", b"\x82\x01", b"\x8f", b"\x90", b"\x91", b"j\xff\xff\xff\xff",
    b"r\xff\xff\xff\x7f",
)  # fmt: skip
_CALLS = (
    b'cbuiltins\neval\nX\x27\x00\x00\x00__import__("os").mkdir("executed"), 0  \x85R',
    b"cos\nmkdir\nX\x08\x00\x00\x00executed\x85R",
    b"cposix\nsystem\nX\x0e\x00\x00\x00touch executed\x85R",
    b"csubprocess\nPopen\nX\x0e\x00\x00\x00touch executed\x85R",
    b"cbuiltins\nopen\nX\x08\x00\x00\x00executedX\x01\x00\x00\x00w\x86R",
    b"cbuiltins\ngetattr\ncnumpy\nndarray\nX\x06\x00\x00\x00tofile\x86R",
    b"cbuiltins\nbytes\nJ\xff\xff\xff\x7f\x85R",
    b"cbuiltins\nbytes\n]J\xff\xff\xff\x7fa\x85R",
    b"cnumpy\ndtype\nX\x07\x00\x00\x00S999999\x89\x88\x87R",
    b"cnumpy\nndarray\nJ\xff\xff\xff\x7f\x85\x85R",
    b"ccollections\nOrderedDict\n)R}X\x0a\x00\x00\x00__class__N sb",
)


def _chunks(pickled: bytes) -> list[bytes]:
    """A pickle's opcodes with their arguments; what follows the last is one chunk more."""
    places = []
    try:
        for _, _, place in pickletools.genops(pickled):
            places.append(place or 0)
    except (ValueError, KeyError, IndexError, OverflowError, MemoryError, UnicodeError):
        pass  # It was damaged before.
    bounds = [*places, len(pickled)]
    return [pickled[start:stop] for start, stop in pairwise(bounds)]


def damaged_pickle(pickled: bytes, random: Random) -> bytes:
    """Opcodes lost, doubled, swapped, replaced, put in; or other arguments for them."""
    chunks = _chunks(pickled)
    if len(chunks) < 3:
        return pickled
    place = random.randrange(1, len(chunks))
    kind = random.randrange(9)
    if kind == 0:
        del chunks[place]
    elif kind == 1:
        chunks.insert(place, random.choice(chunks))
    elif kind == 2:
        other = random.randrange(1, len(chunks))
        chunks[place], chunks[other] = chunks[other], chunks[place]
    elif kind == 3:
        chunks[place] = random.choice(_OPCODES)
    elif kind == 4:
        chunks.insert(place, random.choice((*_OPCODES, *_GLOBALS, *_CALLS)))
    elif kind == 5:
        chunks.insert(place, random.choice(_CALLS))
    elif kind in (6, 7):
        # Another name for one that is called, other numbers for sizes, strides and lengths.
        letters, others = ((b"c",), _GLOBALS) if kind == 6 else ((b"K", b"M", b"J"), _NUMBERS)
        places = [index for index, chunk in enumerate(chunks) if chunk[:1] in letters]
        if places:
            chunks[random.choice(places)] = random.choice(others)
    else:
        chunks[place] = random.choice(BYTE_MUTATIONS)(chunks[place], random)
    return b"".join(chunks)


_NUMBERS = (
    b"K\x00", b"K\x01", b"K\x02", b"K\xff", b"M\xff\xff", b"J\xff\xff\xff\x7f",
    b"J\xff\xff\xff\xff", b"J\x00\x00\x00\x80", b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x8a\x09" + b"\xff" * 8 + b"\x7f", b"N", b"\x88", b"G\x7f\xf0\x00\x00\x00\x00\x00\x00",
    b"X\x01\x00\x00\x001",
)  # fmt: skip


def bomb(random: Random) -> bytes:
    """A pickle of some kilobytes that asks for work or memory without end."""
    return b"\x80\x02" + random.choice(_BOMBS)(random) + b"."


def _nested(random: Random) -> bytes:
    """Containers of two of themselves: a few bytes for each doubling, in several kinds of them."""
    depth = random.choice((25, 40, 100, 250))
    kind = random.choice(("tuple", "list", "dict", "tuple", "mixed"))
    code = b"Nq\x00"
    for level in range(depth):
        item = b"h" + bytes([level % 256])
        this = random.choice(("tuple", "list", "dict")) if kind == "mixed" else kind
        if this == "tuple":
            code += item + item + b"\x86"
        elif this == "list":
            code += b"](" + item + item + b"e"
        else:
            code += b"}(K\x00" + item + b"K\x01" + item + b"u"
        code += b"q" + bytes([level + 1])
        code += b"0"
    return code + b"h" + bytes([depth])


def _hashed(random: Random) -> bytes:
    """Such a tuple as a key, which must be hashed."""
    depth = random.choice((25, 40, 100, 250))
    code = b"Nq\x00"
    for level in range(depth):
        item = b"h" + bytes([level])
        code += item + item + b"\x86q" + bytes([level + 1]) + b"0"
    return code + b"}h" + bytes([depth]) + b"K\x01s"


def _deep(random: Random) -> bytes:
    """One in another in another."""
    depth = random.choice((900, 5000, 100_000))
    return random.choice((b"]" * depth + b"a" * (depth - 1), b"N" + b"\x85" * depth))


def _long(random: Random) -> bytes:
    """Bytes and arrays that claim a length."""
    length = random.choice((700 << 20, 2**31 - 1)).to_bytes(4, "little")
    function = random.choice((b"bytes", b"bytearray"))
    argument = random.choice((b"J" + length, b"J" + length + b"\x85"))
    return b"cbuiltins\n" + function + b"\n" + argument + b"\x85R"


def _expanded(random: Random) -> bytes:
    """An array of NumPy that claims a shape, or a kind of number of a great size."""
    shape = b"J" + random.choice((2**28, 2**31 - 1)).to_bytes(4, "little")
    code = random.choice((b"f4", b"S999999", b"U999999", b"O8", b"V8"))
    dtype = b"cnumpy\ndtype\nX" + len(code).to_bytes(4, "little") + code + b"\x89\x88\x87R"
    dtype += b"(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    data = random.choice((b"C\x00", b"]", b"](N" + b"N" * 50 + b"e", b"X\x00\x00\x00\x00", shape))
    array = b"cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
    return (
        array
        + b"(K\x01"
        + shape
        + random.choice((b"\x85", shape + b"\x86"))
        + dtype
        + b"\x89"
        + data
        + b"tb"
    )


def _many(random: Random) -> bytes:
    """Many small things."""
    count = random.choice((10_000, 100_000))
    return b"](" + random.choice((b"N", b"]", b"}", b")", b"K\x01")) * count + b"e"


_BOMBS: tuple[Callable[[Random], bytes], ...] = (
    _nested, _nested, _hashed, _deep, _long, _expanded, _many,
)  # fmt: skip
