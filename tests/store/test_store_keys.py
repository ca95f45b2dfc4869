"""The database is never unencrypted, and its key comes from a provider or not at all."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from store_reading import CHEAP, MemoryKeyring, Reading

from reports.store.database import Store
from reports.store.errors import (
    HomeRefusedError,
    KeyUnavailableError,
    NoSecretServiceError,
    NoStoreError,
    PassphraseNeededError,
    StoreExistsError,
    WeakPassphraseError,
    WrongPassphraseError,
)
from reports.store.home import NETWORK_FILE_SYSTEMS, Home, file_system_of, write_private
from reports.store.keys import (
    FileProvider,
    KeyringProvider,
    PassphraseProvider,
    ProviderKind,
    RecoveryProvider,
    provider_for,
    replace_provider,
)

PASSPHRASE = "four words that stand alone"


def test_files_are_private_and_hold_no_readable_text(reading: Reading) -> None:
    reading.in_review()
    reading.store.close()
    assert stat.S_IMODE(reading.home.stat().st_mode) == 0o700
    names = {path.name for path in reading.home.iterdir()}
    assert names == {"sightline.db", "key.json", "demonstration.key", "checkpoints.jsonl"}
    for path in reading.home.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
        content = path.read_bytes()
        for secret in (b"Phantom", b"nodule", b"rosa", b"SQLite format"):
            assert secret not in content, path.name


def test_write_ahead_log_is_private_and_encrypted_too(reading: Reading) -> None:
    reading.in_review()
    log = reading.home / "sightline.db-wal"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert b"nodule" not in log.read_bytes()
    assert b"Phantom" not in log.read_bytes()


def test_file_provider_carries_a_badge_and_others_do_not() -> None:
    assert "Not for patients" in FileProvider().badge
    assert PassphraseProvider("x").badge == KeyringProvider().badge == ""


def test_passphrase_opens_and_a_wrong_one_says_so(tmp_path: Path) -> None:
    home = tmp_path / "home"
    Store.create(home, PassphraseProvider(PASSPHRASE), hasher=CHEAP).store.close()
    with pytest.raises(PassphraseNeededError):
        provider_for(home)
    with pytest.raises(WrongPassphraseError, match="does not open"):
        Store.open(home, PassphraseProvider(PASSPHRASE + "!"), hasher=CHEAP)
    with Store.open(home, provider_for(home, passphrase=PASSPHRASE), hasher=CHEAP) as store:
        assert store.alert is None


def test_short_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeakPassphraseError):
        Store.create(tmp_path / "home", PassphraseProvider("short"), hasher=CHEAP)
    assert not Store.exists(tmp_path / "home")


def test_recovery_key_opens_a_store_whose_key_file_is_lost(reading: Reading) -> None:
    reading.store.close()
    Home(reading.home).file_key.unlink()
    with pytest.raises(KeyUnavailableError):
        Store.open(reading.home, FileProvider(), hasher=CHEAP)
    with pytest.raises(WrongPassphraseError):
        Store.open(reading.home, RecoveryProvider("AAAA-BBBB"), hasher=CHEAP)
    typed = reading.recovery_key.lower().replace("-", " ")
    replace_provider(reading.home, RecoveryProvider(typed), PassphraseProvider(PASSPHRASE))
    reading.store = Store.open(reading.home, PassphraseProvider(PASSPHRASE), hasher=CHEAP)
    assert reading.store.accounts.get("rosa") == reading.radiologist
    assert reading.recovery_key not in (reading.home / "key.json").read_text()


def test_key_in_the_keyring_opens_and_checkpoints_are_witnessed_there(
    tmp_path: Path, secret_service: MemoryKeyring
) -> None:
    home = tmp_path / "home"
    store = Store.create(home, KeyringProvider(), hasher=CHEAP).store
    installation = store.installation
    store.close()
    with Store.open(home, provider_for(home), hasher=CHEAP) as store:
        assert store.witnesses == ("the side file", "the keyring")
    newest = secret_service.secrets["sightline", f"{installation}:checkpoint"]
    assert newest in [
        json.loads(line)["note"] for line in (home / "checkpoints.jsonl").read_text().splitlines()
    ]
    secret_service.secrets.clear()
    with pytest.raises(KeyUnavailableError, match="does not hold the key"):
        Store.open(home, KeyringProvider(), hasher=CHEAP)


def test_machine_without_secret_service_says_so_and_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(NoSecretServiceError, match="passphrase instead"):
        Store.create(tmp_path / "home", KeyringProvider(), hasher=CHEAP)
    assert not Store.exists(tmp_path / "home")


def test_key_file_that_others_can_read_is_refused(reading: Reading) -> None:
    reading.store.close()
    Home(reading.home).file_key.chmod(0o644)
    with pytest.raises(KeyUnavailableError, match="0600"):
        Store.open(reading.home, FileProvider(), hasher=CHEAP)
    Home(reading.home).file_key.chmod(0o600)


def test_provider_of_another_kind_is_refused(reading: Reading) -> None:
    with pytest.raises(KeyUnavailableError, match="not from the passphrase"):
        Store.open(reading.home, PassphraseProvider(PASSPHRASE), hasher=CHEAP)
    assert provider_for(reading.home).kind is ProviderKind.FILE


def test_absurd_work_in_a_changed_key_file_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    Store.create(home, PassphraseProvider(PASSPHRASE), hasher=CHEAP).store.close()
    fields = json.loads((home / "key.json").read_text())
    fields["parameters"]["memory_cost"] = 1 << 30
    (home / "key.json").write_text(json.dumps(fields))
    with pytest.raises(KeyUnavailableError, match="was changed"):
        Store.open(home, PassphraseProvider(PASSPHRASE), hasher=CHEAP)


def test_there_is_no_store_and_a_store_is_never_overwritten(reading: Reading, tmp_path: Path) -> None:
    with pytest.raises(NoStoreError):
        Store.open(tmp_path / "elsewhere", FileProvider())
    with pytest.raises(StoreExistsError):
        Store.create(reading.home, FileProvider())


def test_creation_that_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    home = tmp_path / "home"
    Store.create(home, FileProvider(), hasher=CHEAP).store.close()
    (home / "key.json").unlink()
    with Store.create(home, FileProvider(), hasher=CHEAP).store as store:
        assert store.alert is None


def test_private_file_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "key.json"
    target.write_bytes(b"old")
    order: list[str] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        order.append(f"{'folder' if is_folder else 'file'} while {target.read_bytes().decode()}")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    write_private(target, b"new")
    assert order == ["file while old", "folder while new"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [target]


MOUNTS = """\
22 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw
40 22 0:40 / /mnt/pacs rw,relatime shared:1 - nfs4 server:/pacs rw
41 22 0:41 / /mnt/with\\040space rw,relatime - cifs //server/share rw
42 40 0:42 / /mnt/pacs/local rw,relatime - ext4 /dev/vdb rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/rosa", "ext4"),
        ("/mnt/pacs/store", "nfs4"),
        ("/mnt/pacs2", "ext4"),
        ("/mnt/with space/x", "cifs"),
        ("/mnt/pacs/local/x", "ext4"),
    ],
)
def test_file_system_of_a_folder_is_told_from_the_mount_table(path: str, kind: str) -> None:
    assert file_system_of(Path(path), MOUNTS) == kind


def test_store_on_a_network_drive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"40 22 0:40 / {tmp_path} rw - nfs4 server:/x rw\n")
    monkeypatch.setattr("reports.store.home.MOUNTS", mounts)
    assert "nfs4" in NETWORK_FILE_SYSTEMS
    with pytest.raises(HomeRefusedError, match="network drive"):
        Store.create(tmp_path / "home", FileProvider())
    assert not (tmp_path / "home").exists()


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_shared_folder_and_the_person_s_own_are_not_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, own = tmp_path / "shared", tmp_path / "own"
    for folder, mode in ((shared, 0o1777), (own, 0o755)):
        folder.mkdir()
        folder.chmod(mode)
    monkeypatch.setenv("HOME", str(own))
    for folder, mode in ((shared, 0o1777), (own, 0o755)):
        with pytest.raises(HomeRefusedError, match="choose one of its own"):
            Store.create(folder, FileProvider(), hasher=CHEAP)
        assert stat.S_IMODE(folder.stat().st_mode) == mode
        assert list(folder.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_open_folder_is_made_private(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    Store.create(home, FileProvider(), hasher=CHEAP).store.close()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
