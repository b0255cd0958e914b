"""``fashionkp draw``: labels or predictions on their images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.batch.pictures import locate, targets, write_picture
from fashionkp_mm.commands import terminal
from fashionkp_mm.commands.compared import read_for
from fashionkp_mm.core.files import require_apart
from fashionkp_mm.core.garments import CATEGORY_NAMES, Visibility
from fashionkp_mm.core.image_ids import UnmatchedIdsError
from fashionkp_mm.core.limits import MAX_MEGAPIXELS
from fashionkp_mm.core.normalized_error import image_errors
from fashionkp_mm.core.pairing import prediction_rows
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.core.words import listed, plural
from fashionkp_mm.exchange.formats import FormatError
from fashionkp_mm.exchange.tables import read_predictions_file
from fashionkp_mm.images import BrokenImageError, load_image
from fashionkp_mm.visualization.keypoints import draw_garment
from fashionkp_mm.visualization.sheet import contact_sheet, fitted

SHEET = "contact-sheet.jpg"
SHEET_COLUMNS, SHEET_ROWS, SHEET_TILE = 6, 16, 320
"""An even number of columns keeps labels and predictions side by side."""
_Image = NDArray[np.uint8]


def run(
    csv: Path,
    out: Path,
    *,
    images: Path | None,
    predictions: Path | None,
    limit: int | None,
    names: bool,
    sheet: bool,
    max_megapixels: float = MAX_MEGAPIXELS,
) -> int:
    """Draw the garments of a file, one picture an image.

    Args:
        csv: Labels or predictions.
        out: Folder to write to; pictures keep their ids as names.
        images: Folder that the image ids start from; found beside the CSV by default.
        predictions: Predictions to draw beside the points of ``csv``.
        limit: How many images to draw, spread evenly over the file; all by default.
        names: Whether to write the keypoints' names.
        sheet: Whether to write a contact sheet as well: the images with the largest normalized
            error first where there are predictions, else in the order of the file.
        max_megapixels: Size from which an image is refused.

    Returns:
        Exit status: 1 if an image could not be drawn.
    """
    failures: list[str] = []
    with terminal.one_message(UnmatchedIdsError, FormatError):
        # Whatever can be drawn may be drawn: the rules that labels obey are `check`'s business.
        table = terminal.read(read_predictions_file, csv)
        beside = None if predictions is None else read_for(table, predictions)
        errors = np.full(len(table), np.nan)
        if beside is not None:
            errors = image_errors(table, beside)
        shown = _chosen(table, errors, limit)
        found, missing = locate(shown, csv, images)
        paths = targets([*shown, *([SHEET] if sheet else [])], out)
        beside_files = [] if predictions is None else [predictions]
        require_apart(paths.values(), [csv, *beside_files, *found.values()])

        if beside is not None:
            failures.extend(_without_prediction(shown, beside, predictions))
        drawer = _PanelDrawer(
            table,
            beside,
            errors,
            found,
            shown=shown,
            missing=missing,
            names=names,
            max_megapixels=max_megapixels,
        )
        tiles: list[tuple[str, _Image]] = []
        with terminal.progress("drawing", len(shown)) as progress:
            for done, (image_id, panels) in enumerate(drawer.pictures(failures), start=1):
                if panels:
                    write_picture(paths[image_id], _side_by_side(panels))
                    if sheet and len(tiles) + len(panels) <= SHEET_COLUMNS * SHEET_ROWS:
                        tiles += [(words, fitted(panel, SHEET_TILE)) for words, panel in panels]
                progress(done)
        if tiles:
            captions, pictures = zip(*tiles, strict=True)
            sheet_of_all = contact_sheet(
                pictures, columns=SHEET_COLUMNS, tile=SHEET_TILE, captions=captions
            )
            write_picture(paths[SHEET], sheet_of_all)

    console = terminal.out()
    console.print(
        f"{drawer.drawn:,} of {len(shown):,} images drawn below {out}",
        markup=False,
        soft_wrap=True,
    )
    if tiles:
        count = len(tiles) if beside is None else len(tiles) // 2
        which = "" if count == drawer.drawn else "the first " if beside is None else "the worst "
        console.print(
            f"contact sheet of {which}{plural(count, 'image')}: {paths[SHEET]}",
            markup=False,
            soft_wrap=True,
        )
    for failure in failures:
        terminal.say("error", failure)
    return 1 if failures else 0


def _chosen(table: KeypointTable, errors: NDArray[np.float64], limit: int | None) -> list[str]:
    """Ids of the images to draw: those of the largest errors first, else in their order."""
    worst: dict[str, float] = {}
    for image_id, error in zip(table.image_ids, errors.tolist(), strict=True):
        worst[image_id] = np.fmax(worst.get(image_id, np.nan), error)
    shown = list(worst)
    if limit is not None and limit < len(shown):
        kept = np.linspace(0, len(shown) - 1, limit).round().astype(np.intp)
        shown = [shown[index] for index in kept]
    # NaN, where there is nothing to score, comes last.
    order = np.argsort([-worst[image_id] for image_id in shown], kind="stable")
    return [shown[index] for index in order]


class _PanelDrawer:
    """Draws the images of a table one after the other, each with all its garments."""

    def __init__(
        self,
        table: KeypointTable,
        beside: KeypointTable | None,
        errors: NDArray[np.float64],
        found: dict[str, Path],
        *,
        shown: Sequence[str],
        missing: dict[str, str],
        names: bool,
        max_megapixels: float,
    ) -> None:
        self.table = table
        self.beside = beside
        self.partners = None if beside is None else prediction_rows(table, beside)
        self.shown = shown
        self.rows_of = table.rows_of
        self.errors = errors
        self.found, self.missing = found, missing
        self.names = names
        self.max_megapixels = max_megapixels
        self.drawn = 0

    def pictures(self, failures: list[str]) -> Iterator[tuple[str, list[tuple[str, _Image]]]]:
        """Each image's id and pictures with captions; where there is none, a failure is added.

        That is one picture, or one of the labels and one of the predictions.
        """
        for image_id in self.shown:
            try:
                panels = self._panels(image_id)
            except BrokenImageError as error:
                failures.append(str(error))
                yield image_id, []
            else:
                self.drawn += 1
                yield image_id, panels

    def _panels(self, image_id: str) -> list[tuple[str, _Image]]:
        table, rows = self.table, self.rows_of[image_id]
        if image_id not in self.found:
            why = self.missing[image_id]
            raise BrokenImageError(f"{image_id}: {why}; name its root by --images")
        image = load_image(self.found[image_id], max_megapixels=self.max_megapixels)
        drawn = image
        for row in rows:
            category = CATEGORY_NAMES[table.category_indices[row]]
            points, states = table.keypoints[row], table.visibility[row]
            drawn = draw_garment(drawn, points, states, category, names=self.names)
        categories = ", ".join(CATEGORY_NAMES[table.category_indices[row]] for row in rows)
        name = image_id.rpartition("/")[2]
        if self.partners is None:
            return [(f"{categories} {name}", drawn)]
        predicted = [row for row in rows if self.partners[row] >= 0]
        if not predicted:
            return [(f"labels {name}", drawn), ("no prediction", image)]
        errors = self.errors[predicted]
        caption = (
            f"{categories}, nothing to score"
            if np.isnan(errors).all()
            else f"NE {np.nanmax(errors):.1f}, {categories}"
        )
        for row in predicted:
            image = self._with_prediction(row, image)
        return [(f"labels {name}", drawn), (caption, image)]

    def _with_prediction(self, row: int, image: _Image) -> _Image:
        assert self.beside is not None
        assert self.partners is not None
        other = self.partners[row]
        category = CATEGORY_NAMES[self.table.category_indices[row]]
        predicted = CATEGORY_NAMES[self.beside.category_indices[other]]
        points, found = self.beside.keypoints[other], self.beside.visibility[other]
        if predicted != category:
            return draw_garment(
                image, points, found, predicted, names=self.names, label=f"as {predicted}"
            )
        # The garment's points as labelled: an entry fills all 24, whatever the garment has.
        shown = np.where(self.beside.placed[other], self.table.visibility[row], Visibility.ABSENT)
        return draw_garment(image, points, shown, category, names=self.names)


def _side_by_side(panels: list[tuple[str, _Image]]) -> _Image:
    if len(panels) == 1:
        return panels[0][1]
    captions, pictures = zip(*panels, strict=True)
    tile = max(pictures[0].shape[:2])
    return contact_sheet(pictures, columns=len(pictures), tile=tile, captions=captions)


def _without_prediction(
    shown: Sequence[str], beside: KeypointTable, predictions: Path | None
) -> Iterator[str]:
    predicted = set(beside.image_ids)
    missing = [image_id for image_id in shown if image_id not in predicted]
    if missing:
        yield (
            f"{predictions} has no prediction for {plural(len(missing), 'image')},"
            f" drawn without: {listed(missing)}"
        )
