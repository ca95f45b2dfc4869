"""Reads an encapsulated PDF as pictures of its pages (PS3.3 A.45). Called in the imaging worker.

PDFium draws in the worker, under its memory limit; the window gets pixels and never sees the document.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from viewer.imaging.objects.foreign import ForeignObject
from viewer.imaging.objects.opening import opened
from viewer.imaging.objects.parts import packed
from viewer.imaging.objects.reports import DocumentContent, DocumentPage
from viewer.imaging.objects.values import ObjectError, value, words
from viewer.imaging.sources import Cancelled

MAX_PAGES: Final = 60
MAX_DOCUMENT: Final = 200 << 20
"""Largest document, bytes."""

DOTS_PER_INCH: Final = 150.0
MAX_SIDE: Final = 2600
"""Longer side of a page, pixels; a larger page is drawn smaller."""

OnPages = Callable[[list[DocumentPage]], None]


def read_document(
    about: ForeignObject, on_pages: OnPages, cancelled: Callable[[], bool]
) -> DocumentContent:
    """Return a document; its pages go to `on_pages` one by one and are left out of it.

    Raises
    ------
    ObjectError
        It is no PDF, locked, damaged or too large.
    Cancelled
        `cancelled` said so.
    """
    with opened(about.path) as found:
        data = value(found, "EncapsulatedDocument")
        title = words(found, "DocumentTitle")
        kind = words(found, "MIMETypeOfEncapsulatedDocument") or "application/pdf"
    if kind.lower() != "application/pdf":
        raise ObjectError("unsupported", f"Documents of type {kind} are not shown.")
    if not isinstance(data, bytes) or b"%PDF-" not in data[:1024]:
        raise ObjectError("corrupt", "It holds no PDF document.")
    if len(data) > MAX_DOCUMENT:
        raise ObjectError("too_large", f"The document is larger than {MAX_DOCUMENT >> 20} MiB.")
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise ObjectError("corrupt", "The document is damaged or locked with a password.") from error
    notes: list[str] = []
    try:
        count = len(document)
        for index in range(min(count, MAX_PAGES)):
            if cancelled():
                raise Cancelled
            page = _page(document, index)
            if page is None:
                notes.append(f"Page {index + 1} cannot be drawn: it is damaged.")
            else:
                on_pages([page])
    finally:
        document.close()
    if count > MAX_PAGES:
        notes.append(f"The first {MAX_PAGES} of {count} pages are shown.")
    return DocumentContent(about=about, title=title, page_count=count, notes=tuple(notes))


def _page(document: Any, index: int) -> DocumentPage | None:
    """Draw one page on white, none where it is damaged."""
    import pypdfium2

    try:
        page = document[index]
        width, height = page.get_size()
        if not (math.isfinite(width) and math.isfinite(height) and width > 0.0 and height > 0.0):
            return None
        scale = min(DOTS_PER_INCH / 72.0, MAX_SIDE / max(width, height))
        bitmap = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=False)
        pixels = np.asarray(bitmap.to_numpy())
    except (pypdfium2.PdfiumError, ValueError):
        return None
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        pixels = np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, axis=2)
    rgb = np.ascontiguousarray(pixels[:, :, :3])
    return DocumentPage(rows=rgb.shape[0], columns=rgb.shape[1], data=packed(rgb.tobytes()))
