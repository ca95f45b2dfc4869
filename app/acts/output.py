"""What leaves: prints, copies, exports. No Qt."""

from __future__ import annotations

from app.acts.naming import window_act
from viewer.acts import Act

GROUP = "Output"

ACTS: tuple[Act, ...] = (
    window_act("copy_image_named", "Copy image with patient data", group=GROUP, audited=True),
    window_act(
        "save_image",
        "Save image without patient data",
        icon="download-simple",
        group=GROUP,
        audited=True,
    ),
    window_act("save_image_named", "Save image with patient data", group=GROUP, audited=True),
    window_act("print", "Print images or report", "Ctrl+P", icon="printer", group=GROUP, audited=True),
    window_act(
        "deidentify",
        "Export without patient data",
        "Ctrl+Shift+E",
        icon="export",
        group=GROUP,
        audited=True,
    ),
    window_act("export_marks", "Export marks as DICOM SR and SEG", group=GROUP, audited=True),
    window_act("key_images", "List of key images", icon="bookmark-simple", group="Key images"),
    window_act("key_images_export", "Export key images as DICOM KO", group="Key images", audited=True),
)
"""In the order of the sheet."""
