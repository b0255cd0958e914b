from pathlib import Path

import pytest

from fashionkp_mm.batch.tables import is_row, render_table, table_format
from fashionkp_mm.batch.writers import STDOUT
from fashionkp_mm.exchange.formats import FormatError

COLUMNS = {"image_id": "string", "garment": "int64", "score": "float64"}
ROWS = [{"image_id": 'a "b".jpg', "garment": 0, "score": None}, {"garment": 1, "score": 0.5}]


def test_csv_has_a_header_and_empty_cells_for_what_is_not_known():
    text = b"".join(render_table("csv", COLUMNS, ROWS)).decode()
    assert text == 'image_id,garment,score\n"a ""b"".jpg",0,\n,1,0.5\n'
    assert b"".join(render_table("csv", COLUMNS, [])) == b"image_id,garment,score\n"


def test_parquet_has_the_same_rows_and_its_types_when_empty(tmp_path):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    for rows in (ROWS, []):
        (tmp_path / "t.parquet").write_bytes(b"".join(render_table("parquet", COLUMNS, rows)))
        table = pd.read_parquet(tmp_path / "t.parquet")
        assert list(table.columns) == list(COLUMNS)
        assert str(table["garment"].dtype) == "int64"
        assert len(table) == len(rows)


@pytest.mark.parametrize(("name", "form"), [("m.csv", "csv"), ("M.CSV", "csv"), ("-", "csv")])
def test_a_name_tells_the_format(name, form):
    assert table_format(Path(name)) == form
    assert table_format(STDOUT) == "csv"


@pytest.mark.parametrize("name", ["m", "m.json", "m.csv.gz"])
def test_a_name_that_tells_none_is_refused(name):
    with pytest.raises(FormatError, match=r"expected a name that ends in \.csv or \.parquet"):
        table_format(Path(name))


def test_parquet_without_pyarrow_says_what_to_install(monkeypatch):
    monkeypatch.setattr("fashionkp_mm.batch.tables.find_spec", lambda name: None)
    with pytest.raises(FormatError, match="pip install pyarrow"):
        table_format(Path("m.parquet"))


@pytest.mark.parametrize(
    ("found", "fits"),
    [({"garment": 1}, True), ({}, True), ({"score": None}, True), ({"other": 1}, False),
     ({"garment": [1]}, False), (None, False), ([], False), ("garment", False)],
)  # fmt: skip
def test_rows_of_a_journal(found, fits):
    assert is_row(COLUMNS, found) is fits
