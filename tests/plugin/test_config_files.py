"""Configs and options for them: read, or refused in a message that names the mistake."""

from __future__ import annotations

import pytest
from mmengine.config import Config

from fashionkp_mm.plugin.config_files import ConfigError, merge_options, read_config


def test_a_config_that_does_not_exist(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.py: does not exist; give the file of a config"):
        read_config(tmp_path / "none.py")
    with pytest.raises(ConfigError, match="is a folder"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a = (", "SyntaxError"),
        ("a = b", "NameError: name 'b' is not defined"),
        ("_base_ = ['none.py']", r"none\.py"),
        ("a = '{{$NO_SUCH_VARIABLE_ANYWHERE:}}'", "NO_SUCH_VARIABLE_ANYWHERE"),
        ("\0", "null bytes"),
    ],
)
def test_a_config_with_a_mistake_is_named(tmp_path, content, said):
    path = tmp_path / "wrong.py"
    path.write_text(content)
    with pytest.raises(ConfigError, match=rf"(?s)wrong\.py: not a config \(.*{said}"):
        read_config(path)


def test_a_data_root_that_is_set_to_nothing_counts_as_none(tmp_path, monkeypatch):
    monkeypatch.setenv("FASHIONAI_ROOT", "")
    path = tmp_path / "data.py"
    path.write_text("root = '{{$FASHIONAI_ROOT:data/fashionai}}'")
    assert read_config(path).root == "data/fashionai"


def test_options_override():
    cfg = Config({"a": {"b": 1}, "c": [{"d": 1}]})
    merge_options(cfg, ["a.b=2", "c.0.d=[1,(2,x)]", "e=a=b"])
    assert (cfg.a.b, cfg.c[0].d, cfg.e) == (2, [1, (2, "x")], "a=b")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("a", "expected KEY=VALUE"),
        ("=1", "expected KEY=VALUE"),
        ("a.b=[1", "its brackets do not match"),
        ("a.b=(1,2", "its brackets do not match"),
        ("c.7.d=1", "c.7.d=1: "),
        ("a.b.x=1", "a.b.x=1: "),
        ("--help", "expected KEY=VALUE"),
        ("a.b=many", "expected a number, as the 1 of the config"),
        ("c.0.d=x", "expected a number"),
    ],
)
def test_an_option_of_another_form_is_named(option, said):
    with pytest.raises(ConfigError, match="--cfg-options") as refused:
        merge_options(Config({"a": {"b": 1}, "c": [{"d": 1}]}), ["e=1", option])
    assert said in str(refused.value)
