"""A PDF of others is shown as pictures of its pages, drawn in the worker."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from object_files import new_object, save
from pydicom.dataset import Dataset
from reportlab.pdfgen.canvas import Canvas

from viewer.imaging.objects.read_document import MAX_PAGES, MAX_SIDE
from viewer.imaging.reader import Reader
from viewer.imaging.worker.host import WorkerRefused

Open = Callable[[Path], Any]
PDF = "1.2.840.10008.5.1.4.1.1.104.1"


def pdf(pages: int = 1, size: tuple[float, float] = (200.0, 100.0), **options: Any) -> bytes:
    """Return a document whose pages have a black lower left quarter and a red upper right one."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=size, **options)
    for _ in range(pages):
        canvas.setFillColorRGB(0, 0, 0)
        canvas.rect(0, 0, size[0] / 2, size[1] / 2, stroke=0, fill=1)
        canvas.setFillColorRGB(1, 0, 0)
        canvas.rect(size[0] / 2, size[1] / 2, size[0] / 2, size[1] / 2, stroke=0, fill=1)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def document(data: bytes, kind: str = "application/pdf") -> Dataset:
    ds = new_object(PDF, Modality="DOC", DocumentTitle="Letter", MIMETypeOfEncapsulatedDocument=kind)
    ds.EncapsulatedDocument = data + b"\0" * (len(data) % 2)
    ds.EncapsulatedDocumentLength = len(data)
    return ds


def test_pages_come_as_pictures_with_their_colours(tmp_path: Path, open_only: Open) -> None:
    save(document(pdf(3)), tmp_path / "letter.dcm")
    _, entry, content = open_only(tmp_path)
    assert (entry.label, content.title, content.page_count) == ("Letter", "Letter", 3)
    assert len(content.pages) == 3
    picture = content.pages[0].pixels
    rows, columns = picture.shape[:2]
    assert (rows, columns) == pytest.approx((100 * 150 / 72, 200 * 150 / 72), abs=1)
    quarter = {
        (3, 1): (0, 0, 0),
        (1, 3): (255, 0, 0),
        (1, 1): (255, 255, 255),
        (3, 3): (255, 255, 255),
    }
    for (down, across), wanted in quarter.items():
        assert tuple(picture[rows * down // 4, columns * across // 4]) == wanted


def test_long_and_large_documents_are_cut_and_say_so(tmp_path: Path, open_only: Open) -> None:
    save(document(pdf(MAX_PAGES + 2, size=(14000.0, 20.0))), tmp_path / "long.dcm")
    content = open_only(tmp_path)[2]
    assert (len(content.pages), content.page_count) == (MAX_PAGES, MAX_PAGES + 2)
    assert content.notes == (f"The first {MAX_PAGES} of {MAX_PAGES + 2} pages are shown.",)
    assert max(content.pages[0].pixels.shape) <= MAX_SIDE + 1


@pytest.mark.parametrize(
    ("data", "kind", "code"),
    [
        (b"%PDF-1.7 and then nothing", "application/pdf", "corrupt"),
        (b"no document at all", "application/pdf", "corrupt"),
        (pdf()[:400], "application/pdf", "corrupt"),
        (b"<ClinicalDocument/>", "text/XML", "unsupported"),
    ],
)
def test_what_is_no_pdf_is_refused(
    data: bytes, kind: str, code: str, tmp_path: Path, reader: Reader
) -> None:
    save(document(data, kind), tmp_path / "bad.dcm")
    (entry,) = reader.index([tmp_path]).studies[0].objects
    with pytest.raises(WorkerRefused) as refused:
        reader.read_object(entry)
    assert refused.value.code == code


def test_a_locked_document_is_refused(tmp_path: Path, reader: Reader) -> None:
    save(document(pdf(encrypt="secret")), tmp_path / "locked.dcm")
    (entry,) = reader.index([tmp_path]).studies[0].objects
    with pytest.raises(WorkerRefused, match="password"):
        reader.read_object(entry)


@pytest.mark.shared
def test_a_real_document_has_ink_on_its_page(shared_data: Path, open_only: Open) -> None:
    content = open_only(shared_data / "sr-seg-rt" / "encapsulated_pdf.dcm")[2]
    (page,) = content.pages
    assert 0.001 < np.mean(page.pixels < 100) < 0.5
