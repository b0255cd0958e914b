"""Milliseconds an image: our predictor against its own ONNX session, rtmlib and MMPose.

    FASHIONAI_ROOT=… python benchmarks/runtime.py [--memory]

All run the same network, an RTMPose-t at 256x192 with random weights, on the same whole images, in
one process, with as many threads as there are cores. The bare session gets crops that are ready and
throws its outputs away: nothing that uses it can be faster. rtmlib and MMPose take one image at a
time. With ``--memory`` it is measured instead what 10,000 predictions leave behind.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from common import fashionai_root, interleaved  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmpose.apis import inference_topdown, init_model  # noqa: E402
from mmpose.registry import MODELS  # noqa: E402
from rtmlib import RTMPose  # noqa: E402

from fashionkp_mm.exporting.pose import PoseExporter, RtmlibExporter  # noqa: E402
from fashionkp_mm.exporting.provenance import Provenance  # noqa: E402
from fashionkp_mm.exporting.trained import load_trained_model  # noqa: E402
from fashionkp_mm.runtime import FashionPredictor  # noqa: E402
from fashionkp_mm.runtime.crop import crop_geometry, cut_out  # noqa: E402
from fashionkp_mm.runtime.session import open_session  # noqa: E402

CONFIG = Path(__file__).parents[1] / "configs" / "rtmpose_t_fashion.py"
INPUT_SIZE = (192, 256)
BATCH = 32
REPEATS = 15
PREDICTIONS = 10_000
PAUSE = 0.05

Run = Callable[[], object]


@dataclass
class Contestant:
    """One way to have a picture's keypoints.

    Attributes:
        name: For the table.
        alone: Takes one picture, an array or a path.
        together: Takes `BATCH` of them.
        decodes: Whether it takes paths.
    """

    name: str
    alone: Callable[[Any], object]
    together: Callable[[Sequence[Any]], object]
    decodes: bool = True

    @classmethod
    def one_at_a_time(cls, name: str, alone: Callable[[Any], object]) -> Contestant:
        return cls(name, alone, lambda pictures: [alone(picture) for picture in pictures])


@dataclass
class Network:
    """One network in all the forms that are compared."""

    config: Path
    checkpoint: Path
    onnx: Path
    rtmlib: Path


def make_network(folder: Path) -> Network:
    config = Config.fromfile(CONFIG)
    head, data = config.model.head.pose_head, config.test_dataloader.dataset
    head.update(input_size=INPUT_SIZE, in_featuremap_size=tuple(s // 32 for s in INPUT_SIZE))
    head.decoder.input_size = INPUT_SIZE
    for transform in data.pipeline:
        if "input_size" in transform:
            transform.input_size = INPUT_SIZE
    config.model.backbone.init_cfg = None
    config.model.test_cfg.flip_test = False
    network = Network(*(folder / name for name in ("t.py", "t.pth", "t.onnx", "rtmlib.onnx")))
    config.dump(network.config)
    init_default_scope("mmpose")
    torch.manual_seed(0)
    torch.save({"state_dict": MODELS.build(config.model).state_dict()}, network.checkpoint)
    trained = load_trained_model(network.config, network.checkpoint)
    provenance = Provenance("nothing, its weights are random", "Apache-2.0")
    network.onnx.write_bytes(PoseExporter(trained, provenance).onnx())
    network.rtmlib.write_bytes(RtmlibExporter(trained, provenance).onnx())
    return network


def contestants(network: Network, images: Sequence[np.ndarray]) -> list[Contestant]:
    whole = np.array([[0, 0, image.shape[1], image.shape[0]] for image in images], np.float32)
    geometry = crop_geometry(whole, INPUT_SIZE, 1.25, udp=False)
    crops = cut_out(images, geometry)
    planes = np.ascontiguousarray(crops.transpose(0, 3, 1, 2), dtype=np.float32)
    unknown = np.full(len(images), -1)

    session, _ = open_session(network.onnx)
    bare, _ = open_session(network.rtmlib)
    predictor = FashionPredictor(network.onnx)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints where it was loaded from
        pose = RTMPose(str(network.rtmlib), INPUT_SIZE, mean=None, std=None)
    model = init_model(str(network.config), str(network.checkpoint), device="cpu")

    def run_rtmlib(picture: np.ndarray | str) -> object:
        return pose(cv2.imread(picture) if isinstance(picture, str) else picture)

    return [
        Contestant(
            "session alone",
            lambda _: session.run(None, {"images": crops[:1], "categories": unknown[:1]}),
            lambda _: session.run(None, {"images": crops, "categories": unknown}),
            decodes=False,
        ),
        Contestant(
            "session alone, rtmlib's form",
            lambda _: bare.run(None, {"input": planes[:1]}),
            lambda _: bare.run(None, {"input": planes}),
            decodes=False,
        ),
        Contestant(
            "FashionPredictor",
            lambda picture: predictor.predict(picture, boxes="whole"),
            lambda pictures: predictor.predict(pictures, boxes="whole"),
        ),
        Contestant.one_at_a_time("rtmlib RTMPose", run_rtmlib),
        Contestant.one_at_a_time(
            "MMPose inference_topdown", lambda picture: inference_topdown(model, picture)
        ),
    ]


def measure(folder: Path, paths: list[str], repeats: int) -> None:
    images = [cv2.imread(path) for path in paths]
    network = make_network(folder)
    every = contestants(network, images)
    columns: list[dict[str, float]] = []
    for pictures in (images, paths):
        taking = [one for one in every if one.decodes or pictures is images]
        # One at a time, and always another: each reading of the machine takes eight of them.
        few = pictures[:8]
        alone = [_each(one, few) for one in taking]
        together = [_all(one, pictures) for one in taking]
        for runs, count in ((alone, len(few)), (together, len(pictures))):
            for run in runs:
                run()
            seconds = interleaved(repeats, *runs, pause=PAUSE)
            names = [one.name for one in taking]
            columns.append(
                {name: 1000 * took / count for name, took in zip(names, seconds, strict=True)}
            )
    print_table(every, columns)


def _each(one: Contestant, pictures: Sequence[Any]) -> Run:
    return lambda: [one.alone(picture) for picture in pictures]


def _all(one: Contestant, pictures: Sequence[Any]) -> Run:
    return lambda: one.together(pictures)


def print_table(every: Sequence[Contestant], columns: Sequence[dict[str, float]]) -> None:
    print("ms an image; in brackets how many times as long as FashionPredictor\n")
    print(f"| | arrays, 1 | arrays, {BATCH} | files, 1 | files, {BATCH} |")
    print("|---|---|---|---|---|")
    for one in every:
        cells = [
            f"{column[one.name]:.2f} ({column[one.name] / column['FashionPredictor']:.2f})"
            if one.name in column
            else "-"
            for column in columns
        ]
        print(f"| {one.name} |", " | ".join(cells), "|")


def measure_import(repeats: int) -> None:
    def start(code: str) -> Run:
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)

    bare, imported = interleaved(repeats, start(""), start("import fashionkp_mm.runtime"))
    print(f"\nimport fashionkp_mm.runtime: {imported - bare:.2f} s (aim: under 0.3 s)")


def measure_memory(folder: Path, paths: list[str]) -> None:
    network = make_network(folder)
    predictor = FashionPredictor(network.onnx)
    done = 0
    for count in (500, 1_000, 2_000, 5_000, PREDICTIONS):
        stream = (paths[index % len(paths)] for index in range(done, count))
        for _ in predictor.stream(stream):
            done += 1
        print(f"{done:6,} predictions: {resident_megabytes():7.1f} MB resident", flush=True)


def resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def picture_paths(folder: Path) -> list[str]:
    """`BATCH` image files: real ones, or drawn garments where there are none."""
    root = fashionai_root()
    if root is None:
        from fashionkp_mm.synthetic import write_dataset  # noqa: PLC0415

        root = folder / "drawn"
        write_dataset(root, images=4 * BATCH, seed=0)
        print("data: drawn garments, as FASHIONAI_ROOT is not there")
    found = sorted((root / "val").rglob("*.jpg"))
    chosen = np.linspace(0, len(found) - 1, BATCH).astype(int)
    return [str(found[index]) for index in chosen]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--memory", action="store_true", help="memory, not speed")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = picture_paths(folder)
        if args.memory:
            measure_memory(folder, paths)
        else:
            cores = os.cpu_count() or 1
            torch.set_num_threads(cores)
            print(f"{cores} cores, medians of {args.repeats}")
            measure(folder, paths, args.repeats)
            measure_import(args.repeats)


if __name__ == "__main__":
    main()
