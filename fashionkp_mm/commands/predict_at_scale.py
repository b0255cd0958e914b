"""``fashionkp predict --engine ray``: from a catalogue to a folder of Parquet, on many machines."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile

from fashionkp_mm.batch.given_categories import with_categories
from fashionkp_mm.batch.options import NoRuntimeError, Options
from fashionkp_mm.batch.scale import results as result_folder
from fashionkp_mm.batch.scale.plan import parquet_files, write_sources
from fashionkp_mm.batch.scale.ray_engine import Cluster, Listener, predict_parts
from fashionkp_mm.batch.scale.results import INPUT, Results
from fashionkp_mm.batch.scale.storage import Folder, ScaleError
from fashionkp_mm.batch.scale.worker import Worker
from fashionkp_mm.batch.source import shown
from fashionkp_mm.batch.sources import (
    STDIN,
    InputError,
    Sources,
    collect,
    read_categories,
    remote_sources,
)
from fashionkp_mm.commands import terminal
from fashionkp_mm.commands.given import PredictOptions
from fashionkp_mm.commands.job import INTERRUPTED
from fashionkp_mm.core.digests import content_in_words
from fashionkp_mm.core.uris import is_uri
from fashionkp_mm.core.words import plural
from fashionkp_mm.images.remote import MissingLibraryError
from fashionkp_mm.runtime import DeviceError
from fashionkp_mm.runtime.metadata import ModelFileError


def run(given: PredictOptions, *, out: str, cluster: Cluster) -> int:
    """Predict a catalogue part by part; print what was done and what could not be.

    Args:
        given: Which pictures, and how to predict.
        out: Folder of the results, a path or a URI.
        cluster: The workers.

    Returns:
        Exit status: 1 if an image could not be predicted, 130 if the user stopped it.
    """
    errors = (
        ScaleError,
        MissingLibraryError,
        InputError,
        ModelFileError,
        DeviceError,
        NoRuntimeError,
    )
    with terminal.one_message(*errors):
        if find_spec("pyarrow") is None:
            raise ScaleError(
                "--engine ray writes Parquet, and pyarrow is not installed; it comes with pip"
                " install 'fashionkp_mm[scale]'"
            )
        folder, options = Folder(out), _options(given, cluster)
        made_by = _made_by(given, options)
        results = None
        if given.resume:
            results = result_folder.resume(folder, made_by, lambda: _input_begun(given, folder))
        if results is None:
            results = result_folder.begin(folder, made_by, lambda: _input(given, folder))
        worker = Worker(
            options,
            threads=cluster.cpus,
            out=folder,
            category=given.category,
            made_by=made_by,
        )
        return _predict(results, worker, cluster)


def _predict(results: Results, worker: Worker, cluster: Cluster) -> int:
    missing, before = results.missing, results.pictures_done
    total = results.plan.pictures
    start = time.perf_counter()
    counts: Counter[str] = Counter()
    done = before
    try:
        with terminal.progress("predicting", total, done=before, unit="images") as progress:

            def count(pictures: int) -> None:
                nonlocal done
                done = before + pictures
                progress(done)

            if missing:
                listener = Listener(count, lambda message: terminal.say("note", message))
                counts = predict_parts(missing, worker, cluster, listener)
    except KeyboardInterrupt:
        _say_stopped(done, total)
        return INTERRUPTED
    except Exception:
        _say_stopped(done, total)
        raise
    results.finish()
    seconds = time.perf_counter() - start
    return _report(results, counts, seconds, before)


def _options(given: PredictOptions, cluster: Cluster) -> Options:
    options = given.predicting()
    if cluster.gpus and options.device == "cpu":
        # Each worker sees those GPUs alone that Ray has given it.
        return replace(options, device="cuda")
    return options


def _made_by(given: PredictOptions, options: Options) -> dict[str, str]:
    made_by = options.made_by()
    made_by["pictures"] = " ".join(map(shown, given.paths))
    made_by["category"] = given.category or "none"
    made_by["categories"] = content_in_words(given.categories)
    return made_by


def _input(given: PredictOptions, folder: Folder) -> tuple[list[str], list[str]]:
    """The Parquet files of the pictures, and messages of those that were not found."""
    if _all_parquet(given):
        if given.categories is not None:
            raise ScaleError(
                "--categories is for pictures that are named one by one; give a Parquet file a"
                " column 'category'"
            )
        return _input_begun(given, folder), []
    with TemporaryFile() as file:
        failures: list[str] = []
        (path, *more) = given.paths
        if is_uri(path) and not more and given.categories is None:
            # A bucket's names are all different, so none of them need be held.
            write_sources(remote_sources(path), file)
        else:
            with terminal.warnings_said():
                sources = collect(given.paths, sys.stdin.buffer, images=given.images)
                sources = _with_categories(given, sources)
            for note in sources.notes:
                terminal.say("note", note)
            write_sources(sources.found, file)
            failures = sources.failures
        folder.put(INPUT, file)
    return [folder.path(INPUT)], failures


def _input_begun(given: PredictOptions, folder: Folder) -> list[str]:
    """The Parquet files of a run that has found its pictures before."""
    if _all_parquet(given):
        return [file for path in given.paths for file in parquet_files(path)]
    return [folder.path(INPUT)]


def _all_parquet(given: PredictOptions) -> bool:
    return all(map(_holds_parquet, given.paths))


def _with_categories(given: PredictOptions, sources: Sources) -> Sources:
    if given.categories is None:
        return sources
    categories = read_categories(given.categories)
    found, notes = with_categories(sources.found, categories, given.categories)
    return replace(sources, found=found, notes=[*sources.notes, *notes])


def _holds_parquet(path: str) -> bool:
    if path == STDIN:
        return False
    if path.partition("?")[0].lower().endswith(".parquet"):
        return True
    return not is_uri(path) and Path(path).is_dir() and any(Path(path).glob("*.parquet"))


# --- what is said


def _say_stopped(done: int, total: int) -> None:
    terminal.say(
        "note",
        f"stopped with {done:,} of {plural(total, 'image')} done; the same command with --resume"
        " goes on from there",
    )


def _report(results: Results, counts: Counter[str], seconds: float, before: int) -> int:
    said = []
    if counts["pictures"]:
        rate = counts["pictures"] / seconds
        said.append(f"{plural(counts['pictures'], 'image')} predicted in {seconds:,.1f} s")
        said.append(f" ({rate:,.1f} images/s, {plural(counts['workers'], 'worker')})")
    else:
        said.append("nothing was left to predict")
    if before:
        said.append(f", {before:,} done before")
    said.append(f": {results.folder} (Parquet, {plural(len(results.plan.parts), 'part')})")
    terminal.out().print("".join(said), markup=False, soft_wrap=True)
    if counts["lost"]:
        terminal.say("note", f"{plural(counts['lost'], 'worker')} died on the way")
    _say_failures(results.not_found)
    if counts["errors"]:
        terminal.say(
            "error",
            f"{plural(counts['errors'], 'image')} could not be predicted; `fashionkp stats"
            f" {results.folder}` says why",
        )
    return 1 if counts["errors"] or results.not_found else 0


def _say_failures(messages: Sequence[str]) -> None:
    for message in messages:
        terminal.say("error", message)
