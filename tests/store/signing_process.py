"""A process of its own that opens a store and signs; run by the fault tests, killed at a step.

Arguments: home, account, report id, revision, step to die at or "none", size of the document.
It waits for a line on its input before it signs, and prints the outcome.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from store_reading import CHEAP, PASSWORD

from reports.domain import ReportAct
from reports.store.database import Store
from reports.store.errors import StoreError
from reports.store.keys import FileProvider
from reports.store.steps import Step


def main(arguments: list[str]) -> None:
    home, name, report_id, revision, die_at, size = arguments
    armed = False

    def on_step(step: Step) -> None:
        if armed and step == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    store = Store.open(Path(home), FileProvider(), hasher=CHEAP, on_step=on_step)
    account = store.accounts.get(name)
    print("ready", flush=True)
    sys.stdin.readline()
    armed = True
    try:
        store.reports.sign(
            report_id,
            int(revision),
            account,
            PASSWORD,
            meaning="I approve this report.",
            act=ReportAct.SIGN_FINAL,
            seal=lambda _report, _note: os.urandom(int(size)),
        )
        print("signed", flush=True)
    except StoreError as error:
        print(type(error).__name__, flush=True)
    armed = False
    store.close()


if __name__ == "__main__":
    main(sys.argv[1:])
