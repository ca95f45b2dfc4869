"""What a tool is: it gets a series with its pixels and returns evidence, or a refusal in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar, cast

from inference.evidence.masks import MaskStore
from reports.domain import (
    Code,
    Evidence,
    EvidenceKind,
    Refusal,
    ReportDefault,
    Side,
    Source,
    SourceKind,
)
from viewer.imaging.geometry import GeometryVerdict
from viewer.imaging.regions import Region
from viewer.imaging.study import Series, Study
from viewer.imaging.volume import ImageStack, Volume

Made = TypeVar("Made")


class RefusalCode(StrEnum):
    """Why a tool does not fit, as a word for programs; the reader gets the sentence beside it."""

    WRONG_MODALITY = "wrong_modality"
    WRONG_REGION = "wrong_region"
    GEOMETRY = "geometry"
    CUT_FIELD_OF_VIEW = "cut_field_of_view"
    NO_LUNG = "no_lung"
    COLOUR = "colour"
    OUTSIDE_IMAGE = "outside_image"
    NO_AREA = "no_area"
    NO_SUV = "no_suv"
    WRONG_PHASE = "wrong_phase"
    WRONG_SEQUENCE = "wrong_sequence"
    WRONG_VIEW = "wrong_view"
    UNCERTAIN = "uncertain"
    """The pixels do not carry the measure: an edge is not seen, a region leaks."""
    FAILED = "failed"
    """The tool broke; an error of the program, not of the study."""


WORDS: dict[RefusalCode, str] = {
    RefusalCode.WRONG_MODALITY: "wrong modality",
    RefusalCode.WRONG_REGION: "wrong body region",
    RefusalCode.GEOMETRY: "geometry does not allow it",
    RefusalCode.CUT_FIELD_OF_VIEW: "cut field of view",
    RefusalCode.NO_LUNG: "no lung found",
    RefusalCode.COLOUR: "colour image",
    RefusalCode.OUTSIDE_IMAGE: "outside the image",
    RefusalCode.NO_AREA: "region without an area",
    RefusalCode.NO_SUV: "no standardised uptake value",
    RefusalCode.WRONG_PHASE: "wrong contrast phase",
    RefusalCode.WRONG_SEQUENCE: "wrong MR sequence",
    RefusalCode.WRONG_VIEW: "wrong view",
    RefusalCode.UNCERTAIN: "not certain enough",
    RefusalCode.FAILED: "the tool failed",
}
"""Short words of each code, as a trace row shows them."""


class ToolCancelled(Exception):
    """The caller asked a running tool to stop."""


@dataclass(frozen=True)
class DrawnRegion:
    """A region that a person drew, with the name it gets on its card."""

    region: Region
    label: str = "Drawn region"


@dataclass(frozen=True)
class Applies:
    """What a tool declares to be made for. A tool that is not made for a series is not run at all.

    A refusal is for the doubtful case: the right modality and region, but images that do not allow
    the measure.

    Parameters
    ----------
    modalities
        Values of Modality (0008,0060); empty for every modality.
    regions
        Body regions as triage names them ("chest", "head", "abdomen", ...); empty for every region. A
        series whose region is unknown fits all of them.
    """

    modalities: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()

    def fit(self, modality: str, region: str) -> bool:
        """Tell whether a series of this modality and body region is meant."""
        return (not self.modalities or modality in self.modalities) and (
            not self.regions or not region or bool(self.regions & set(region.split(", ")))
        )


EVERYTHING = Applies()
"""Of a tool that is made for every series."""


class NeedShape(StrEnum):
    """How a person gives what a tool needs."""

    POINT = "point"
    """One click: a region of shape point."""
    AREA = "area"
    """A closed outline on one image."""
    LEVEL = "level"
    """An image of the stack: a point anywhere on it."""


@dataclass(frozen=True)
class Need:
    """What a person must give before a tool can measure: a place that no program may choose.

    Parameters
    ----------
    role
        Key in `MeasureContext.inputs`: "carina", "falx_anterior", "heart".
    words
        What the reader is asked for: "Click the carina".
    """

    role: str
    shape: NeedShape
    words: str


@dataclass(frozen=True, eq=False)
class MeasureContext:
    """All that a tool may look at.

    Parameters
    ----------
    volume
        The stack as a box of voxels, or the verdict that says why it is none.
    regions
        What a person drew.
    body_region
        Body region that triage settled on, several joined by ", "; or empty.
    enhanced
        Enhanced vessels were seen in the pixels of a CT; false proves nothing.
    inputs
        What a person gave for the needs of a tool, by role.
    cancelled
        Asked between the steps of a tool; a true answer makes it raise `ToolCancelled`.
    """

    study: Study
    series: Series
    stack: ImageStack
    volume: Volume | GeometryVerdict
    regions: tuple[DrawnRegion, ...] = ()
    body_region: str = ""
    enhanced: bool = False
    inputs: Mapping[str, Region] = field(default_factory=dict)
    cancelled: Callable[[], bool] = lambda: False
    _made: dict[str, object] = field(default_factory=dict)

    def once(self, key: str, make: Callable[[], Made]) -> Made:
        """Return what `make` gives, made once per context: a lung mask that several tools need."""
        if key not in self._made:
            self._made[key] = make()
        return cast("Made", self._made[key])


class IdSource:
    """Hands out the ids of a ledger in order: "E1", "E2", ..."""

    def __init__(self, first: int = 1) -> None:
        self._next = first

    def take(self) -> str:
        """Return the next id."""
        taken = f"E{self._next}"
        self._next += 1
        return taken


class Tool(Protocol):
    """Measures one thing. `measure` never raises for data that do not fit: it returns a refusal."""

    @property
    def name(self) -> str:
        """Stable name: "ct-lungs"."""
        ...

    @property
    def version(self) -> str:
        """Changes with every change of a result."""
        ...

    @property
    def title(self) -> str:
        """Words of the trace row: "Lung volume"."""
        ...

    @property
    def concept(self) -> Code:
        """What it measures, for the evidence of a refusal."""
        ...

    @property
    def report_default(self) -> ReportDefault:
        """How its evidence enters a report."""
        ...

    @property
    def applies(self) -> Applies:
        """What it is made for."""
        ...

    @property
    def needs(self) -> tuple[Need, ...]:
        """What a person must give first; empty for a tool that runs with every draft."""
        ...

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return evidence with ids from `ids`, masks kept in `masks`."""
        ...


def fits(tool: Tool, ctx: MeasureContext) -> bool:
    """Tell whether a tool is made for this series and has what it needs of a person."""
    return tool.applies.fit(ctx.series.modality, ctx.body_region) and all(
        need.role in ctx.inputs for need in tool.needs
    )


def source(tool: Tool) -> Source:
    """Return a tool as the source of an evidence."""
    return Source(kind=SourceKind.TOOL, name=tool.name, version=tool.version)


def refused(tool: Tool, evidence_id: str, code: RefusalCode, reason: str) -> Evidence:
    """Return the evidence of a refusal: no values, no regions, a reason in words for the reader."""
    return Evidence(
        id=evidence_id,
        kind=EvidenceKind.MEASUREMENT,
        concept=tool.concept,
        label=tool.title,
        side=Side.NONE,
        source=source(tool),
        report_default=ReportDefault.LEDGER_ONLY,
        refusal=Refusal(code=code.value, reason=reason),
    )
