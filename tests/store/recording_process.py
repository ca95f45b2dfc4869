"""A process of its own that saves marks without end, until the fault test kills it.

Arguments: home, account, study. Prints the revision after each save.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from store_reading import CHEAP

from reports.store.database import Store
from reports.store.keys import FileProvider
from reports.store.kinds import RecordKind


def main(arguments: list[str]) -> None:
    home, name, study = arguments
    store = Store.open(Path(home), FileProvider(), hasher=CHEAP)
    account = store.accounts.get(name)
    for number in itertools.count(1):
        body = {"marks": [{"id": f"m{number}", "text": "x" * 3000}]}
        saved = store.records.save(RecordKind.MARKS, study, body, account, act="add a length")
        print(saved.revision, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
