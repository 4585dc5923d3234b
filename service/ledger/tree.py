"""The Merkle tree of RFC 6962 over SHA-256: its hashes, which nodes a proof needs, and checking proofs.

Trees here are sequences of leaf hashes, counted from 0; ``D[a:b]`` is written as the range ``(a, b)``.
Sources: RFC 6962, 2.1 (hashes, audit paths, consistency proofs); RFC 9162, 2.1.3.2 and 2.1.4.2 (checking).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

Range = tuple[int, int]
HASH = 32
EMPTY = hashlib.sha256(b"").digest()
"""The hash of the tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf: SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over ``hashes``: those of leaves, or of complete subtrees of one height."""
    if not hashes:
        return EMPTY
    row = list(hashes)
    while len(row) > 1:
        paired = [node_hash(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)]
        row = paired + row[len(row) & ~1 :]  # the odd one out is paired further up
    return row[0]


def bagged(peaks: Sequence[bytes]) -> bytes:
    """The root over complete subtrees of falling height, from left to right."""
    if not peaks:
        return EMPTY
    *rest, root = peaks
    for peak in reversed(rest):
        root = node_hash(peak, root)
    return root


def complete(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The complete subtrees, (height, number in its row), whose hashes ``bagged`` give that of the range."""
    while start < end:
        height = (end - start).bit_length() - 1
        yield height, start >> height
        start += 1 << height


def _split(size: int) -> int:
    """The largest power of two below ``size``: where the left subtree ends."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion(index: int, size: int) -> list[Range]:
    """The ranges whose hashes are the audit path of a leaf, from its sibling up (RFC 6962, 2.1.1).

    Raises IndexError for a leaf the tree does not have.
    """
    if not 0 <= index < size:
        raise IndexError(index)
    start, end, path = 0, size, list[Range]()
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency(old: int, new: int) -> list[Range]:
    """The ranges whose hashes show that the tree of ``new`` leaves continues that of ``old`` (2.1.2).

    Nothing is needed from the empty tree on. Raises IndexError when ``old`` is the larger.
    """
    if not 0 <= old <= new:
        raise IndexError(old)
    start, end, whole, path = 0, new, True, list[Range]()
    while 0 < old < end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start, whole = middle, False
    if old and not whole:
        path.append((start, end))
    return path[::-1]


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root of the tree in which ``leaf`` is at ``index``, by its audit path (RFC 9162, 2.1.3.2).

    None when the path is not one for such a place.
    """
    if not 0 <= index < size:
        return None
    here, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if here & 1 or here == last:
            root = node_hash(sibling, root)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        here, last = here >> 1, last >> 1
    return root if last == 0 else None


def is_consistent(
    old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether ``path`` shows that the larger tree continues the smaller (RFC 9162, 2.1.4.2)."""
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == EMPTY
    if not 0 < old < new:
        return False
    nodes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not nodes:
        return False
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    return _climb(nodes, here, last) == (old_root, new_root)


def _climb(nodes: Sequence[bytes], here: int, last: int) -> tuple[bytes, bytes] | None:
    """The roots of both trees that a consistency proof leads to; None when it is too long or short."""
    older = newer = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            return None
        if here & 1 or here == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            newer = node_hash(newer, sibling)
        here, last = here >> 1, last >> 1
    return (older, newer) if last == 0 else None
