import numpy as np
import pytest

from fashionkp_mm.synthetic.colors import contrast, contrasting, pick_color
from fashionkp_mm.synthetic.fabric import TILE, lit, make_fabric
from fashionkp_mm.synthetic.prints import PRINTS


@pytest.mark.parametrize("draw", [draw for draw, _ in PRINTS if draw], ids=lambda f: f.__name__)
def test_a_print_shows_and_repeats_without_a_seam(draw):
    rng = np.random.default_rng(3)
    tile = np.full((TILE, TILE, 3), (200, 180, 60), np.uint8)
    draw(rng, tile, (200.0, 180.0, 60.0), (20.0, 30.0, 120.0), 4.0)
    assert tile.reshape(-1, 3).std(axis=0).max() > 5
    # Neighbours across the tile's edge differ no more than neighbours inside it do at most.
    pixels = tile.astype(int)
    for axis in (0, 1):
        steps = np.abs(np.diff(pixels, axis=axis)).mean(axis=(1 - axis, 2))
        edge = np.abs(pixels.take(0, axis) - pixels.take(-1, axis)).mean()
        assert edge <= steps.max() + 1


def test_contrasting_colors_stand_apart():
    rng = np.random.default_rng(0)
    for _ in range(50):
        color = pick_color(rng)
        assert contrast(color, contrasting(rng, color)) > 80


def test_shade_darkens_and_lightens():
    shade = np.array([[-0.5, 0.0, 0.5]], np.float32)
    dark, same, bright = lit(np.full((1, 3, 3), 100, np.uint8), shade)[0, :, 0].tolist()
    assert dark == 50
    assert same == 100
    assert bright > 120


def test_some_cloth_is_printed_and_some_plain():
    rng = np.random.default_rng(0)
    tiles = [make_fabric(rng, 3.0).tile for _ in range(40)]
    assert 0 < sum(tile is None for tile in tiles) < 40
