"""What all applications say of a garment that they can make nothing of."""

from __future__ import annotations


class GarmentError(ValueError):
    """A garment without what an application needs, such as two points; the message says what.

    Over many pictures the garment is named and passed over, and nothing else stops.
    """
