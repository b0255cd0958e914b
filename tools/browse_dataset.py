"""Draw augmented samples: ``python tools/browse_dataset.py configs/rtmpose_fashion.py``."""

from fashionkp_mm.training.arguments import browse

if __name__ == "__main__":
    browse()
