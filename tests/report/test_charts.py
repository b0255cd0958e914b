"""Charts are well-formed and show the numbers."""

from xml.etree import ElementTree

import numpy as np
import pytest

from fashionkp_mm.report.charts import axis_limit, cumulative, histogram, legend

ERRORS = np.array([1.0, 1.2, 3.0, 4.0, 900.0] + [2.0] * 200)


def parsed(svg):
    return ElementTree.fromstring(str(svg))


def test_axis_ends_where_nearly_all_errors_lie():
    assert axis_limit(ERRORS) == 5
    assert axis_limit(np.array([30.0, 40.0])) == 50
    assert axis_limit(np.array([1e6])) == 500
    assert axis_limit(np.empty(0)) == 5


def test_every_point_is_in_one_bar():
    titles = [title.text for title in parsed(histogram(ERRORS)).iter("title")]
    counts = [int(text.split(": ")[1].split()[0].replace(",", "")) for text in titles]
    assert sum(counts) == ERRORS.size
    assert titles[-1] == "more than 5 %: 1 points"


def test_bars_stay_inside_the_chart():
    for errors in (ERRORS, np.array([0.0]), np.empty(0), np.full(12_345, 7.0)):
        chart = parsed(histogram(errors))
        width, height = map(float, chart.get("viewBox").split()[2:])
        for bar in chart.iter("rect"):
            x, y, w, h = (float(bar.get(key)) for key in ("x", "y", "width", "height"))
            assert x >= 0
            assert y >= 0
            assert w > 0
            assert h >= 0
            assert x + w <= width
            assert y + h <= height


def test_median_and_mean_are_marked():
    texts = [text.text for text in parsed(histogram(np.array([1.0, 2.0, 6.0]))).iter("text")]
    assert "median 2.00 %" in texts
    assert "NE 3.00 %" in texts


def test_a_curve_each_category_and_one_of_all():
    groups = {"skirt": np.array([1.0, 2.0]), "dress": np.array([4.0])}
    chart = parsed(cumulative(groups, {"skirt": "#123456", "dress": "#654321"}))
    curves = {curve.find("title").text: curve for curve in chart.iter("polyline")}
    assert set(curves) == {"all: 3 points", "skirt: 2 points", "dress: 1 points"}
    ys = [float(point.split(",")[1]) for point in curves["all: 3 points"].get("points").split()]
    assert ys == sorted(ys, reverse=True), "the share grows upwards"
    assert curves["skirt: 2 points"].get("style") == "stroke:#123456"


@pytest.mark.parametrize("groups", [{}, {"skirt": np.empty(0)}])
def test_a_chart_of_nothing(groups):
    chart = parsed(cumulative(groups, {"skirt": "#123456"}))
    assert not list(chart.iter("polyline"))


def test_legend_names_the_colours():
    assert "skirt" in legend({"skirt": "#123456"})
    assert "background:#123456" in legend({"skirt": "#123456"})
