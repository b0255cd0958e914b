"""What a pickle of plain data may call, refer to and use as a key, and with which arguments."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pickle import UnpicklingError
from typing import Any

_MAX_KEY = 64
"""Items of a tuple that is a key."""
_MAX_TUPLE_KEYS = 10_000
"""The hash of a tuple, unlike that of text, can be chosen; equal hashes take quadratic time."""
_MAX_INT_KEY = 1 << 60
"""Larger integers can be chosen to have equal hashes."""
_MAX_DIMENSIONS = 64
_SLACK = 64 << 20
_MAX_VIEWS = 4
"""Tensors may share a storage; together they have at most this many times the file's bytes, and
`_SLACK`. Copied one by one, they need no more memory."""

_ITEM_SIZES = {
    "Bool": 1, "Byte": 1, "Char": 1, "Short": 2, "Half": 2, "BFloat16": 2, "Int": 4, "Float": 4,
    "Long": 8, "Double": 8, "ComplexFloat": 8, "ComplexDouble": 16,
}  # fmt: skip
_STORAGES = {
    f"torch.{where}{name}Storage": size
    for name, size in _ITEM_SIZES.items()
    for where in ("", "cuda.")
}
DTYPES = frozenset(
    f"torch.{name}"
    for name in (
        *("bool", "uint8", "int8", "int16", "int32", "int64"),
        *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
    )
)
_LATIN = ("latin1", "latin-1")

Sizes = Mapping[str, int]
"""Bytes of each stored tensor's data, by key."""


@dataclass(slots=True, eq=False)
class Global:
    """A name: of a function, a class or a data type."""

    name: str


@dataclass(slots=True, eq=False)
class Tuple:
    """A tuple, with the number of items in it and in the tuples in it."""

    items: tuple[Any, ...]
    weight: int


@dataclass(slots=True, eq=False)
class Made:
    """A container, or what a call returns; a dictionary's items are key, value, key, value…"""

    kind: str
    items: list[Any] = field(default_factory=list)
    facts: tuple[Any, ...] = ()


class PlainCalls:
    """Describes the results of the calls that saving plain data makes, and refuses all others.

    Args:
        file_size: As for `PickleCheck`.
        sizes: Likewise.
        stand_ins: Likewise.
    """

    def __init__(self, file_size: int, sizes: Sizes | None, stand_ins: Collection[str]) -> None:
        self.storages: dict[str, tuple[str, int]] = {}
        """The storages that were asked for: type and number of elements, by key."""
        self._sizes = sizes
        self._stand_ins = frozenset(stand_ins)
        self._bytes_left = file_size
        self._views_left = _MAX_VIEWS * file_size + _SLACK
        self._tuple_keys_left = _MAX_TUPLE_KEYS

    def set_items(self, target: Made, items: list[Any]) -> None:
        """Put keys and values, in turn, into a dictionary."""
        if len(items) % 2:
            raise UnpicklingError("it has a key without a value")
        for key in items[::2]:
            self._require_key(key)
        target.items.extend(items)

    def _require_key(self, key: Any) -> None:
        if isinstance(key, int) and abs(key) >= _MAX_INT_KEY:
            raise UnpicklingError(f"it has the key {key}")
        if isinstance(key, Tuple):
            self._tuple_keys_left -= 1
            if key.weight > _MAX_KEY or self._tuple_keys_left < 0:
                raise UnpicklingError("it has too large a tuple, or too many, for a key")
            for item in key.items:
                self._require_key(item)
        elif isinstance(key, (Made, Global)):
            raise UnpicklingError("it has a key that is neither text nor a number")

    def storage(self, identity: Any) -> Made:
        """Refer to the data of a tensor."""
        items = identity.items if isinstance(identity, Tuple) else ()
        # Before torch 1.6 a sixth item could say that the storage is a part of another one.
        if len(items) == 6 and items[5] is None and self._sizes is None:
            items = items[:5]
        if len(items) != 5 or items[0] not in ("storage", b"storage"):
            raise UnpicklingError("it refers to something else than the data of a tensor")
        _, kind, key, location, numel = items
        if not isinstance(kind, Global) or kind.name not in _STORAGES:
            raise UnpicklingError(f"it holds a tensor of the unusual type {_named(kind)}")
        if not isinstance(key, str) or not isinstance(location, str) or not _is_size(numel):
            raise UnpicklingError("it refers to the data of a tensor in an unusual way")
        facts, size = (kind.name, numel), numel * _STORAGES[kind.name]
        if key not in self.storages:
            self.storages[key] = facts
            self._bytes_left -= size
        if self.storages[key] != facts:
            raise UnpicklingError(f"it describes the data {key!r} in two ways")
        if self._sizes is None:
            if self._bytes_left < 0:
                raise UnpicklingError("its tensors are larger than the file")
        elif self._sizes.get(key) != size:
            raise UnpicklingError(
                f"the data {key!r} of a tensor has {self._sizes.get(key, 'no')} bytes in the file,"
                f" {size} are expected"
            )
        return Made("storage", facts=facts)

    def call(self, function: Any, arguments: Any, *, new: bool) -> Any:
        """Call a function, or with ``new`` the ``__new__`` of a class."""
        if not isinstance(function, Global) or not isinstance(arguments, Tuple):
            raise UnpicklingError("it calls what is no function")
        name, items = function.name, arguments.items
        if name in self._stand_ins and name not in _CALLS:
            # Their functions, classes and data types are no data.
            return Made(name, [item for item in items if not isinstance(item, Global)])
        if name == "torch.serialization._get_layout":
            raise UnpicklingError("it holds a sparse tensor")
        if new or name not in _CALLS:
            raise UnpicklingError(f"it asks for {name}")
        made = _CALLS[name](self, items)
        if made is None:
            raise UnpicklingError(f"it calls {name} with unusual arguments")
        return made

    def build(self, target: Any, state: Any) -> None:
        """Set the state of what a call returned."""
        if isinstance(target, Made) and target.kind == "OrderedDict":
            # Any other attribute could hide a method of the dictionary.
            if not isinstance(state, Made) or state.kind != "dict":
                raise UnpicklingError("it sets the state of what has none")
            if {*state.items[::2]} - {"_metadata"}:
                raise UnpicklingError("it sets attributes of a dictionary")
            target.items += state.items
        elif isinstance(target, Made) and target.kind in self._stand_ins:
            target.items.append(state)
        else:
            raise UnpicklingError("it sets the state of what has none")

    # Each of the following describes the result of a call, or returns None where the arguments are
    # not what saving data writes.

    def _ordered_dict(self, arguments: Sequence[Any]) -> Made | None:
        made = Made("OrderedDict")
        if not arguments:
            return made
        if len(arguments) != 1 or not is_made(arguments[0], "list"):
            return None
        for pair in arguments[0].items:
            if not isinstance(pair, Tuple) and not is_made(pair, "list"):
                return None
            if len(pair.items) != 2:
                return None
            self.set_items(made, list(pair.items))
        return made

    def _counter(self, arguments: Sequence[Any]) -> Made | None:
        if len(arguments) != 1 or not is_made(arguments[0], "dict"):
            return None
        return Made("Counter", list(arguments[0].items))

    def _set(self, arguments: Sequence[Any]) -> Made | None:
        if len(arguments) != 1 or not is_made(arguments[0], "list"):
            return None
        for item in arguments[0].items:
            self._require_key(item)
        return Made("set", list(arguments[0].items))

    def _bytes(self, arguments: Sequence[Any]) -> Any:
        return b"" if not arguments else None  # pickled in protocol 2 as a call of bytes

    def _encoded(self, arguments: Sequence[Any]) -> Any:
        if len(arguments) != 2 or arguments[1] not in _LATIN or not isinstance(arguments[0], str):
            return None
        return arguments[0].encode("latin1")

    def _bytearray(self, arguments: Sequence[Any]) -> Any:
        if not arguments or (len(arguments) == 1 and isinstance(arguments[0], bytes)):
            return b""
        return None if self._encoded(arguments) is None else b""

    def _complex(self, arguments: Sequence[Any]) -> Made | None:
        fits = len(arguments) == 2 and all(isinstance(item, float) for item in arguments)
        return Made("complex") if fits else None

    def _size(self, arguments: Sequence[Any]) -> Made | None:
        fits = len(arguments) == 1 and isinstance(arguments[0], Tuple)
        return Made("size") if fits and all(map(_is_size, arguments[0].items)) else None

    def _device(self, arguments: Sequence[Any]) -> Made | None:
        fits = 1 <= len(arguments) <= 2 and isinstance(arguments[0], str)
        return Made("device") if fits and all(map(_is_size, arguments[1:])) else None

    def _tensor(self, arguments: Sequence[Any]) -> Made | None:
        if len(arguments) not in (4, 6) or not is_made(arguments[0], "storage"):
            return None
        storage, offset, size, stride = arguments[:4]
        if not _is_size(offset) or not isinstance(size, Tuple) or not isinstance(stride, Tuple):
            return None
        sizes, strides = size.items, stride.items
        if len(sizes) != len(strides) or len(sizes) > _MAX_DIMENSIONS:
            return None
        if not all(map(_is_size, sizes)) or not all(map(_is_size, strides)):
            return None
        if len(arguments) == 6 and not _are_no_hooks(*arguments[4:]):
            return None
        kind, available = storage.facts
        count = math.prod(sizes)
        last = sum((s - 1) * step for s, step in zip(sizes, strides, strict=True))
        if offset + (last + 1 if count else 0) > available:
            raise UnpicklingError("it holds a tensor that reaches beyond its data")
        self._views_left -= count * _STORAGES[kind]
        if self._views_left < 0:
            raise UnpicklingError("its tensors are larger than the file")
        return Made("tensor")

    def _parameter(self, arguments: Sequence[Any]) -> Made | None:
        fits = len(arguments) == 3 and is_made(arguments[0], "tensor")
        return Made("tensor") if fits and _are_no_hooks(*arguments[1:]) else None


_CALLS: dict[str, Callable[[PlainCalls, Sequence[Any]], Any]] = {
    "collections.OrderedDict": PlainCalls._ordered_dict,
    "collections.Counter": PlainCalls._counter,
    "builtins.set": PlainCalls._set,
    "builtins.bytes": PlainCalls._bytes,
    "builtins.bytearray": PlainCalls._bytearray,
    "builtins.complex": PlainCalls._complex,
    "_codecs.encode": PlainCalls._encoded,
    "torch.Size": PlainCalls._size,
    "torch.device": PlainCalls._device,
    "torch._utils._rebuild_tensor": PlainCalls._tensor,
    "torch._utils._rebuild_tensor_v2": PlainCalls._tensor,
    "torch._utils._rebuild_parameter": PlainCalls._parameter,
}


def _named(value: Any) -> str:
    return value.name if isinstance(value, Global) else repr(value)


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 62


def is_made(value: Any, kind: str) -> bool:
    """Whether a value is a container or a result of that kind."""
    return isinstance(value, Made) and value.kind == kind


def _are_no_hooks(requires_grad: Any, hooks: Any) -> bool:
    return isinstance(requires_grad, bool) and is_made(hooks, "OrderedDict") and not hooks.items
