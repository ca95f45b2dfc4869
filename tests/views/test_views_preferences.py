"""Preferences as data: what may have a key, what conflicts, files written by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.acts import REPORT_ACTS, WINDOW_ACTS
from app.key_rules import conflicts, normal_key, owner_of, why_refused
from app.preferences import (
    FORMAT,
    MACHINE_FILE,
    SCALE_FILE,
    Display,
    Preferences,
    PreferencesError,
    Preset,
    keep_scale,
    read,
    read_file,
    read_machine,
    read_text,
    start_scale,
)
from viewer.acts import VIEWER_ACTS

ACTS = (*REPORT_ACTS, *VIEWER_ACTS, *WINDOW_ACTS)
BY_NAME = {act.name: act for act in ACTS}
LIVER = Preset(name="Liver", centre=60, width=150)


def test_the_tables_of_acts_hold_no_conflict_and_only_keys_that_may_be() -> None:
    assert conflicts(ACTS, {}) == ()
    for act in ACTS:
        assert [key for key in act.keys if why_refused(act, key)] == []
        assert [key for key in act.keys if not normal_key(key)] == []


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("shift+ctrl+m", "Ctrl+Shift+M"),
        ("ctrl++", "Ctrl++"),
        ("+", "+"),
        ("pageup", "PgUp"),
        ("Shift+Tab", "Backtab"),
        ("f11", "F11"),
        ("Ctrl+,", "Ctrl+,"),
        ("Ctrl+K, Ctrl+D", ""),
        ("Hyper+A", ""),
        ("Ctrl+", ""),
        ("", ""),
        ("F99", ""),
        ("ß", "ß"),
        ("ö", "Ö"),
    ],
)
def test_keys_are_written_in_one_way(written: str, normal: str) -> None:
    assert normal_key(written) == normal


def test_qt_writes_keys_in_the_same_way() -> None:
    from PySide6.QtGui import QKeySequence

    for act in ACTS:
        for key in act.keys:
            assert QKeySequence(normal_key(key)) == QKeySequence(key)
            assert QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText) == normal_key(
                key
            )


@given(st.text(max_size=20))
def test_any_text_is_a_key_in_normal_form_or_none(text: str) -> None:
    normal = normal_key(text)
    assert normal == "" or normal_key(normal) == normal


def test_a_window_key_hides_a_viewport_key_and_so_conflicts_with_it() -> None:
    changed = {"window.lock": ("I",)}
    found = conflicts(ACTS, changed)
    assert [(one.key, one.first.name, one.second.name) for one in found] == [
        ("I", "viewport.invert", "window.lock")
    ]
    assert owner_of("I", ACTS, {}, besides="window.lock") is BY_NAME["viewport.invert"]
    assert owner_of("I", ACTS, {}, besides="viewport.invert") is None


def test_both_enter_keys_are_one_key() -> None:
    changed = {"viewport.invert": ("Ctrl+Enter",)}
    assert [one.second.name for one in conflicts(ACTS, changed)] == ["viewport.invert"]


@pytest.mark.parametrize(
    ("act", "key", "word"),
    [
        ("window.lock", "L", "text needs"),
        ("window.lock", "Shift+L", "text needs"),
        ("report.accept", "Ctrl+C", "text needs"),
        ("report.accept", "Down", "text needs"),
        ("viewport.invert", "Esc", "Esc closes"),
        ("viewport.invert", "Tab", "Tab moves"),
        ("viewport.invert", "Return", "Enter confirms"),
        ("viewport.invert", "Ctrl+Q, W", "not a key"),
    ],
)
def test_keys_that_others_need_are_refused_in_words(act: str, key: str, word: str) -> None:
    assert word in why_refused(BY_NAME[act], key)


@pytest.mark.parametrize("key", ["L", "Ctrl+C", "Ctrl+Return", "F5", "Alt+Left", "Shift+9"])
def test_the_viewport_may_have_keys_that_texts_need(key: str) -> None:
    assert why_refused(BY_NAME["viewport.invert"], key) == ""


def test_what_cannot_be_used_is_left_out_with_a_note_and_the_rest_stays() -> None:
    body = {
        "keys": {
            "viewport.invert": ["Q"],
            "viewport.gone": ["A"],
            "window.lock": ["L"],
            "viewport.reset": 7,
            "viewport.flip_vertical": [],
        },
        "mouse": {"Right": "window", "Left": "pan", "Wheel": "fly", "Middle": ["pan"]},
        "presets": {
            "CT": {
                "9": {"name": "Liver", "centre": 60, "width": 150},
                "1": None,
                "0": {"name": "x", "centre": 0, "width": 1},
                "2": {"name": "x", "centre": 0, "width": 0},
                "3": {"name": "x", "centre": float("nan"), "width": 1},
            },
            "MR": 3,
        },
        "display": {"text_scale": 9, "corner_text": False, "theme": "pink"},
    }
    found, notes = read(body, ACTS)
    assert found.keys == {"viewport.invert": ("Q",), "viewport.flip_vertical": ()}
    assert found.mouse == {"Right": "window"}
    assert found.presets == {"CT": {"9": LIVER, "1": None}}
    assert found.display == Display(corner_text=False)
    for part in (
        "viewport.gone", "window.lock", "viewport.reset", "mouse Left", "mouse Wheel", "mouse Middle",
        "preset CT 0", "preset CT 2", "preset CT 3", "presets MR",
        "display text_scale", "display theme",
    ):  # fmt: skip
        assert sum(note.startswith(part) for note in notes) == 1, part


def test_a_file_that_gives_a_key_twice_leaves_no_conflict() -> None:
    found, notes = read({"keys": {"viewport.invert": ["R"], "viewport.reset": ["Q"],
                                  "viewport.link": ["Q"]}}, ACTS)  # fmt: skip
    assert conflicts(ACTS, found.keys) == ()
    assert found.keys == {"viewport.invert": (), "viewport.reset": ("Q",), "viewport.link": ()}
    assert len(notes) == 2


def test_acts_may_swap_their_keys_in_a_file() -> None:
    swapped = {"viewport.invert": ["R"], "viewport.rotate_right": ["I"]}
    found, notes = read({"keys": swapped}, ACTS)
    assert (found.keys, notes) == ({name: tuple(keys) for name, keys in swapped.items()}, ())


def test_a_person_stands_on_the_machine() -> None:
    machine = Preferences(
        keys={"viewport.invert": ("Q",), "viewport.reset": ("F5",)},
        mouse={"Right": "window"},
        presets={"CT": {"9": LIVER, "8": None}},
        display=Display(text_scale=1.3),
    )
    own = Preferences(keys={"viewport.invert": ()}, display=Display(corner_text=False)).with_preset(
        "CT", "8", LIVER
    )
    both = own.over(machine)
    assert both.keys == {"viewport.invert": (), "viewport.reset": ("F5",)}
    assert both.mouse == {"Right": "window"}
    assert both.presets == {"CT": {"9": LIVER, "8": LIVER}}
    assert both.display == Display(text_scale=1.3, corner_text=False)
    assert own.without_keys("viewport.invert").over(machine).keys["viewport.invert"] == ("Q",)
    assert own.without_preset("CT", "8").over(machine).presets["CT"]["8"] is None


def test_a_written_file_reads_back(tmp_path: Path) -> None:
    own = Preferences(
        keys={"viewport.invert": ("Q", "Ctrl+I")},
        mouse={"Right": "window"},
        presets={"CT": {"9": LIVER}},
        display=Display(second_screen=True),
    )
    path = tmp_path / MACHINE_FILE
    path.write_text(own.to_text(), encoding="utf-8")
    assert read_file(path, ACTS) == (own, ())
    assert read_machine(tmp_path, ACTS) == (own, ())


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "no file of preferences"),
        (b"[]", "no file of preferences"),
        (b"{}", FORMAT),
        (b'{"sightline_preferences": 2}', "version"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"[" * 100_000, "no file of preferences"),
        (b" " * 1_000_001, "too large"),
    ],
)
def test_a_file_that_is_none_is_named_and_changes_nothing(
    tmp_path: Path, content: bytes, word: str
) -> None:
    (tmp_path / MACHINE_FILE).write_bytes(content)
    with pytest.raises(PreferencesError, match=word):
        read_file(tmp_path / MACHINE_FILE, ACTS)
    found, notes = read_machine(tmp_path, ACTS)
    assert found == Preferences()
    assert notes[0].startswith(MACHINE_FILE)


def test_without_a_file_the_machine_sets_nothing(tmp_path: Path) -> None:
    assert read_machine(tmp_path, ACTS) == (Preferences(), ())


def test_a_part_is_kept_in_the_store_and_read_back() -> None:
    own = Preferences(keys={"viewport.invert": ("Q",)}, mouse={"Right": "pan"})
    body = json.loads(json.dumps({**own.part("keys"), **own.part("mouse"), **own.part("display")}))
    assert read(body, ACTS)[0].keys == own.keys
    assert read_text(json.dumps({FORMAT: 1, **body}), ACTS)[0] == own


def test_the_text_scale_is_known_before_anybody_signs_in(tmp_path: Path) -> None:
    assert start_scale(tmp_path, ACTS) == 1.0
    machine = Preferences(display=Display(text_scale=1.15)).to_text()
    (tmp_path / MACHINE_FILE).write_text(machine, encoding="utf-8")
    assert start_scale(tmp_path, ACTS) == 1.15
    keep_scale(tmp_path, 1.5)
    assert start_scale(tmp_path, ACTS) == 1.5
    (tmp_path / SCALE_FILE).write_text('{"text_scale": 50}')
    assert start_scale(tmp_path, ACTS) == 1.15
    keep_scale(tmp_path, None)
    assert start_scale(tmp_path, ACTS) == 1.15
