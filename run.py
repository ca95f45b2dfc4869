#!/usr/bin/env python3
"""Set up and run Sightline from a fresh clone; standard library only.

    python3 run.py demo    environment, then the main job on the bundled sample
    python3 run.py test    environment, then every check (lint, types, contracts, tests)
    python3 run.py bench   benchmarks, as ratios, written to docs/benchmarks.md
    python3 run.py quality tables of what the checks find and how exact the tools are: docs/quality.md
    python3 run.py lint    ruff, mypy and import contracts only

Missing Debian packages are installed when this runs as root, else they are named. llama-cpp-python
has no wheel on PyPI: it is compiled once with portable flags into a wheel folder keyed by those
flags (pip's own wheel cache ignores the flags) and reused afterwards.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
CONSTRAINTS = ROOT / "constraints.txt"

LLAMA_VERSION = "0.3.36"
LLAMA_FLAGS = (
    # Portable x86-64-v3 code: the default (-march=native) crashes on any older processor.
    "-DGGML_NATIVE=OFF -DGGML_AVX=ON -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON -DGGML_BMI2=ON "
    # Undecodable image bytes must never be handed to an ffmpeg found in PATH.
    "-DMTMD_VIDEO=OFF -DLLAMA_CURL=OFF"
)

DEBIAN_PACKAGES: dict[str, tuple[str, ...]] = {
    "build": ("g++", "cmake", "ninja-build"),
    "window": (
        "libegl1",
        "libegl-mesa0",
        "libgl1",
        "libgl1-mesa-dri",
        "libxkbcommon0",
        "libdbus-1-3",
        "libfontconfig1",
        "libglib2.0-0",
        "libxcb-cursor0",
        "libxcb-icccm4",
        "libxcb-image0",
        "libxcb-keysyms1",
        "libxcb-render-util0",
        "libxcb-shape0",
        "libxcb-xkb1",
        "libxkbcommon-x11-0",
    ),
    "test": ("xvfb", "xauth", "poppler-utils", "qpdf", "dicom3tools"),
}
"""System packages by what needs them; on other systems the names tell what to look for."""


def say(text: str) -> None:
    """Print one line at once: set-up steps take minutes and must be seen."""
    print(f"sightline: {text}", flush=True)


def fail(text: str) -> None:
    """Stop with a reason and what to do."""
    say(text)
    raise SystemExit(1)


def check_python() -> None:
    """Refuse a Python that was not tested."""
    if not (3, 11) <= sys.version_info[:2] < (3, 13):
        fail(f"Python 3.11 or 3.12 is needed, this is {platform.python_version()}: use python3.11.")


def missing_packages(groups: tuple[str, ...]) -> list[str]:
    """Return the Debian packages of these groups that are not installed; none where dpkg is absent."""
    if shutil.which("dpkg-query") is None:
        return []
    wanted = [name for group in groups for name in DEBIAN_PACKAGES[group]]
    listing = subprocess.run(
        ["dpkg-query", "-W", "-f", "${binary:Package} ${db:Status-Status}\n", *wanted],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    installed = {
        line.split()[0].split(":")[0] for line in listing.splitlines() if line.endswith(" installed")
    }
    return [name for name in wanted if name not in installed]


def ensure_packages(groups: tuple[str, ...]) -> None:
    """Install missing Debian packages as root; otherwise name them and go on."""
    missing = missing_packages(groups)
    if not missing:
        return
    command = f"apt-get install -y {' '.join(missing)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        say(f"These system packages are missing; an administrator installs them with: {command}")
        return
    say(f"installing system packages: {' '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(
        ["apt-get", "update", "-qq"], stdout=subprocess.DEVNULL, env=environment, check=False
    )
    done = subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
        stdout=subprocess.DEVNULL,
        env=environment,
        check=False,
    )
    if done.returncode:
        say(f"The packages could not be installed; try by hand: {command}")


def pip(*arguments: str, **options: object) -> None:
    """Run the environment's pip and stop with its words when it fails."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        sys.stderr.write(done.stdout[-2000:] + done.stderr[-4000:])
        fail(f"pip {' '.join(arguments[:2])} failed; its last words stand above.")


def wheel_folder() -> Path:
    """Return the folder of the compiled llama-cpp-python wheel, keyed by all that shapes it."""
    key = "\n".join(
        (LLAMA_VERSION, LLAMA_FLAGS, platform.machine(), sys.platform, platform.libc_ver()[1])
    )
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "sightline" / "wheels" / hashlib.sha256(key.encode()).hexdigest()[:16]


def llama_wheel() -> Path:
    """Return the wheel of llama-cpp-python, compiling it when this machine has none yet."""
    folder = wheel_folder()
    found = sorted(folder.glob("llama_cpp_python-*.whl"))
    if found:
        return found[-1]
    if shutil.which("c++") is None and shutil.which("g++") is None:
        fail("llama-cpp-python needs a C++ compiler: apt-get install -y g++ cmake ninja-build")
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "build.log"
    say(f"compiling llama-cpp-python {LLAMA_VERSION} once (about 5 minutes on 2 cores; log: {log})")
    building = folder / "building"
    with log.open("w") as output:
        process = subprocess.Popen(
            [
                *(str(PYTHON), "-m", "pip", "wheel", "-v", "--no-cache-dir", "--no-deps"),
                *("--no-binary", "llama-cpp-python", "-w", str(building)),
                f"llama-cpp-python=={LLAMA_VERSION}",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "CMAKE_ARGS": LLAMA_FLAGS},
        )
        watch = threading.Thread(target=_show_progress, args=(process, log), daemon=True)
        watch.start()
        code = process.wait()
        watch.join()
    built = sorted(building.glob("*.whl"))
    if code or not built:
        fail(f"llama-cpp-python did not compile; the reason stands at the end of {log}")
    # Renamed last, so that an interrupted build never looks like a finished one.
    wheel = built[-1].rename(folder / built[-1].name)
    building.rmdir()
    return wheel


def _show_progress(process: subprocess.Popen[bytes], log: Path) -> None:
    """Print the compiler's own step counter every 15 seconds."""
    begun = time.monotonic()
    while process.poll() is None:
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            steps = re.findall(r"\[(\d+/\d+)\]", log.read_text(errors="replace")[-20000:])
            at = f"step {steps[-1]}" if steps else "preparing"
            say(f"  compiling llama-cpp-python: {at}, {time.monotonic() - begun:.0f} s")


def stamp_of(extras: str) -> str:
    """Return what the installed environment depends on, as one hash."""
    digest = hashlib.sha256(extras.encode())
    for part in (ROOT / "pyproject.toml", CONSTRAINTS):
        digest.update(part.read_bytes())
    digest.update(LLAMA_FLAGS.encode())
    return digest.hexdigest()


def ensure_environment(*extras: str) -> None:
    """Create `.venv` with everything of `pyproject.toml` and these extras, unless it is there."""
    check_python()
    stamps = VENV / "sightline-stamps"
    stamp = stamps / stamp_of(",".join(extras))
    if PYTHON.exists() and stamp.exists():
        return
    if not PYTHON.exists():
        say("creating the environment .venv")
        try:
            subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        except subprocess.CalledProcessError:
            fail("The environment could not be created: apt-get install -y python3-venv")
    wheel = llama_wheel()
    say("installing the tested versions of the libraries")
    target = f".[{','.join(extras)}]" if extras else "."
    pip("install", "-q", "-c", str(CONSTRAINTS), str(wheel), "-e", target)
    stamps.mkdir(exist_ok=True)
    stamp.touch()


def in_environment(*arguments: str, env: dict[str, str] | None = None) -> int:
    """Run a program of the environment in the checkout and return its exit code."""
    merged = {**os.environ, **(env or {})}
    merged["PATH"] = f"{PYTHON.parent}{os.pathsep}{merged.get('PATH', '')}"
    return subprocess.run([str(PYTHON), *arguments], cwd=ROOT, env=merged, check=False).returncode


def has_display() -> bool:
    """Tell whether a window can be shown."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def demo(arguments: list[str]) -> int:
    """Do the main job on the bundled sample: in the window with a display, else headless."""
    ensure_packages(("build", "window"))
    ensure_environment()
    headless = "--headless" in arguments or not has_display()
    rest = [argument for argument in arguments if argument != "--headless"]
    out = ROOT / "out" / "demo"
    return in_environment(
        "-m", "app", "demo", "--out", str(out), *(["--headless"] if headless else []), *rest
    )


def lint(_: list[str]) -> int:
    """Run ruff, mypy and the import contracts."""
    ensure_packages(("build",))
    ensure_environment("dev", "train")
    return in_environment("-m", "pytest", "-q", "tests/house")


def test(arguments: list[str]) -> int:
    """Run every check; window tests get a virtual display."""
    ensure_packages(("build", "window", "test"))
    ensure_environment("dev", "train")
    command = ["-m", "pytest", *(arguments or ["-q"])]
    if has_display() or shutil.which("xvfb-run") is None:
        if not has_display():
            say("xvfb is missing: window tests use Qt's offscreen platform")
            return in_environment(*command, env={"QT_QPA_PLATFORM": "offscreen"})
        return in_environment(*command)
    xvfb = ["xvfb-run", "-a", "-s", "-screen 0 1920x1080x24", str(PYTHON), *command]
    return subprocess.run(xvfb, cwd=ROOT, check=False).returncode


def bench(arguments: list[str]) -> int:
    """Run the benchmarks and write docs/benchmarks.md."""
    ensure_packages(("build", "window", "test"))
    ensure_environment("dev", "train")
    return in_environment(
        str(ROOT / "tests" / "benchmarks" / "report.py"),
        *arguments,
        env={"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)},
    )


def quality(_: list[str]) -> int:
    """Print the tables of quality and write docs/quality.md."""
    ensure_packages(("build",))
    ensure_environment("dev", "train")
    return in_environment("-m", "inference.evaluation.quality")


COMMANDS = {"demo": demo, "test": test, "bench": bench, "quality": quality, "lint": lint}


def main() -> int:
    """Run the command named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("command", choices=sorted(COMMANDS))
    chosen, rest = parser.parse_known_args()
    return COMMANDS[chosen.command](rest)


if __name__ == "__main__":
    raise SystemExit(main())
