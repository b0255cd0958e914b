"""Says whether a file that ``torch.save`` may have written is safe to give to ``torch.load``.

torch has written zip archives since 1.6, before that pickles followed by the tensors' bytes. In
either, what is promised must be in the file: an archive of 3 MB may unpack to 3.6 GB, and a pickle
may ask for more than any machine has.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Collection
from pickle import UnpicklingError
from typing import IO

from fashionkp_mm.compat.pickle_check import PickleCheck

_ZIP = b"PK\x03\x04"
_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_PROTOCOL_VERSION = 1001

_END = struct.Struct("<4s4H2IH")  # end of the central directory, as zip's APPNOTE.TXT has it
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64 = struct.Struct("<4sIQI")


def check_checkpoint(file: IO[bytes], stand_ins: Collection[str]) -> None:
    """Go through a file without building anything of it.

    Args:
        file: The file, opened for reading and at its beginning.
        stand_ins: As for `PickleCheck`.

    Raises:
        UnpicklingError: It holds more than plain data, or more than a file of its size can.
        ValueError: It is no file of torch's.
        Exception: Of any kind, where it is damaged.
    """
    file_size = os.fstat(file.fileno()).st_size
    beginning = file.read(4)
    file.seek(0)
    if beginning == _ZIP:
        _check_archive(file, file_size, stand_ins)
    else:
        _check_stream(file, file_size, stand_ins)


def _check_archive(file: IO[bytes], file_size: int, stand_ins: Collection[str]) -> None:
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        _require_one_reading(file, file_size, archive.start_dir)
        names = [entry.filename.lower() for entry in entries]  # torch's reader ignores the case
        if len(set(names)) < len(names):
            raise UnpicklingError("two parts of it have one name")
        if sum(entry.file_size for entry in entries) > file_size:
            raise UnpicklingError("unpacked, it would be larger than the file")
        folder = entries[0].filename.partition("/")[0]
        data = f"{folder}/data/"
        sizes = {
            entry.filename.removeprefix(data): entry.file_size
            for entry in entries
            if entry.filename.startswith(data)
        }
        try:
            content = archive.read(f"{folder}/data.pkl")
        except KeyError:
            raise ValueError("a zip archive without the data.pkl that torch.save writes") from None
        # torch's reader passes over the checksums of the tensors' data.
        damaged = archive.testzip()
        if damaged is not None:
            raise ValueError(f"its part {damaged} is damaged")
    check = PickleCheck(file_size, sizes, stand_ins)
    check.read(io.BytesIO(content))


def _require_one_reading(file: IO[bytes], file_size: int, directory: int) -> None:
    """Refuse an archive that Python's reader and torch's could read differently.

    A zip file is found from its end, and where there is something behind the end, or the directory
    lies elsewhere than it says, each reader has its own way to go on.
    """
    if file_size < _END.size:
        raise ValueError("it is cut short")
    file.seek(-_END.size, io.SEEK_END)
    signature, *_, where, comment = _END.unpack(file.read(_END.size))
    if signature != b"PK\x05\x06" or comment:
        raise ValueError("it does not end as archives of torch do")
    at = file_size - _END.size - _LOCATOR64.size
    if at >= 0:
        file.seek(at)
        signature, _disk, end64, _disks = _LOCATOR64.unpack(file.read(_LOCATOR64.size))
        if signature == b"PK\x06\x07":
            if end64 != at - _END64.size:
                raise ValueError("it does not end as archives of torch do")
            file.seek(end64)
            *_, where = _END64.unpack(file.read(_END64.size))
    if where != directory:
        raise ValueError("its directory is not where it says")


def _check_stream(file: IO[bytes], file_size: int, stand_ins: Collection[str]) -> None:
    check = PickleCheck(file_size, None, stand_ins)
    try:
        magic_number = check.read(file)
    except Exception:
        magic_number = None
    if magic_number != _MAGIC_NUMBER:
        raise ValueError("it does not begin as files of torch do")
    if check.read(file) != _PROTOCOL_VERSION:
        raise ValueError("an unknown version of torch's files")
    check.read(file)  # of the machine it was written on
    check.read(file)
    stored = check.read_texts(file)
    if missing := sorted(set(check.storages) - set(stored)):
        raise ValueError(f"the data {missing[0]!r} of a tensor is missing")
