"""A model for `fashionkp predict`, and garments as it finds them."""

from garment_fixtures import garment, model, other_model

__all__ = ["garment", "model", "other_model"]
