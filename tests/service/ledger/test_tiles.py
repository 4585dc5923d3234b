"""Tiles: laid out as the specification says, grown leaf by leaf, and every proof computed from them."""

from __future__ import annotations

from random import Random

import pytest

from service.ledger.tiles import (
    WIDTH,
    Edge,
    Place,
    Tile,
    edge_of,
    hash_of,
    number_from,
    path_of,
    places_of,
    split,
    tile_from,
    width_at,
)
from service.ledger.tree import (
    EMPTY,
    Range,
    consistency,
    inclusion,
    is_consistent,
    leaf_hash,
    root_by_inclusion,
    root_of,
)

SIZE = 70_000
LEAVES = [leaf_hash(number.to_bytes(4)) for number in range(SIZE)]


def grown(rng: Random, size: int = SIZE) -> dict[Place, bytes]:
    """The tiles of a tree that grew in steps of any length, begun anew from its tiles each time."""
    kept: dict[Place, bytes] = {}
    done = 0
    while done < size:
        edge = Edge(done, kept)
        done = min(done + rng.choice([1, 2, 255, 256, 257, 4_000]), size)
        for leaf in LEAVES[edge.size : done]:
            edge.append(leaf)
        kept |= edge.tiles()
    return kept


@pytest.fixture(scope="module")
def tiles() -> dict[Place, bytes]:
    """The tiles of the tree that the specification counts."""
    return grown(Random(7))


# Addresses


@pytest.mark.parametrize(
    ("number", "path"),
    [
        (0, "000"),
        (5, "005"),
        (999, "999"),
        (1_000, "x001/000"),
        (1_234_067, "x001/x234/067"),
        (10**9, "x001/x000/x000/000"),
    ],
)
def test_a_tiles_number_is_written_as_the_specification_says(number: int, path: str) -> None:
    """In groups of three digits, all but the last with an x; and read back."""
    assert path_of(number) == path
    assert number_from(path) == (number, WIDTH)
    assert number_from(f"{path}.p/17") == (number, 17)
    assert tile_from("3", f"{path}.p/255") == Tile(3, number, 255)
    assert Tile(3, number, 255).path() == f"3/{path}.p/255"


@pytest.mark.parametrize(
    "path",
    [
        "", "1", "00", "0001", "x000/001", "x1/000", "000/001", "x001", "000.p", "000.p/", "000.p/0", "000.p/01",
        "000.p/256", "000.p/999", "000.p/1/", "000.P/1", "/000", "000/", " 000", "-01", "x001/x234/67", "\u0660" * 3,
        "entries/000",
    ],
)  # fmt: skip
def test_a_tile_has_one_address(path: str) -> None:
    """Nothing that only looks like one is taken for it."""
    assert number_from(path) is None


def test_levels_are_0_to_63() -> None:
    """Without zeros in front."""
    assert all(tile_from(str(level), "000") for level in range(64))
    for level in ("64", "99", "00", "07", "-1", "1.0", "", " 1", "1 ", "\u0663", "entries"):
        assert tile_from(level, "000") is None


# Layout


def test_a_tree_of_70_000_has_the_tiles_the_specification_counts(tiles: dict[Place, bytes]) -> None:
    """273 full and one of 112 at level 0; one full and one of 17 at level 1; one of 1 at level 2."""
    widths = {place: len(held) // 32 for place, held in tiles.items()}
    assert sum(width == WIDTH for (level, _), width in widths.items() if level == 0) == 273
    assert [(tile.level, tile.number, tile.width) for tile in edge_of(SIZE)] == [
        (0, 273, 112), (1, 1, 17), (2, 0, 1),
    ]  # fmt: skip
    assert widths == {place: width_at(*place, SIZE) for place in widths}
    assert widths[1, 0] == WIDTH


def test_a_tree_of_256_has_a_full_tile_and_one_of_1() -> None:
    """As the specification says."""
    held = grown(Random(1), 256)
    assert {place: len(tile) // 32 for place, tile in held.items()} == {(0, 0): 256, (1, 0): 1}
    assert [tile.path() for tile in edge_of(256)] == ["1/000.p/1"]


def test_every_hash_is_that_of_its_leaves(tiles: dict[Place, bytes]) -> None:
    """MTH(D[(n * 256 + i) * 256**l : (n * 256 + i + 1) * 256**l]), whatever the steps it grew in."""
    for (level, number), held in tiles.items():
        wide = WIDTH**level
        for at, found in enumerate(split(held)):
            first = (number * WIDTH + at) * wide
            if level or at % 17 == 0:
                assert found == root_of(LEAVES[first : first + wide])


def test_an_edge_is_the_same_begun_anew(tiles: dict[Place, bytes]) -> None:
    """From its tiles, at any size, also when they hold more than that size."""
    rng = Random(3)
    for size in (
        0,
        1,
        255,
        256,
        257,
        65_535,
        65_536,
        65_537,
        *(rng.randint(1, SIZE) for _ in range(30)),
    ):
        assert Edge(size, tiles).root() == root_of(LEAVES[:size])
        assert hash_of((0, size), tiles) == (root_of(LEAVES[:size]) if size else EMPTY)


def test_an_edge_without_its_tiles_is_refused(tiles: dict[Place, bytes]) -> None:
    """Or with one that is too short."""
    for place in ((0, 273), (1, 1), (2, 0)):
        lacking = {key: held for key, held in tiles.items() if key != place}
        short = {**tiles, place: tiles[place][:-1]}
        for wrong in (lacking, short):
            with pytest.raises(KeyError):
                Edge(SIZE, wrong)


# Proofs


def from_tiles(tiles: dict[Place, bytes], ranges: list[Range]) -> list[bytes]:
    """The hashes of ranges, by no more tiles than are said to be needed."""
    few = {place: tiles[place] for place in places_of(ranges)}
    return [hash_of(held, few) for held in ranges]


def test_any_proof_comes_from_a_few_tiles(tiles: dict[Place, bytes]) -> None:
    """Of inclusion and of consistency, in a tree of any size that was."""
    rng = Random(11)
    for _ in range(300):
        size = rng.choice([rng.randint(1, 600), rng.randint(1, SIZE)])
        root, index, old = root_of(LEAVES[:size]), rng.randrange(size), rng.randint(0, size)
        ranges = inclusion(index, size)
        assert len(places_of(ranges)) <= 6
        path = from_tiles(tiles, ranges)
        assert root_by_inclusion(LEAVES[index], index, size, path) == root
        proof = from_tiles(tiles, consistency(old, size))
        assert is_consistent(old, root_of(LEAVES[:old]), size, root, proof)


def test_a_tile_that_lacks_hashes_proves_nothing(tiles: dict[Place, bytes]) -> None:
    """Rather than something wrong."""
    short = {**tiles, (0, 0): tiles[0, 0][:32]}
    with pytest.raises(KeyError):
        from_tiles(short, inclusion(0, SIZE))
