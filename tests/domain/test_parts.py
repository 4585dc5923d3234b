"""What a plan's state is made of: parts, groups of parts, sections – and shortened words."""

from __future__ import annotations

import pytest

from domain.parts import NEWEST, Parts, short
from domain.practice import Task
from tests.domain.samples import a_life
from tests.domain.specs import day, given, opened


def a_task(practice_id: str) -> Task:
    """A part, as good as any."""
    return Task(
        practice_id=practice_id,
        task="Walk",
        dose=None,
        due_on=None,
        goal_ids=(),
        assigned_at=day(0),
    )


def test_a_part_remembers_which_entry_touched_it_last() -> None:
    """So does its group."""
    entry, tasks = given(opened()).last.but(originator_version=7), Parts[Task]()
    assert tasks.touched == 0
    tasks.add("a", a_task("a"), entry)
    tasks.add("b", a_task("b"), entry.but(originator_version=8))
    assert (tasks["a"].touched, tasks["b"].touched, tasks.touched) == (7, 8, 8)
    assert tasks.edit("a", entry.but(originator_version=9)) is tasks["a"]
    assert (tasks["a"].touched, tasks["b"].touched, tasks.touched) == (9, 8, 9)


def test_a_group_is_looked_up_by_key_and_listed_oldest_first() -> None:
    """As a list, or as an object by key."""
    entry = given(opened()).last
    for keyed in (False, True):
        tasks = Parts[Task](keyed=keyed)
        for key in "ba":
            tasks.add(key, a_task(key), entry)
        assert tasks.get("a") is tasks["a"]
        assert (tasks.get("c"), tasks.get(None)) == (None, None)
        assert ("a" in tasks, "c" in tasks, len(tasks)) == (True, False, 2)
        assert [task.practice_id for task in tasks] == ["b", "a"]
        shown = {key: tasks[key].document() for key in "ba"}
        assert tasks.document() == (shown if keyed else [*shown.values()])


def test_the_oldest_go_where_only_the_newest_are_shown() -> None:
    """The timeline keeps them all."""
    tasks, entry = Parts[Task](), given(opened()).last
    for number in range(NEWEST + 2):
        tasks.add_newest(str(number), a_task(str(number)), entry)
    assert len(tasks) == NEWEST
    assert next(iter(tasks)).practice_id == "2"


def test_a_part_that_is_taken_out_is_gone() -> None:
    """Taking out what is not there does no harm."""
    tasks, entry = Parts[Task](), given(opened()).last
    tasks.add("a", a_task("a"), entry)
    for _ in range(2):
        tasks.remove("a", entry.but(originator_version=5))
        assert len(tasks) == 0
        assert tasks.touched == 5


def test_every_piece_of_a_plan_has_its_path_in_the_document() -> None:
    """No second place knows where a part stands."""
    state = a_life().state
    shown = state.document()
    for path, piece in state.pieces():
        place = shown
        for step in path:
            place = place[step]
        held = piece.document()
        if path in {(), ("reviews",)}:
            assert isinstance(held, dict)
            assert held.keys() - {"client"} <= place.keys()
        elif path[0] != "signatures":
            assert place == held


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Rain", "“Rain”"),
        ("It rains.", "“It rains”"),
        ("It rains ...", "“It rains ...”"),
        ("Two\nlines  and\tmore", "“Two lines and more”"),
        ("word " * 30, "“" + "word " * 16 + "word…”"),
        ("x" * 200, "“" + "x" * 89 + "…”"),
        ("word, " * 30, "“" + "word, " * 13 + "word…”"),
    ],
)
def test_long_words_are_cut_at_a_word(text: str, shown: str) -> None:
    """On one line, in quotation marks."""
    assert short(text) == shown
    assert len(short(text)) <= 92
