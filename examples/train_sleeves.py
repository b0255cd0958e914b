"""Train a classifier of sleeve lengths on crops of garments.

    python examples/train_sleeves.py --garments 600 --epochs 8

Draws garments, of which the truth is known, crops their sleeves with ``fashionkp crop`` into one
folder for each class, and trains a small network on them with torchvision's ``ImageFolder``. With
pictures of your own, replace `draw`: write a CSV with ``image_id`` and ``class``, and name your
model's predictions instead of ``--labels``. Needs torch and torchvision; takes some three minutes
on one core.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from fashionkp_mm.core.csv_format import write_labels
from fashionkp_mm.core.garments import CATEGORY_INDEX
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.synthetic import synthesize_garment

CLASSES = {"sleeveless": 0.0, "cap": 0.25, "short": 0.47, "elbow": 0.75, "long": 2.0}
"""By the largest share of the arm that the sleeves cover."""
SIZE = 96


def draw(folder: Path, count: int, seed: int) -> None:
    """Draw blouses and dresses: pictures, ``labels.csv`` and ``classes.csv``."""
    folder.mkdir(parents=True, exist_ok=True)
    names, garments = [], []
    for index in range(count):
        garment = synthesize_garment(
            np.random.default_rng([seed, index]), ("blouse", "dress")[index % 2]
        )
        names.append(f"{index:05}.png")
        garments.append(garment)
        cv2.imwrite(str(folder / names[-1]), garment.image)
    table = KeypointTable(
        image_ids=tuple(names),
        category_indices=np.array([CATEGORY_INDEX[g.category] for g in garments], np.int8),
        keypoints=np.array([g.keypoints for g in garments], np.float32),
        visibility=np.array([g.visibility for g in garments], np.int8),
        rows=np.arange(2, count + 2),
    )
    write_labels(folder / "labels.csv", table)
    with (folder / "classes.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image_id", "class"])
        for name, garment in zip(names, garments, strict=True):
            fitting = (kind for kind, most in CLASSES.items() if garment.sleeve_length <= most)
            rows.writerow([name, next(fitting)])


def crop(folder: Path) -> Path:
    """Crop both sleeves of each garment, all turned to one side; returns the classes' folder."""
    crops = folder / "crops"
    command = [sys.executable, "-m", "fashionkp_mm", "crop", "--labels", str(folder / "labels.csv")]
    command += ["--parts", "sleeve_length", "--side", "left", "--size", str(SIZE)]
    command += ["--classes", str(folder / "classes.csv"), "--out", str(crops)]
    subprocess.run(command, check=True)
    return crops / "sleeve_length"


def network(classes: int) -> nn.Module:
    """Four convolutions, each on half the pixels of the one before."""
    layers: list[nn.Module] = []
    for before, after in ((3, 16), (16, 32), (32, 64), (64, 96)):
        layers += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
                   nn.BatchNorm2d(after), nn.ReLU()]  # fmt: skip
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Dropout(0.2), nn.Linear(864, classes)
    )


def labelled(folder: Path, transform: v2.Transform) -> ImageFolder:
    """The pictures of a folder of classes, the classes numbered as in `CLASSES`."""
    pictures = ImageFolder(str(folder), transform)
    numbers = [list(CLASSES).index(name) for name in pictures.classes]
    pictures.target_transform = numbers.__getitem__
    return pictures


def train(folder: Path, held_out: Path, epochs: int, seed: int) -> float:
    """Train on one folder of classes; returns the share of the other that is classed right."""
    torch.manual_seed(seed)
    to_tensor = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5], [0.25])]
    jitter = v2.ColorJitter(0.3, 0.3, 0.3, 0.1)
    pictures = labelled(folder, v2.Compose([jitter, *to_tensor]))
    others = labelled(held_out, v2.Compose(to_tensor))
    batches = torch.utils.data.DataLoader(pictures, 32, shuffle=True, drop_last=True)
    model = network(len(CLASSES))
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, epochs * len(batches))
    right = 0.0
    for epoch in range(epochs):
        model.train()
        for images, labels in batches:
            loss = nn.functional.cross_entropy(model(images), labels, label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        right = accuracy(model, others)
        print(f"epoch {epoch + 1}: {right:.1%} of the held-out sleeves", flush=True)
    return right


@torch.no_grad()
def accuracy(model: nn.Module, pictures: ImageFolder) -> float:
    """Share of the pictures that are classed right."""
    model.eval()
    found = [model(images).argmax(1) == labels
             for images, labels in torch.utils.data.DataLoader(pictures, 64)]  # fmt: skip
    return float(torch.cat(found).float().mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--garments", type=int, default=600, help="how many to draw for training")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("sleeves"), help="folder to write to")
    arguments = parser.parse_args()
    folders = []
    for name, count, seed in (
        ("train", arguments.garments, arguments.seed),
        ("val", max(20, arguments.garments // 4), arguments.seed + 1),
    ):
        draw(arguments.out / name, count, seed)
        folders.append(crop(arguments.out / name))
    right = train(*folders, arguments.epochs, arguments.seed)
    sizes = [len(list(kind.iterdir())) for kind in folders[1].iterdir()]
    print(f"{right:.1%} of {sum(sizes)} held-out sleeves are right; the most common class would")
    print(f"be right on {max(sizes) / sum(sizes):.1%}")


if __name__ == "__main__":
    main()
