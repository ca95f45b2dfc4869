"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Home = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of the store (else SIGHTLINE_HOME, else the data folder)."),
]
Source = Annotated[Path, typer.Argument(help="Folder, ZIP or file of DICOM.", exists=True)]
Out = Annotated[Path, typer.Option("--out", help="Folder that the files are written to.")]
SeriesKey = Annotated[
    str, typer.Option("--series", help="Series Instance UID; the main series by default.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same draft.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of stdin.")
]
