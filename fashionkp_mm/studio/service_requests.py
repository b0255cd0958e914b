"""The service's requests: pictures and options, as forms or JSON, and what is wrong with them."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from fashionkp_mm.applications import (
    CropOptions,
    KnownLength,
    PresentOptions,
    Scale,
    preset_of,
)
from fashionkp_mm.applications.alignment import Method
from fashionkp_mm.applications.scale import UNITS
from fashionkp_mm.applications.templates import Template, canonical_templates
from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.core.parts import PIECES
from fashionkp_mm.core.words import listed

MAX_PICTURES = 64
"""Of one request."""
MAX_SIDE = 1024
"""Pixels of the width and the height of what is cut out or aligned."""
FACTS = (
    "category", "boxes", "known", "px_per_cm", "unit", "parts", "size", "method", "preset",
    "background", "fill", "hide_face",
)  # fmt: skip
"""Fields that a request may have beside its pictures."""
_YES, _NO = ("true", "1", "yes"), ("false", "0", "no")


class RequestError(ValueError):
    """A request that is not as it should be; the message says what was expected."""


@dataclass(frozen=True)
class Asked:
    """A request, read.

    Attributes:
        pictures: Name and content of each.
        category: That of the garments, None if the model is to choose.
        facts: All fields beside the pictures.
    """

    pictures: list[tuple[str, bytes]]
    category: str | None
    facts: dict[str, str]


async def read_request(request: Request) -> Asked:
    """Read pictures and options of a request.

    Raises:
        RequestError: It is not as it should be.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        pictures, facts = await _of_form(request)
    elif kind == "application/json":
        pictures, facts = _of_json(await _json(request))
    else:
        raise RequestError(
            f"the content is {kind or 'of no type'}; expected multipart/form-data with fields"
            ' named images, or application/json with {"images": [BASE64, …]}'
        )
    if not 1 <= len(pictures) <= MAX_PICTURES:
        raise RequestError(f"{len(pictures)} pictures; expected 1 to {MAX_PICTURES} in 'images'")
    unknown = set(facts) - set(FACTS)
    if unknown:
        raise RequestError(f"unknown: {', '.join(sorted(unknown))}; expected {', '.join(FACTS)}")
    category = facts.get("category")
    if category is not None and category not in CATEGORY_NAMES:
        raise RequestError(
            f"there is no category {category!r}; expected one of {', '.join(CATEGORY_NAMES)}"
        )
    return Asked(pictures, category, facts)


def scale_of(facts: dict[str, str]) -> tuple[Scale | KnownLength | None, Any]:
    """What gives the lengths their unit.

    Raises:
        RequestError, ScaleError: It is none.
    """
    unit = facts.get("unit", "cm")
    if unit not in UNITS:
        raise RequestError(f"there is no unit {unit!r}; expected one of {', '.join(UNITS)}")
    if "known" in facts and "px_per_cm" in facts:
        raise RequestError("'known' and 'px_per_cm' are two answers to one question")
    if "known" in facts:
        return KnownLength.parse(facts["known"]), unit
    if "px_per_cm" in facts:
        try:
            pixels = float(facts["px_per_cm"])
        except ValueError:
            raise RequestError(f"px_per_cm is {facts['px_per_cm']!r}, expected a number") from None
        return Scale.of_pixels(pixels), unit
    return None, unit


def crop_options(facts: dict[str, str]) -> CropOptions:
    """Which parts are cut out, and how large.

    Raises:
        RequestError: They are none.
    """
    names = facts.get("parts")
    parts = [name.strip() for name in names.split(",")] if names else PIECES
    size = _side(facts, "224")
    try:
        return CropOptions(tuple(parts), (size, size))
    except ValueError as error:
        raise RequestError(str(error)) from None


def align_options(facts: dict[str, str]) -> tuple[Method, dict[str, Template]]:
    """By which method garments are aligned, and onto which template of each category.

    Raises:
        RequestError: There is no such method or size.
    """
    name = facts.get("method", "similarity")
    for method in get_args(Method):
        if name == method:
            size = _side(facts, "512")
            try:
                return method, canonical_templates((size, size))
            except ValueError as error:
                raise RequestError(str(error)) from None
    raise RequestError(f"there is no method {name!r}; expected {listed(get_args(Method))}")


def present_options(facts: dict[str, str]) -> PresentOptions:
    """By which rules a catalogue picture is made.

    Raises:
        RequestError: They are none.
    """
    hide_face = facts.get("hide_face", "false").lower()
    if hide_face not in _YES + _NO:
        raise RequestError(f"hide_face is {hide_face!r}, expected true or false")
    try:
        fill = float(facts["fill"]) if "fill" in facts else None
    except ValueError:
        raise RequestError(f"fill is {facts['fill']!r}, expected a number") from None
    try:
        return PresentOptions(
            preset=preset_of(facts.get("preset", "square")),
            fill=fill,
            background=facts.get("background"),
            hide_face=hide_face in _YES,
        )
    except ValueError as error:
        raise RequestError(str(error)) from None


def _side(facts: dict[str, str], default: str) -> int:
    size = facts.get("size", default)
    if not (size.isascii() and size.isdecimal()) or not 1 <= int(size) <= MAX_SIDE:
        raise RequestError(f"size is {size!r}, expected 1 to {MAX_SIDE} pixels")
    return int(size)


async def _of_form(request: Request) -> tuple[list[tuple[str, bytes]], dict[str, str]]:
    try:
        form = await request.form(max_files=MAX_PICTURES, max_fields=16)
    except HTTPException as error:  # python-multipart could not make sense of it
        raise RequestError(f"not readable as multipart/form-data ({error.detail})") from None
    pictures: list[tuple[str, bytes]] = []
    facts: dict[str, str] = {}
    for field, value in form.multi_items():
        if isinstance(value, UploadFile):
            if field != "images":
                raise RequestError(f"a file in the field {field!r}; expected it in 'images'")
            name = Path(value.filename or "").name or f"image {len(pictures)}"
            pictures.append((name, await value.read()))
        elif field == "images":
            raise RequestError("the field 'images' holds text; expected a file")
        elif value:
            facts[field] = value
    await form.close()
    return pictures, facts


async def _json(request: Request) -> dict[str, Any]:
    try:
        content = await request.json()
    except (ValueError, RecursionError) as error:
        raise RequestError(f"not readable as JSON ({error})") from None
    if not isinstance(content, dict):
        raise RequestError('expected an object, {"images": [BASE64, …]}')
    return content


def _of_json(content: dict[str, Any]) -> tuple[list[tuple[str, bytes]], dict[str, str]]:
    images = content.pop("images", [])
    if not isinstance(images, list) or not all(isinstance(each, str) for each in images):
        raise RequestError("'images' is no list of texts; expected a list of base64 texts")
    pictures = []
    for index, text in enumerate(images):
        try:
            data = base64.b64decode(text.encode(), validate=True)
        except (binascii.Error, ValueError) as error:
            raise RequestError(f"image {index} is not base64 ({error})") from None
        pictures.append((f"image {index}", data))
    facts = {name: str(value) for name, value in content.items() if value is not None}
    return pictures, facts
