"""Runs cases in a child process, so that one that hangs, crashes or eats memory is a finding."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from fuzzing import Fault

_START_SECONDS = 180.0
"""Patience with a child that imports torch while the machine is busy."""
_PATIENCE = 10
"""Wall time in terms of processor time: other processes may be at work too."""
_MEBIBYTE = 2**20
_SPARE = 2
"""The system stops a child at so many times the memory of one case; below, the check counts."""
_RUNS_CODE = (
    "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn",
    "subprocess.Popen", "socket.connect", "os.remove", "os.rename", "os.mkdir", "os.rmdir",
    "os.chmod", "shutil.rmtree", "webbrowser.open",
)  # fmt: skip
"""Audit events that no input file may bring about."""


@dataclass(frozen=True)
class Limits:
    """What one case may take.

    Attributes:
        seconds: Processor time. A case that takes ten times as long by the clock hangs.
        mebibytes: By how much resident memory may grow.
        audited: Whether an audit event of code that runs is a fault. Only for targets that do none
            of that themselves.
        silent: Whether it is a fault to accept what a library complains of.
    """

    seconds: float
    mebibytes: int
    audited: bool = False
    silent: bool = False


@dataclass(frozen=True)
class Verdict:
    """How a case was answered.

    Attributes:
        outcome: ``accepted`` and ``refused`` are both right.
        reason: What was wrong, if it is a fault.
    """

    outcome: Literal["accepted", "refused", "fault"]
    reason: str = ""


class Child:
    """A process that checks the cases of one target; a context manager.

    It is started anew after a case that it did not survive.

    Args:
        target: Name of a module of this package.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._limits: Limits = importlib.import_module(f"fuzzing.{target}").LIMITS
        self._process: multiprocessing.process.BaseProcess | None = None
        self._connection: Connection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def check(self, case: Any) -> Verdict:
        """Let the child check a case."""
        if self._process is None:
            self._start()
        self._connection.send(case)
        try:
            patience = _PATIENCE * self._limits.seconds
            if not self._connection.poll(patience):
                self._stop()
                return Verdict("fault", f"no answer in {patience:g} s")
            verdict: Verdict = self._connection.recv()
        except (EOFError, ConnectionError):
            status = self._stop()
            return Verdict("fault", f"the process died (exit status {status})")
        return verdict

    def _start(self) -> None:
        # A forked child would inherit the locks and threads of torch and ONNX Runtime.
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, self._target, self._limits), daemon=True
        )
        self._process.start()
        theirs.close()
        if not self._connection.poll(_START_SECONDS):
            self._stop()
            raise TimeoutError(f"the child for {self._target} did not start")
        self._connection.recv()

    def _stop(self) -> int | None:
        if self._process is None:
            return None
        self._connection.close()
        self._process.join(0.5)
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        status = self._process.exitcode
        self._process = None
        return status


def _serve(connection: Connection, target: str, limits: Limits) -> None:
    module = importlib.import_module(f"fuzzing.{target}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        module.prepare(folder)
        with _Guard(limits, folder / ".output") as guard:
            connection.send(None)
            while True:
                try:
                    case = connection.recv()
                except EOFError:
                    return
                connection.send(guard.verdict(lambda case=case: module.check(case, folder)))


class _Guard:
    """Sees to it that this process keeps to its limits, and notices where it does not."""

    def __init__(self, limits: Limits, output: Path) -> None:
        self._limits = limits
        self._output = output
        self._events: list[str] = []
        self._watching = False

    def __enter__(self) -> Self:
        # What C libraries write goes past Python's streams.
        self._log = os.open(self._output, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(self._log, stream)
        if address_space := _status("VmSize"):  # elsewhere than on Linux, time alone is limited
            import resource  # noqa: PLC0415

            most = address_space + _SPARE * self._limits.mebibytes * _MEBIBYTE
            resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if self._limits.audited:
            sys.addaudithook(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._log)

    def verdict(self, check: Callable[[], Literal["accepted", "refused"]]) -> Verdict:
        """Run a check within the limits."""
        self._events.clear()
        os.ftruncate(self._log, 0)
        before = _reset_peak()
        start = time.process_time()
        self._watching = True
        try:
            outcome = check()
        except Fault as fault:
            return Verdict("fault", str(fault))
        except BaseException as error:
            return Verdict("fault", _summary(error))
        finally:
            self._watching = False
        fault = self._exceeded(time.process_time() - start, before)
        said = os.pread(self._log, 300, 0).decode(errors="replace").strip()
        if not fault and said and self._limits.silent and outcome == "accepted":
            fault = f"accepted, though a library says: {' '.join(said.split())}"
        return Verdict("fault", fault) if fault else Verdict(outcome)

    def _exceeded(self, seconds: float, resident: int) -> str:
        """Which limit a case did not keep to; empty if none."""
        grown = (_status("VmHWM") - resident) // _MEBIBYTE
        if self._events:
            return f"code was executed: {', '.join(self._events)}"
        if seconds > self._limits.seconds:
            return f"{seconds:.1f} s, at most {self._limits.seconds:g} allowed"
        if grown > self._limits.mebibytes:
            return f"{grown} MiB taken, at most {self._limits.mebibytes} allowed"
        return ""

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._watching and event in _RUNS_CODE:
            self._events.append(f"{event}{arguments!r:.80}")


def _status(key: str) -> int:
    """A figure of this process's memory in bytes; 0 where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:")), 0)


def _reset_peak() -> int:
    """Let the peak of resident memory begin anew; what is resident now, in bytes."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return _status("VmHWM")
    return _status("VmRSS")


def _summary(error: BaseException) -> str:
    """An exception in one line, with the last place in the package that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "fashionkp_mm" in frame.filename]
    last = (ours or frames)[-1]
    where = f"{Path(last.filename).name}:{last.lineno}"
    return f"{type(error).__name__} in {where}: {str(error)[:200]}"
