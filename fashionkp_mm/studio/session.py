"""One sitting at the studio: an album, the store of its labels, and a model to ask."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fashionkp_mm.applications import CropOptions, crop, measure
from fashionkp_mm.core.digests import file_digest
from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.core.parts import PIECES
from fashionkp_mm.core.words import plural
from fashionkp_mm.exchange.formats import Format
from fashionkp_mm.images import BrokenImageError, encode_image, image_size, load_image
from fashionkp_mm.runtime import FashionPredictor, Garment
from fashionkp_mm.runtime.file_garments import garments_of
from fashionkp_mm.studio.album import Album, Labels
from fashionkp_mm.studio.doubt import Doubt, doubt_of
from fashionkp_mm.studio.export import (
    ExportError,
    as_file,
    can_write_back,
    several_in_csv,
    written_back,
)
from fashionkp_mm.studio.garments import from_arrays, in_box, to_table
from fashionkp_mm.studio.store import ConflictError, NoPictureError, Store, Version

_CROP_SIZE = 112
"""Longer side of the crops beside the picture, in pixels."""


class Session:
    """What the page asks for; threads may share it.

    Args:
        album: The pictures and what their file says.
        store: Where labels are kept. What the file says is taken up there.
        predictor: The model, loaded; None where there is none to ask.
        others: What another file says of the same pictures.
        max_megapixels: Size from which a picture is refused.

    Attributes:
        kept: Pictures that have changed in the file and by a person here; what stands here stays.
    """

    def __init__(
        self,
        album: Album,
        store: Store,
        predictor: FashionPredictor | None,
        *,
        others: Labels | None = None,
        max_megapixels: float,
    ) -> None:
        self.album, self._store, self._predictor = album, store, predictor
        self._others = others
        self._max_megapixels = max_megapixels
        self.kept = store.add(album.labels.items(), album.source.name)
        self._numbers = {
            version.number: version.image_id
            for version in store.all_latest()
            if version.image_id in album.labels
        }
        self._in_file = dict(album.labels)
        self._digest = album.digest
        self._doubts: dict[int, tuple[int, Doubt]] = {}
        self._sizes: dict[int, tuple[str, tuple[int, int]]] = {}
        self._broken: set[int] = set()
        self._predicting, self._writing = threading.Lock(), threading.Lock()

    @property
    def predicts(self) -> bool:
        """Whether there is a model to ask."""
        return self._predictor is not None

    @property
    def total(self) -> int:
        """How many pictures there are."""
        return len(self._numbers)

    def queue(self) -> list[dict[str, Any]]:
        """Every picture in a line, in the album's order."""
        return [self._entry(version) for version in self._versions()]

    def picture(self, number: int) -> dict[str, Any]:
        """A picture with its garments, and why it cannot be shown where it cannot.

        ``content`` names what the image file contains, see `image`.

        Raises:
            NoPictureError: There is no such picture.
            StoreError: The store cannot be read.
        """
        version = self._version(number)
        try:
            content, size = self._content(number), self._size(number)
            if self.is_fresh(version):
                version = self.predict_whole(version)
        except BrokenImageError as error:
            self._broken.add(number)
            return {**_shown(version), "size": None, "content": None, "error": str(error)}
        others = None if self._others is None else self._others.get(version.image_id)
        shown = {"size": list(size), "content": content, "error": None, "others": others}
        return {**_shown(version), **shown}

    def image(self, number: int) -> tuple[Callable[[], bytes], str]:
        """A function that gives the picture as JPEG, and a name for its present content.

        Raises:
            NoPictureError: There is no such picture.
            BrokenImageError: It is missing or cannot be read.
        """
        path, content = self._path(number), self._content(number)

        def encoded() -> bytes:
            try:
                image = load_image(path, max_megapixels=self._max_megapixels)
            except BrokenImageError:
                self._broken.add(number)
                raise
            self._broken.discard(number)
            return encode_image(image, ".jpg")

        return encoded, content

    def change(
        self, number: int, base: int, garments: list[dict[str, Any]], **more: Any
    ) -> dict[str, Any]:
        """Write a picture's labels; see `Store.change`."""
        self._version(number)
        return _shown(self._store.change(number, base, garments, **more))

    def history(self, number: int) -> list[dict[str, Any]]:
        """Who changed a picture when, without the garments.

        Raises:
            NoPictureError: There is no such picture.
        """
        self._version(number)
        versions = map(_shown, self._store.history(number))
        return [{**version, "garments": len(version["garments"])} for version in versions]

    def garment_in_box(self, number: int, box: list[float], category: str | None) -> dict[str, Any]:
        """The garment that the model finds in a box, or the mean shape where there is no model.

        Raises:
            NoPictureError: There is no such picture.
            BrokenImageError: It cannot be read.
            ValueError: The box is empty or outside the picture, or there is neither a model nor a
                category.
        """
        path = self._path(number)
        if self._predictor is None:
            if category is None:
                raise ValueError("there is no model to choose the category; choose one")
            return in_box(category, box)
        found = self._predictor.predict(path, category, [box])
        return _predicted(found[0])

    def applied(self, number: int, garment: dict[str, Any]) -> dict[str, Any]:
        """What the applications make of a garment: its lengths, and crops of its parts.

        Args:
            number: The picture.
            garment: The garment as it is on the page.

        Returns:
            ``unit``, ``lengths`` with ``name``, ``value`` and ``pixels``, and ``crops`` with
            ``name`` and ``image``, a JPEG as base64.

        Raises:
            NoPictureError: There is no such picture.
            BrokenImageError: It cannot be read.
            GarmentError: The garment has too few points.
        """
        path, size = self._path(number), self._size(number)
        (found,) = garments_of(to_table({"": [garment]}, {"": size}), score=1.0)[""]
        measured = measure(found)
        image = load_image(path, max_megapixels=self._max_megapixels)
        crops = crop(image, found, CropOptions(PIECES, size=_CROP_SIZE))
        return {
            "unit": measured.unit,
            "lengths": [
                {
                    "name": each.length.name,
                    "value": None if each.value is None else round(each.value, 3),
                    "pixels": None if each.pixels is None else round(each.pixels, 1),
                }
                for each in measured
            ],
            "crops": [
                {
                    "name": each.part.name,
                    "image": base64.b64encode(encode_image(each.image, ".jpg")).decode(),
                }
                for each in crops
            ],
        }

    def is_fresh(self, version: Version) -> bool:
        """Whether a picture still waits for a model to label it."""
        return self.predicts and self.album.unlabelled and version.revision == 0

    def predict_whole(self, version: Version) -> Version:
        """Let the model label a picture that nobody has labelled yet.

        Raises:
            BrokenImageError: The picture cannot be read.
        """
        assert self._predictor is not None
        with self._predicting:
            if not self.is_fresh(latest := self._store.latest(version.number)):
                return latest
            category = self.album.categories.get(version.image_id)
            found = self._predictor.predict(self._path(version.number), category)
            garments = [_predicted(garment) for garment in found]
            try:
                return self._store.change(
                    version.number,
                    0,
                    garments,
                    author=self._predictor.metadata.name,
                    state="open",
                    key=f"predicted:{version.number}",
                    by_person=False,
                )
            except ConflictError as error:
                return error.current

    def predict_all(self, stopped: threading.Event) -> None:
        """Label every picture that waits for it, one after the other, until ``stopped`` is set."""
        for version in self._versions():
            if stopped.is_set():
                return
            if self.is_fresh(version):
                try:
                    self.predict_whole(version)
                except BrokenImageError:
                    continue  # the page says it when the picture is opened

    def export(self, form: Format) -> tuple[bytes, list[str]]:
        """All labels as a file of a format, and what it cannot hold; see `studio.export`."""
        return as_file(form, self._versions(), self._sizes_of)

    @property
    def can_write_back(self) -> bool:
        """Whether the source is a file of labels in a format that is written back."""
        return not self.album.unlabelled and can_write_back(self.album.source)

    def write_back(self) -> list[str]:
        """Write the file that one started from: what changed here, and all else as it is.

        Returns:
            What was written and what the format cannot hold, in sentences.

        Raises:
            ExportError: The file was changed by another program meanwhile.
            OSError: It cannot be written.
        """
        with self._writing:
            source, versions = self.album.source, self._versions()
            if file_digest(source) != self._digest:
                raise ExportError(
                    f"{source}: another program has changed it since the studio read it; export"
                    " to another file, or start the studio again, which takes up the changes"
                )
            changed = [each for each in versions if each.garments != self._in_file[each.image_id]]
            if changed:
                write_atomically(source, written_back(source, changed, self._sizes_of))
                self._digest = file_digest(source)
                self._in_file.update((each.image_id, each.garments) for each in changed)
        notes = several_in_csv(versions) if source.suffix.lower() == ".csv" else []
        return [f"{source}: {plural(len(changed), 'picture')} changed", *notes]

    def _versions(self) -> list[Version]:
        return [each for each in self._store.all_latest() if each.number in self._numbers]

    def _version(self, number: int) -> Version:
        if number not in self._numbers:
            raise NoPictureError(number)
        return self._store.latest(number)

    def _path(self, number: int) -> Path:
        if number not in self._numbers:
            raise NoPictureError(number)
        image_id = self._numbers[number]
        if image_id not in self.album.paths:
            raise BrokenImageError(f"{image_id}: {self.album.missing[image_id]}")
        return self.album.paths[image_id]

    def _content(self, number: int) -> str:
        """Names what a picture's file contains at present."""
        path = self._path(number)
        try:
            status = path.stat()
        except OSError:
            raise BrokenImageError(f"{path}: the image is missing") from None
        return f"{status.st_mtime_ns:x}-{status.st_size:x}"

    def _size(self, number: int) -> tuple[int, int]:
        content = self._content(number)
        known = self._sizes.get(number)
        if known is None or known[0] != content:
            size = image_size(self._path(number), max_megapixels=self._max_megapixels)
            known = self._sizes[number] = content, size
        return known[1]

    def _sizes_of(self, versions: Sequence[Version]) -> dict[str, tuple[int, int]]:
        """Sizes by image id; (0, 0) of pictures that cannot be read."""
        sizes = {}
        for version in versions:
            try:
                sizes[version.image_id] = self._size(version.number)
            except BrokenImageError:
                sizes[version.image_id] = 0, 0
        return sizes

    def _entry(self, version: Version) -> dict[str, Any]:
        others = None if self._others is None else self._others.get(version.image_id)
        cached = self._doubts.get(version.number)
        if cached is None or cached[0] != version.revision:
            cached = version.revision, doubt_of(version.garments, others)
            self._doubts[version.number] = cached
        return {
            "number": version.number,
            "image_id": version.image_id,
            "state": version.state,
            "categories": [garment["category"] for garment in version.garments],
            "doubt": round(cached[1].value, 3),
            "reason": cached[1].reason,
            "missing": version.image_id not in self.album.paths or version.number in self._broken,
        }


def _predicted(garment: Garment) -> dict[str, Any]:
    return from_arrays(
        garment.category,
        garment.keypoints,
        garment.visibility,
        garment.keypoint_scores,
        category_score=garment.category_score,
        spreads=garment.to_dict()["keypoint_spreads"],
    )


def _shown(version: Version) -> dict[str, Any]:
    """A version as the page gets it."""
    return asdict(version)
