"""Configs, read so that a user's mistake in one ends in a message that names it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from mmengine.config import Config, DictAction

DATA_ROOT = "FASHIONAI_ROOT"
"""Environment variable that our configs take the data's folder from."""


class ConfigError(ValueError):
    """A config, or an option for it, that cannot be read or is not what it should be."""


def read_config(path: str | Path) -> Config:
    """Read a config. An empty `DATA_ROOT` counts as none, as in a shell.

    Raises:
        ConfigError: There is no such file, or MMEngine cannot make a config of it.
        ImportError: It imports what is not installed, or is broken.
    """
    if os.environ.get(DATA_ROOT) == "":
        del os.environ[DATA_ROOT]  # MMEngine takes it for a name that it cannot find
    if not Path(path).is_file():
        kind = "is a folder" if Path(path).is_dir() else "does not exist"
        raise ConfigError(f"{path}: {kind}; give the file of a config")
    try:
        return Config.fromfile(path)
    except ImportError:
        raise
    # A config is a program; anything can be wrong in it.
    except Exception as error:
        raise ConfigError(f"{path}: not a config ({_in_a_line(error)})") from error


def stock_config(package: ModuleType, name: str) -> Config:
    """One of the configs that an OpenMMLab package brings.

    Args:
        package: Such as ``mmpose``.
        name: Path below its ``configs`` folder, without ``.py``.

    Raises:
        FileNotFoundError: The installed package has no such config.
    """
    return Config.fromfile(Path(package.__path__[0], ".mim", "configs", f"{name}.py"))


def merge_options(cfg: Config, options: Sequence[str]) -> None:
    """Override a config with ``KEY=VALUE`` strings in MMEngine's notation.

    Raises:
        ConfigError: One of them has another form, the config has no such place, or it has a number
            there and the option has none.
    """
    for option in options:
        key, separator, _ = option.partition("=")
        if not key or not separator:
            raise ConfigError(f"--cfg-options {option}: expected KEY=VALUE")
        if any(option.count(start) != option.count(end) for start, end in ("()", "[]")):
            raise ConfigError(f"--cfg-options {option}: its brackets do not match")
        parser = argparse.ArgumentParser()
        parser.add_argument("options", nargs=1, action=DictAction)
        before = _value_at(cfg, key.split("."))
        try:
            given = parser.parse_args(["--", option]).options
            cfg.merge_from_dict(given)
        except Exception as error:
            raise ConfigError(f"--cfg-options {option}: {_in_a_line(error)}") from error
        is_number = isinstance(before, int | float) and not isinstance(before, bool)
        if is_number and any(isinstance(value, str) for value in given.values()):
            raise ConfigError(
                f"--cfg-options {option}: expected a number, as the {before} of the config"
            )


def _value_at(cfg: Any, path: Sequence[str]) -> Any:
    """What a config has at a place, None if there is no such place."""
    value = cfg
    for name in path:
        try:
            value = value[int(name) if isinstance(value, list | tuple) else name]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return value


def _in_a_line(error: Exception) -> str:
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}"
