"""Test the built-in models and write their records: ``python -m inference.evaluation.acceptance_ship``.

To be run after a built-in model, a prompt profile, llama-cpp-python or the version of the program
changed; a test of the project says when.
"""

from __future__ import annotations

import datetime as dt
import sys

from inference.evaluation.acceptance import accept
from inference.evaluation.acceptance_record import Verdict, record_path, write_record
from inference.models.client import ModelClient
from inference.models.registry import ModelRegistry


def main() -> int:
    """Write a record beside each built-in model; 1 when one is not accepted."""
    failed = 0
    for model in ModelRegistry().list():
        with ModelClient(model) as client:
            record = accept(model, client, now=dt.datetime.now(dt.UTC))
        write_record(record, record_path(model, None))
        sys.stdout.write(f"{record.name}: {record.verdict}\n")
        for reason in record.reasons:
            sys.stdout.write(f"  {reason}\n")
        failed |= record.verdict is Verdict.NOT_ACCEPTED
    return failed


if __name__ == "__main__":
    sys.exit(main())
