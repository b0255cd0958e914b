"""CSV text as RFC 4180 has it: records of fields, found in the bytes of a file at once.

Fields are separated by commas, records by LF or CRLF. A field in quotes may hold commas, line
breaks and quotes, each quote doubled. Everything else about quotes is refused, not guessed: text
after a closing quote, a quote in a field that is not in quotes, a quote that is never closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.table import AnnotationError, Problem

_COMMA, _NEWLINE, _RETURN, _QUOTE = b',\n\r"'
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_JSON = re.compile(rb'\s*(?:\[\s*[\[{"\]]|\{\s*["}])')
_VALUE_LENGTH = 24
"""Characters of the text around a bad quote that its problem shows."""


@dataclass(frozen=True)
class Records:
    """The records of a CSV text, as places in its bytes.

    Attributes:
        text: The whole file.
        starts: ``(M,)``, where each field begins, inside its quotes.
        stops: ``(M,)``, where each field ends, exclusive.
        firsts: ``(N,)``, index of each record's first field.
        counts: ``(N,)``, number of its fields.
        numbers: ``(N,)``, line in which it begins, counted from 1 as an editor does.
        quoted: Whether there are quotes in the file; they are doubled within ``text``.
    """

    text: bytes
    starts: NDArray[np.intp]
    stops: NDArray[np.intp]
    firsts: NDArray[np.intp]
    counts: NDArray[np.intp]
    numbers: NDArray[np.intp]
    quoted: bool

    def __len__(self) -> int:
        return len(self.numbers)

    def texts(self, indices: NDArray[np.intp]) -> list[str]:
        """The texts of many fields ``(F,)``."""
        bounds = zip(self.starts[indices].tolist(), self.stops[indices].tolist(), strict=True)
        texts = [self.text[start:stop].decode() for start, stop in bounds]
        return [text.replace('""', '"') for text in texts] if self.quoted else texts

    def field(self, index: int | np.intp) -> str:
        """The text of one field, counted through the whole file."""
        text = self.text[self.starts[index] : self.stops[index]].decode()
        return text.replace('""', '"') if self.quoted else text

    def fields(self, record: int | np.intp) -> list[str]:
        """The text of every field of a record."""
        return self.texts(self.firsts[record] + np.arange(self.counts[record]))

    def line(self, record: int | np.intp) -> str:
        """A record as it stands in the file."""
        first = self.firsts[record]
        last = first + self.counts[record] - 1
        quotes = int(self.quoted and self.text[self.starts[first] - 1] == _QUOTE)
        return self.text[self.starts[first] - quotes : self.stops[last]].decode()


def split(data: bytes, file: str) -> Records:
    """Find the fields of a CSV file.

    Args:
        data: Its content: UTF-8, with or without a byte order mark.
        file: Its path, for the message.

    Raises:
        AnnotationError: It is not UTF-8 text, its lines end in CR alone, or a quote is out of
            place.
    """
    data = data.removeprefix(_BYTE_ORDER_MARK)
    _require_text(data, file)
    if not data.endswith(b"\n"):
        data += b"\n"
    text = np.frombuffer(data, np.uint8)
    stops = np.flatnonzero((text == _COMMA) | (text == _NEWLINE))
    quoted = b'"' in data
    if quoted:
        quotes = np.flatnonzero(text == _QUOTE)
        _require_quotes_in_place(data, text, quotes, file)
        # A comma or a line break after an odd number of quotes stands inside of them.
        stops = stops[np.searchsorted(quotes, stops) % 2 == 0]
    starts = np.concatenate(([0], stops[:-1] + 1))
    lasts = np.flatnonzero(text[stops] == _NEWLINE)
    counts = np.diff(lasts, prepend=-1)
    firsts = lasts - counts + 1
    numbers = np.arange(1, len(lasts) + 1)
    if quoted:
        numbers = np.searchsorted(np.flatnonzero(text == _NEWLINE), starts[firsts]) + 1
    if b"\r" in data:
        stops[lasts] -= text[stops[lasts] - 1] == _RETURN
    if quoted:
        in_quotes = (stops > starts) & (text[starts] == _QUOTE)
        starts += in_quotes
        stops -= in_quotes
    return Records(data, starts, stops, firsts, counts, numbers, quoted)


def line_of(fields: Iterable[str]) -> str:
    """A record for a CSV file, with its line break; fields that need quotes get them."""
    return ",".join(map(_in_quotes_if_needed, fields)) + "\n"


def _in_quotes_if_needed(field: str) -> str:
    if any(mark in field for mark in ',"\r\n'):
        return '"' + field.replace('"', '""') + '"'
    return field


def _require_text(data: bytes, file: str) -> None:
    try:
        if not data.isascii():
            data.decode()
        position = data.find(b"\0")
    except UnicodeDecodeError as error:
        position = error.start
    if position >= 0:
        row = data.count(b"\n", 0, position) + 1
        value = data[position : position + 8].decode("ascii", "backslashreplace")
        message = "not UTF-8 text; is this a CSV file? Save it as UTF-8"
        raise AnnotationError([Problem(file, row, "", value, message)])
    if _JSON.match(data):
        message = "this is JSON, expected CSV"
        raise AnnotationError([Problem(file, 0, "", "", message)])
    if b"\r" in data and b"\n" not in data:
        message = "its lines end in CR alone, as on old Macs; save it with LF or CRLF line ends"
        raise AnnotationError([Problem(file, 0, "", "", message)])


def _require_quotes_in_place(
    data: bytes, text: NDArray[np.uint8], quotes: NDArray[np.intp], file: str
) -> None:
    """Refuse quotes that neither enclose a field nor are doubled inside of one.

    Args:
        data: The file; it ends with LF.
        text: The same.
        quotes: ``(Q,)`` places of all quotes: by turns an opening and a closing one, where a
            doubled one counts as closing and opening again.
        file: Its path.
    """
    opening, closing = quotes[0::2], quotes[1::2]
    # Before the first byte stands, by wrapping round, the last one: a line break.
    before, after = text[opening - 1], text[closing + 1]
    starts_field = (before == _COMMA) | (before == _NEWLINE)
    starts_field[1:] |= opening[1:] == closing[: len(opening) - 1] + 1
    ends_field = (after == _COMMA) | (after == _NEWLINE)
    ends_field |= (after == _RETURN) & (text[np.minimum(closing + 2, len(text) - 1)] == _NEWLINE)
    ends_field[: len(opening) - 1] |= opening[1:] == closing[: len(opening) - 1] + 1
    bad = [
        (int(places[~fine][0]), message)
        for places, fine, message in (
            (
                opening,
                starts_field,
                "a quote in a field that is not in quotes; expected quotes around the field, and"
                " the quote in it doubled",
            ),
            (
                closing,
                ends_field,
                "text after a closing quote; expected a comma or the end of the line, and a quote"
                " inside a field doubled",
            ),
        )
        if not fine.all()
    ]
    if len(opening) > len(closing):
        bad.append((int(opening[-1]), "a quote is left open; expected one that closes it"))
    if bad:
        position, message = min(bad)
        row = data.count(b"\n", 0, position) + 1
        start = data.rfind(b"\n", 0, position) + 1
        value = data[max(start, position - _VALUE_LENGTH // 2) :].partition(b"\n")[0]
        shown = value.decode(errors="ignore")[:_VALUE_LENGTH]
        raise AnnotationError([Problem(file, row, "", shown, message)])
