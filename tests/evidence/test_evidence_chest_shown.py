"""Aorta, trachea and vertebra at a place that a person shows: tilted tubes with known diameters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic_chest import Chest, make_context, with_stored

from inference.evidence.chest.shown import CtAorta, CtTrachea, CtVertebra
from inference.evidence.masks import MaskStore
from inference.evidence.tool import IdSource, MeasureContext, Tool, fits
from reports.domain import Evidence
from viewer.imaging.regions import Region, Shape, Space

SPACING = (2.0, 1.0, 1.0)
SHAPE = (60, 120, 120)


def tube(tilt: float, radius: float, inside: float, outside: float) -> MeasureContext:
    """Return a study with a tube through the middle, tilted in the coronal plane."""
    ctx = make_context(Chest(), spacing=SPACING, shape=SHAPE)
    steps = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(SHAPE, SPACING, strict=True)]
    z, y, x = np.meshgrid(*steps, indexing="ij")
    way = np.array([np.sin(np.radians(tilt)), 0.0, np.cos(np.radians(tilt))])
    along = x * way[0] + z * way[2]
    far = np.sqrt(np.maximum(x**2 + y**2 + z**2 - along**2, 0.0))
    part = np.clip(radius - far + 0.5, 0.0, 1.0)
    return with_stored(ctx, np.rint(outside + part * (inside - outside)).astype(np.int16))


def at(ctx: MeasureContext, role: str, place: tuple[float, float, float]) -> MeasureContext:
    point = Region(
        shape=Shape.POINT,
        space=Space.PATIENT,
        series_instance_uid=ctx.series.series_instance_uid,
        frame_of_reference_uid=ctx.series.frame_of_reference_uid,
        points=(place,),
    )
    return replace(ctx, inputs={role: point})


def only(tool: Tool, ctx: MeasureContext) -> Evidence:
    (found,) = tool.measure(ctx, IdSource(), MaskStore())
    return found


@pytest.mark.parametrize("tilt", [0.0, 30.0, 60.0])
@pytest.mark.parametrize("radius", [11.0, 16.0])
def test_aorta_is_measured_across_its_course(tilt: float, radius: float) -> None:
    found = only(CtAorta(), at(tube(tilt, radius, 45.0, -90.0), "aorta", (3.0, -2.0, 1.0)))
    assert found.refusal is None
    assert found.value("aortic_diameter").value == pytest.approx(2 * radius, abs=1.5)
    assert found.value("aortic_short").value == pytest.approx(2 * radius, abs=1.5)


def test_aorta_without_an_edge_is_refused() -> None:
    found = only(CtAorta(), at(tube(0.0, 200.0, 45.0, -90.0), "aorta", (0.0, 0.0, 0.0)))
    assert found.refusal is not None and found.refusal.code == "uncertain"
    found = only(CtAorta(), at(tube(0.0, 16.0, -850.0, 40.0), "aorta", (0.0, 0.0, 0.0)))
    assert found.refusal is not None and "not that of a vessel" in found.refusal.reason


def test_a_place_outside_the_images_is_refused() -> None:
    found = only(CtAorta(), at(tube(0.0, 16.0, 45.0, -90.0), "aorta", (0.0, 0.0, 900.0)))
    assert found.refusal is not None and found.refusal.code == "outside_image"


def test_area_and_diameters_of_the_trachea() -> None:
    found = only(CtTrachea(), at(tube(15.0, 8.0, -1000.0, 20.0), "trachea", (1.0, 1.0, 0.0)))
    area = found.value("trachea_area")
    assert area.uncertainty is not None
    assert area.value == pytest.approx(np.pi * 64.0, abs=area.uncertainty)
    assert found.value("trachea_coronal").value == pytest.approx(16.0, abs=1.0)
    assert found.value("trachea_sagittal").value == pytest.approx(16.0, abs=1.0)


def test_spongy_bone_and_what_is_none() -> None:
    found = only(CtVertebra(), at(tube(0.0, 15.0, 135.0, 40.0), "vertebra", (0.0, 0.0, 0.0)))
    assert found.value("trabecular").value == pytest.approx(135.0, abs=1.0)
    assert any("level" in warning for warning in found.warnings)
    found = only(CtVertebra(), at(tube(0.0, 15.0, 900.0, 40.0), "vertebra", (0.0, 0.0, 0.0)))
    assert found.refusal is not None and found.refusal.code == "uncertain"


def test_nothing_is_measured_without_a_place() -> None:
    ctx = tube(0.0, 15.0, 135.0, 40.0)
    for tool in (CtAorta(), CtTrachea(), CtVertebra()):
        assert not fits(tool, ctx)
        assert fits(tool, at(ctx, tool.needs[0].role, (0.0, 0.0, 0.0)))
