"""Clients of the built-in model, closed when the test is over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from inference.models.client import ModelClient
from inference.models.registry import BUILT_IN, InstalledModel, ModelRegistry


@pytest.fixture(scope="session")
def built_in() -> InstalledModel:
    return ModelRegistry().get(BUILT_IN)


@pytest.fixture
def client(built_in: InstalledModel) -> Iterator[ModelClient]:
    with ModelClient(built_in) as made:
        yield made
