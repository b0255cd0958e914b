"""ONNX Runtime sessions on exported files, opened only where the file is one that we can run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fashionkp_mm.runtime.metadata import Metadata, ModelFileError, read_metadata


def open_session(path: str | os.PathLike[str], threads: int | None = None) -> tuple[Any, Metadata]:
    """Open an exported model on the CPU.

    Args:
        path: The ONNX file.
        threads: How many threads share the work of one run; ONNX Runtime's own choice by default.

    Returns:
        The ``onnxruntime.InferenceSession``, which many threads may run at once, and what the file
        says of itself.

    Raises:
        ModelFileError: The file is missing, no ONNX file, truncated, or not one of ours.
        ValueError: ``threads`` is less than 1.
    """
    # Here and not above: with it, importing the runtime would take twice as long.
    import onnxruntime  # noqa: PLC0415

    if threads is not None and threads < 1:
        raise ValueError(f"threads is {threads}, expected 1 or more, or None for all cores")
    file = os.fspath(path)
    if not Path(file).is_file():
        raise ModelFileError(f"{file}: there is no such file; expected an exported ONNX file")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3  # errors; they are raised as well
    try:
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no base class of their own.
        said = str(error).partition(" : ")[2] or str(error)
        raise ModelFileError(
            f"{file}: not an ONNX file, or a truncated or damaged one ({said.strip()}); export it"
            " again (`fashionkp export`), or copy it again and compare the sizes"
        ) from error
    return session, read_metadata(session.get_modelmeta().custom_metadata_map, file)


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
