"""Small modules that other programs load; none of them is imported by this package."""
