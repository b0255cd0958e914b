"""The name of `config_helpers` before version 0.2, for configs that were written by then."""

from fashionkp_mm.plugin.config_helpers import *  # noqa: F403
