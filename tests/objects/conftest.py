"""A CT in a folder, a reader with its worker, and a way to open the one object beside the CT."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from object_files import SLICES, ct_slice, save
from pydicom.dataset import Dataset

from viewer.imaging.objects.content import ObjectContent
from viewer.imaging.objects.foreign import ForeignObject
from viewer.imaging.reader import Reader
from viewer.imaging.study import Study


@pytest.fixture
def ct() -> list[Dataset]:
    """Slices of the CT, from the feet up."""
    return [ct_slice(number) for number in range(SLICES)]


@pytest.fixture
def ct_folder(tmp_path: Path, ct: list[Dataset]) -> Path:
    """The CT in a folder to which a test adds objects."""
    folder = tmp_path / "study"
    folder.mkdir()
    for number, ds in enumerate(ct):
        save(ds, folder / f"ct{number}.dcm")
    return folder


@pytest.fixture(scope="session")
def reader() -> Iterator[Reader]:
    """A reader with its worker."""
    with Reader() as one:
        yield one


Opened = tuple[Study, ForeignObject, ObjectContent]


@pytest.fixture
def open_only(reader: Reader) -> Callable[[Path], Opened]:
    """Index a path, read its only object in the worker; return study, entry and content."""

    def opened(path: Path) -> Opened:
        index = reader.index([path])
        ((study, entry),) = [(one, entry) for one in index.studies for entry in one.objects]
        return study, entry, reader.read_object(entry)

    return opened
