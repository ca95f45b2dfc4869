"""Where the store lives: `--home`, else SIGHTLINE_HOME, else the platform's data folder."""

from __future__ import annotations

import os
from pathlib import Path

HOME_VARIABLE = "SIGHTLINE_HOME"


def home_folder(chosen: Path | None = None) -> Path:
    """Return the folder of the store; it need not exist yet."""
    if chosen is not None:
        return chosen.expanduser().resolve()
    if named := os.environ.get(HOME_VARIABLE):
        return Path(named).expanduser().resolve()
    from platformdirs import user_data_path

    return user_data_path("Sightline", appauthor=False)
