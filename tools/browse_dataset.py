"""Draw augmented samples: ``python tools/browse_dataset.py configs/rtmpose_fashion.py``."""

from fashionkp_mm.launch import browse

if __name__ == "__main__":
    browse()
