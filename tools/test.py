"""Test a model: ``python tools/test.py configs/rtmpose_fashion.py CHECKPOINT``."""

from fashionkp_mm.training.arguments import test

if __name__ == "__main__":
    test()
