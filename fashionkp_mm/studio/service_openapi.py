"""What ``/openapi.json`` says of the service's requests."""

from __future__ import annotations

from typing import Any, get_args

from fashionkp_mm.applications.alignment import Method
from fashionkp_mm.applications.presets import PRESETS
from fashionkp_mm.applications.scale import UNITS
from fashionkp_mm.core.box_sources import BOX_SOURCES
from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.core.parts import GROUPS

DESCRIPTION = (
    'Garments of pictures: category, keypoints, lengths. Errors are {"error": message}: 400 a'
    " request that is not as it should be, 401 no token, 413 too large, 422 a picture that cannot"
    " be used, 503 too much waits (see Retry-After), 504 it took too long."
)

_OPTIONS: dict[str, Any] = {
    "category": {
        "type": "string",
        "enum": list(CATEGORY_NAMES),
        "description": "The garments' category. By default the model chooses.",
    },
    "boxes": {
        "type": "string",
        "enum": list(BOX_SOURCES),
        "description": "Where to look, as `fashionkp predict --boxes`.",
    },
}
MEASURES: dict[str, Any] = {
    "known": {"type": "string", "description": "A length that is known, as in chest=52cm."},
    "px_per_cm": {"type": "number", "description": "Pixels a centimetre."},
    "unit": {"type": "string", "enum": list(UNITS), "description": "Of the lengths."},
}
"""Options of ``/v1/measure`` beside those of ``/v1/predict``."""
CROPS: dict[str, Any] = {
    "parts": {
        "type": "string",
        "description": f"Names with commas between them, of {', '.join(GROUPS)}.",
    },
    "size": {"type": "integer", "description": "Width and height of a crop in pixels."},
}
"""Options of ``/v1/crop`` beside those of ``/v1/predict``."""

ALIGNMENTS: dict[str, Any] = {
    "method": {
        "type": "string",
        "enum": list(get_args(Method)),
        "description": "How a garment is laid onto its category's shape.",
    },
    "size": {"type": "integer", "description": "Width and height of the result in pixels."},
}
"""Options of ``/v1/align`` beside those of ``/v1/predict``."""
PRESENTATIONS: dict[str, Any] = {
    "preset": {
        "type": "string",
        "description": f"A shop's rules, of {', '.join(PRESETS)}, or a ratio as in 4:5.",
    },
    "background": {
        "type": "string",
        "description": "keep, transparent, or a colour as CSS has it. By default the preset's.",
    },
    "fill": {"type": "number", "description": "Share of the frame that the garment takes."},
    "hide_face": {"type": "boolean", "description": "Show nothing above the neckline."},
}
"""Options of ``/v1/present`` beside those of ``/v1/predict``."""


def request_body(further: dict[str, Any]) -> dict[str, Any]:
    """The two forms of a request, in OpenAPI's words.

    Args:
        further: Options beside those of ``/v1/predict``.
    """
    options = {**_OPTIONS, **further}
    files = {"type": "array", "items": {"type": "string", "format": "binary"}}
    texts = {
        "type": "array",
        "items": {"type": "string", "contentEncoding": "base64"},
        "description": "Image files, as base64.",
    }
    return {
        "requestBody": {
            "required": True,
            "content": {
                kind: {
                    "schema": {
                        "type": "object",
                        "required": ["images"],
                        "properties": {"images": images, **options},
                    }
                }
                for kind, images in (
                    ("multipart/form-data", files),
                    ("application/json", texts),
                )
            },
        }
    }
