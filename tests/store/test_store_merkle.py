"""The Merkle log: the vectors of Certificate Transparency, and proofs against their definition."""

from __future__ import annotations

import itertools

import pytest

from reports.audit.log import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
)

INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Roots over the first 1..8 inputs: the reference data of the Certificate Transparency project."""
LEAVES = [leaf_hash(data) for data in INPUTS]


def test_root_over_nothing_is_the_hash_of_nothing() -> None:
    assert root_hash([]) == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert root_hash(LEAVES[:size]).hex() == ROOTS[size - 1]
    assert len(Frontier().extend(LEAVES[:size]).peaks) == size.bit_count()


def test_published_inclusion_path() -> None:
    assert [step.hex() for step in inclusion_proof(LEAVES[:3], 2)] == [ROOTS[1]]
    assert [step.hex() for step in inclusion_proof(LEAVES, 0)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


def many(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


def test_every_inclusion_proof_holds_for_its_leaf_and_no_other() -> None:
    leaves = many(33)
    for size in range(1, 34):
        root = root_hash(leaves[:size])
        for index in range(size):
            proof = inclusion_proof(leaves[:size], index)
            assert verify_inclusion(leaves[index], index, size, proof, root)
            other = leaf_hash(b"other")
            assert not verify_inclusion(other, index, size, proof, root)
            if size > 1:
                assert not verify_inclusion(leaves[index], (index + 1) % size, size, proof, root)
            assert not verify_inclusion(leaves[index], index, size, (*proof, other), root)


def test_every_consistency_proof_holds_and_fails_for_another_history() -> None:
    leaves = many(20)
    for first, second in itertools.combinations_with_replacement(range(1, 21), 2):
        old, new = root_hash(leaves[:first]), root_hash(leaves[:second])
        proof = consistency_proof(leaves[:second], first)
        assert verify_consistency(first, second, old, new, proof)
        rewritten = root_hash([leaf_hash(b"rewritten"), *leaves[1:first]])
        assert not verify_consistency(first, second, rewritten, new, proof)
        if second > first:
            assert not verify_consistency(first, second, old, old, proof)
            assert not verify_consistency(first, second, old, new, proof[:-1])


@pytest.mark.parametrize("size", [0, 9])
def test_proofs_of_a_size_the_log_never_had_are_refused(size: int) -> None:
    with pytest.raises(IndexError):
        consistency_proof(LEAVES, size)
    with pytest.raises(IndexError):
        inclusion_proof(LEAVES, 8)
