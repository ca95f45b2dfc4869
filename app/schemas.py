"""JSON schemas of the files that leave the program, made from the domain types: docs/schemas."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from inference.validation.text import CheckedText
from reports.domain import Draft, Ledger, Report, Trace
from viewer.imaging.study import Study, StudyIndex

SCHEMAS: dict[str, type[BaseModel]] = {
    "ledger": Ledger,
    "draft": Draft,
    "trace": Trace,
    "report": Report,
    "check": CheckedText,
    "study": Study,
    "index": StudyIndex,
}
"""File name without `.json` -> the type it holds."""


def schema_text(name: str) -> str:
    """Return a schema as it is committed: JSON Schema 2020-12, sorted, indented."""
    schema = SCHEMAS[name].model_json_schema(by_alias=True, mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> None:
    """Write all schemas: run `python -m app.schemas` after a change of the domain types."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SCHEMAS:
        (folder / f"{name}.schema.json").write_text(schema_text(name), encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(__file__).resolve().parent.parent / "docs" / "schemas")
