"""A model for the tests of what other programs load."""

from garment_fixtures import garment, model

__all__ = ["garment", "model"]
