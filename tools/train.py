"""Train a model: ``python tools/train.py configs/rtmpose_fashion.py``."""

from fashionkp_mm.training.arguments import train

if __name__ == "__main__":
    train()
