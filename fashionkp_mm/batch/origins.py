"""Where the garments of pictures come from: a model that looks at them, or a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import tee
from pathlib import Path
from typing import Protocol

from fashionkp_mm import __version__
from fashionkp_mm.batch.options import Options
from fashionkp_mm.batch.sources import InputError, Source, Sources, absolute_name, collect, located
from fashionkp_mm.core.image_ids import match_ids
from fashionkp_mm.core.limits import MAX_MEGAPIXELS
from fashionkp_mm.core.words import listed, plural
from fashionkp_mm.images import BrokenImageError, image_size
from fashionkp_mm.images.formats import image_suffixes
from fashionkp_mm.runtime import Garment, Prediction
from fashionkp_mm.runtime.file_garments import read_garments, read_labelled_garments
from fashionkp_mm.runtime.prefetch import in_batches
from fashionkp_mm.runtime.request import Request

_AHEAD = 16
"""Pictures whose size is fetched before they are worked on."""


class Origin(Protocol):
    """Where the garments of pictures come from."""

    def made_by(self) -> dict[str, str]:
        """All that the garments depend on, in words by name, for the journal."""

    def files(self) -> list[Path]:
        """The files that are read, besides the pictures."""

    def predictions(self, sources: Iterable[Source]) -> Iterator[Prediction]:
        """The garments of each picture in turn; what is wrong with a picture is its ``error``.

        Args:
            sources: Pulled from one by one, not far ahead.
        """


class Model:
    """The networks look at each picture.

    Args:
        options: How.

    Raises:
        NoModelError, NoRuntimeError, ModelFileError, DeviceError: See `Options.predictor`.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self._predictor = options.predictor()

    def made_by(self) -> dict[str, str]:
        """The models and the options."""
        return self.options.made_by()

    def files(self) -> list[Path]:
        """The models' files."""
        return self.options.model_files()

    def predictions(self, sources: Iterable[Source]) -> Iterator[Prediction]:
        """What the networks find, in bounded memory; see `FashionPredictor.stream`."""
        first, second = tee(sources)
        return self._predictor.stream(
            (source.path for source in first),
            (source.category for source in second),
            self.options.boxes,
        )


class GarmentFile:
    """The garments that a file of predictions or labels tells of.

    Args:
        file: Predictions or labels of any format, a file or a folder; see `exchange.formats`.
        labels: Whether it is that; labelled points have the score 1.
        opens_pictures: Whether the pictures' files are needed. A picture whose file is missing,
            broken or of another size than the garments were found on is then an error, and
            ``image_size`` is that of the file. Otherwise the pictures need not even be there.
        max_megapixels: Size from which a picture is refused.

    Attributes:
        file, labels: As given.

    Raises:
        AnnotationError: The file breaks a rule of its format.
        FormatError: Its format is not recognised.
        OSError: The file cannot be read.
    """

    def __init__(
        self,
        file: Path,
        *,
        labels: bool,
        opens_pictures: bool,
        max_megapixels: float = MAX_MEGAPIXELS,
    ) -> None:
        self.file, self.labels = file, labels
        self._opens, self._max_megapixels = opens_pictures, max_megapixels
        read = read_labelled_garments if labels else read_garments
        self._garments: Mapping[str, Sequence[Garment]] = read(file)
        self._named: dict[str, str] = {}
        """What the file calls the pictures that it calls otherwise, by id."""

    def sources(
        self,
        paths: Sequence[str],
        standard_input: Iterable[bytes],
        *,
        images: Path | None,
        leave_out: Path | None,
    ) -> Sources:
        """The pictures to work on: those that paths stand for, by default all of the file.

        A path means the picture of the same id in the file, or else the one that shares the longest
        tail with it. Without paths, the pictures are looked for around the file.

        Args:
            paths, standard_input, leave_out: As in `sources.collect`.
            images: Folder that the ids of the file, and of CSV files among the paths, start from.

        Raises:
            InputError: The file tells of none of the pictures, or of nothing at all; and as
                `sources.collect`.
            OSError: Not one of the pictures is there, and they are needed.
        """
        if not self._garments:
            raise InputError(f"{self.file}: tells of no garment")
        if paths:
            return self._named_by(
                collect(paths, standard_input, images=images, leave_out=leave_out)
            )
        if not self._opens:
            folder = images or Path()
            return Sources([Source(name, folder / name) for name in self._garments])
        sources = Sources()
        found, missing = located(list(self._garments), self.file, images)
        for name in self._garments:
            if name in found:
                sources.found.append(Source(name, found[name]))
            else:
                sources.failures.append(f"{name}: {missing[name]}; {self.file} names it")
        return sources

    def made_by(self) -> dict[str, str]:
        """The file's content."""
        digest = hashlib.sha256()
        for path in self.files():
            digest.update(f"{path.relative_to(self.file)}\n".encode())
            digest.update(path.read_bytes())
        kind = "labels" if self.labels else "predictions"
        return {"fashionkp_mm": __version__, kind: f"sha256 {digest.hexdigest()[:16]}"}

    def files(self) -> list[Path]:
        """The file; where the format has many in a folder, all that are there but pictures."""
        if not self.file.is_dir():
            return [self.file]
        pictures = image_suffixes()
        return sorted(
            path
            for path in self.file.rglob("*")
            if path.is_file() and path.suffix.lower() not in pictures
        )

    def predictions(self, sources: Iterable[Source]) -> Iterator[Prediction]:
        """What the file tells of each picture."""
        requests = (
            (source, Request(index, source.path, None, "given", None, self._max_megapixels))
            for index, source in enumerate(sources)
        )
        if not self._opens:
            yield from (self._prediction(*each) for each in requests)
            return
        batches = in_batches(
            requests,
            lambda each: self._prediction(*each),
            _AHEAD,
            lambda each: 0 if each[1].is_remote else None,
            lambda each: each[1].is_remote,
        )
        for batch in batches:
            yield from batch

    def _prediction(self, source: Source, request: Request) -> Prediction:
        name = self._named.get(source.image_id, source.image_id)
        garments = [
            replace(garment, image_id=source.image_id, image_index=request.index)
            for garment in self._garments[name]
        ]
        if not self._opens:
            return Prediction(request, garments[0].image_size, tuple(garments))
        try:
            size = image_size(source.path, max_megapixels=self._max_megapixels)
            self._require_size(size, garments[0])
        except BrokenImageError as error:
            return Prediction(request, None, (), error)
        return Prediction(
            request, size, tuple(replace(garment, image_size=size) for garment in garments)
        )

    def _named_by(self, sources: Sources) -> Sources:
        ids = [source.image_id for source in sources.found]
        self._named = match_ids(ids, list(self._garments))
        # A folder that was named itself is not part of the id, and tells two pictures apart.
        left = {
            absolute_name(s): s.image_id for s in sources.found if s.image_id not in self._named
        }
        taken = set(self._named.values())
        others = [name for name in self._garments if name not in taken]
        for path, name in match_ids(list(left), others).items():
            self._named[left[path]] = name
        if not self._named and ids:
            raise InputError(
                f"{self.file} tells of none of the {plural(len(ids), 'picture')}: they are"
                f" {listed(ids)}, and the file says {listed(list(self._garments))}"
            )
        sources.failures += [
            f"{name}: {self.file} tells of no garment in it"
            for name in ids
            if name not in self._named
        ]
        sources.found = [source for source in sources.found if source.image_id in self._named]
        return sources

    def _require_size(self, size: tuple[int, int], garment: Garment) -> None:
        if garment.image_size not in ((0, 0), size):
            theirs, ours = ("x".join(map(str, each)) for each in (garment.image_size, size))
            raise BrokenImageError(
                f"{garment.image_id}: the picture is {ours} pixels, but {self.file} tells of one of"
                f" {theirs}; it was changed since then, so predict it again"
            )
