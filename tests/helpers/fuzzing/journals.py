"""Journals of `fashionkp predict`: resumed to the same output, or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

from fashionkp_mm.batch.journal import Journal, JournalError
from fashionkp_mm.batch.writers import fits, render
from fashionkp_mm.core.garments import KEYPOINT_NAMES
from fuzzing import Fault
from fuzzing.child import Limits
from fuzzing.mutations import BYTE_MUTATIONS

LIMITS = Limits(seconds=2, mebibytes=128)
_MADE_BY = {"model": "sha256 00", "boxes": "refine", "format": "fashionai"}
_IDS = ("Images/a.jpg", "Images/b.jpg", "Images/ü, c.jpg", "d.jpg")
_STRAY = (
    b"", b"\n", b"{}", b"[]", b"null", b"0", b'"text"', b"{", b"[" * 5000, b'{"a":' * 5000, b"\0",
    b"\xff", b"NaN", b"1e999", b"9" * 5000,
    b'{"image_id":[],"key":0,"content":0}', b'{"image_id":"d.jpg","key":[],"content":{}}',
    b'{"image_id":"d.jpg","key":["skirt",1000,1],"content":{"size":[1,1],"garments":[]}}',
    b'{"journal":"fashionkp predict, format 1","made_by":{}}',
)  # fmt: skip
_STRAY_VALUES = (
    None, True, 0, -1, 1.5, "", "text", [], {}, [[]], {"a": []}, ["skirt", 1000, 1],
    {"size": [1, 1]}, {"garments": []}, {"size": [1], "garments": []},
    {"size": [1, 1], "garments": {}}, {"size": [1, 1], "garments": [["id", "skirt"]]},
    {"size": [1, 1], "garments": [["id", "skirt", *range(24)]]},
)  # fmt: skip
_NOTHING = "nothing"


@dataclass(frozen=True)
class Case:
    """Damage done to the journal of a run that was killed.

    Attributes:
        seed: Of what was predicted.
        done: How many of the images.
        stray: Content that is none, written as if it were the next image's.
        damage: Of the damage, in turn; applied to what the package wrote.
    """

    seed: int
    done: int
    stray: Any
    damage: tuple[tuple[int, int], ...]


def make(random: Random) -> Case:
    """One to three damages to a journal of some images."""
    damages = tuple(
        (random.randrange(len(_DAMAGES)), random.getrandbits(32))
        for _ in range(random.choice((1, 1, 2, 3)))
    )
    stray = random.choice(_STRAY_VALUES) if random.random() < 0.2 else _NOTHING
    return Case(random.getrandbits(16), random.randint(0, len(_IDS)), stray, damages)


def prepare(folder: Path) -> None:
    """Nothing takes long here."""


def check(case: Case, folder: Path) -> Literal["accepted", "refused"]:
    """Going on with the damaged journal gives the file that a run of one piece gives."""
    truth = {
        image_id: ([None, 1000, index], _content(Random(f"{case.seed} {index}")))
        for index, image_id in enumerate(_IDS)
    }
    out = folder / "predictions.csv"
    with Journal(out, _MADE_BY, resume=False, fits=_fits) as journal:
        for image_id in _IDS[: case.done]:
            journal.add(image_id, *truth[image_id])
        if case.stray != _NOTHING and case.done < len(_IDS):
            image_id = _IDS[case.done]
            journal.add(image_id, truth[image_id][0], case.stray)
        path = journal.path
        data = path.read_bytes()  # before it goes, where no image is done
    for index, seed in case.damage:
        data = _DAMAGES[index](data, Random(seed))
    path.write_bytes(data)
    try:
        with Journal(out, _MADE_BY, resume=True, fits=_fits) as journal:
            for image_id, (key, content) in truth.items():
                if not journal.holds(image_id, key):
                    journal.add(image_id, key, content)
            found = b"".join(render("fashionai", journal.contents(_IDS)))
    except JournalError:
        return "refused"
    finally:
        path.unlink(missing_ok=True)
    wanted = b"".join(
        render("fashionai", ((name, content) for name, (_, content) in truth.items()))
    )
    if found != wanted:
        lines = zip(found.splitlines(), wanted.splitlines(), strict=False)
        other = next((f"{one!r:.120}" for one, two in lines if one != two), "lines are missing")
        raise Fault(f"the output differs: {other}")
    return "accepted"


def _fits(content: Any) -> bool:
    return fits("fashionai", content)


def _content(random: Random) -> dict[str, Any]:
    """What the journal keeps of an image for a CSV."""
    cells = [f"{random.randint(0, 500)}.25_{random.randint(0, 500)}_1" for _ in KEYPOINT_NAMES]
    garments = [["id", "skirt", *cells]] * random.choice((0, 1, 1, 1, 2))
    return {"size": [512, 512], "garments": garments}


def _bytes_damaged(data: bytes, random: Random) -> bytes:
    return random.choice(BYTE_MUTATIONS)(data, random)


def _end_missing(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _digit_changed(data: bytes, random: Random) -> bytes:
    """A change that leaves every line well-formed."""
    places = [place for place, byte in enumerate(data) if chr(byte).isdigit()]
    if not places:
        return data
    place = random.choice(places)
    return data[:place] + str(random.randrange(10)).encode() + data[place + 1 :]


def _line_changed(data: bytes, random: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    one, two = random.randrange(len(lines)), random.randrange(len(lines))
    kind = random.randrange(6)
    if kind == 0:
        del lines[one]
    elif kind == 1:
        lines.insert(one, lines[two])
    elif kind == 2:
        lines[one], lines[two] = lines[two], lines[one]
    elif kind == 3:
        lines.insert(one, random.choice(_STRAY) + b"\n")
    elif kind == 4:
        lines[one] = random.choice(_STRAY) + b"\n"
    else:
        lines[one] = lines[one].rstrip(b"\n") + random.choice((b"", b" ", b"\r\n", b" \n"))
    return b"".join(lines)


def _value_changed(data: bytes, random: Random) -> bytes:
    """A line whose JSON has another value somewhere, or one key fewer or more."""
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    index = random.randrange(len(lines))
    try:
        entry = json.loads(lines[index])
    except (ValueError, RecursionError):
        return data
    if not isinstance(entry, dict) or not entry:
        return data
    holder, key = entry, random.choice(list(entry))
    while isinstance(holder[key], dict | list) and holder[key] and random.random() < 0.7:
        holder = holder[key]
        key = (
            random.choice(list(holder))
            if isinstance(holder, dict)
            else random.randrange(len(holder))
        )
    kind = random.randrange(4)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, dict):
        holder[random.choice(("image_id", "extra", "content"))] = random.choice(_STRAY_VALUES)
    else:
        holder[key] = random.choice(_STRAY_VALUES)
    lines[index] = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
    return b"".join(lines)


_DAMAGES: tuple[Callable[[bytes, Random], bytes], ...] = (
    _bytes_damaged, _end_missing, _digit_changed, _line_changed, _value_changed, _value_changed,
)  # fmt: skip
