"""What commands print and how they end: JSON on stdout, words and progress on stderr, exit 0/1/2."""

from __future__ import annotations

import io
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

OK, FAILED, USAGE = 0, 1, 2


class CommandFailed(Exception):
    """Ends a command with exit code 1 and words for the reader."""


_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control and bidi characters but tab and line feed: a file name must not steer the terminal."""


def _shown(text: str) -> str:
    return _STEERING.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def take_any_character() -> None:
    """Give a terminal or pipe of another encoding than UTF-8 escapes instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def tell(text: str) -> None:
    """Write one line of words to stderr."""
    sys.stderr.write(_shown(text) + "\n")
    sys.stderr.flush()


def show(value: dict[str, Any], *, as_json: bool, words: Callable[[dict[str, Any]], str]) -> None:
    """Write the result to stdout: as JSON, or in words."""
    if as_json:
        is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        text = json.dumps(value, ensure_ascii=not is_utf8, indent=2)
    else:
        text = _shown(words(value))
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Progress:
    """A counter on stderr, at most ten times a second, silent when stderr is no terminal."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._shown = 0.0
        self._live = sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        """Show how far it is."""
        now = time.monotonic()
        if self._live and (now - self._shown >= 0.1 or done == total):
            self._shown = now
            sys.stderr.write(f"\r{self._what}: {done} of {total}" + ("\n" if done == total else ""))
            sys.stderr.flush()


OUR_PACKAGES = frozenset({"app", "viewer", "inference", "reports", "resources"})


@contextmanager
def reported_errors() -> Iterator[None]:
    """Turn a typed error of any layer, or of the file system, into words and exit code 1.

    Errors of our packages are written for the reader; anything else is a fault of the program and
    stays loud.
    """
    try:
        yield
    except CommandFailed:
        raise
    except OSError as error:
        # Its own text begins with a number that says nothing to the reader.
        place = f"{error.filename2 or error.filename}: " if error.filename else ""
        raise CommandFailed(f"{place}{error.strerror or error}.") from error
    except Exception as error:
        if type(error).__module__.split(".")[0] in OUR_PACKAGES:
            raise CommandFailed(str(error) or type(error).__name__) from error
        raise
