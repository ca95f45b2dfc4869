"""The columns of the worklist: what each shows, by what it sorts, how much room it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QT_TRANSLATE_NOOP

from app.shell.worklist.entries import Entry, tr


class Column(IntEnum):
    """Columns from left to right."""

    PICTURE = 0
    PATIENT = 1
    ID = 2
    AGE = 3
    DATE = 4
    MODALITY = 5
    STUDY = 6
    IMAGES = 7
    PRIOR = 8
    STATE = 9


@dataclass(frozen=True)
class ColumnSpec:
    """What a column shows and how much room it takes.

    Parameters
    ----------
    width
        Logical pixels in a wide and in a narrow window; 0 hides it, -1 takes what is left.
    """

    title: str
    text: Callable[[Entry], str]
    key: Callable[[Entry], Any]
    width: tuple[int, int]
    step: str = "base"
    tone: str = "text"
    right: bool = False


COLUMNS: dict[Column, ColumnSpec] = {
    Column.PICTURE: ColumnSpec("", lambda e: "", lambda e: 0, (96, 80)),
    Column.PATIENT: ColumnSpec(
        QT_TRANSLATE_NOOP("Worklist", "Patient"),
        lambda e: e.name,
        lambda e: e.name.casefold(),
        (190, 150),
        step="name",
    ),
    Column.ID: ColumnSpec(
        QT_TRANSLATE_NOOP("Worklist", "ID"),
        lambda e: e.study.patient.patient_id or tr("none"),
        lambda e: e.study.patient.patient_id,
        (150, 96),
        tone="text-2",
    ),
    Column.AGE: ColumnSpec(
        QT_TRANSLATE_NOOP("Worklist", "Age, sex"),
        lambda e: e.age_sex,
        lambda e: e.study.age,
        (84, 80),
        tone="text-2",
    ),
    Column.DATE: ColumnSpec(
        QT_TRANSLATE_NOOP("Worklist", "Study date"),
        lambda e: e.date,
        lambda e: e.study.date + e.study.time,
        (112, 100),
    ),
    Column.MODALITY: ColumnSpec(
        QT_TRANSLATE_NOOP("Worklist", "Mod."),
        lambda e: " ".join(e.study.modalities),
        lambda e: e.study.modalities,
        (60, 46),
    ),
    Column.STUDY: ColumnSpec(
        QT_TRANSLATE_NOOP("Worklist", "Study"),
        lambda e: e.title,
        lambda e: e.title.casefold(),
        (-1, -1),
    ),
    Column.IMAGES: ColumnSpec(
        QT_TRANSLATE_NOOP("Worklist", "Images"),
        lambda e: f"{e.images}",
        lambda e: e.images,
        (72, 60),
        right=True,
    ),
    Column.PRIOR: ColumnSpec(
        QT_TRANSLATE_NOOP("Worklist", "Prior"),
        lambda e: f"{e.priors}" if e.priors else tr("none"),
        lambda e: e.priors,
        (72, 0),
        tone="text-2",
    ),
    Column.STATE: ColumnSpec(
        QT_TRANSLATE_NOOP("Worklist", "State"),
        lambda e: ", ".join(badge.text for badge in e.badges),
        lambda e: [badge.text for badge in e.state_badges],
        (270, 176),
    ),
}
