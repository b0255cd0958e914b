"""What the plugin"s tests share."""

from plugin_fixtures import _mmpose_scope, demo_config, drawn_dataset, logged

__all__ = ["_mmpose_scope", "demo_config", "drawn_dataset", "logged"]
