"""`sightline`: the window, or with a subcommand the command line.

`sightline [open PATH ...]` and `sightline demo` show the window; `sightline worker KIND` is the
hidden start of a worker process in a frozen build, `sightline probe-opengl` that of the probe of the
3D view; everything else is the Qt-free command line.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

WINDOW_COMMANDS = ("open", "demo")


def main() -> int:
    """Run the program with the process's arguments and return its exit code."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["worker"]:
        from viewer.imaging.worker.__main__ import main as worker

        return worker(arguments[1:])
    if arguments[:1] == ["probe-opengl"]:
        from viewer.views.rendering.probe import main as probe

        return probe()
    if _wants_window(arguments):
        return _window(arguments)
    from app.cli.main import run

    return run(arguments)


def _wants_window(arguments: Sequence[str]) -> bool:
    if "--headless" in arguments or "--help" in arguments:
        return False
    return not arguments or arguments[0] in WINDOW_COMMANDS or arguments[0] == "--home"


def _has_display() -> bool:
    """Tell whether Qt finds a screen: without one it ends the process instead of saying so."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _window(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="sightline")
    parser.add_argument("command", nargs="?", choices=WINDOW_COMMANDS, default="open")
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--out", type=Path, default=Path("out/demo"))
    chosen = parser.parse_args(arguments)
    if not _has_display():
        sys.stderr.write(
            "sightline: There is no display here for the window. `sightline --help` lists the commands "
            "that need none.\n"
        )
        return 1
    from viewer.imaging.lasting import begin_start

    begin_start()
    from app.home import home_folder
    from app.shell.application import run_window

    if chosen.command == "demo":
        from app import demo

        home = chosen.home or chosen.out / "home"
        demo.prepare(home)
        return run_window(home, [demo.sample()], demo=True)
    return run_window(home_folder(chosen.home), chosen.paths)


if __name__ == "__main__":
    sys.exit(main())
