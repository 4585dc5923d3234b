"""The Merkle tree: published constants, every small tree, and another reading of RFC 6962 beside it."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from service.ledger import tree
from service.ledger.tree import (
    EMPTY,
    Range,
    consistency,
    inclusion,
    is_consistent,
    leaf_hash,
    node_hash,
    root_by_inclusion,
    root_of,
)

# Published with the reference implementation of Certificate Transparency and by transparency-dev/merkle
# (testonly/constants.go): the leaves, and the root over the first n of them.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): INCLUSION[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): INCLUSION[1, 5][1:],
    (6, 7): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
KNOWN = [leaf_hash(held) for held in INPUTS]
MANY = [leaf_hash(number.to_bytes(4)) for number in range(600)]
SMALL = 34
"""Sizes up to here are tried whole: beyond two powers of two nothing new begins."""


def hashes(leaves: list[bytes], ranges: list[Range]) -> list[bytes]:
    """The hashes of ranges, each by the definition."""
    return [by_definition(leaves[start:end]) for start, end in ranges]


def by_definition(leaves: list[bytes]) -> bytes:
    """The root word for word as RFC 6962, 2.1 defines it."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node_hash(by_definition(leaves[:half]), by_definition(leaves[half:]))


# Published constants


def test_roots_are_the_published_ones() -> None:
    """From the empty tree to eight leaves."""
    assert [root_of(KNOWN[:size]).hex() for size in range(9)] == ROOTS
    assert EMPTY.hex() == ROOTS[0]


@pytest.mark.parametrize("place", INCLUSION)
def test_audit_paths_are_the_published_ones(place: tuple[int, int]) -> None:
    """And lead to the published root."""
    index, size = place
    path = hashes(KNOWN, inclusion(index, size))
    assert [held.hex() for held in path] == INCLUSION[place]
    assert root_by_inclusion(KNOWN[index], index, size, path) == bytes.fromhex(ROOTS[size])


@pytest.mark.parametrize("sizes", CONSISTENCY)
def test_consistency_proofs_are_the_published_ones(sizes: tuple[int, int]) -> None:
    """And show that one published root continues the other."""
    path = hashes(KNOWN, consistency(*sizes))
    assert [held.hex() for held in path] == CONSISTENCY[sizes]
    roots = [bytes.fromhex(ROOTS[size]) for size in sizes]
    assert is_consistent(sizes[0], roots[0], sizes[1], roots[1], path)


def test_the_examples_of_the_rfc() -> None:
    """RFC 6962, 2.1.3: the tree of seven leaves, by the letters it gives its nodes."""
    places = {
        "a": (0, 1),
        "b": (1, 2),
        "c": (2, 3),
        "d": (3, 4),
        "e": (4, 5),
        "f": (5, 6),
        "j": (6, 7),
    }
    places |= {"g": (0, 2), "h": (2, 4), "i": (4, 6), "k": (0, 4), "l": (4, 7)}

    def said(letters: str) -> list[Range]:
        return [places[letter] for letter in letters]

    assert inclusion(0, 7) == said("bhl")
    assert inclusion(3, 7) == said("cgl")
    assert inclusion(4, 7) == said("fjk")
    assert inclusion(6, 7) == said("ik")
    assert consistency(3, 7) == said("cdgl")
    assert consistency(4, 7) == said("l")
    assert consistency(6, 7) == said("ijk")


# Every small tree


def test_every_leaf_of_every_small_tree_can_be_proved() -> None:
    """Its path leads to the root as defined, and to no other from any other place."""
    for size in range(1, SMALL):
        root = by_definition(MANY[:size])
        assert root_of(MANY[:size]) == root
        for index in range(size):
            path = hashes(MANY, inclusion(index, size))
            assert root_by_inclusion(MANY[index], index, size, path) == root
            assert root_by_inclusion(MANY[-1], index, size, path) != root
            for other in {index - 1, index + 1, index ^ 2, size, -1} - {index}:
                assert root_by_inclusion(MANY[index], other, size, path) != root, (
                    index,
                    other,
                    size,
                )


def test_every_small_tree_continues_every_smaller_one() -> None:
    """And is shown to; a proof for one pair of sizes is none for another."""
    for new in range(1, SMALL):
        newer = by_definition(MANY[:new])
        for old in range(new + 1):
            older = by_definition(MANY[:old])
            path = hashes(MANY, consistency(old, new))
            assert is_consistent(old, older, new, newer, path), (old, new)
            if path:
                assert not is_consistent(old - 1, older, new, newer, path)
                assert not is_consistent(old + 1, older, new, newer, path)
                assert not is_consistent(old, newer, new, older, path)


def mangled(path: list[bytes], roots: list[bytes]) -> list[list[bytes]]:
    """A proof in all the ways in which it is none: as transparency-dev/merkle tries its own."""
    zero = bytes(32)
    found = [[*path, held] for held in (zero, *roots)] + [[held, *path] for held in (zero, *roots)]
    if path:
        found += [path[:-1], path[1:], [path[0], *path], path[::-1] if len(path) > 1 else []]
    for at in range(len(path)):
        flipped = bytes([path[at][0] ^ 4]) + path[at][1:]
        found.append([*path[:at], flipped, *path[at + 1 :]])
    return found


def test_a_mangled_proof_is_none() -> None:
    """Longer, shorter, reversed, or with one bit another."""
    for size in range(2, 20):
        root = root_of(MANY[:size])
        for index in range(size):
            path = hashes(MANY, inclusion(index, size))
            for wrong in mangled(path, [root]):
                assert root_by_inclusion(MANY[index], index, size, wrong) != root
        for old in range(1, size):
            older, path = root_of(MANY[:old]), hashes(MANY, consistency(old, size))
            for wrong in mangled(path, [older, root]):
                assert not is_consistent(old, older, size, root, wrong)


def test_proofs_of_what_there_is_not_are_refused() -> None:
    """A leaf beyond the tree, a tree that shrinks."""
    for index, size in ((0, 0), (1, 1), (-1, 3), (9, 8)):
        with pytest.raises(IndexError):
            inclusion(index, size)
    with pytest.raises(IndexError):
        consistency(3, 2)
    assert not is_consistent(3, ROOTS[3].encode(), 2, ROOTS[2].encode(), [])
    assert not is_consistent(0, b"another", 2, bytes.fromhex(ROOTS[2]), [])


# Another reading of the RFC


@given(
    st.integers(1, 600).flatmap(
        lambda size: st.tuples(st.just(size), st.integers(0, size - 1), st.integers(1, size))
    )
)
def test_another_library_agrees(place: tuple[int, int, int]) -> None:
    """Pymerkle makes the same roots and audit paths of random trees, and takes ours for its own."""
    size, index, old = place
    other = reference()
    assert root_of(MANY[:size]) == other.get_root(size)
    assert [MANY[index], *hashes(MANY, inclusion(index, size))] == other.prove_inclusion(
        index + 1, size
    ).path
    ours = hashes(MANY, consistency(old, size))
    assert is_consistent(old, other.get_root(old), size, other.get_root(size), ours)
    # Its proofs of consistency may hold more hashes than the RFC's; they lead to the same roots.
    other.prove_consistency(old, size).verify(root_of(MANY[:old]), root_of(MANY[:size]))


_reference: list[InmemoryTree] = []


def reference() -> InmemoryTree:
    """The other library's tree over the same leaves, grown once."""
    if not _reference:
        grown = InmemoryTree()
        for number in range(len(MANY)):
            grown.append_entry(number.to_bytes(4))
        _reference.append(grown)
    return _reference[0]


def test_a_tree_without_prefixes_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: where leaves and nodes are hashed alike, the published roots do not come out."""
    monkeypatch.setattr(tree, "node_hash", lambda one, other: leaf_hash(one + other))
    with pytest.raises(AssertionError):
        test_roots_are_the_published_ones()


def test_a_checker_that_skips_half_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: one content with the newer root alone lets every tree continue any other."""
    climb, older = tree._climb, root_of(MANY[:3])

    def glance(nodes: list[bytes], here: int, last: int) -> tuple[bytes, bytes] | None:
        found = climb(nodes, here, last)
        return (older, found[1]) if found else None

    path, root = hashes(MANY, consistency(6, 9)), root_of(MANY[:9])
    assert not is_consistent(6, older, 9, root, path)
    monkeypatch.setattr(tree, "_climb", glance)
    assert is_consistent(6, older, 9, root, path)
    with pytest.raises(AssertionError):
        test_every_small_tree_continues_every_smaller_one()
