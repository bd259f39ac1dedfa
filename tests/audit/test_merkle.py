"""Merkle trees as RFC 9162 has them, by the vectors of Certificate Transparency's own tests."""

import hashlib

import pytest

from audit import merkle, verify_export

# github.com/google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc
ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
           "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
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


def leaves(count: int) -> list[bytes]:
    return [merkle.leaf(bytes.fromhex(entry)) for entry in ENTRIES[:count]]


@pytest.mark.parametrize("count", range(1, 9))
def test_the_root_is_that_of_the_vectors(count: int) -> None:
    assert merkle.root(leaves(count)).hex() == ROOTS[count - 1]
    assert verify_export.root(leaves(count)).hex() == ROOTS[count - 1]


def test_no_leaves_have_the_digest_of_nothing() -> None:
    assert merkle.root([]) == verify_export.root([]) == hashlib.sha256().digest()


@pytest.mark.parametrize("count", [*range(1, 20), 1000])
def test_each_leaf_is_led_to_the_root_and_no_other_is(count: int) -> None:
    made = [merkle.leaf(bytes([number % 256, number // 256])) for number in range(count)]
    root = merkle.root(made)
    for position in range(0, count, max(count // 20, 1)):
        proof = merkle.proof(made, position)
        assert len(proof) <= 10
        assert merkle.led_to(made[position], proof) == root
        as_exported = [[side, digest.hex()] for side, digest in proof]
        assert verify_export.led_to(made[position], as_exported) == root
        assert merkle.led_to(merkle.leaf(b"another"), proof) != root
