"""The workers of this program behind one door: reading, measuring, writing. No Qt, no store.

The window and the command line make a draft through the same `Engine`; its methods block and are
called from a thread that draws nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType

from app.collecting import Collector
from app.documents import program_name
from app.exporting.client import ExportClient
from app.machine_policy import model_servers, model_trust
from inference.drafting.draft import DraftRequest, DraftResult, ReportTool, run_draft
from inference.drafting.style import HOUSE
from inference.drafting.templates import Language
from inference.evaluation.acceptance_record import require_accepted
from inference.evidence.client import EvidenceClient
from inference.evidence.marked import evidence_of, measured_region
from inference.evidence.masks import MaskStore
from inference.evidence.tool import DrawnRegion
from inference.models.client import ModelClient
from inference.models.generation import ModelError
from inference.models.registry import BUILT_IN, ModelRegistry
from inference.models.server_client import ServerClient
from reports.domain import Evidence, EvidenceKind, Ledger, Sentence, TraceEvent
from viewer.imaging.marks import Mark
from viewer.imaging.reader import OpenStack, Reader
from viewer.imaging.regions import Region
from viewer.imaging.study import Series, Study
from viewer.imaging.worker.host import CancelToken, Quarantine, WorkerHost

MODELS_FOLDER = "models"
"""Sub-folder of the home that holds sideloaded models."""


@dataclass(frozen=True)
class DraftOutcome:
    """A draft with the masks its regions name."""

    result: DraftResult
    masks: MaskStore


class Engine:
    """Owns the workers of one process; thread-safe, as every worker takes one call at a time.

    Parameters
    ----------
    home
        Folder of the store, for sideloaded models; none when only the built-in one is wanted.
    archive
        Folder into which ZIP files are unpacked; none for a temporary one that goes with `close`.
    """

    def __init__(self, home: Path | None = None, *, archive: Path | None = None) -> None:
        self.quarantine = Quarantine()
        self.reader = Reader(archive_dir=archive)
        self.evidence = EvidenceClient(WorkerHost("evidence", quarantine=self.quarantine))
        self.exporting = ExportClient(WorkerHost("export", quarantine=self.quarantine), self.evidence)
        self.models = ModelRegistry(
            home / MODELS_FOLDER if home is not None else None, trust=model_trust
        )
        self._clients: dict[str, ModelClient] = {}
        self._model_hosts: list[WorkerHost] = []
        self._lock = threading.Lock()

    def draft(
        self,
        study: Study,
        opened: OpenStack,
        *,
        model: str = "",
        question: str = "",
        language: str = Language.ENGLISH,
        style: str = HOUSE,
        seed: int = 0,
        ledger: Ledger | None = None,
        on_event: Callable[[TraceEvent], None] | None = None,
        on_ledger: Callable[[Ledger], None] | None = None,
        on_sentence: Callable[[Sentence], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> DraftOutcome:
        """Make a draft of an open series.

        Parameters
        ----------
        language, style
            Of the sentences: a value of `Language`, the name of a house style.
        ledger
            What is known already: it keeps its ids and is not measured again, unless it was measured
            on another series or on fewer images than there are now (`still_holds`).

        Raises
        ------
        DraftRefused, DraftCancelled
            The request does not fit, or a person cancelled.
        ModelError
            There is no model of this name, or its files are not those of its manifest.
        WorkerError
            The evidence worker failed.
        """
        client = self._client(model or BUILT_IN)
        collector = Collector(self.evidence, self.reader, study, opened, question)
        token = cancel or CancelToken()
        result = run_draft(
            DraftRequest(
                study=study,
                series=opened.stack.series,
                program=program_name(),
                question=question,
                seed=seed,
                ledger=ledger if ledger is None or still_holds(ledger, opened.stack.series) else None,
                unread=opened.bad_files,
                language=language,
                style=style,
            ),
            collect=collector,
            generate=partial(client.generate, cancel=token),
            model=client.stamp(),
            on_event=on_event,
            on_ledger=on_ledger,
            on_sentence=on_sentence,
            cancel=token,
        )
        return DraftOutcome(result, collector.masks)

    def measure(
        self,
        study: Study,
        opened: OpenStack,
        region: Region,
        ledger: Ledger,
        *,
        label: str = "Drawn region",
    ) -> Evidence:
        """Measure a region that a person drew; the evidence gets the ledger's next id."""
        return self.evidence.measure_region(
            study, opened, DrawnRegion(region, label), evidence_id=ledger.next_id()
        )

    def measure_mark(
        self, study: Study, opened: OpenStack, mark: Mark, ledger: Ledger, *, label: str, person: str
    ) -> Evidence:
        """Make a mark of a person evidence: its own values, with what the region tool adds."""
        looked = self.measure(study, opened, measured_region(mark), ledger, label=label)
        return evidence_of(mark, looked, label=label, person=person)

    def collect(
        self,
        study: Study,
        opened: OpenStack,
        *,
        report: ReportTool | None = None,
        cancel: CancelToken | None = None,
    ) -> tuple[Ledger, MaskStore]:
        """Measure a series without writing anything about it."""
        collector = Collector(self.evidence, self.reader, study, opened)
        ledger = collector(
            empty_ledger(study, opened.stack.series), report or _unheard, cancel or CancelToken()
        )
        return ledger, collector.masks

    def close(self) -> None:
        """End all workers; a call that runs ends with `WorkerCancelled`."""
        with self._lock:
            hosts, self._model_hosts = self._model_hosts, []
            self._clients.clear()
        for host in hosts:
            host.close()
        self.exporting.close()
        self.evidence.close()
        self.reader.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _client(self, name: str) -> ModelClient | ServerClient:
        """Return the client of a model or of a server; its worker starts with its first text."""
        server = next((one for one in model_servers() if one.address == name), None)
        if server is not None:
            return ServerClient(server)
        if name.startswith(("http:", "https:")):
            raise ModelError(
                "not_listed",
                f"The policy of this machine does not list the server {name}. Nothing was sent. "
                "Ask whoever administers this machine.",
            )
        installed = self.models.get(name)
        self.models.vouched(installed)
        require_accepted(installed, self.models.home)
        key = f"{name} {installed.manifest.sha256}"
        with self._lock:
            if key not in self._clients:
                host = WorkerHost("model", quarantine=self.quarantine)
                self._model_hosts.append(host)
                self._clients[key] = ModelClient(installed, host)
            return self._clients[key]


def _unheard(*_: object) -> None:
    """Hear nothing: the caller wants the ledger only."""


def still_holds(ledger: Ledger, series: Series) -> bool:
    """Return whether what was measured is of these images: of this series, and of as many.

    A ledger that no tool has written to yet (findings of a person alone) holds for every series.
    """
    technique = next((one for one in ledger.evidence if one.kind is EvidenceKind.TECHNIQUE), None)
    if technique is None:
        return True
    images = {value.value for value in technique.values if value.name == "images"}
    return ledger.series_instance_uid == series.series_instance_uid and images == {series.image_count}


def empty_ledger(study: Study, series: Series | None) -> Ledger:
    """Return a ledger of this series without entries; of none for a study without images."""
    return Ledger(
        study_instance_uid=study.study_instance_uid,
        series_instance_uid="" if series is None else series.series_instance_uid,
        modality="" if series is None else series.modality,
        patient_sex=study.patient.sex,
    )
