"""Words of others on the screen: one line, no steering characters, numbers within what DICOM allows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fault_scene import sightline, slices
from hostile_files import write

from app.cli.output import _shown
from viewer.imaging.charset import clean, visible
from viewer.imaging.elements import RawHeader
from viewer.imaging.headers import Header, Tag
from viewer.imaging.index import index_paths
from viewer.views.corner_text import name_forms, printed_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("CT/image 1.dcm", "CT/image 1.dcm"),
        ("Aufnahme für Ärzte 山田 🙂.dcm", "Aufnahme für Ärzte 山田 🙂.dcm"),
        ("two\nlines.dcm", r"two\nlines.dcm"),
        ("colour\x1b[31m.dcm", r"colour\x1b[31m.dcm"),
        ("turned\u202emcd.gpj", r"turned\u202emcd.gpj"),
        ("broken\u2028line", r"broken\u2028line"),
    ],
)
def test_the_name_of_a_file_cannot_break_a_line_or_turn_it(name: str, shown: str) -> None:
    assert visible(name) == shown


def test_the_terminal_gets_no_bidi_and_no_control_characters() -> None:
    assert _shown("a\u202eb\x1b[2Jc\u2066d\ne") == r"a\u202eb\x1b[2Jc\u2066d" + "\ne"


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\v", "\x85", "\n", "\r", "\t"])
def test_text_of_a_header_stays_on_one_line(sign: str) -> None:
    assert clean(f"DOE{sign}JANE") == "DOE JANE"


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", ("Yamada, Tarou", "山田, 太郎", "やまだ, たろう")),
        ("=山田^太郎", ("山田, 太郎",)),
        ("==やまだ^たろう", ("やまだ, たろう",)),
        ("Wang^XiaoDong=王^小東=", ("Wang, XiaoDong", "王, 小東")),
        ("^^^=^^=", ()),
    ],
)
def test_a_name_without_letters_is_shown_in_the_script_it_has(
    name: str, forms: tuple[str, ...]
) -> None:
    assert name_forms(name) == forms
    assert printed_name(name) == (forms[0] if forms else "")


@pytest.mark.parametrize(
    ("written", "number"),
    [
        (b"7", 7),
        (b"3.0 ", 3),
        (b"-1", -1),
        (b"2147483647", 2147483647),
        (b"9999999999", None),
        (b"1e300", None),
        (b"nan", None),
        (b"", None),
    ],
)
def test_a_whole_number_beyond_32_bits_is_no_number(written: bytes, number: int | None) -> None:
    raw = RawHeader({Tag.SeriesNumber: written}, "1.2.840.10008.1.2.1", False, None, 0, False, b"")
    assert Header("a.dcm", raw).integer(Tag.SeriesNumber) == number


def test_what_is_no_file_is_named_as_that(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found = index_paths([str(pipe), "/dev/zero", str(tmp_path / "nothing")])
    assert [(bad.code, bad.reason) for bad in found.bad_files] == [
        ("not_dicom", "A device or pipe, not a file."),
        ("not_dicom", "A device or pipe, not a file."),
        ("unreadable", "There is no such file or folder."),
    ]


def test_the_command_line_names_odd_files_on_one_line_each(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(slices()[0].read_bytes())
    for name in ("two\nlines.dcm", "clear\x1b[2J.dcm", "turned\u202emcd.gpj"):
        (tmp_path / name).write_bytes(b"nothing")
    done = sightline("inspect", tmp_path)
    assert done.code == 0
    lines = [line for line in done.out.splitlines() if line.startswith("not read: ")]
    assert len(lines) == 3
    assert not set(done.out + done.err) & {"\x1b", "\u202e"}


@pytest.mark.parametrize(
    ("name", "written", "wanted"),
    [
        ("PixelSpacing", ["1e300", "1e-300"], None),
        ("PixelSpacing", [0.7, 0.8], (0.7, 0.8)),
        ("PixelSpacing", ["20000", "20000"], None),
    ],
)
def test_a_spacing_that_is_no_length_of_a_pixel_is_none(
    name: str, written: list[object], wanted: object, tmp_path: Path
) -> None:
    write(tmp_path, 1, **{name: written})
    (series,) = index_paths([str(tmp_path)]).studies[0].series
    assert series.pixel_spacing == wanted


def test_numbers_without_sense_are_dropped_and_the_unit_with_them(tmp_path: Path) -> None:
    write(
        tmp_path, 1, KVP="1e300", SliceThickness="-5", RescaleSlope="1e300",
        WindowWidth=["1e300", "400"], WindowCenter=["1", "40"], ImagePositionPatient=["1e9", 0, 0],
    )  # fmt: skip
    (series,) = index_paths([str(tmp_path)]).studies[0].series
    (instance,) = series.instances
    assert (series.kvp, series.slice_thickness) == (None, None)
    # Unspecified, so that nobody reads Hounsfield units off an image without its rescale.
    assert (instance.rescale_slope, instance.rescale_type) == (1.0, "US")
    assert [(one.center, one.width) for one in instance.windows] == [(40.0, 400.0)]
    assert instance.plane is None


def test_a_count_of_frames_beyond_all_bounds_is_refused(tmp_path: Path) -> None:
    write(tmp_path, 1, NumberOfFrames="9" * 12)
    (bad,) = index_paths([str(tmp_path)]).bad_files
    assert bad.code == "bad_header"
    assert "frames" in bad.reason
