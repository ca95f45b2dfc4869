"""Tries off-screen OpenGL once and says what it is: `python -m viewer.views.rendering.probe`.

Runs in a process of its own, since a missing or broken OpenGL may end it with a signal.
"""

from __future__ import annotations

import json
import sys

MARK = "sightline-opengl "
"""Before the answer: drivers print to standard output too."""


def main() -> int:
    """Render one picture and print what rendered it as JSON."""
    import vtkmodules.vtkRenderingOpenGL2  # noqa: F401 - registers the OpenGL classes
    from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
    from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow

    window, renderer = vtkRenderWindow(), vtkRenderer()
    window.SetOffScreenRendering(1)
    window.SetSize(8, 8)
    renderer.SetBackground(1.0, 0.0, 0.0)
    window.AddRenderer(renderer)
    window.Render()
    pixels = vtkUnsignedCharArray()
    window.GetRGBACharPixelData(0, 0, 7, 7, 0, pixels)
    drawn = pixels.GetNumberOfValues() == 256 and (pixels.GetValue(0), pixels.GetValue(1)) == (255, 0)
    said = window.ReportCapabilities().splitlines() if drawn else ()
    about = "\n".join(line for line in said if " string:" in line)
    window.Finalize()
    sys.stdout.write(MARK + json.dumps({"drawn": drawn, "about": about}) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
