"""A light feature pyramid that ends in one fine map."""

import torch

from fashionkp_mm.plugin.top_down_neck import TopDownNeck


def features(*sizes):
    return [torch.rand(2, channels, size, size) for channels, size in sizes]


def test_the_result_has_the_finest_size():
    neck = TopDownNeck((4, 6, 8), out_channels=5)
    (fine,) = neck(features((4, 24), (6, 12), (8, 3)))
    assert fine.shape == (2, 5, 24, 24)


def test_levels_of_one_size_are_merged_too():
    neck = TopDownNeck((4, 8), out_channels=5)
    assert neck(features((4, 6), (8, 6)))[0].shape == (2, 5, 6, 6)


def test_every_level_has_its_say():
    neck = TopDownNeck((4, 6, 8), out_channels=5).eval()
    levels = features((4, 16), (6, 8), (8, 4))
    (before,) = neck(levels)
    for index, level in enumerate(levels):
        changed = [*levels]
        changed[index] = level + 1
        assert not torch.equal(neck(changed)[0], before)


def test_a_coarse_feature_reaches_the_places_above_it():
    neck = TopDownNeck((1, 1), out_channels=3).eval()
    for parameter in neck.parameters():
        torch.nn.init.constant_(parameter, 0.1)  # nothing is cut off by a ReLU
    levels = [torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 4, 4)]
    levels[1].requires_grad_()
    neck(levels)[0][0, :, 0, 0].sum().backward()
    seen = levels[1].grad[0, 0] != 0
    assert seen[0, 0]
    assert not seen[2:, 2:].any()
