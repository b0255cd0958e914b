"""What the tests of training share."""

from garment_fixtures import garment
from plugin_fixtures import _mmpose_scope, demo_config, drawn_dataset, logged

__all__ = ["_mmpose_scope", "demo_config", "drawn_dataset", "garment", "logged"]
