"""Drafts as the drafter made them, with the ledger, trace and masks they stand on; never changed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from reports.audit.canonical import canonical, sha256_hex
from reports.audit.event import AuditAct, record
from reports.audit.event import study as study_object
from reports.domain import Draft, Ledger, Trace
from reports.store.accounts import Account, require_active_reader, require_reader
from reports.store.schema import DRAFTS
from reports.store.transaction import Transactions


@dataclass(frozen=True)
class StoredDraft:
    """A draft with all it stands on."""

    id: str
    draft: Draft
    ledger: Ledger
    trace: Trace
    masks: bytes
    """The mask store's own bytes, as it gave them."""


class Drafts:
    """The drafts of a store; a redraft is a new one."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def save(self, draft: Draft, ledger: Ledger, trace: Trace, masks: bytes, account: Account) -> str:
        """Keep a draft and return its id.

        Raises
        ------
        NotPermittedError
            The account may not see patient data.
        """
        require_reader(account)
        identity = str(uuid.uuid4())
        parts = {
            "draft": canonical(draft.model_dump(mode="json", by_alias=True)),
            "ledger": canonical(ledger.model_dump(mode="json", by_alias=True)),
            "trace": canonical(trace.model_dump(mode="json", by_alias=True)),
            "masks": masks,
        }
        uid = draft.study_instance_uid
        with self._transactions.writing() as act:
            require_active_reader(act.connection, account)
            newest = act.connection.scalar(
                sa.select(sa.func.max(DRAFTS.c.number)).where(DRAFTS.c.study_instance_uid == uid)
            )
            act.connection.execute(
                DRAFTS.insert().values(
                    id=identity, study_instance_uid=uid, number=(newest or 0) + 1, **parts
                )
            )
            act.record(
                AuditAct.DRAFT_SAVED,
                account.participant(),
                objects=(study_object(uid), record("draft", identity)),
                detail={f"{name}_sha256": sha256_hex(data) for name, data in parts.items()}
                | {"model": "" if draft.model is None else draft.model.name},
            )
        return identity

    def latest(self, study_instance_uid: str, account: Account) -> StoredDraft | None:
        """Return the newest draft of a study, or none.

        Raises
        ------
        NotPermittedError
            The account may not see patient data.
        """
        require_reader(account)
        query = (
            sa.select(DRAFTS)
            .where(DRAFTS.c.study_instance_uid == study_instance_uid)
            .order_by(DRAFTS.c.number.desc())
            .limit(1)
        )
        with self._transactions.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return StoredDraft(
            row.id,
            Draft.model_validate_json(row.draft),
            Ledger.model_validate_json(row.ledger),
            Trace.model_validate_json(row.trace),
            bytes(row.masks),
        )
