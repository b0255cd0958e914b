"""Memory that a training step needs on a GPU, counted on the CPU.

    python benchmarks/activation_memory.py [CONFIG …]

Counted are the tensors that autograd keeps between forward and backward for a batch of two, of
which batch norms make two the least, in float32; half of it is needed with ``--amp``. To it come
weights, gradients, AdamW's two averages and the EMA's copy, 20 bytes a parameter. What cuDNN takes
for its workspaces and the allocator for fragments is not in it.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

import torch  # noqa: E402
from common import ROOT  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmpose.registry import MODELS  # noqa: E402

DEFAULT = ("rtmpose_m_384_fashion", "rtmpose_l_384_fashion", "hrnet_w48_384_fashion")
COUNTED = 2
BYTES_A_PARAMETER = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = [ROOT / "configs" / f"{name}.py" for name in DEFAULT]
    parser.add_argument("configs", nargs="*", type=Path, default=default)
    columns = "config", "parameters, M", "MiB an image", "batch", "GiB a step", "with --amp"
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for path in parser.parse_args().configs:
        config = Config.fromfile(path)
        init_default_scope(config.default_scope)
        config.model.backbone.init_cfg = None
        model = MODELS.build(config.model).train()
        parameters = sum(p.numel() for p in model.parameters())
        kept = activations(model, config.codec.input_size) / COUNTED
        batch = config.train_dataloader.batch_size
        fixed = BYTES_A_PARAMETER * parameters
        whole, half = ((fixed + share * kept * batch) / 2**30 for share in (1, 0.5))
        print(
            f"| `{path.name}` | {parameters / 1e6:.1f} | {kept / 2**20:.0f} | {batch} |"
            f" {whole:.1f} | {half:.1f} |",
            flush=True,
        )


def activations(model: torch.nn.Module, input_size: tuple[int, int]) -> int:
    """Bytes that autograd keeps of a forward pass; views of one storage count once."""
    width, height = input_size
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    images = torch.zeros(COUNTED, 3, height, width)
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        features = model.extract_feat(images)
        outputs = model.head(features, torch.zeros(COUNTED, dtype=torch.long))
    del outputs
    return sum(kept.values())


if __name__ == "__main__":
    main()
