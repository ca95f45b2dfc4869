"""The phantom, opened and drafted once with the real workers, store and model."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from fault_scene import PASSWORD, PHANTOM, RADIOLOGIST, RESIDENT
from keyring.backends import fail

from app.desk import Desk
from app.engine import DraftOutcome, Engine
from inference.drafting.triage import choose_series
from inference.evidence.findings import accept_finding
from reports.domain import Ledger, Role, Side
from reports.store.keys import ProviderKind
from viewer.imaging.reader import OpenStack
from viewer.imaging.regions import Region, Shape
from viewer.imaging.study import Study


@pytest.fixture(scope="session")
def qapp_cls():
    """The application is made by the program itself."""
    from PySide6.QtWidgets import QApplication

    from app.shell.application import make_application

    make_application()
    return QApplication


@pytest.fixture(scope="session", autouse=True)
def no_secret_service() -> Iterator[None]:
    """A machine without a keyring: no test writes into the one of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        patch.setattr(keyring, "get_keyring", fail.Keyring)
        yield


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """One set of workers for the tests that leave them as they were."""
    with Engine() as one:
        yield one


@pytest.fixture(scope="session")
def sample(engine: Engine) -> Iterator[tuple[Study, OpenStack]]:
    """The phantom, opened."""
    study = engine.reader.index([PHANTOM]).studies[0]
    with engine.reader.open(choose_series(study)) as opened:
        yield study, opened


@pytest.fixture(scope="session")
def drafted(engine: Engine, sample: tuple[Study, OpenStack]) -> DraftOutcome:
    """A whole draft of the phantom."""
    return engine.draft(*sample)


@pytest.fixture(scope="session")
def long_ledger(engine: Engine, sample: tuple[Study, OpenStack], drafted: DraftOutcome) -> Ledger:
    """The ledger of the phantom with so many accepted findings that the model writes in five parts."""
    study, opened = sample
    series, ledger = opened.stack.series, drafted.result.ledger
    for number in range(34):
        instance = series.instances[15 + number]
        region = Region(
            shape=Shape.BOX,
            series_instance_uid=series.series_instance_uid,
            sop_instance_uid=instance.sop_instance_uid,
            points=((60.0, 120.0), (72.0, 132.0)),
        )
        measured = engine.measure(study, opened, region, ledger)
        finding = accept_finding(
            measured, side=Side.RIGHT, anatomy="upper lobe", descriptor="nodule", person="Dr R"
        )
        ledger = ledger.add(finding)
    return ledger


@pytest.fixture(scope="session")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a radiologist and a resident, to be copied."""
    folder = tmp_path_factory.mktemp("new") / "home"
    with Desk.open(folder, create=ProviderKind.FILE) as desk:
        desk.store.accounts.add(RADIOLOGIST, "Dr Rosa Lind", Role.RADIOLOGIST, PASSWORD)
        desk.store.accounts.add(RESIDENT, "Dr Remy Voss", Role.RESIDENT, PASSWORD)
    return folder


@pytest.fixture
def home(new_home: Path, tmp_path: Path) -> Path:
    """A store of the test's own that nobody has open."""
    return Path(shutil.copytree(new_home, tmp_path / "home"))


@pytest.fixture
def desk_of(home: Path) -> Iterator[Callable[[str], Desk]]:
    """Open the store and sign a person in."""
    desks: list[Desk] = []

    def opened(name: str) -> Desk:
        desk = Desk.open(home)
        desks.append(desk)
        desk.sign_in(name, PASSWORD)
        return desk

    yield opened
    for desk in desks:
        desk.close()
