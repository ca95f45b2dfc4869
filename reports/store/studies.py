"""Studies as the imaging worker indexed them, kept as its JSON: this room parses no images."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from reports.audit.clock import utc_text
from reports.audit.event import AuditAct
from reports.audit.event import study as study_object
from reports.store.accounts import Account, require_active_reader, require_reader
from reports.store.errors import UnknownRecordError
from reports.store.schema import STUDIES
from reports.store.transaction import Transactions


class Studies:
    """The worklist of a store."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def save(self, studies: Mapping[str, str], account: Account) -> None:
        """Keep studies of an import; one that is there already gets the new index.

        Parameters
        ----------
        studies
            Study Instance UID to the JSON of the study's index.

        Raises
        ------
        NotPermittedError
            The account may not see patient data.
        """
        require_reader(account)
        if not studies:
            return
        with self._transactions.writing() as act:
            require_active_reader(act.connection, account)
            now = utc_text(self._transactions.journal.clock.utc())
            for uid, content in studies.items():
                act.connection.execute(STUDIES.delete().where(STUDIES.c.study_instance_uid == uid))
                act.connection.execute(
                    STUDIES.insert().values(study_instance_uid=uid, content=content, imported_at=now)
                )
            act.record(
                AuditAct.STUDY_IMPORTED,
                account.participant(),
                objects=tuple(study_object(uid) for uid in studies),
            )

    def all(self, account: Account) -> dict[str, str]:
        """Return the JSON of all studies by Study Instance UID, newest import first.

        Raises
        ------
        NotPermittedError
            The account may not see patient data.
        """
        require_reader(account)
        with self._transactions.reading() as connection:
            query = sa.select(STUDIES).order_by(
                STUDIES.c.imported_at.desc(), STUDIES.c.study_instance_uid
            )
            return {row.study_instance_uid: row.content for row in connection.execute(query)}

    def opened(self, study_instance_uid: str, account: Account) -> None:
        """Record that a person opened a study.

        Raises
        ------
        NotPermittedError
            The account may not see patient data.
        """
        require_reader(account)
        if self._transactions.alert is not None:
            return  # Reading goes on; the alert on the screen says that nothing is recorded.
        with self._transactions.writing() as act:
            require_active_reader(act.connection, account)
            act.record(
                AuditAct.STUDY_OPENED,
                account.participant(),
                objects=(study_object(study_instance_uid),),
            )

    def exported(self, study_instance_uid: str, account: Account, *, form: str, sha256: str) -> None:
        """Record that data of a study leaves the store: images, pictures or measurements.

        Parameters
        ----------
        form
            What leaves, in the program's words: "picture without patient data, copied".

        Raises
        ------
        NotPermittedError
            The account may not see patient data.
        """
        require_reader(account)
        with self._transactions.writing() as act:
            require_active_reader(act.connection, account)
            act.record(
                AuditAct.DOCUMENT_EXPORTED,
                account.participant(),
                objects=(study_object(study_instance_uid),),
                detail={"form": form, "exported_sha256": sha256},
            )

    def remove(self, study_instance_uid: str, account: Account) -> None:
        """Take a study off the worklist; its reports, drafts and files stay.

        Raises
        ------
        UnknownRecordError
            It is not on the worklist.
        NotPermittedError
            The account may not see patient data.
        """
        require_reader(account)
        with self._transactions.writing() as act:
            require_active_reader(act.connection, account)
            gone = act.connection.execute(
                STUDIES.delete().where(STUDIES.c.study_instance_uid == study_instance_uid)
            )
            if gone.rowcount == 0:
                raise UnknownRecordError("This study is not on the worklist.")
            act.record(
                AuditAct.STUDY_REMOVED,
                account.participant(),
                objects=(study_object(study_instance_uid),),
            )
