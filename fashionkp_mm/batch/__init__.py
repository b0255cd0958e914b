"""Many pictures at once; no terminal is known here."""
