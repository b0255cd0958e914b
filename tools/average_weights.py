"""The mean of several trainings' weights: ``python tools/average_weights.py OUT CHECKPOINT …``."""

from fashionkp_mm.training.arguments import average

if __name__ == "__main__":
    average()
