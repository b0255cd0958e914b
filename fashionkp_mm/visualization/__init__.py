"""Garments drawn on their pictures, and contact sheets."""
