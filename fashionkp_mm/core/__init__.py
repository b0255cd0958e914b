"""What a garment is, how its labels are stored and scored. NumPy and pandas only."""
