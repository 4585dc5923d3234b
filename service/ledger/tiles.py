"""Tiles: a tree cut into pieces of 256 hashes, as C2SP tlog-tiles has them, and growing a tree by them.

A tile of level L holds hashes of complete subtrees of 256**L leaves. Those at the right edge of the tree are
partial; nothing of a partial tile is hashed into the level above. Source: https://c2sp.org/tlog-tiles
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from service.ledger.tree import HASH, Range, bagged, complete, root_of

HEIGHT = 8
WIDTH = 1 << HEIGHT
_LEVEL = re.compile(r"\d|[1-5]\d|6[0-3]", re.ASCII)
_PLACE = re.compile(r"((?:x\d{3}/)*)(\d{3})(?:\.p/([1-9]\d?|1\d\d|2[0-4]\d|25[0-5]))?", re.ASCII)

Place = tuple[int, int]
"""Level and number of a tile."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile, or the first ``width`` hashes of one that is not full yet."""

    level: int
    number: int
    width: int = WIDTH

    def path(self) -> str:
        """It as the end of an address, such as ``0/x001/x234/067.p/17``."""
        return f"{self.level}/{path_of(self.number, self.width)}"


def path_of(number: int, width: int = WIDTH) -> str:
    """A tile's number in groups of three digits, all but the last marked x; and its width unless full."""
    parts = [f"{number % 1000:03}"]
    while number := number // 1000:
        parts.insert(0, f"x{number % 1000:03}")
    return "/".join(parts) + ("" if width == WIDTH else f".p/{width}")


def number_from(path: str) -> tuple[int, int] | None:
    """Number and width of a tile from the end of its address; None when it is none, or not the only form."""
    found = _PLACE.fullmatch(path)
    if found is None:
        return None
    leading, last, width = found.groups()
    number, wide = int(leading.replace("x", "").replace("/", "") + last), int(width or WIDTH)
    return (number, wide) if path_of(number, wide) == path else None


def tile_from(level: str, path: str) -> Tile | None:
    """The tile at an address; None when it is not one a tile has."""
    found = number_from(path)
    return Tile(int(level), *found) if found and _LEVEL.fullmatch(level) else None


def width_at(level: int, number: int, size: int) -> int:
    """How many hashes the tile at a place holds in a tree of ``size`` leaves; 0 when it has none."""
    return max(min((size >> HEIGHT * level) - (number << HEIGHT), WIDTH), 0)


def edge_of(size: int) -> Iterator[Tile]:
    """The partial tiles of a tree of ``size`` leaves, from the lowest level up."""
    level = 0
    while held := size >> HEIGHT * level:
        if width := held % WIDTH:
            yield Tile(level, held // WIDTH, width)
        level += 1


def places_of(ranges: Iterable[Range]) -> set[Place]:
    """The tiles from which the hashes of these ranges are computed."""
    nodes = (node for held in ranges for node in complete(*held))
    return {_within(height, number)[0] for height, number in nodes}


def _within(height: int, number: int) -> tuple[Place, int, int]:
    """In which tile a subtree's hash is found, and from which to which of its hashes it is computed."""
    level, rest = divmod(height, HEIGHT)
    first = number << rest
    at = first % WIDTH
    return (level, first // WIDTH), at, at + (1 << rest)


def hash_of(held: Range, tiles: Mapping[Place, bytes]) -> bytes:
    """The hash of a range by the tiles of its places.

    Raises KeyError for a tile that is not there or lacks hashes.
    """
    return bagged([_hash_in(tiles, *node) for node in complete(*held)])


def _hash_in(tiles: Mapping[Place, bytes], height: int, number: int) -> bytes:
    place, first, end = _within(height, number)
    hashes = split(tiles[place][first * HASH : end * HASH])
    if len(hashes) != end - first:
        raise KeyError(place)
    return root_of(hashes)


def split(tile: bytes) -> list[bytes]:
    """The hashes of a tile one by one; an incomplete last one is left out."""
    return [tile[at : at + HASH] for at in range(0, len(tile) - HASH + 1, HASH)]


class Edge:
    """The right edge of a tree, from which it grows: the hashes of its partial tiles, level by level."""

    def __init__(self, size: int, tiles: Mapping[Place, bytes]) -> None:
        """The edge of a tree of ``size`` leaves; raises KeyError when a tile of it is not there or too short."""
        self.size = size
        self.levels: list[list[bytes]] = []
        self.grown: dict[Place, bytes] = {}
        for tile in edge_of(size):
            hashes = split(tiles[tile.level, tile.number])[: tile.width]
            if len(hashes) != tile.width:
                raise KeyError((tile.level, tile.number))
            self._level(tile.level).extend(hashes)

    def _level(self, level: int) -> list[bytes]:
        while len(self.levels) <= level:
            self.levels.append([])
        return self.levels[level]

    def append(self, leaf: bytes) -> None:
        """One leaf more; tiles that become full are in ``grown``."""
        level, hashed = 0, leaf
        while True:
            row = self._level(level)
            row.append(hashed)
            if len(row) < WIDTH:
                break
            self.grown[level, self.size >> HEIGHT * (level + 1)] = b"".join(row)
            level, hashed = level + 1, root_of(row)
            row.clear()
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree as it stands."""
        peaks: list[bytes] = []
        for row in reversed(self.levels):
            peaks += _peaks(row)
        return bagged(peaks)

    def tiles(self) -> dict[Place, bytes]:
        """The tiles that became full since it was made, and the partial ones as they stand."""
        edge = {
            (tile.level, tile.number): b"".join(self.levels[tile.level])
            for tile in edge_of(self.size)
        }
        return self.grown | edge


def _peaks(row: Sequence[bytes]) -> Iterator[bytes]:
    """The complete subtrees over the hashes of a partial tile, the highest first."""
    for height, number in complete(0, len(row)):
        yield root_of(row[number << height : (number + 1) << height])
