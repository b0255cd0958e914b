"""The pictures of a run as rows of Parquet files, cut into parts that are done one by one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from fashionkp_mm.batch.scale.storage import ScaleError, opened
from fashionkp_mm.batch.source import shown
from fashionkp_mm.batch.sources import CATEGORY, IMAGE_ID, URI, Source, absolute_name
from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.core.uris import is_uri
from fashionkp_mm.core.words import listed, plural
from fashionkp_mm.images.parquet_rows import BYTES
from fashionkp_mm.images.remote import filesystem

LARGEST_PART, SMALLEST_PART, PARTS = 1000, 64, 64
"""Pictures of a part: few enough that a lost machine loses little, and that a small run has parts
for all workers; enough that decoding runs ahead of the network."""

_ROWS = 10_000
"""Of a row group of an input that is written here."""


@dataclass(frozen=True)
class Part:
    """Rows of the input that are predicted together, and written as one file.

    Attributes:
        number: Its place among all parts, from 0 on.
        file: The Parquet file of the rows, a path or a URI.
        row_group: Which of that file's row groups.
        first, count: Which of its rows.
    """

    number: int
    file: str
    row_group: int
    first: int
    count: int

    @property
    def name(self) -> str:
        """The file of its results."""
        return f"part-{self.number:07d}.parquet"


@dataclass(frozen=True)
class Row:
    """One picture of the input.

    Attributes:
        image_id: What the results call it.
        picture: Path, URI or encoded picture.
        category: The garment's, if it is known.
        error: What is wrong with the row itself.
    """

    image_id: str
    picture: str | bytes
    category: str | None
    error: str | None = None


@dataclass(frozen=True)
class Plan:
    """All parts of a run.

    Attributes:
        files: The Parquet files of the input: path or URI, rows, and bytes of each.
        parts: The parts, in the order of the rows.
    """

    files: tuple[tuple[str, int, int], ...]
    parts: tuple[Part, ...]

    @property
    def pictures(self) -> int:
        """How many there are in all."""
        return sum(rows for _, rows, _ in self.files)

    def to_dict(self) -> dict[str, Any]:
        """What tells this plan from others, as plain JSON, without the secrets of URIs."""
        return {
            "files": [[shown(name), rows, size] for name, rows, size in self.files],
            "parts": len(self.parts),
            "largest_part": max((part.count for part in self.parts), default=0),
        }


def parquet_files(where: str) -> list[str]:
    """The Parquet files that a name stands for: one, or those of a folder, by name.

    Raises:
        ScaleError: There is none.
        OSError: The folder cannot be listed.
    """
    if where.partition("?")[0].lower().endswith(".parquet") and not os.path.isdir(where):  # noqa: PTH112
        return [where if is_uri(where) else str(Path(where).absolute())]
    if is_uri(where):
        files, root = filesystem(where)
        found = [
            files.unstrip_protocol(name) for name in files.glob(f"{root.rstrip('/')}/*.parquet")
        ]
    else:
        found = [str(path.absolute()) for path in Path(where).glob("*.parquet")]
    if not found:
        raise ScaleError(f"{shown(where)}: no .parquet file is there")
    return sorted(found)


def write_sources(sources: Iterable[Source], file: IO[bytes]) -> int:
    """Write pictures as the input of a run; return how many there are.

    Args:
        sources: Pulled from one by one, and never all in memory.
        file: Where to; paths become absolute, for workers in other folders.
    """
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    schema = pa.schema([(IMAGE_ID, pa.string()), (URI, pa.string()), (CATEGORY, pa.string())])
    count = 0
    with pq.ParquetWriter(file, schema) as writer:
        rest = iter(sources)
        while rows := [
            {IMAGE_ID: each.image_id, URI: absolute_name(each), CATEGORY: each.category}
            for each in islice(rest, _ROWS)
        ]:
            writer.write_table(pa.Table.from_pylist(rows, schema))
            count += len(rows)
    return count


def plan_of(files: Sequence[str]) -> Plan:
    """Cut the rows of Parquet files into parts; the same files are always cut alike.

    Raises:
        ScaleError: A file is no Parquet, or lacks the columns.
        OSError: A file cannot be read.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415

    described: list[tuple[str, int, int]] = []
    groups: list[tuple[str, int, int]] = []
    for name in files:
        with opened(name) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            try:
                metadata = pq.read_metadata(file)
            except ValueError as error:  # as pyarrow's errors for damaged files are
                raise ScaleError(f"{shown(name)}: not readable as Parquet ({error})") from None
        columns = set(metadata.schema.to_arrow_schema().names)
        if not columns & {URI, BYTES}:
            raise ScaleError(
                f"{shown(name)}: has no column '{URI}' with paths or URIs of pictures, nor"
                f" '{BYTES}' with encoded pictures, only {', '.join(sorted(columns))}"
            )
        described.append((name, metadata.num_rows, size))
        groups += [
            (name, group, metadata.row_group(group).num_rows)
            for group in range(metadata.num_row_groups)
        ]
    total = sum(rows for _, rows, _ in described)
    if not total:
        raise ScaleError(
            f"{plural(len(files), 'file')} without a row: {listed([shown(name) for name in files])}"
        )
    most = min(max(-(-total // PARTS), SMALLEST_PART), LARGEST_PART)
    parts: list[Part] = []
    for name, group, rows in groups:
        for first in range(0, rows, most):
            parts.append(Part(len(parts), name, group, first, min(most, rows - first)))
    return Plan(tuple(described), tuple(parts))


def rows_of(part: Part) -> Iterator[Row]:
    """The rows of a part; no more of the file is held than as many rows once more.

    Raises:
        ScaleError: The file is another one by now.
        OSError: It cannot be read.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415

    with opened(part.file) as file:
        # Otherwise all of a row group's pictures would be read ahead.
        parquet = pq.ParquetFile(file, buffer_size=2**20, pre_buffer=False)
        wanted = (IMAGE_ID, URI, BYTES, CATEGORY)
        columns = [name for name in wanted if name in parquet.schema_arrow.names]
        batches = parquet.iter_batches(
            batch_size=part.count, row_groups=[part.row_group], columns=columns
        )
        before = 0
        for batch in batches:
            start = max(part.first - before, 0)
            end = min(part.first + part.count - before, batch.num_rows)
            before += batch.num_rows
            if start < end:
                for offset, row in enumerate(batch.slice(start, end - start).to_pylist()):
                    yield _row(row, before - batch.num_rows + start + offset, part)
            if before >= part.first + part.count:
                return
    raise ScaleError(f"{shown(part.file)}: has fewer rows than when the run began; begin anew")


def _row(row: dict[str, Any], number: int, part: Part) -> Row:
    uri, content, category = row.get(URI), row.get(BYTES), row.get(CATEGORY)
    place = f"{shown(part.file)}, row {number} of row group {part.row_group}"
    image_id = row.get(IMAGE_ID)
    if image_id is None:
        image_id = uri if uri is not None else place
    picture = content if content is not None else uri
    error = None
    if not isinstance(picture, str | bytes):
        error = f"{place}: names no picture; expected a path or a URI in '{URI}'"
    elif category is not None and category not in CATEGORY_NAMES:
        error = (
            f"{place}: there is no category {category!r}; expected one of"
            f" {', '.join(CATEGORY_NAMES)}, or none"
        )
    usable = picture if isinstance(picture, str | bytes) else ""
    return Row(str(image_id), usable, category if error is None else None, error)
