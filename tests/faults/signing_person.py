"""A process of its own in which a person signs a prepared report; killed at a step when told to.

Arguments: home, account, report id, step to die at or "none". It waits for a line on its input
before it signs, and prints the outcome.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from fault_scene import PASSWORD

from app.desk import Desk
from reports.store.errors import StoreError
from reports.store.steps import Step


def main(home: str, name: str, report_id: str, die_at: str) -> None:
    """Sign as `name`."""

    passed: list[Step] = []

    def on_step(step: Step) -> None:
        passed.append(step)
        # Proving the password commits something too: what counts begins behind it.
        if step == die_at and Step.AUTHENTICATED in passed:
            os.kill(os.getpid(), signal.SIGKILL)

    desk = Desk.open(Path(home))
    desk.sign_in(name, PASSWORD)
    (study,) = (row.study for row in desk.studies())
    opened = desk.open_study(study)
    assert opened.report.id == report_id
    assert opened.ledger is not None
    desk.seal_key()
    desk.store._transactions.on_step = on_step
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        desk.sign(opened.report, opened.ledger, study, None, PASSWORD, trace=opened.trace)
        print("signed", flush=True)
    except StoreError as error:
        print(type(error).__name__, flush=True)
    desk.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
