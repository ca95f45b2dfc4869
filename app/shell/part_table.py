"""The parts of the reading page, in the order of their pages in the side panel."""

from __future__ import annotations

from app.shell.fusion_part import FusionPart
from app.shell.hanging_part import HangingPart
from app.shell.key_images_part import KeyImagesPart
from app.shell.marks_part import MarksPart
from app.shell.objects_part import ObjectsPart
from app.shell.output_part import OutputPart
from app.shell.parts import MakePart
from app.shell.reformat_part import ReformatPart
from app.shell.registration_part import RegistrationPart
from app.shell.rendering_part import RenderingPart
from app.shell.stacks_part import StacksPart

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
)
