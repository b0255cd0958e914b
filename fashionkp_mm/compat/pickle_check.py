"""Reads a checkpoint's pickle without building anything, and refuses what is not plain data.

``torch.load(weights_only=True)`` calls no function that the file brings along, but it still calls
those it knows with any arguments: ``bytearray(10**10)``, or ``_codecs.encode(…, "hex")`` twenty
times over. And a tuple that holds another one twice, forty times nested, is a few hundred bytes of
pickle and takes days to hash. So the opcodes are gone through here first. Every call has to be one
that saving data makes, with arguments of that form; every tensor has to lie within its storage and
every storage within the file; and the whole must not be larger than what the file could hold
without referring to the same thing over and over.

The opcodes are those that torch's own reader of plain data knows; what may be called stands in
`pickle_calls`.
"""

from __future__ import annotations

import pickletools
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Callable, Collection
from pickle import UnpicklingError
from typing import IO, Any

from fashionkp_mm.compat.pickle_calls import DTYPES, Global, Made, PlainCalls, Sizes, Tuple, is_made

MAX_OPCODES = 1_000_000
"""A large detector with its optimiser has about 100,000."""
MAX_ITEMS = 2_000_000
"""Items of all containers, one that stands in two containers counted twice."""
MAX_DEPTH = 64
_DICTIONARIES = ("dict", "OrderedDict", "Counter")
_MARK = object()
_Step = Callable[["PickleCheck", Any], None]


class PickleCheck:
    """Goes through the pickles of one file.

    Args:
        file_size: Of the file, in bytes.
        sizes: Bytes of each stored tensor's data, by key; None where the file gives them only after
            the pickle, as files of torch before 1.6 do.
        stand_ins: Names that somebody stands in for who checks what they are called with.
    """

    def __init__(self, file_size: int, sizes: Sizes | None, stand_ins: Collection[str]) -> None:
        self._calls = PlainCalls(file_size, sizes, stand_ins)
        self._opcodes_left = MAX_OPCODES
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    @property
    def storages(self) -> Collection[str]:
        """Keys of the tensors' data that was asked for."""
        return self._calls.storages.keys()

    def read(self, file: IO[bytes]) -> Any:
        """Go through one pickle, up to its end.

        Returns:
            The value where it is a number, text, True, False or None; a private description of it
            otherwise.

        Raises:
            UnpicklingError: It holds more than plain data, or more than the file could hold.
            ValueError: It is no pickle.
        """
        self._stack, self._memo = [], {}
        for opcode, argument, _position in pickletools.genops(file):
            self._opcodes_left -= 1
            if self._opcodes_left < 0:
                raise UnpicklingError(f"it holds more than {MAX_OPCODES:,} objects")
            if opcode.name not in _STEPS:
                raise UnpicklingError(f"it uses the opcode {opcode.name}")
            _STEPS[opcode.name](self, argument)
        root = self._stack.pop()
        _measure(root, 0, {})
        return root

    def read_texts(self, file: IO[bytes]) -> list[str]:
        """Go through a pickle that is a list of texts, and return it.

        Raises:
            UnpicklingError: As `read`, or it is something else.
        """
        root = self.read(file)
        if not is_made(root, "list") or not all(isinstance(item, str) for item in root.items):
            raise UnpicklingError("it does not list the data of its tensors")
        return list(root.items)

    def _above_mark(self) -> list[Any]:
        at = len(self._stack) - 1
        while self._stack[at] is not _MARK:
            at -= 1
        items = self._stack[at + 1 :]
        del self._stack[at:]
        return items

    def _target(self, *kinds: str) -> Made:
        target = self._stack[-1]
        if not isinstance(target, Made) or target.kind not in kinds:
            raise UnpicklingError("it puts items into what is no container")
        return target

    # One method an opcode, or several alike; `argument` is what stands behind the opcode.

    def _skip(self, _argument: Any) -> None:
        pass

    def _put(self, argument: int) -> None:
        self._memo[argument] = self._stack[-1]

    def _get(self, argument: int) -> None:
        self._stack.append(self._memo[argument])

    def _value(self, argument: Any) -> None:
        self._stack.append(argument)

    def _short_text(self, argument: str) -> None:
        if not argument.isascii():
            raise UnpicklingError("it holds text of Python 2 that is not ASCII")
        self._stack.append(argument)

    def _mark(self, _argument: Any) -> None:
        self._stack.append(_MARK)

    def _tuple_above_mark(self, _argument: Any) -> None:
        self._stack.append(_tuple(self._above_mark()))

    def _append(self, _argument: Any) -> None:
        item = self._stack.pop()
        self._target("list").items.append(item)

    def _appends(self, _argument: Any) -> None:
        items = self._above_mark()
        self._target("list").items.extend(items)

    def _set_item(self, _argument: Any) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._calls.set_items(self._target(*_DICTIONARIES), [key, value])

    def _set_items(self, _argument: Any) -> None:
        items = self._above_mark()
        self._calls.set_items(self._target(*_DICTIONARIES), items)

    def _global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        # As torch does: Python 2's names are today's.
        module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
        self._stack.append(Global(f"{module}.{name}"))

    def _storage(self, _argument: Any) -> None:
        self._stack.append(self._calls.storage(self._stack.pop()))

    def _call(self, _argument: Any) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        self._stack.append(self._calls.call(function, arguments, new=False))

    def _new(self, _argument: Any) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        self._stack.append(self._calls.call(function, arguments, new=True))

    def _build(self, _argument: Any) -> None:
        state = self._stack.pop()
        self._calls.build(self._stack[-1], state)


def _constant(value: Any) -> _Step:
    return lambda check, _argument: check._stack.append(value)


def _empty(kind: str) -> _Step:
    return lambda check, _argument: check._stack.append(Made(kind))


def _tuple_of(count: int) -> _Step:
    def step(check: PickleCheck, _argument: Any) -> None:
        at = len(check._stack) - count
        items = check._stack[at:]
        del check._stack[at:]
        check._stack.append(_tuple(items))

    return step


_STEPS: dict[str, _Step] = {
    "PROTO": PickleCheck._skip,
    "STOP": PickleCheck._skip,
    "BINPUT": PickleCheck._put,
    "LONG_BINPUT": PickleCheck._put,
    "BINGET": PickleCheck._get,
    "LONG_BINGET": PickleCheck._get,
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),
    "NEWFALSE": _constant(False),
    "BININT": PickleCheck._value,
    "BININT1": PickleCheck._value,
    "BININT2": PickleCheck._value,
    "LONG1": PickleCheck._value,
    "BINFLOAT": PickleCheck._value,
    "BINUNICODE": PickleCheck._value,
    "SHORT_BINSTRING": PickleCheck._short_text,
    "EMPTY_TUPLE": _tuple_of(0),
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "TUPLE": PickleCheck._tuple_above_mark,
    "MARK": PickleCheck._mark,
    "EMPTY_LIST": _empty("list"),
    "EMPTY_DICT": _empty("dict"),
    "EMPTY_SET": _empty("set"),
    "APPEND": PickleCheck._append,
    "APPENDS": PickleCheck._appends,
    "SETITEM": PickleCheck._set_item,
    "SETITEMS": PickleCheck._set_items,
    "GLOBAL": PickleCheck._global,
    "BINPERSID": PickleCheck._storage,
    "REDUCE": PickleCheck._call,
    "NEWOBJ": PickleCheck._new,
    "BUILD": PickleCheck._build,
}


def _tuple(items: list[Any]) -> Tuple:
    if any(item is _MARK for item in items):
        raise UnpicklingError("its tuples overlap")
    weight = 1 + sum(item.weight if isinstance(item, Tuple) else 1 for item in items)
    if weight > MAX_ITEMS:
        raise UnpicklingError(_TOO_MANY)
    return Tuple(tuple(items), weight)


_TOO_MANY = f"it holds more than {MAX_ITEMS:,} items, many of them the same ones again"


def _measure(value: Any, depth: int, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Items in a tree, each counted as often as it is met, and how deep they are nested."""
    if isinstance(value, Global) and value.name not in DTYPES:
        raise UnpicklingError(f"it asks for {value.name}")
    if not isinstance(value, (Made, Tuple)):
        return 1, 0
    if (found := known.get(id(value))) is None:
        if depth > MAX_DEPTH:
            raise UnpicklingError(f"it is nested more than {MAX_DEPTH} deep")
        parts = [_measure(item, depth + 1, known) for item in value.items]
        found = known[id(value)] = (
            1 + sum(count for count, _ in parts),
            1 + max((height for _, height in parts), default=0),
        )
    count, height = found
    if depth + height > MAX_DEPTH:
        raise UnpicklingError(f"it is nested more than {MAX_DEPTH} deep")
    if count > MAX_ITEMS:
        raise UnpicklingError(_TOO_MANY)
    return found
