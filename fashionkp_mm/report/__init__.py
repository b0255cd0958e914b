"""A test run on one HTML page that needs nothing else: no network, no script, no further file."""

from fashionkp_mm.report.cases import Case, draw_case, ranked_images
from fashionkp_mm.report.page import Report, render_page

__all__ = ["Case", "Report", "draw_case", "ranked_images", "render_page"]
