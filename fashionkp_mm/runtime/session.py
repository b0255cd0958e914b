"""ONNX Runtime sessions on exported files, opened only where the file is one that we can run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.runtime.devices import execution_providers, require_in_use
from fashionkp_mm.runtime.metadata import Metadata, ModelFileError, read_metadata

_MAX_BYTES = 2**31
"""ONNX files are no larger; what is need not be read to know that it is none."""
_MAX_SAID = 500
"""Characters of its errors that are passed on."""
_PROBABLE = -0.01, 1.01
"""Between these lie probabilities, rounding of half-precision weights included."""
_SANE = -1e6, 1e6
"""Between these lie all other outputs: far beyond a picture's pixels and a network's responses."""


class ModelRunner:
    """An exported model whose every answer is checked; many threads may run one at once.

    It is pickled by the path of its file, which is opened again where it is unpickled.

    Args:
        path: The ONNX file.
        threads: As in `open_session`.
        device: As in `open_session`.

    Attributes:
        file: The path, for messages.
        metadata: What the file says of itself.

    Raises:
        ModelFileError, DeviceError, ValueError: As in `open_session`.
    """

    def __init__(
        self, path: str | os.PathLike[str], threads: int | None = None, device: str = "cpu"
    ) -> None:
        self.file = os.fspath(path)
        self._threads, self._device = threads, device
        self._outputs: dict[str, tuple[int, ...]] = {}
        self._session, self.metadata = open_session(path, threads, device)

    def __getstate__(self) -> dict[str, Any]:
        """All but the session; a relative path would mean another file in another folder."""
        state = {name: value for name, value in self.__dict__.items() if name != "_session"}
        return {**state, "file": os.path.abspath(self.file)}  # noqa: PTH100  as in a message

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open the file again.

        Raises:
            ModelFileError: It cannot be used, or says something else of itself than before.
        """
        self.__dict__.update(state)
        self._session, metadata = open_session(self.file, self._threads, self._device)
        if metadata != self.metadata:
            raise ModelFileError(
                f"{self.file}: was {self.metadata.name} when it was opened, and is now another"
                f" model, {metadata.name}; open it anew"
            )

    def require_interface(
        self,
        inputs: Mapping[str, tuple[str, tuple[int, ...]]],
        outputs: Mapping[str, tuple[int, ...]],
    ) -> None:
        """Check what the graph takes and gives, and go by it from now on; see the function.

        Raises:
            ModelFileError: As the function.
        """
        require_interface(self._session, self.file, inputs, outputs)
        self._outputs = dict(outputs)

    def run(self, feed: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """The outputs that were given to `require_interface`, by name, for ``N`` pictures or crops.

        Args:
            feed: Inputs by name, ``N`` rows each.

        Raises:
            ModelFileError: The graph fails, or an output has another shape than it should have, or
                holds values that are not finite or can mean nothing.
        """
        try:
            values = self._session.run(list(self._outputs), dict(feed))
        except Exception as error:  # ONNX Runtime's errors have no base class of their own.
            raise ModelFileError(
                f"{self.file}: the graph fails on {len(next(iter(feed.values())))} pictures"
                f" ({_said(error)}); export it again (`fashionkp export`)"
            ) from error
        count = len(next(iter(feed.values())))
        answers = dict(zip(self._outputs, values, strict=True))
        for name, value in answers.items():
            self._check(name, value, count)
        return answers

    def _check(self, name: str, value: NDArray[np.float32], count: int) -> None:
        shape = count, *self._outputs[name]
        if not _is_shape(value.shape, shape):
            wanted = [count, *("any" if side < 0 else side for side in shape[1:])]
            raise ModelFileError(
                f"{self.file}: the graph's output '{name}' has the shape {list(value.shape)} for"
                f" {count} pictures, expected {wanted}; export it again (`fashionkp export`)"
            )
        lowest, highest = _PROBABLE if name.endswith("scores") else _SANE
        # A comparison with NaN is false, and the least of numbers with a NaN among them is NaN.
        if value.size and not (lowest <= value.min() and value.max() <= highest):
            finite = np.isfinite(value)
            found = (
                f"{value.min():g} to {value.max():g}, expected {lowest:g} to {highest:g}"
                if finite.all()
                else f"{value.size - np.count_nonzero(finite)} numbers that are not finite"
            )
            raise ModelFileError(
                f"{self.file}: the graph's output '{name}' holds {found}; the file is damaged, or"
                " the training that it comes from diverged: test its checkpoint with tools/test.py"
            )


def open_session(
    path: str | os.PathLike[str], threads: int | None = None, device: str = "cpu"
) -> tuple[Any, Metadata]:
    """Open an exported model.

    Args:
        path: The ONNX file.
        threads: How many threads share the work of one run; one a core by default.
        device: What it runs on; see `execution_providers`.

    Returns:
        The ``onnxruntime.InferenceSession``, which many threads may run at once, and what the file
        says of itself.

    Raises:
        ModelFileError: The file is missing, no ONNX file, truncated, or not one of ours.
        DeviceError: There is no such device.
        ValueError: ``threads`` is less than 1.
    """
    # Here and not above: with it, importing the runtime would take twice as long.
    import onnxruntime  # noqa: PLC0415

    if threads is not None and threads < 1:
        raise ValueError(f"threads is {threads}, expected 1 or more, or None for all cores")
    file = os.fspath(path)
    if not Path(file).is_file():
        raise ModelFileError(f"{file}: there is no such file; expected an exported ONNX file")
    if Path(file).stat().st_size >= _MAX_BYTES:
        raise ModelFileError(f"{file}: not an ONNX file, which is never larger than 2 GiB")
    providers = execution_providers(device)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or _default_threads()
    options.log_severity_level = 3  # errors; they are raised as well
    try:
        session = onnxruntime.InferenceSession(file, options, providers=providers)
        properties = session.get_modelmeta().custom_metadata_map  # fails where it is no UTF-8
    except Exception as error:  # ONNX Runtime's errors have no base class of their own.
        raise ModelFileError(
            f"{file}: not an ONNX file, or a truncated or damaged one ({_said(error)}); export it"
            " again (`fashionkp export`), or copy it again and compare the sizes"
        ) from error
    require_in_use(session, device)
    return session, read_metadata(properties, file)


def _default_threads() -> int:
    """0, which leaves it to ONNX Runtime, unless the process is kept to some of the cores.

    ONNX Runtime starts a thread for each core of the machine and binds it there, also where
    ``taskset`` or a container's cpuset keeps the process from that core.
    """
    if not hasattr(os, "sched_getaffinity"):  # Linux alone has it
        return 0
    allowed = len(os.sched_getaffinity(0))
    return 0 if allowed == os.cpu_count() else allowed


def require_interface(
    session: Any,
    file: str,
    inputs: Mapping[str, tuple[str, tuple[int, ...]]],
    outputs: Mapping[str, tuple[int, ...]],
) -> None:
    """Check that a graph takes and gives what its metadata promises.

    Args:
        session: What `open_session` opened.
        file: Its path, for the messages.
        inputs: Type and shape, less the batch axis, by name.
        outputs: Shape, less the batch axis, by name; -1 where any length will do.

    Raises:
        ModelFileError: An input or output is missing, has another type or shape, or the batch axis
            is fixed.
    """
    given = {value.name: value for value in session.get_inputs()}
    made = {value.name: value for value in session.get_outputs()}
    expected = {
        **{name: (given, "input", *wanted) for name, wanted in inputs.items()},
        **{name: (made, "output", "tensor(float)", shape) for name, shape in outputs.items()},
    }
    for name, (found, role, element_type, shape) in expected.items():
        if name not in found:
            raise ModelFileError(
                f"{file}: the graph has no {role} '{name}', only {', '.join(found) or 'none'};"
                " its metadata belongs to another file; export it again (`fashionkp export`)"
            )
        value = found[name]
        if value.type != element_type or not _fits(value.shape, shape):
            wanted = ["batch", *("any" if side < 0 else side for side in shape)]
            raise ModelFileError(
                f"{file}: the graph's {role} '{name}' is {value.type} {value.shape}, expected"
                f" {element_type} {wanted} with a dynamic batch; export it again"
                " (`fashionkp export`)"
            )
    surplus = [name for name in given if name not in inputs]
    if surplus:
        raise ModelFileError(
            f"{file}: the graph wants an input '{surplus[0]}', which this package does not know;"
            " export it again (`fashionkp export`)"
        )


def _fits(found: list[int | str | None], shape: tuple[int, ...]) -> bool:
    """Whether a shape with names for its dynamic axes can be ``(batch, *shape)``."""
    if len(found) != 1 + len(shape) or isinstance(found[0], int):
        return False
    return all(
        side == wanted or wanted < 0 or not isinstance(side, int)
        for side, wanted in zip(found[1:], shape, strict=True)
    )


def _is_shape(found: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether a shape is the one that is wanted, where -1 stands for any length."""
    return len(found) == len(wanted) and all(
        there == side or side < 0 for there, side in zip(found, wanted, strict=True)
    )


def _said(error: Exception) -> str:
    """What ONNX Runtime says is wrong, without its codes before and its help after."""
    text = str(error).partition(" : ")[2] or str(error)
    return text.strip()[:_MAX_SAID]
