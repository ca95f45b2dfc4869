"""The parts of the reading page, in the order of their pages in the side panel."""

from __future__ import annotations

from app.shell.hanging.part import HangingPart
from app.shell.marks.part import MarksPart
from app.shell.objects.part import ObjectsPart
from app.shell.output.key_images_part import KeyImagesPart
from app.shell.output.part import OutputPart
from app.shell.parts import MakePart
from app.shell.report.confidence_part import ConfidencePart
from app.shell.stacks_part import StacksPart
from app.shell.volumes.fusion_part import FusionPart
from app.shell.volumes.reformat_part import ReformatPart
from app.shell.volumes.registration_part import RegistrationPart
from app.shell.volumes.rendering_part import RenderingPart

PARTS: tuple[MakePart, ...] = (
    MarksPart,
    ObjectsPart,
    HangingPart,
    ReformatPart,
    RenderingPart,
    FusionPart,
    RegistrationPart,
    StacksPart,
    KeyImagesPart,
    OutputPart,
    ConfidencePart,
)
