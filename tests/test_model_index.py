"""``model-index.yml`` says what the configs say, and mim can read it."""

from pathlib import Path

import pytest
import yaml
from mmengine import Config
from modelindex.load_model_index import load

ROOT = Path(__file__).resolve().parents[1]
INDEX = yaml.safe_load((ROOT / "model-index.yml").read_text())
MODELS = {model["Name"]: model for model in INDEX["Models"]}


def test_it_lists_every_config():
    assert set(MODELS) == {path.stem for path in (ROOT / "configs").glob("*.py")}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_what_its_config_says(name):
    model = MODELS[name]
    config = Config.fromfile(ROOT / model["Config"])
    width, height = config.codec.input_size if "codec" in config else config.input_size
    assert Path(model["Config"]).stem == name
    assert model["Metadata"]["Input Size"] == f"{width}x{height}"
    weights = model["Weights"]
    if "://" not in weights:  # ours, trained; else those that training starts from
        assert weights == f"weights/{name}.pth"
        assert (ROOT / weights).is_file()
    else:
        assert weights == config.model.backbone.init_cfg.checkpoint


def test_openmims_reader_takes_it():
    index = load(str(ROOT / "model-index.yml"))
    assert {model.name for model in index.models} == set(MODELS)
