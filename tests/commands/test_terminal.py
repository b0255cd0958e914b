"""What commands say on the way: lines where no terminal shows a bar, errors that name the file."""

from __future__ import annotations

import pytest

from fashionkp_mm.commands import terminal


class TestProgressWithoutATerminal:
    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        """The time, which the test sets."""
        now = [1000.0]
        monkeypatch.setattr(terminal.time, "monotonic", lambda: now[0])
        return now

    def test_is_a_line_every_30_seconds(
        self, clock: list[float], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with terminal.progress("predicting", 5000, done=100, unit="images") as progress:
            for step in range(1, 101):
                clock[0] += 1
                progress(100 + 10 * step)

        lines = capsys.readouterr().err.splitlines()
        assert lines == [
            "predicting: 400 of 5,000, 10.0 images/s, 8 min left",
            "predicting: 700 of 5,000, 10.0 images/s, 7 min left",
            "predicting: 1,000 of 5,000, 10.0 images/s, 7 min left",
        ]

    def test_short_work_says_nothing(
        self, clock: list[float], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with terminal.progress("drawing", 3) as progress:
            for done in (1, 2, 3):
                clock[0] += 9
                progress(done)

        assert capsys.readouterr().err == ""

    def test_work_that_does_not_move_has_no_end_in_sight(
        self, clock: list[float], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with terminal.progress("drawing", 3) as progress:
            clock[0] += 40
            progress(0)

        assert capsys.readouterr().err == "drawing: 0 of 3\n"
