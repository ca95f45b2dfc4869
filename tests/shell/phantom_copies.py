"""Copies of the bundled phantom under invented names, one of them with slices left out."""

from __future__ import annotations

from pathlib import Path

import pydicom
from pydicom.uid import generate_uid

from app.demo import sample

PATIENTS = (
    ("DEMO^Patient One", "PH-1001", "M", "083Y", "20251118", frozenset()),
    ("DEMO^Patient One", "PH-1001", "M", "084Y", "20260304", frozenset()),
    ("DEMO^Patient Two", "PH-1002", "F", "054Y", "20260219", frozenset({17, 18})),
    ("DEMO^Patient Three", "PH-1003", "F", "061Y", "20260110", frozenset()),
)
"""Name, ID, sex, age, study date and the slices left out of each copy."""


def write_copies(folder: Path) -> None:
    """Write copies of the phantom with other names, and files that cannot be read."""
    sources = sorted(sample().rglob("*.dcm"))
    for number, (name, patient_id, sex, age, date, missing) in enumerate(PATIENTS):
        study, series, frame = generate_uid(), generate_uid(), generate_uid()
        place = folder / f"study{number}"
        place.mkdir(parents=True)
        for index, source in enumerate(sources):
            if index in missing:
                continue
            dataset = pydicom.dcmread(source)
            dataset.PatientName, dataset.PatientID, dataset.PatientSex = name, patient_id, sex
            dataset.PatientAge, dataset.StudyDate, dataset.PatientBirthDate = age, date, "19420101"
            dataset.StudyDescription = "Chest CT, synthetic"
            dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
            dataset.FrameOfReferenceUID = frame
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            dataset.save_as(place / source.name)
    whole = sources[0].read_bytes()
    (folder / "cut_in_pixels.dcm").write_bytes(whole[: len(whole) // 3])
    (folder / "letter.txt").write_text("not an image")
    (folder / "empty.dcm").write_bytes(b"")
