"""Categories that a CSV file gives to images that are named otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fashionkp_mm.batch.sources import InputError, Source, absolute_name
from fashionkp_mm.core.image_ids import match_ids
from fashionkp_mm.core.words import listed, plural


def with_categories(
    sources: Sequence[Source], categories: Mapping[str, str], csv: Path
) -> tuple[list[Source], list[str]]:
    """The same images with the categories of a CSV file.

    An id of the file means the image of the same id, or else the one whose path shares the longest
    tail with it: ``Images/blouse/x.jpg`` is ``data/blouse/x.jpg``. Where two images or two ids
    would do, neither is taken.

    Args:
        sources: The images.
        categories: Category by image id, as it stands in the file.
        csv: The file, for messages.

    Returns:
        The images, those that are not in the file left to the model, and what is to be said of
        that.

    Raises:
        InputError: The file holds not one of the images.
    """
    # A folder that was named itself is not part of the id, and tells two images apart all the same.
    paths = {
        source.image_id: absolute_name(source)
        for source in sources
        if source.image_id not in categories
    }
    taken = {source.image_id for source in sources}
    pairs = match_ids(list(paths.values()), [name for name in categories if name not in taken])
    theirs = {
        source.image_id: pairs.get(paths.get(source.image_id, ""), source.image_id)
        for source in sources
    }
    missing = [source.image_id for source in sources if theirs[source.image_id] not in categories]
    if sources and len(missing) == len(sources):
        raise InputError(
            f"{csv} holds none of the {plural(len(sources), 'image')}, or more than one id"
            f" for each: the images are {listed(missing)}, and the file says"
            f" {listed(list(categories))}; name them alike, or leave out --categories"
        )
    notes = []
    renamed = [image_id for image_id in paths if theirs[image_id] in categories]
    if renamed:
        first = renamed[0]
        notes.append(
            f"{plural(len(renamed), 'image')} found in {csv} by the end of the path, such"
            f" as {first}, which is {theirs[first]} there"
        )
    if missing:
        are = "image is" if len(missing) == 1 else "images are"
        notes.append(
            f"{len(missing):,} {are} not in {csv}, or not under one name only; the model chooses"
            f" the category itself: {listed(missing)}"
        )
    chosen = {image_id: categories.get(name) for image_id, name in theirs.items()}
    return [replace(source, category=chosen[source.image_id]) for source in sources], notes
