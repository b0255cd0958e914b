"""Label what is worn with labelled garments: ``python tools/label_neighbours.py LABELS OUT``."""

from fashionkp_mm.training.arguments import neighbours

if __name__ == "__main__":
    neighbours()
