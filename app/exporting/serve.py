"""Operations of the export worker: survey and clean images, write reports and key objects.

Everything here parses source files, so nothing of it runs in the window. Files are written into a
folder that the caller made for the purpose and moves into place afterwards.
"""

from __future__ import annotations

import hashlib
import io
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.exporting.answers import Cleaned, Left, SeriesFlag
from inference.evidence.seg import complete_patient
from reports.export.burned_in import why_flagged, why_refused
from reports.export.deidentify import Cleaner, NotCleanable
from reports.export.deidentify_profile import Choices, method_codes
from reports.export.key_object import build_key_object
from reports.export.sr import SrError, SrRequest, build_report
from viewer.imaging.worker.serve import Handler, Refused, WorkerContext

PERCENT_EVERY = 8
"""Files between two events of progress."""


def survey(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Look at the headers of files.

    Parameters
    ----------
    params
        `files`: paths.

    Returns
    -------
    dict
        `series`: a `SeriesFlag` for each series.
    """
    found: dict[str, SeriesFlag] = {}
    for dataset in _headers(params["files"], context):
        uid = str(dataset.get("SeriesInstanceUID", ""))
        known = found.get(uid) or SeriesFlag(
            series_uid=uid,
            modality=str(dataset.get("Modality", "")),
            description=str(dataset.get("SeriesDescription", "")),
            files=0,
        )
        found[uid] = known.model_copy(
            update={
                "files": known.files + 1,
                "flagged": known.flagged or why_flagged(dataset),
                "refused": known.refused or why_refused_header(dataset),
            }
        )
    return {"series": [one.model_dump() for one in found.values()]}


def why_refused_header(dataset: Any) -> str:
    """Return why an object is refused, from a header that was read without its pixels."""
    if dataset.get("Rows") and "ContentSequence" not in dataset:
        return ""
    return why_refused(dataset)


def deidentify(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Write cleaned copies of files.

    Parameters
    ----------
    params
        `files`: paths; `choices`: `Choices` as JSON; `secret`: hex; `to`: an empty folder,
        or a ZIP that does not exist yet.

    Returns
    -------
    dict
        A `Cleaned`.
    """
    files = [str(path) for path in params["files"]]
    choices = Choices.model_validate(params["choices"])
    cleaner = Cleaner(choices, bytes.fromhex(params["secret"]))
    flags: dict[str, str] = {}
    for dataset in _headers(files, context):
        cleaner.identity.learn(dataset)
        uid = str(dataset.get("SeriesInstanceUID", ""))
        flags[uid] = flags.get(uid) or why_flagged(dataset)
    report = _Tally()
    target = Path(params["to"])
    with _Outlet(target) as outlet:
        for count, path in enumerate(files):
            if context.cancelled():
                raise Refused("cancelled", "Stopped as asked.")
            if count % PERCENT_EVERY == 0:
                context.emit({"progress": count, "total": len(files)})
            try:
                dataset = _read(path)
            except Unreadable as error:
                report.leave("", "", str(error))
                continue
            uid, modality = str(dataset.get("SeriesInstanceUID", "")), str(dataset.get("Modality", ""))
            flag = flags.get(uid, "")
            if flag and uid not in choices.with_flagged:
                report.leave(uid, modality, f"may show text in its pixels: {flag}")
                continue
            try:
                cleaned = cleaner.clean(dataset)
                content = _bytes(cleaned)
            except NotCleanable as error:
                report.leave(uid, modality, str(error))
                continue
            except Exception as error:  # a damaged file provokes anything in the writer
                report.leave(uid, modality, f"it cannot be written ({type(error).__name__})")
                continue
            report.write(uid)
            outlet.write(report.place(uid), content)
        digest = outlet.digest()
    if not report.written:
        raise Refused("nothing", report.words())
    return report.cleaned(digest, choices).model_dump(mode="json")


def write_report(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Write marks as a structured report.

    Parameters
    ----------
    params
        `request`: an `SrRequest`; `sources`: files of the images; `path`: where to.

    Returns
    -------
    dict
        `sop_instance_uid` and `sha256` of the file.
    """
    request = SrRequest.model_validate(params["request"])
    return _write(lambda sources: build_report(request, sources), params)


def write_key_object(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Write key images in order: `sources`, `person`, `description`, `path`."""
    person, description = str(params["person"]), str(params.get("description", ""))
    return _write(
        lambda sources: build_key_object(sources, person=person, description=description), params
    )


def _write(build: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    sources = []
    for path in params["sources"]:
        try:
            dataset = _read(str(path), pixels=False)
        except Unreadable as error:
            again = f"An image can no longer be read ({error}): index its folder again."
            raise Refused("source", again) from error
        for keyword in REFERENCE_NEEDS:
            if not dataset.get(keyword):
                raise Refused("source", f"An image lacks {keyword}, so nothing can refer to it.")
        complete_patient(dataset, dataset)  # what is missing is empty: highdicom asks for all of it
        sources.append(dataset)
    path = Path(params["path"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            written = build(sources)
        except SrError as error:
            raise Refused("report", str(error)) from error
        complete_patient(written, sources[0])
        written.save_as(path, enforce_file_format=True)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"sop_instance_uid": str(written.SOPInstanceUID), "sha256": digest}


REFERENCE_NEEDS = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")


class Unreadable(Exception):
    """A file that cannot be copied; the words say why, without the name of the file."""


def _headers(files: Sequence[str], context: WorkerContext) -> Iterator[Any]:
    for path in files:
        if context.cancelled():
            raise Refused("cancelled", "Stopped as asked.")
        try:
            yield _read(path, pixels=False)
        except Unreadable:
            continue


def _read(path: str, *, pixels: bool = True) -> Any:
    """Return the data set of a file.

    Raises
    ------
    Unreadable
        The viewer may show such a file all the same: it also reads bare data sets.
    """
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path, stop_before_pixels=not pixels)
            lacking = [one for one in ("SOPClassUID", "SOPInstanceUID") if one not in dataset]
    except InvalidDicomError as error:
        raise Unreadable("it has no DICOM file header (PS3.10)") from error
    except Exception as error:  # pydicom raises whatever its input provokes
        raise Unreadable("it cannot be read") from error
    if lacking:
        raise Unreadable(f"its header has no {lacking[0]}")
    return dataset


def _bytes(dataset: Any) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


class _Outlet:
    """A folder or a ZIP that takes files, and the hash of all of them."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._zip: zipfile.ZipFile | None = None
        self._hash = hashlib.sha256()

    def __enter__(self) -> _Outlet:
        if self._target.suffix.lower() == ".zip":
            self._zip = zipfile.ZipFile(self._target, "x", zipfile.ZIP_DEFLATED, compresslevel=1)
        else:
            self._target.mkdir(mode=0o700, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._zip is not None:
            self._zip.close()

    def write(self, name: str, content: bytes) -> None:
        self._hash.update(name.encode() + hashlib.sha256(content).digest())
        if self._zip is not None:
            # Without a date: when it was exported is nobody's business.
            self._zip.writestr(zipfile.ZipInfo(name), content, compress_type=zipfile.ZIP_DEFLATED)
            return
        path = self._target / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_bytes(content)

    def digest(self) -> str:
        return self._hash.hexdigest()


class _Tally:
    """Counts what was written and what was left out, and names files without the patient."""

    def __init__(self) -> None:
        self.written = 0
        self._series: dict[str, int] = {}
        self._left: dict[tuple[str, str, str], int] = {}

    def write(self, series_uid: str) -> None:
        self.written += 1
        self._series[series_uid] = self._series.get(series_uid, 0) + 1

    def place(self, series_uid: str) -> str:
        number = list(self._series).index(series_uid) + 1
        return f"series-{number:03d}/{self._series[series_uid]:06d}.dcm"

    def leave(self, series_uid: str, modality: str, reason: str) -> None:
        key = (series_uid, modality, reason)
        self._left[key] = self._left.get(key, 0) + 1

    def words(self) -> str:
        reasons = "; ".join(dict.fromkeys(reason for _, _, reason in self._left))
        return f"Nothing could be exported: {reasons or 'there are no files'}."

    def cleaned(self, digest: str, choices: Choices) -> Cleaned:
        return Cleaned(
            written=self.written,
            series=len(self._series),
            left_out=tuple(
                Left(series_uid=uid, modality=modality, files=count, reason=reason)
                for (uid, modality, reason), count in self._left.items()
            ),
            manifest_sha256=digest,
            codes=tuple(meaning for _, meaning in method_codes(choices)),
        )


HANDLERS: dict[str, Handler] = {
    "survey": survey,
    "deidentify": deidentify,
    "write_report": write_report,
    "write_key_object": write_key_object,
}
