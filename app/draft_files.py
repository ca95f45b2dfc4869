"""The files of a draft without a store: what `sightline draft` writes and `sightline sign` reads."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from app.documents import now_utc, pdf_document, study_block
from app.files import write_private
from inference.evidence.client import MASKS_SOURCE, source_files
from reports.domain import Draft, Ledger, Report, ReportState, Trace
from viewer.imaging.study import Study
from viewer.imaging.volume import ImageStack
from viewer.imaging.worker.errors import WorkerRefused

if TYPE_CHECKING:
    from app.engine import DraftOutcome, Engine
    from inference.evidence.masks import MaskStore

LOG = logging.getLogger(__name__)

LEDGER, DRAFT, TRACE, STUDY = "ledger.json", "draft.json", "trace.json", "study.json"
SEG, PDF = "evidence.seg.dcm", "draft.pdf"
SEG_OF_COMPANION = "evidence-{modality}.seg.dcm"
"""Masks on a series that was read beside the first."""

_Model = TypeVar("_Model", bound=BaseModel)


class DraftFolderError(Exception):
    """A folder that holds no complete draft; the message names the file."""


@dataclass(frozen=True)
class DraftFolder:
    """A folder with the files of one draft, each private to its owner."""

    path: Path

    def made(self) -> DraftFolder:
        """Make the folder before the work whose result goes there, and return this."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self

    def write_evidence(
        self, engine: Engine, study: Study, stack: ImageStack, ledger: Ledger, masks: MaskStore
    ) -> list[Path]:
        """Write the ledger, and the masks as DICOM SEG when there are any; return the files."""
        written = [self._write_json(LEDGER, ledger)]
        for old in self.path.glob(SEG_OF_COMPANION.format(modality="*")):
            old.unlink()
        (self.path / SEG).unlink(missing_ok=True)
        for key in masks.series:
            if key:
                series = next(one for one in study.series if one.key == key)
                seg = self.path / SEG_OF_COMPANION.format(modality=series.modality.lower())
                sources = [series.instances[index].path for index, _ in series.frame_order()]
            else:
                seg, sources = self.path / SEG, source_files(stack)
            try:
                engine.evidence.write_seg_of(masks.of(key), sources, seg, tool=MASKS_SOURCE)
            except WorkerRefused as error:
                # Images without UIDs or a place in the patient: the draft stands without its masks.
                LOG.warning("No segmentation was written. %s", error)
                continue
            written.append(seg)
        return written

    def write(
        self, engine: Engine, study: Study, stack: ImageStack, outcome: DraftOutcome
    ) -> list[Path]:
        """Write everything of a draft; the PDF carries DRAFT across each page."""
        from reports.export.pdf import build_pdf

        result = outcome.result
        written = self.write_evidence(engine, study, stack, result.ledger, outcome.masks)
        written += [
            self._write_json(DRAFT, result.draft),
            self._write_json(TRACE, result.trace),
            self._write_json(STUDY, study),
        ]
        document = pdf_document(
            unsigned_report(study, result.draft),
            result.ledger,
            study,
            stack,
            installation="",
            trace=result.trace,
            candidates=result.draft.candidates,
        )
        written.append(write_private(self.path / PDF, build_pdf(document)))
        return written

    def read(self) -> tuple[Study, Ledger, Draft, Trace]:
        """Read a draft back.

        Raises
        ------
        DraftFolderError
            A file is missing, is not what it should be, or they belong to different studies.
        """
        study, ledger = self._read(STUDY, Study), self._read(LEDGER, Ledger)
        draft, trace = self._read(DRAFT, Draft), self._read(TRACE, Trace)
        uids = {study.study_instance_uid, ledger.study_instance_uid, draft.study_instance_uid}
        if len(uids) > 1:
            raise DraftFolderError(
                f"The files in {self.path} belong to different studies: draft again."
            )
        return study, ledger, draft, trace

    def _write_json(self, name: str, value: BaseModel) -> Path:
        content = value.model_dump(mode="json", by_alias=True)
        text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
        return write_private(self.path / name, text.encode())

    def _read(self, name: str, kind: type[_Model]) -> _Model:
        file = self.path / name
        try:
            return kind.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            raise DraftFolderError(f"{file} is missing: make the draft again.") from None
        except ValidationError as error:
            problem = error.errors()[0]
            place = ".".join(str(part) for part in problem["loc"])
            raise DraftFolderError(
                f"{file} is not valid at {place or 'its start'}: {problem['msg']}."
            ) from None


def unsigned_report(study: Study, draft: Draft) -> Report:
    """Return a draft as the first revision of a report, for its document."""
    series = next((one for one in study.series if one.key == draft.series_key), None)
    return Report(
        id=f"draft-{draft.seed}",
        revision=1,
        state=ReportState.DRAFT,
        study=study_block(study, series),
        question=draft.question,
        sentences=draft.sentences,
        limitations=draft.limitations,
        model=draft.model,
        seed=draft.seed,
        changed_at=now_utc(),
    )
