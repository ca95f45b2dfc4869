"""People sign in with their password; wrong ones are slowed, not locked, and all of it is audited."""

from __future__ import annotations

from dataclasses import replace

import pytest
from store_reading import CHEAP, PASSWORD, STUDY_UID, Reading, everything, study_block, with_sentence

from reports.audit.event import AuditAct, Outcome
from reports.domain import Draft, Ledger, Role, Trace
from reports.store.accounts import LONGEST_WAIT, UNKNOWN_NAME, wait_after
from reports.store.database import Store
from reports.store.errors import (
    AccountError,
    DisabledError,
    NotPermittedError,
    TooSoonError,
    UnknownRecordError,
    WeakPassphraseError,
    WrongPasswordError,
)
from reports.store.keys import FileProvider


def test_right_password_signs_in_and_both_ends_are_audited(reading: Reading) -> None:
    account = reading.store.accounts.authenticate(" ROSA ", PASSWORD)
    reading.store.accounts.logout(account)
    assert account == reading.radiologist
    login, logout = reading.store.events()[-3:-1]
    assert (login.act, login.event_type.value) == (AuditAct.LOGIN, "110122")
    assert (logout.act, logout.event_type.value) == (AuditAct.LOGOUT, "110123")
    assert login.participants[0].user_id == "rosa"


def test_wrong_passwords_are_slowed_and_never_locked_out(reading: Reading) -> None:
    accounts = reading.store.accounts
    waits = []
    for _ in range(14):
        with pytest.raises(WrongPasswordError) as wrong:
            accounts.authenticate("rosa", "wrong password")
        waits.append(wrong.value.wait_seconds)
        reading.clock.turn(wrong.value.wait_seconds)
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert accounts.authenticate("rosa", PASSWORD) == reading.radiologist
    with pytest.raises(WrongPasswordError) as wrong:
        accounts.authenticate("rosa", "wrong password")
    assert wrong.value.wait_seconds == 0


def test_try_before_the_wait_is_over_checks_nothing(reading: Reading) -> None:
    accounts = reading.store.accounts
    for _ in range(4):
        with pytest.raises(WrongPasswordError) as wrong:
            accounts.authenticate("rosa", "wrong password")
        reading.clock.turn(min(wrong.value.wait_seconds, 1))
    with pytest.raises(TooSoonError) as soon:
        accounts.authenticate("rosa", PASSWORD)
    assert soon.value.wait_seconds == pytest.approx(1)
    assert accounts.authenticate("remy", PASSWORD) == reading.resident
    reading.clock.turn(1)
    assert accounts.authenticate("rosa", PASSWORD) == reading.radiologist


def test_restart_does_not_forget_the_wait(reading: Reading) -> None:
    for _ in range(3):
        with pytest.raises(WrongPasswordError):
            reading.store.accounts.authenticate("rosa", "wrong password")
    with pytest.raises(TooSoonError):
        reading.reopened().accounts.authenticate("rosa", PASSWORD)


def test_clock_that_went_back_does_not_lengthen_the_wait(reading: Reading) -> None:
    for _ in range(3):
        with pytest.raises(WrongPasswordError):
            reading.store.accounts.authenticate("rosa", "wrong password")
    reading.clock.turn(-86_400)
    with pytest.raises(TooSoonError) as soon:
        reading.store.accounts.authenticate("rosa", PASSWORD)
    assert soon.value.wait_seconds <= 1


@pytest.mark.parametrize("failures", [20, 1_000, 10**9])
def test_wait_has_an_end(failures: int) -> None:
    assert wait_after(failures) == LONGEST_WAIT


def test_unknown_name_looks_like_a_wrong_password_and_is_not_written_down(reading: Reading) -> None:
    typed = "my-secret-password"
    waits = []
    for _ in range(3):
        with pytest.raises(WrongPasswordError) as wrong:
            reading.store.accounts.authenticate(typed, "x")
        waits.append(wrong.value.wait_seconds)
    assert waits == [0, 0, 1]
    with pytest.raises(TooSoonError):
        reading.store.accounts.authenticate(typed, "x")
    failed = [event for event in reading.store.events() if event.act is AuditAct.LOGIN_FAILED]
    assert [event.participants[0].user_id for event in failed] == [UNKNOWN_NAME] * 3
    assert all(event.outcome is Outcome.MINOR_FAILURE for event in failed)
    assert typed not in "".join(event.model_dump_json() for event in failed)
    connection = reading.raw()
    assert typed not in everything(connection)
    connection.close()


def test_disabled_account_signs_nothing_and_is_told_only_with_the_password(reading: Reading) -> None:
    reading.store.accounts.disable("remy", by=reading.administrator)
    with pytest.raises(WrongPasswordError):
        reading.store.accounts.authenticate("remy", "wrong password")
    with pytest.raises(DisabledError):
        reading.store.accounts.authenticate("remy", PASSWORD)
    assert [item.disabled for item in reading.store.accounts.list()] == [False, True, False]


def test_only_an_administrator_makes_accounts_once_there_is_one(reading: Reading) -> None:
    accounts = reading.store.accounts
    for by in (None, reading.radiologist):
        with pytest.raises(NotPermittedError):
            accounts.add("eve", "Eve Hall", Role.ADMINISTRATOR, PASSWORD, by=by)
        with pytest.raises(NotPermittedError):
            accounts.disable("remy", by=by)
    with pytest.raises(NotPermittedError, match="their own"):
        accounts.disable("ada", by=reading.administrator)
    accounts.add("eve", "Eve Hall", Role.RESIDENT, PASSWORD, by=reading.administrator)
    assert reading.store.events()[-2].participants[0].user_id == "ada"


@pytest.mark.parametrize(
    ("name", "printed", "password", "error"),
    [
        ("rosa", "Dr. Other", PASSWORD, AccountError),
        ("ROSA", "Dr. Other", PASSWORD, AccountError),
        ("", "Dr. Other", PASSWORD, AccountError),
        ("two words", "Dr. Other", PASSWORD, AccountError),
        ("new\x00", "Dr. Other", PASSWORD, AccountError),
        ("other", " ", PASSWORD, AccountError),
        ("other", "Dr. Other", "short", WeakPassphraseError),
        ("other", "Dr. Other", "I am Other 1", WeakPassphraseError),
    ],
)
def test_account_that_cannot_be_is_refused(
    reading: Reading, name: str, printed: str, password: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        reading.store.accounts.add(name, printed, Role.RESIDENT, password, by=reading.administrator)
    assert len(reading.store.accounts.list()) == 3


def test_password_is_replaced_by_its_owner(reading: Reading) -> None:
    accounts = reading.store.accounts
    with pytest.raises(WrongPasswordError):
        accounts.change_password("rosa", "wrong password", "another good one")
    accounts.change_password("rosa", PASSWORD, "another good one")
    with pytest.raises(WrongPasswordError):
        accounts.authenticate("rosa", PASSWORD)
    assert accounts.authenticate("rosa", "another good one") == reading.radiologist


def test_password_is_kept_as_argon2id_only(reading: Reading) -> None:
    connection = reading.raw()
    hashes = [row[0] for row in connection.execute("SELECT password_hash FROM accounts")]
    assert PASSWORD not in everything(connection)
    connection.close()
    assert len(set(hashes)) == 3
    assert all(text.startswith("$argon2id$") for text in hashes)


def test_default_password_hash_costs_64_mib(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("default") / "home"
    with Store.create(home, FileProvider()).store as store:
        store.accounts.add("rosa", "Dr. Rosa Lind", Role.RADIOLOGIST, PASSWORD)
        assert store.accounts.authenticate("rosa", PASSWORD).role is Role.RADIOLOGIST
        hashed = store.accounts._row(store._transactions._engine.connect(), "rosa").password_hash
    assert "$m=65536,t=3,p=4$" in hashed


def test_administrator_sees_no_patient_data(reading: Reading) -> None:
    report = reading.in_review()
    store, admin = reading.store, reading.administrator
    for look in (
        lambda: store.studies.all(admin),
        lambda: store.studies.save({STUDY_UID: "{}"}, admin),
        lambda: store.studies.opened(STUDY_UID, admin),
        lambda: store.drafts.latest(STUDY_UID, admin),
        lambda: store.reports.start(study_block(), admin),
        lambda: store.reports.latest(report.id, admin),
        lambda: store.reports.revisions(report.id, admin),
        lambda: store.reports.for_study(STUDY_UID, admin),
        lambda: store.reports.ledger(report.id, admin),
        lambda: store.reports.document(report.id, admin),
    ):
        with pytest.raises(NotPermittedError, match="patient data"):
            look()


def test_account_disabled_meanwhile_writes_nothing(reading: Reading) -> None:
    report = reading.in_review()
    store, remy = reading.store, reading.resident
    store.accounts.disable("remy", by=reading.administrator)
    before = len(store.events())
    ledger, trace = Ledger(study_instance_uid=STUDY_UID), Trace(program="t", seed=0)
    for act in (
        lambda: store.reports.start(study_block(), remy),
        lambda: store.reports.save_revision(with_sentence(report, "x"), remy),
        lambda: store.reports.exported(report, remy, form="pdf", sha256="0"),
        lambda: store.studies.save({STUDY_UID: "{}"}, remy),
        lambda: store.studies.opened(STUDY_UID, remy),
        lambda: store.studies.remove(STUDY_UID, remy),
        lambda: store.drafts.save(Draft(study_instance_uid=STUDY_UID), ledger, trace, b"", remy),
    ):
        with pytest.raises(NotPermittedError, match="Sign in again"):
            act()
    promoted = replace(reading.resident, name="rosa", role=Role.RESIDENT)
    with pytest.raises(NotPermittedError, match="Sign in again"):
        store.reports.start(study_block(), promoted)
    assert len(store.events()) == before + 1


def test_unknown_account_is_named(reading: Reading) -> None:
    with pytest.raises(UnknownRecordError, match="nobody"):
        reading.store.accounts.get("nobody")


def test_read_only_store_still_slows_its_readers(reading: Reading) -> None:
    reading.store.close()
    (reading.home / "checkpoints.jsonl").unlink()
    reading.store = Store.open(reading.home, FileProvider(), clock=reading.clock, hasher=CHEAP)
    assert reading.store.alert is not None
    for _ in range(3):
        with pytest.raises(WrongPasswordError):
            reading.store.accounts.authenticate("rosa", "wrong password")
    with pytest.raises(TooSoonError):
        reading.store.accounts.authenticate("rosa", PASSWORD)
    reading.clock.turn(1)
    assert reading.store.accounts.authenticate("rosa", PASSWORD) == reading.radiologist
