import io
import zipfile
from datetime import date, datetime

import pytest
import xlsxwriter

from core.errors import ContentError
from inventory.formats import xlsx_bounds
from inventory.formats.xlsx import read_xlsx, write_xlsx
from inventory.formats.xlsx_bounds import checked_workbook

TABLES = ("spaces", "sites")
SHEET = "xl/worksheets/sheet1.xml"
SHARED = "xl/sharedStrings.xml"


def workbook(*rows, sheet="spaces"):
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, {"in_memory": True, "strings_to_formulas": True}) as book:
        page = book.add_worksheet(sheet)
        days = book.add_format({"num_format": "yyyy-mm-dd"})
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                page.write(at, column, cell, *([days] if isinstance(cell, date) else []))
    return packed.getvalue()


def altered(data, **parts):
    """The workbook with parts replaced: the name's last word to a function of its text."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            stem = name.rpartition("/")[2].partition(".")[0]
            content = old.read(name)
            new.writestr(name, parts[stem](content.decode()) if stem in parts else content)
    return packed.getvalue()


def read(data):
    return read_xlsx("kho.xlsx", data, TABLES)


def cells(*rows):
    return [row.cells for row in read(workbook(*rows)).get("spaces", [])]


def test_a_row_knows_its_sheet_and_line():
    (row,) = read(workbook(["id", "name"], ["wan", "Mạng diện rộng"]))["spaces"]
    assert row.place == "kho.xlsx, sheet spaces, row 2"
    assert row.cells == {"id": "wan", "name": "Mạng diện rộng"}


def test_numbers_dates_and_truths_are_read_as_the_text_that_a_person_means():
    row = [12, 2.5, date(2026, 2, 17), datetime(2026, 2, 17, 8, 30), True]  # noqa: DTZ001 - a sheet has no zones
    assert cells(["a", "b", "c", "d", "e"], row) == [
        {"a": "12", "b": "2.5", "c": "2026-02-17", "d": "2026-02-17T08:30:00", "e": "true"}
    ]


def test_a_formula_is_not_computed_and_counts_as_its_last_value():
    data = workbook(["id", "name"], ["=1+1", "x"])
    assert read(altered(data, sheet1=lambda text: text.replace("</f><v>0", "</f><v>7")))["spaces"][0].cells["id"] == "7"


def test_what_looks_like_a_formula_is_written_as_marked_text():
    data = write_xlsx({"spaces": (("id", "name"), [{"id": "=1+1", "name": "@x"}])})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert b"<f>" not in archive.read(SHEET)
        assert b'quotePrefix="1"' in archive.read("xl/styles.xml")
    assert read(data)["spaces"][0].cells == {"id": "=1+1", "name": "@x"}


def test_the_same_tables_are_written_as_the_same_bytes():
    sheets = {"spaces": (("id",), [{"id": "wan"}])}
    assert write_xlsx(sheets) == write_xlsx(sheets)


def test_empty_rows_and_sheets_count_for_nothing():
    assert cells(["id", "name"], [], ["wan", ""], []) == [{"id": "wan", "name": ""}]
    assert read(workbook()) == {}
    assert read(workbook(["id"])) == {}
    assert read(workbook(sheet="Ghi chú")) == {}


def test_a_cell_beyond_the_named_columns_is_a_fault_of_its_row_alone():
    good, bad = read(workbook(["id", "name"], ["a", "A"], ["b", "B", "lost"]))["spaces"]
    assert (good.fault, bad.fault) == ("", "a cell beyond the last named column; expected id, name")


def doubled(text):
    return f'<!DOCTYPE sst [<!ENTITY a "{"x" * 99}">]>' + text.partition("?>")[2]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (workbook(["id"], ["a"], sheet="Thiết bị"), "sheet 'Thiết bị' is no table; expected one of spaces, sites"),
        (workbook(["id", "id"], ["a", "b"]), "spaces, row 1: a column without a name or with one given twice"),
        (workbook(["id", "", "name"], ["a", "b", "c"]), "a column without a name"),
        (b"PK\x03\x04", "not a workbook"),
        (b"", "not a workbook"),
        (altered(workbook(["id"]), workbook=lambda _: "<x/>"), "not a workbook|no table"),
        (altered(workbook(["id"]), workbook=lambda _: "no XML"), "not a workbook"),
        (altered(workbook(["id"]), sharedStrings=doubled), "holds a document type"),
        (
            altered(workbook(["id"], ["a"]), sheet1=lambda text: text.replace('r="A2"', 'r="XFD2"')),
            "more than 100 columns",
        ),
        (
            altered(workbook(["id"], ["a"]), sheet1=lambda text: text.replace('"A2"', '"A1048576"')),
            "more than 200000 rows",
        ),
        (
            altered(workbook(["id"], ["a"]), sheet1=lambda text: text.replace('row r="2"', 'row r="999999"')),
            "200000 rows",
        ),
        (altered(workbook(["id"], ["a"]), sheet1=lambda text: text.replace('"A2"', '"$A$2"')), r"a cell at '\$A\$2'"),
        (
            altered(workbook(["id"]), sharedStrings=lambda text: text.replace('ount="1', 'ount="99999999999')),
            "more than",
        ),
        (
            altered(workbook(["id"], [date(2026, 2, 17)]), sheet1=lambda text: text.replace("46070", "-1e308")),
            "our age",
        ),
        (altered(workbook(["id"]), styles=lambda _: "<sst><si><t>x</t></si></sst>"), "shared texts in two parts"),
    ],
)
def test_a_workbook_that_cannot_be_used_is_told_in_one_line(data, message):
    with pytest.raises(ContentError, match=message) as caught:
        read(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("bound", "most", "message"),
    [
        ("MAX_PARTS", 3, "expected a workbook of at most 3"),
        ("MAX_INFLATED", 1000, "larger than 1000 bytes unpacked"),
        ("MAX_CELLS", 3, "more than 3 cells"),
        ("MAX_TEXT", 60, "more than 60 letters"),
    ],
)
def test_a_workbook_beyond_a_bound_is_refused(monkeypatch, bound, most, message):
    monkeypatch.setattr(xlsx_bounds, bound, most)
    with pytest.raises(ContentError, match=message):
        read(workbook(["id", "name"], ["a" * 30, "b" * 30]))


def test_a_bomb_of_zeros_is_not_inflated_beyond_the_bound(monkeypatch):
    monkeypatch.setattr(xlsx_bounds, "MAX_INFLATED", 1_000_000)
    data = altered(workbook(["id"]), sheet1=lambda _: " " * 50_000_000)
    assert len(data) < 100_000
    with pytest.raises(ContentError, match="larger than 1000000 bytes unpacked"):
        read(data)


def test_one_long_text_that_many_cells_show_counts_for_each_of_them(monkeypatch):
    monkeypatch.setattr(xlsx_bounds, "MAX_TEXT", 5_000)
    with pytest.raises(ContentError, match="more than 5000 letters"):
        read(workbook(["id"], *[["x" * 1000]] * 6))


def test_cells_without_a_place_are_counted_where_they_fall():
    def bare(text):
        return text.replace('r="A2"', "").replace('r="B2"', "")

    assert read(altered(workbook(["id", "name"], ["a", "b"]), sheet1=bare))["spaces"][0].cells == {
        "id": "a",
        "name": "b",
    }


def test_a_part_that_lies_about_its_size_is_refused():
    data = bytearray(workbook(["id"], ["a"]))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = archive.getinfo(SHEET).file_size
    assert size < 0xFFFF
    short = bytes(data).replace(size.to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with pytest.raises(ContentError, match="not a workbook"):
        read(short)


def test_what_a_part_says_of_its_encoding_is_not_believed():
    data = altered(workbook(["id"], ["ổ"]), sharedStrings=lambda text: text.replace("UTF-8", "cp037"))
    assert read(data)["spaces"][0].cells == {"id": "ổ"}


def test_parts_that_are_no_xml_do_not_reach_the_reader():
    packed = io.BytesIO(workbook(["id"], ["a"]))
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("xl/media/image1.png", b"\x89PNG\r\n")
    with zipfile.ZipFile(io.BytesIO(checked_workbook("kho.xlsx", packed.getvalue()))) as checked:
        assert "xl/media/image1.png" not in checked.namelist()
        assert SHEET in checked.namelist()


def test_a_part_given_twice_is_refused():
    packed = io.BytesIO(workbook(["id"], ["a"]))
    with zipfile.ZipFile(packed, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(SHARED, "<sst/>")
    with pytest.raises(ContentError, match="twice; expected each once"):
        read(packed.getvalue())


ESCAPES = ("_x0041_", "_x000D_", "a_x005F_x0041_b", "_x0001_0", "_X0041_", "_x0041_x0041_", "a_x0041")
MARKUP = ("<r>&</r>", "<r><t>x</t></r>", "<r>", "</t><t>", "&amp;#10;", "<b>", "]]>")


@pytest.mark.parametrize("text", [*ESCAPES, *MARKUP, "0012", "1e5", "TRUE", "2026-02-17"])
def test_text_that_looks_like_an_escape_markup_or_a_number_stays_as_it_is(text):
    data = write_xlsx({"spaces": (("id", "name"), [{"id": text, "name": "x"}])})
    assert read(data)["spaces"][0].cells["id"] == text
