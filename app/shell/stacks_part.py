"""What lies over the images as they came: overlay planes, phases of 4D series, tiles of slides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from PySide6.QtCore import QCoreApplication

from app.shell.parts import LightPart, PartContext
from viewer.imaging.study import Study
from viewer.views.phase_layer import PhaseLayer
from viewer.views.phase_steps import PhaseSteps
from viewer.views.planes_layer import OverlayPlanes, PlanesLayer
from viewer.views.slide_layer import SlideLayer


class StacksPart(LightPart):
    """Lays over all viewports what their images bring."""

    def __init__(self, context: PartContext) -> None:
        self._area = area = context.area
        self._planes = OverlayPlanes(area.adapter, area)
        self._phases = PhaseSteps(area, area)
        area.grid.add_layer(lambda view: SlideLayer(view, area.adapter))
        area.grid.add_layer(lambda view: PlanesLayer(view, self._planes, area.grid))
        area.grid.add_layer(lambda view: PhaseLayer(view, self._phases))

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """Return none: the layers do their acts in the viewport."""
        return {}

    def why_not(self, act: str) -> str:
        """Return nothing: the layers know."""
        return ""

    def open_study(self, study: Study | None) -> None:
        """Let go of what belongs to another study."""
        self._phases.play(None)
        self._planes.forget()
        if study is not None and not study.series:
            self._area.grid.active_pane().refuse(no_images(study))

    def close(self) -> None:
        """Let go of everything."""
        self._phases.play(None)
        self._planes.forget()


def no_images(study: Study) -> str:
    """Say that a study has nothing for a viewport, and what it has instead."""
    words = QCoreApplication.translate("StacksPart", "This study holds no images that can be shown.")
    kinds = Counter(one.what for one in study.objects)
    if not kinds:
        return words
    listed = ", ".join(f"{count} \u00d7 {what}" if count > 1 else what for what, count in kinds.items())
    holds = QCoreApplication.translate("StacksPart", "It holds: {objects}.").format(objects=listed)
    return f"{words}\n{holds}"
