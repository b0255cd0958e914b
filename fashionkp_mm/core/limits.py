"""How large what is read may be, unless asked otherwise."""

MAX_MEGAPIXELS = 89.0
"""Millions of pixels of the largest picture that is decoded: a quarter of a GiB as BGR."""
