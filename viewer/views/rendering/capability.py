"""Whether and how this machine can render volumes, found out once in a child process. No Qt, no VTK."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from viewer.views.rendering.probe import MARK

log = logging.getLogger(__name__)

WINDOW_CLASS = "VTK_DEFAULT_OPENGL_WINDOW"
"""Environment variable that VTK reads before its first window."""

WINDOWS: dict[str, tuple[str, ...]] = {"linux": ("vtkEGLRenderWindow", "vtkOSOpenGLRenderWindow")}
"""Kinds of off-screen windows to try by platform; elsewhere VTK's own choice."""

SOFTWARE = ("llvmpipe", "swiftshader", "softpipe", "swrast", "software rasterizer", "gdi generic")
"""Names that renderers on the processor go by."""

PATIENCE = 60.0
"""Seconds after which a probe that does not answer counts as failed."""


class Engine(StrEnum):
    """What draws a volume."""

    GPU = "gpu"
    PROCESSOR = "processor"
    NONE = "none"


@dataclass(frozen=True)
class Capability:
    """What was found.

    Parameters
    ----------
    window
        Class of VTK's window, empty for its own choice.
    renderer
        What OpenGL calls itself.
    reason
        Why there is no rendering, in words for the reader; "{what}" stands where `what` does.
    what
        What was found, of which the reason speaks.
    """

    engine: Engine
    window: str = ""
    renderer: str = ""
    reason: str = ""
    what: str = ""

    def refusal(self, translate: Callable[[str], str] = str) -> str:
        """Return why there is no rendering in the language of the reader.

        Parameters
        ----------
        translate
            Gives a sentence of this module in that language.
        """
        return translate(self.reason).format(what=translate(self.what))


REASON = (
    "3D cannot be shown on this machine: OpenGL does not draw off-screen here ({what}). "
    "On Debian and Ubuntu the packages libegl1, libgl1, libegl-mesa0 and libgl1-mesa-dri bring it."
)
NOT_TRIED = "no kind of window was tried"
SIGNALLED = "the probe was ended by a signal"
NO_ANSWER = "the probe gave no picture"
EMPTY = "the picture was empty"
NO_VTK = "3D cannot be shown: the VTK library of this installation cannot be loaded."

Run = Callable[[dict[str, str]], tuple[int, str, str]]
"""Runs a probe in an environment: exit status, output, error output."""


@lru_cache(maxsize=1)
def capability() -> Capability:
    """Return what this machine can do; the first call takes about a second."""
    return find_capability(_run_probe)


def find_capability(run: Run) -> Capability:
    """Try the kinds of windows in turn and take the first that draws."""
    found = Capability(Engine.NONE, reason=REASON, what=NOT_TRIED)
    for window in WINDOWS.get(sys.platform, ("",)):
        environment = dict(os.environ)
        if window:
            environment[WINDOW_CLASS] = window
        found = read_answer(window, *run(environment))
        if found.engine is not Engine.NONE:
            break
    return found


def read_answer(window: str, status: int, output: str, errors: str) -> Capability:
    """Return what the answer of a probe says."""
    lines = [line for line in output.splitlines() if line.startswith(MARK)]
    if status < 0 or not lines:
        if "ModuleNotFoundError" in errors or "ImportError" in errors:
            return Capability(Engine.NONE, window, reason=NO_VTK)
        log.info("the probe of 3D ended with status %d", status)
        what = SIGNALLED if status < 0 else NO_ANSWER
        return Capability(Engine.NONE, window, reason=REASON, what=what)
    answer = json.loads(lines[-1].removeprefix(MARK))
    if not answer["drawn"]:
        return Capability(Engine.NONE, window, reason=REASON, what=EMPTY)
    about = answer["about"]
    names = [line.partition(":")[2].strip() for line in about.splitlines() if "renderer string" in line]
    renderer = names[0] if names else ""
    on_processor = not renderer or any(name in renderer.lower() for name in SOFTWARE)
    return Capability(Engine.PROCESSOR if on_processor else Engine.GPU, window, renderer)


def _run_probe(environment: dict[str, str]) -> tuple[int, str, str]:
    command = [sys.executable, "-P", "-m", "viewer.views.rendering.probe"]
    if getattr(sys, "frozen", False):
        command = [sys.executable, "probe-opengl"]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, "", type(error).__name__
    return done.returncode, done.stdout, done.stderr
