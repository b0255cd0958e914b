"""Whether an exported pose network finds what the checkpoint finds in PyTorch.

Both go all the way from the picture to the point: in PyTorch the config's own test pipeline, the
estimator and its head's ``predict``; with the exported file `FashionPredictor`, which crops, runs
and decodes without either. Pictures and boxes are the same. Each picture takes two passes, with
the category of the network's own choice and with one given.

A point is where a vector or a heatmap has its maximum. Where two places are equally high up to the
rounding of float32, or a heatmap is too flat for MMPose's refinement of the maximum, rounding alone
decides where the point is, and no two programs agree. A point that differs counts as undecided if
MMPose's own codec moves it when PyTorch's vectors are changed by as little as rounding does, or if
there is no response to it at all, no value above 0, so that it is nowhere. The vectors themselves
must agree for these points as for all others, and if most points are undecided, the comparison has
failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose, pseudo_collate
from numpy.typing import NDArray

from fashionkp_mm.core.garments import CATEGORY_NAMES, UNKNOWN_CATEGORY
from fashionkp_mm.exporting.exported_networks import ExportedPoseNetwork
from fashionkp_mm.exporting.parity import BoxedPicture, Difference, Floats, Parity
from fashionkp_mm.exporting.trained import TrainedModel
from fashionkp_mm.runtime import FashionPredictor
from fashionkp_mm.runtime.decode import decode_outputs
from fashionkp_mm.runtime.metadata import PoseMetadata
from fashionkp_mm.runtime.session import open_session

MAX_POINT_DIFFERENCE = 0.05
"""Pixels of the crop."""
MAX_SCORE_DIFFERENCE = 1e-3
MAX_VECTOR_DIFFERENCE = 5e-4
"""Of a vector's range."""
MAX_UNDECIDED = 0.5
"""Share of undecided points; beyond, the comparison says nothing."""

_ROUNDING = 1e-5
"""Of a vector's range, or of a probability: what float32 loses on its way through a network."""
_TRIALS = 4
"""How often vectors are changed at random to see whether a point moves."""
_BATCH = 8


@dataclass(frozen=True)
class _Pass:
    """A picture, and the category to look for, by index."""

    picture: BoxedPicture
    category_index: int

    @property
    def category(self) -> str | None:
        given = self.category_index != UNKNOWN_CATEGORY
        return CATEGORY_NAMES[self.category_index] if given else None


@dataclass(frozen=True)
class _Compared:
    """How ``N`` passes came out: one number or row a pass.

    Attributes:
        points: ``(N, K)`` distances in pixels of the crop, 0 where a point is undecided.
        vectors: ``(N, K)`` largest differences, as shares of the vectors' ranges.
        undecided: ``(N, K)``, points that differ by rounding alone.
        scores: ``(N,)`` largest differences by what the scores are of.
        other_category: ``(N,)``, whether another category was chosen though one was ahead.
    """

    points: Floats
    vectors: Floats
    undecided: NDArray[np.bool_]
    scores: dict[str, Floats]
    other_category: NDArray[np.bool_]


def pose_parity(
    trained: TrainedModel, metadata: PoseMetadata, file: Path, pictures: Iterable[BoxedPicture]
) -> Parity:
    """Compare a file that `PoseExporter` made with the model that it was made of."""
    pytorch, predictor = _PyTorch(trained), FashionPredictor(file)
    session, _ = open_session(file)
    names = [*metadata.decoder.outputs(metadata.input_size), "category_scores", "visibility_scores"]

    def compare(passes: list[_Pass]) -> _Compared:
        seen = pytorch.run(passes)
        feed = {
            "images": seen.crops,
            "categories": np.array([each.category_index for each in passes]),
        }
        computed = dict(zip(names, session.run(names, feed), strict=True))
        garments = [
            predictor.predict(each.picture.image, each.category, each.picture.box[None])[0]
            for each in passes
        ]

        def found(name: str) -> NDArray[Any]:
            return np.array([getattr(garment, name) for garment in garments])

        other = found("category_index") != seen.predicted("category_indices")
        tied = other & seen.is_category_tied
        vectors, undecided = pytorch.compare_vectors(seen, computed)
        distances = seen.distances(seen.to_crops(found("keypoints")))
        undecided = (undecided | tied[:, None]) & ~(distances < MAX_POINT_DIFFERENCE)
        scores = {
            "category scores": (found("category_scores"), "category_scores"),
            "visibility scores": (computed["visibility_scores"], "visibility_scores"),
            "keypoint scores": (found("keypoint_scores"), "keypoint_scores"),
        }
        return _Compared(
            points=np.where(undecided, 0, distances),
            vectors=np.where(tied[:, None], 0, vectors),
            undecided=undecided,
            scores={
                what: np.where(tied, 0, _largest(ours, seen.predicted(name)))
                for what, (ours, name) in scores.items()
            },
            other_category=other & ~tied,
        )

    passes = (
        _Pass(picture, category)
        for picture, given in zip(pictures, cycle(range(len(CATEGORY_NAMES))), strict=False)
        for category in (UNKNOWN_CATEGORY, given)
    )
    return _parity([compare(batch) for batch in _batches(passes)])


def rtmlib_parity(
    trained: TrainedModel, metadata: PoseMetadata, file: Path, pictures: Iterable[BoxedPicture]
) -> Parity:
    """Compare a file that `RtmlibExporter` made with the model that it was made of.

    rtmlib crops for itself, so both networks get the crops of MMPose's pipeline.
    """
    pytorch = _PyTorch(trained)
    session, _ = open_session(file)
    names = list(metadata.decoder.outputs(metadata.input_size))

    def compare(passes: list[_Pass]) -> _Compared:
        seen = pytorch.run(passes)
        feed = {"input": seen.crops.transpose(0, 3, 1, 2).astype(np.float32)}
        computed = dict(zip(names, session.run(names, feed), strict=True))
        ours, _ = decode_outputs(computed, metadata.decoder, metadata.input_size)
        vectors, undecided = pytorch.compare_vectors(seen, computed)
        distances = seen.distances(ours)
        tied = seen.is_category_tied[:, None]
        undecided = (undecided | tied) & ~(distances < MAX_POINT_DIFFERENCE)
        return _Compared(
            points=np.where(undecided, 0, distances),
            vectors=np.where(tied, 0, vectors),
            undecided=undecided,
            scores={},
            other_category=np.zeros(len(passes), np.bool_),
        )

    passes = (_Pass(picture, UNKNOWN_CATEGORY) for picture in pictures)
    return _parity([compare(batch) for batch in _batches(passes)])


def _parity(batches: Sequence[_Compared]) -> Parity:
    undecided = np.concatenate([batch.undecided for batch in batches])
    points = np.concatenate([batch.points for batch in batches])
    vectors = float(np.max([batch.vectors.max() for batch in batches]))
    differences = [
        Difference("points", float(points.max()), MAX_POINT_DIFFERENCE, "px"),
        Difference("vectors", vectors, MAX_VECTOR_DIFFERENCE, "of their range"),
    ]
    for what in batches[0].scores:
        largest = np.max([batch.scores[what].max() for batch in batches])
        differences.append(Difference(what, float(largest), MAX_SCORE_DIFFERENCE))
    others = sum(int(batch.other_category.sum()) for batch in batches)
    differences.append(Difference("crops with another category chosen", others, 1))
    share = float(undecided.mean())
    differences.append(Difference("share of undecided points", share, MAX_UNDECIDED))
    return Parity(f"{undecided.size} points in {len(undecided)} crops", tuple(differences))


def _batches(passes: Iterator[_Pass]) -> Iterator[list[_Pass]]:
    while batch := list(islice(passes, _BATCH)):
        yield batch


@dataclass(frozen=True)
class _Seen:
    """What PyTorch made of ``N`` passes.

    Attributes:
        crops: ``(N, H, W, 3)`` uint8, cut out by the config's pipeline.
        samples: With their predictions.
        vectors: What the pose head gave, by the exported file's names.
    """

    crops: NDArray[np.uint8]
    samples: Sequence[Any]
    vectors: dict[str, Floats]

    def predicted(self, name: str) -> NDArray[Any]:
        """A field of the predictions, ``(N, ...)``."""
        return np.concatenate([sample.pred_instances[name] for sample in self.samples])

    @property
    def is_category_tied(self) -> NDArray[np.bool_]:
        """``(N,)``, whether two categories are ahead, but for rounding."""
        best = np.sort(self.predicted("category_scores"), axis=-1)
        tied: NDArray[np.bool_] = best[:, -1] - best[:, -2] < _ROUNDING
        return tied

    def distances(self, keypoints: NDArray[Any]) -> Floats:
        """``(N, K)``, how far points in pixels of the crops are from PyTorch's."""
        expected = self.to_crops(self.predicted("keypoints"))
        distances: Floats = np.linalg.norm(keypoints - expected, axis=-1)
        return distances

    def to_crops(self, keypoints: NDArray[Any]) -> NDArray[Any]:
        """Points ``(N, K, 2)`` from pixels of the pictures to those of the crops."""
        size, center, scale = (
            np.stack([sample.metainfo[f"input_{name}"] for sample in self.samples])[:, None]
            for name in ("size", "center", "scale")
        )
        inside: NDArray[Any] = (keypoints - center + 0.5 * scale) / scale * size
        return inside


class _PyTorch:
    """The checkpoint's way from a picture to its points."""

    def __init__(self, trained: TrainedModel) -> None:
        estimator: Any = trained.model
        # One pass a crop: averaging with the mirrored one is up to the runtime, not to the graph.
        estimator.test_cfg = {**(estimator.test_cfg or {}), "flip_test": False}
        self._estimator = estimator
        self._pipeline = Compose(trained.pipeline)
        self._network = ExportedPoseNetwork(trained.model).eval()

    def run(self, passes: Sequence[_Pass]) -> _Seen:
        """Crop and predict."""
        items = [self._pipeline(_sample(each.picture)) for each in passes]
        categories = torch.tensor([each.category_index for each in passes])
        for item, each in zip(items, passes, strict=True):
            if each.category is not None:
                item["data_samples"].gt_instances.category_indices = np.array([each.category_index])
        crops = torch.stack([item["inputs"] for item in items]).permute(0, 2, 3, 1).contiguous()
        with torch.no_grad():
            samples = self._estimator.test_step(pseudo_collate(items))
            *vectors, _, _ = self._network(crops, categories)
        names = ("simcc_x", "simcc_y") if len(vectors) == 2 else ("heatmaps",)
        return _Seen(
            crops.numpy(),
            samples,
            {name: vector.numpy() for name, vector in zip(names, vectors, strict=True)},
        )

    def compare_vectors(
        self, seen: _Seen, computed: Mapping[str, Floats]
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """How far the exported network's vectors are from PyTorch's.

        Returns:
            ``(N, K)`` largest differences as shares of a vector's range, and for which points
            rounding decides.
        """
        ranges = {name: _range(vector) for name, vector in seen.vectors.items()}
        differences = np.max(
            [
                _flat(np.abs(computed[name] - vector)).max(-1) / _flat(ranges[name])[..., 0]
                for name, vector in seen.vectors.items()
            ],
            axis=0,
        )
        rng = np.random.default_rng(0)
        variants = [computed]
        for _ in range(_TRIALS):
            noise = {
                name: rng.uniform(-1, 1, vector.shape).astype(np.float32) * ranges[name]
                for name, vector in seen.vectors.items()
            }
            variants.append(
                {name: v + np.float32(_ROUNDING) * noise[name] for name, v in seen.vectors.items()}
            )
        moved = [
            ~(seen.distances(self._decoded(seen, variant)) < MAX_POINT_DIFFERENCE)
            for variant in variants
        ]
        silent = np.min([_flat(v).max(-1) for v in seen.vectors.values()], axis=0) <= 0
        undecided = (silent | np.any(moved, axis=0)) & (differences < MAX_VECTOR_DIFFERENCE)
        return differences, undecided

    def _decoded(self, seen: _Seen, vectors: Mapping[str, Floats]) -> NDArray[Any]:
        """Where MMPose's codec finds the points, ``(N, K, 2)`` in pixels of the crops."""
        # A copy, for the codec blurs heatmaps in place.
        tensors = tuple(torch.from_numpy(vectors[name].copy()) for name in seen.vectors)
        found = self._estimator.head.pose_head.decode(tensors if len(tensors) > 1 else tensors[0])
        return np.concatenate([instances.keypoints for instances in found])


def _sample(picture: BoxedPicture) -> dict[str, Any]:
    return {
        "img": picture.image,
        "bbox": picture.box[None],
        "bbox_score": np.ones(1, np.float32),
    }


def _largest(one: Floats, other: Floats) -> Floats:
    """``(N,)`` largest absolute differences."""
    largest: Floats = np.abs(one - other).reshape(len(one), -1).max(-1)
    return largest


def _flat(vectors: Floats) -> Floats:
    """Vectors or heatmaps as ``(N, K, places)``."""
    return vectors.reshape(*vectors.shape[:2], -1)


def _range(vectors: Floats) -> Floats:
    """Highest less lowest value of each vector or heatmap, in axes of length 1; never 0."""
    axes = tuple(range(2, vectors.ndim))
    ranges: Floats = np.ptp(vectors, axis=axes, keepdims=True)
    return np.maximum(ranges, np.finfo(np.float32).tiny)
