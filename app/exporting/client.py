"""The host's way to the export worker: marks, key images and de-identified copies leave through it.

Methods block. What leaves is complete and recorded, or it is not there: files are written beside their
place under a hidden name, the audit entry is made, then they are moved.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from app.exporting.answers import Cleaned, SeriesFlag
from app.exporting.mark_groups import groups_of
from inference.evidence.client import EvidenceClient
from inference.evidence.masks import MaskStore
from reports.domain import Code, Side, Source, SourceKind
from reports.export.deidentify_profile import Choices
from reports.export.sr import SrRequest, uid_of
from viewer.imaging.marks import Mark
from viewer.imaging.study import Series, Study
from viewer.imaging.worker.errors import WorkerError
from viewer.imaging.worker.host import CancelToken, WorkerHost

Recorded = Callable[[str, str], None]
"""Puts what leaves into the audit log: its form, and its hash."""

Progress = Callable[[int, int], None]

TISSUE: Final = Code(value="85756007", scheme="SCT", meaning="Tissue")

SECRET_BYTES: Final = 32


class ExportError(Exception):
    """Nothing was exported; the message says why, in words for the reader."""


@dataclass(frozen=True)
class Exported:
    """Files that were written, and what was left out, in words."""

    files: tuple[Path, ...]
    left_out: tuple[str, ...] = ()


class ExportClient:
    """Writes what others read. Methods block; call them where nothing is drawn.

    Parameters
    ----------
    host, evidence
        The workers; the evidence worker writes segmentations.
    """

    def __init__(self, host: WorkerHost, evidence: EvidenceClient) -> None:
        self.host = host
        self._evidence = evidence

    def survey(self, study: Study, *, cancel: CancelToken | None = None) -> tuple[SeriesFlag, ...]:
        """Return the series of a study with what speaks against letting them out."""
        answer = self.host.call("survey", {"files": files_of(study)}, cancel=cancel)
        return tuple(SeriesFlag.model_validate(one) for one in answer["series"])

    def deidentify(
        self,
        study: Study,
        choices: Choices,
        target: Path,
        recorded: Recorded,
        *,
        on_progress: Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> Cleaned:
        """Write cleaned copies of all images of a study into a new folder, or a ZIP.

        Raises
        ------
        ExportError
            The target is there already, or cannot be written.
        WorkerError
            Cancelled, or nothing could be exported; the message says why.
        """
        _require_new(target)
        partial = target.with_name(f".{secrets.token_hex(6)}{target.suffix.lower()}")

        def heard(event: dict[str, Any]) -> None:
            if on_progress is not None and "progress" in event:
                on_progress(int(event["progress"]), int(event["total"]))

        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            answer = self.host.call(
                "deidentify",
                {
                    "files": files_of(study),
                    "choices": choices.model_dump(mode="json"),
                    "secret": secrets.token_hex(SECRET_BYTES),
                    "to": str(partial.absolute()),
                },
                on_event=heard,
                cancel=cancel,
            )
            cleaned = Cleaned.model_validate(answer)
            recorded("de-identified images", cleaned.manifest_sha256)
            _move(partial, target)
        finally:
            _discard(partial)
        return cleaned

    def export_marks(
        self,
        study: Study,
        marks: Sequence[Mark],
        folder: Path,
        recorded: Recorded,
        *,
        person: str,
        program: str,
    ) -> Exported:
        """Write marks as a structured report, and brushed regions as segmentations, into a folder.

        Only the person's own marks on images of this study are written.

        Raises
        ------
        ExportError
            There is no mark to write.
        WorkerError
            The images cannot be referred to; the message says why.
        """
        files: list[Path] = []
        left: list[str] = []
        images = images_of(study)
        own = [mark for mark in marks if mark.is_own and (mark.in_patient or _place(mark) in images)]
        groups = groups_of(own)
        if not groups:
            raise ExportError("There is no mark of yours on this study to export.")
        folder.mkdir(parents=True, exist_ok=True)
        used = [images[_place(mark)] for mark in own if not mark.in_patient]
        used += [_any_image(study, mark) for mark in own if mark.in_patient]
        request = SrRequest(person=person, program=program, groups=groups)
        files.append(
            self._written(
                folder / "measurements.sr.dcm",
                "measurements as SR",
                recorded,
                lambda path: str(
                    self.host.call(
                        "write_report",
                        {
                            "request": request.model_dump(mode="json"),
                            "sources": list(dict.fromkeys(used)),
                            "path": str(path.absolute()),
                        },
                    )["sha256"]
                ),
            )
        )
        brushed = [mark for mark in own if mark.mask is not None and mark.mask.count]
        for number, series in enumerate(_series_with(study, brushed), start=1):
            mine = [mark for mark in brushed if mark.series_key == series.key]
            try:
                target = folder / f"regions-{number}.seg.dcm"
                files.append(self._segmentation(series, mine, target, recorded, person=person))
            except WorkerError as error:
                left.append(f"Brushed regions of {series.description or series.modality}: {error}")
        return Exported(tuple(files), tuple(left))

    def export_key_images(
        self,
        study: Study,
        sop_instance_uids: Sequence[str],
        path: Path,
        recorded: Recorded,
        *,
        person: str,
        description: str = "",
    ) -> Path:
        """Write key images as a DICOM Key Object Selection, in their order."""
        by_uid = {uid: file for (uid, _), file in images_of(study).items()}
        sources = [by_uid[uid] for uid in dict.fromkeys(sop_instance_uids) if uid in by_uid]
        if not sources:
            raise ExportError("There is no key image to export.")
        return self._written(
            path,
            "key images as KO",
            recorded,
            lambda partial: str(
                self.host.call(
                    "write_key_object",
                    {
                        "sources": sources,
                        "person": person,
                        "description": description,
                        "path": str(partial.absolute()),
                    },
                )["sha256"]
            ),
        )

    def close(self) -> None:
        """End the worker."""
        self.host.close()

    def _segmentation(
        self,
        series: Series,
        marks: Sequence[Mark],
        target: Path,
        recorded: Recorded,
        *,
        person: str,
    ) -> Path:
        """Write the brushed regions of a series, one segment a mark, on the images they touch."""
        uids = {mark.sop_instance_uid for mark in marks}
        sources = [one for one in series.instances if one.sop_instance_uid in uids]
        places = {one.sop_instance_uid: place for place, one in enumerate(sources)}
        store, tracking = MaskStore(), {}
        for mark in marks:
            assert mark.mask is not None
            volume = np.zeros((len(sources), mark.mask.rows, mark.mask.columns), dtype=np.bool_)
            volume[places[str(mark.sop_instance_uid)]] = mark.mask.unpack()
            kept = store.add(volume, label=_label(mark), side=Side.NONE, concept=TISSUE)
            tracking[kept.sha256] = mark.tracking_uid or uid_of("mark", mark.id)
        return self._written(
            target,
            "regions as SEG",
            recorded,
            lambda path: self._evidence.write_seg_of(
                store,
                [one.path for one in sources],
                path,
                tool=Source(kind=SourceKind.PERSON, name=person),
                tracking=tracking,
            ),
        )

    @staticmethod
    def _written(target: Path, form: str, recorded: Recorded, write: Callable[[Path], str]) -> Path:
        """Write a file beside its place, record it, then put it there; an older one is replaced."""
        partial = target.with_name(f".{secrets.token_hex(6)}.dcm")
        try:
            recorded(form, write(partial))
            partial.chmod(0o600)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return target


def files_of(study: Study) -> list[str]:
    """Return every file of a study once: images, then objects of others."""
    paths = [one.path for series in study.series for one in series.instances]
    paths += [one.path for one in study.objects]
    return list(dict.fromkeys(paths))


def images_of(study: Study) -> dict[tuple[str, int], str]:
    """Return the file of each (SOP Instance UID, frame number) of a study."""
    return {
        (one.sop_instance_uid, frame): one.path
        for series in study.series
        for one in series.instances
        for frame in range(1, one.number_of_frames + 1)
    }


def _place(mark: Mark) -> tuple[str, int]:
    return mark.sop_instance_uid or "", mark.frame_number


def _label(mark: Mark) -> str:
    return (mark.name or "Region")[:64]


def _series_with(study: Study, marks: Sequence[Mark]) -> list[Series]:
    keys = {mark.series_key for mark in marks}
    return [series for series in study.series if series.key in keys]


def _any_image(study: Study, mark: Mark) -> str:
    found = (series for series in study.series if series.key == mark.series_key)
    series = next(found, study.series[0])
    return series.instances[0].path


def _require_new(target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ExportError(f"{target.name} is there already. Choose a new folder or file.")


def _move(partial: Path, target: Path) -> None:
    if target.is_dir():
        target.rmdir()
    partial.rename(target)


def _discard(partial: Path) -> None:
    if partial.is_dir():
        shutil.rmtree(partial, ignore_errors=True)
    else:
        partial.unlink(missing_ok=True)
