"""Collecting: ids in the order of tools, every misfit a refusal, cancel at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from analytic_chest import Chest, make_context

from inference.evidence.collect import collect, summary
from inference.evidence.lungs import CtLungs
from inference.evidence.masks import MaskStore
from inference.evidence.region_statistics import RegionStatistics
from inference.evidence.technique import Technique
from inference.evidence.tool import (
    EVERYTHING,
    WORDS,
    Applies,
    DrawnRegion,
    IdSource,
    MeasureContext,
    Need,
    NeedShape,
    RefusalCode,
    ToolCancelled,
)
from inference.evidence.tool_table import TOOLS
from reports.domain import Code, Evidence, EvidenceKind, ReportDefault, SourceKind
from viewer.imaging.regions import Region, Shape


def nodule() -> DrawnRegion:
    return DrawnRegion(
        Region(
            shape=Shape.ELLIPSE,
            series_instance_uid="1.2.3",
            sop_instance_uid="1.2.3.39",
            points=((40, 72), (60, 72), (50, 66), (50, 78)),
        )
    )


def test_ids_follow_the_order_of_tools() -> None:
    found = collect(make_context(Chest(), regions=(nodule(), nodule())))
    evidence = found.ledger.evidence
    assert [one.id for one in evidence] == [f"E{n}" for n in range(1, len(evidence) + 1)]
    order = [tool.name for tool in TOOLS]
    places = [order.index(one.source.name) for one in evidence]
    assert places == sorted(places)
    names = [one.source.name for one in evidence]
    assert [names.count(name) for name in ("technique", "ct-lungs", "region-statistics")] == [1, 3, 2]
    assert {one.source.kind for one in evidence} == {SourceKind.TOOL}
    assert all(one.source.version for one in evidence)


def test_every_mask_of_the_ledger_is_in_the_store() -> None:
    found = collect(make_context(Chest()))
    named = {
        region.mask_sha256
        for one in found.ledger.evidence
        for region in one.regions
        if region.shape is Shape.MASK
    }
    assert named == {reference.sha256 for reference in found.masks}
    assert len(named) == 2


def test_events_tell_running_then_the_outcome() -> None:
    heard: list[dict[str, Any]] = []
    tools = (Technique(), CtLungs(), RegionStatistics())
    collect(make_context(Chest(), shape=(40, 180, 180)), tools, on_event=heard.append)
    told = [(event["tool"], event["status"]) for event in heard]
    assert told == [
        ("body-region", "done"), ("technique", "running"), ("technique", "done"),
        ("ct-lungs", "running"), ("ct-lungs", "refused"),
        ("region-statistics", "running"), ("region-statistics", "done"),
    ]  # fmt: skip
    refused = heard[4]
    assert refused["evidence"] == ["E2"]
    assert refused["message"].startswith("cut field of view: ")


@pytest.mark.parametrize(
    ("modality", "region", "runs"),
    [("CT", "chest", True), ("CT", "spine", False), ("MR", "chest", False)],
)
def test_a_tool_runs_only_where_it_is_made_for(modality: str, region: str, runs: bool) -> None:
    ctx = replace(make_context(Chest(), modality=modality), body_region=region)
    found = collect(ctx, (Technique(), CtLungs()))
    assert ("ct-lungs" in {event["tool"] for event in found.events}) is runs
    assert found.ledger.body_region == region


def test_a_tool_that_needs_a_person_waits_for_what_it_needs() -> None:
    need = Need(role="carina", shape=NeedShape.POINT, words="Click the carina")
    ctx = make_context(Chest())
    asked = replace(RegionStatistics(), needs=(need,))
    assert [event["tool"] for event in collect(ctx, (asked,)).events] == ["body-region"]
    point = Region(
        shape=Shape.POINT,
        series_instance_uid=ctx.series.series_instance_uid,
        sop_instance_uid=ctx.series.instances[0].sop_instance_uid,
        points=((10.0, 10.0),),
    )
    assert collect(replace(ctx, inputs={"carina": point}), (asked,)).events[1]["status"] == "running"


@dataclass(frozen=True)
class Broken:
    """A tool with an error in it."""

    name: str = "broken"
    version: str = "1"
    title: str = "Broken"
    concept: Code = Technique().concept
    report_default: ReportDefault = ReportDefault.SENTENCE
    applies: Applies = EVERYTHING
    needs: tuple[Need, ...] = ()

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Fail."""
        raise ZeroDivisionError


def test_a_broken_tool_costs_its_own_evidence_only() -> None:
    found = collect(make_context(Chest()), (Technique(), Broken(), CtLungs()))
    assert [one.id for one in found.ledger.evidence] == ["E1", "E2", "E3", "E4", "E5"]
    refusal = found.ledger.evidence[1].refusal
    assert refusal is not None and refusal.code == RefusalCode.FAILED
    assert "ZeroDivisionError" in refusal.reason
    assert found.events[4]["status"] == "failed"


@pytest.mark.parametrize("after", [0, 1, 3, 6])
def test_cancel_stops_between_and_inside_tools(after: int) -> None:
    asked = iter(range(1000))
    with pytest.raises(ToolCancelled):
        collect(make_context(Chest()), cancelled=lambda: next(asked) >= after)


def test_the_same_pixels_give_the_same_ledger() -> None:
    first, second = (collect(make_context(Chest(), noise=10.0)) for _ in range(2))
    assert first.ledger == second.ledger
    assert first.masks.to_bytes() == second.masks.to_bytes()


def test_technique_is_the_header_in_written_form() -> None:
    ctx = make_context(
        Chest(), body_part="CHEST", kvp=120.0, contrast_agent="Iohexol", convolution_kernel="B30f"
    )
    (found,) = Technique().measure(ctx, IdSource(), MaskStore())
    assert found.kind is EvidenceKind.TECHNIQUE
    assert found.report_default is ReportDefault.SENTENCE
    assert (found.anatomy, found.descriptor) == ("chest", "contrast-enhanced")
    assert {value.name: value.text for value in found.values} == {
        "images": "76", "slice_thickness": "4 mm", "slice_spacing": "4 mm", "kvp": "120 kV",
    }  # fmt: skip
    assert "kernel B30f" in found.checks


def test_no_contrast_agent_in_the_header_claims_nothing() -> None:
    (found,) = Technique().measure(make_context(Chest()), IdSource(), MaskStore())
    assert found.descriptor == ""


def test_unknown_body_part_is_no_word_of_the_report() -> None:
    ctx = make_context(Chest(), body_part="HEAD <|eot|> 12")
    (found,) = Technique().measure(ctx, IdSource(), MaskStore())
    assert found.anatomy == ""


def test_every_refusal_code_has_words() -> None:
    assert set(WORDS) == set(RefusalCode)
    assert len({tool.name for tool in TOOLS}) == len(TOOLS)
    assert summary(()) == "nothing to measure"
