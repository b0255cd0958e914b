"""Train a model: ``python tools/train.py configs/rtmpose_fashion.py``."""

from fashionkp_mm.launch import train

if __name__ == "__main__":
    train()
