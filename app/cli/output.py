"""What commands print and how they end: JSON on stdout, words and progress on stderr, exit 0/1/2."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

OK, FAILED, USAGE = 0, 1, 2


class CommandFailed(Exception):
    """Ends a command with exit code 1 and words for the reader."""


def tell(text: str) -> None:
    """Write one line of words to stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def show(value: dict[str, Any], *, as_json: bool, words: Callable[[dict[str, Any]], str]) -> None:
    """Write the result to stdout: as JSON, or in words."""
    text = json.dumps(value, ensure_ascii=False, indent=2) if as_json else words(value)
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
