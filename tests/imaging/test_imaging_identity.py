"""Two patients in one study: only the files of one are shown, the others are named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from viewer.imaging.index import index_paths

Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]

STUDY = generate_uid()


@pytest.fixture
def folder(tmp_path: Path, ct_slice: Make, save: Save) -> Callable[..., Path]:
    """Write files of one study, each with the (ID, name) of a patient."""

    def write(*people: tuple[str, str]) -> Path:
        for number, (patient_id, name) in enumerate(people):
            ds = ct_slice(
                StudyInstanceUID=STUDY,
                SOPInstanceUID=generate_uid(),
                PatientID=patient_id,
                PatientName=name,
            )
            save(ds, tmp_path / f"{number}.dcm")
        return tmp_path

    return write


def test_files_of_another_patient_are_refused_by_their_file_name(folder: Callable[..., Path]) -> None:
    found = index_paths([str(folder(("B-2", "Beta^B"), ("A-1", "Alpha^A"), ("A-1", "Alpha^A")))])
    (study,) = found.studies
    assert study.patient.patient_id == "A-1" and study.patient.name == "Alpha^A"
    assert sum(series.image_count for series in study.series) == 2
    (bad,) = found.bad_files
    assert Path(bad.path).name == "0.dcm" and bad.code == "other_patient"
    assert "Beta" not in bad.reason and "B-2" not in bad.reason


@pytest.mark.parametrize(
    "other",
    [
        ("A-1", "Alpha-Beta^A"),  # a new name
        ("TEMP-7", "ALPHA^A^"),  # a number that was corrected
        ("", "Beta^B"),  # no number says that it is another
        ("A-1 ", "Alpha^A"),
    ],
)
def test_a_corrected_number_or_name_is_no_other_patient(
    folder: Callable[..., Path], other: tuple[str, str]
) -> None:
    found = index_paths([str(folder(("A-1", "Alpha^A"), ("A-1", "Alpha^A"), other))])
    assert not found.bad_files
    assert sum(series.image_count for series in found.studies[0].series) == 3


def test_other_numbers_without_a_name_are_other_patients(folder: Callable[..., Path]) -> None:
    found = index_paths([str(folder(("A-1", ""), ("A-1", ""), ("B-2", "")))])
    assert [bad.code for bad in found.bad_files] == ["other_patient"]
