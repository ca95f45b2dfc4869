"""Opens an object for reading in the imaging worker: size and nesting are looked at before pydicom."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from viewer.imaging.headers import HeaderError, read_header
from viewer.imaging.objects.values import ObjectError
from viewer.imaging.sources import Cancelled

MAX_FILE: Final = 1 << 30
"""Largest object that is read, bytes."""


@contextmanager
def opened(path: str) -> Iterator[Any]:
    """Give the data set of a file; whatever pydicom raises while it is used is a refusal.

    Raises
    ------
    ObjectError
        The object cannot be read; the message says why.
    """
    from pydicom import dcmread

    try:
        if Path(path).stat().st_size > MAX_FILE:
            raise ObjectError("too_large", f"The file is larger than {MAX_FILE >> 20} MiB.")
        read_header(path)  # nesting, completeness
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield dcmread(path, force=True)
    except (ObjectError, Cancelled):
        raise
    except HeaderError as error:
        raise ObjectError(error.code, str(error)) from error
    except (RecursionError, MemoryError) as error:
        raise ObjectError("too_large", "Its content is too deep or too large to be read.") from error
    except OSError as error:
        if error.errno is None:  # pydicom's own, about the content
            raise _unusable(error) from error
        raise ObjectError("unreadable", f"The file cannot be read: {error.strerror}.") from error
    except Exception as error:  # pydicom and numpy raise whatever damaged content provokes
        raise _unusable(error) from error


def _unusable(error: Exception) -> ObjectError:
    return ObjectError("corrupt", f"Its content cannot be read ({type(error).__name__}): damaged.")
