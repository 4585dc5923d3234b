"""Which leaves of two renderings differ: found group by group, the same as with every leaf laid out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.trace import Path, _changed_leaves, leaves_of

NAMES = st.sampled_from("abc")
PLAIN = st.one_of(st.none(), st.booleans(), st.sampled_from(["x", "y"]))
ITEMS = st.fixed_dictionaries({"goal_id": NAMES, "value": PLAIN})
HELD = st.recursive(
    st.one_of(PLAIN, st.lists(ITEMS, max_size=3)),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
PARTS = st.dictionaries(NAMES, HELD, max_size=3)


def laid_out(before: dict[str, Any], after: dict[str, Any]) -> Iterator[tuple[Path, Any, Any]]:
    """Every leaf of either, where they differ."""
    for key in {**before, **after}:
        if before.get(key) == after.get(key):
            continue
        old = dict(leaves_of(before[key], (key,))) if key in before else {}
        new = dict(leaves_of(after[key], (key,))) if key in after else {}
        for leaf in {**old, **new}:
            if old.get(leaf) != new.get(leaf):
                yield leaf, old.get(leaf), new.get(leaf)


@given(PARTS, PARTS)
def test_group_by_group_is_leaf_by_leaf(before: dict[str, Any], after: dict[str, Any]) -> None:
    """The same leaves, with the same values."""
    found = list(_changed_leaves((), before, after))
    assert sorted(found, key=repr) == sorted(laid_out(before, after), key=repr)
