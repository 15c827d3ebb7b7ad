"""The trail: forks, roll-backs and joins against a model that copies whole dicts."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from taskgates.inference.objects import DictObj, Maybe
from taskgates.inference.state import MISSING, State
from taskgates.inference.values import AnyValue, Known, options

KEYS = st.sampled_from("abc")
WRITES = st.one_of(
    st.tuples(st.just("write"), st.integers(0, 1), KEYS, st.integers(0, 4)),
    st.tuples(st.just("erase"), st.integers(0, 1), KEYS, st.just(0)),
)
PROGRAMS = st.recursive(
    st.lists(WRITES, max_size=3),
    lambda inner: st.lists(
        st.one_of(
            WRITES,
            st.tuples(st.just("fork"), st.lists(inner, min_size=1, max_size=3), st.booleans(), st.booleans()),
        ),
        max_size=4,
    ),
    max_leaves=12,
)


def run_trail(program: list[Any], state: State, memory: list[dict[str, Any]]) -> None:
    """The program on the trail."""
    for step in program:
        if step[0] == "write":
            state.write(memory[step[1]], step[2], Known(step[3]))
        elif step[0] == "erase":
            state.erase(memory[step[1]], step[2])
        else:
            _, branches, include_current, keep = step
            mark = state.begin()
            deltas = []
            for branch in branches:
                run_trail(branch, state, memory)
                deltas.append(state.delta(mark))
                state.rollback(mark)
            if keep:
                state.merge(deltas, include_current=include_current)
            state.end()


Possible = list[dict[str, frozenset[Any]]]


def run_copies(program: list[Any], memory: Possible) -> Possible:
    """The program on copies: every slot as the set of what it may hold, None for being absent."""
    memory = [dict(slots) for slots in memory]
    for step in program:
        if step[0] == "write":
            memory[step[1]][step[2]] = frozenset({step[3]})
        elif step[0] == "erase":
            memory[step[1]][step[2]] = frozenset({None})
        else:
            _, branches, include_current, keep = step
            outcomes = [run_copies(branch, memory) for branch in branches]
            if include_current:
                outcomes.append(memory)
            if keep:
                memory = [
                    {
                        key: frozenset().union(*(outcome[index].get(key, frozenset({None})) for outcome in outcomes))
                        for key in "abc"
                    }
                    for index in range(2)
                ]
    return memory


def held(slots: dict[str, Any], key: str) -> frozenset[Any]:
    """What a slot may hold, as the model writes it."""
    value = slots.get(key, MISSING)
    if value is MISSING:
        return frozenset({None})
    plain: AnyValue = value.value if isinstance(value, Maybe) else value
    found = {option.value for option in options(plain) if isinstance(option, Known)}
    return frozenset(found | ({None} if isinstance(value, Maybe) else set()))


@settings(max_examples=300)
@given(PROGRAMS)
def test_forks_and_joins_are_as_if_the_memory_were_copied(program: list[Any]) -> None:
    state = State()
    memory: list[dict[str, Any]] = [{}, {}]
    run_trail(program, state, memory)
    model = run_copies(program, [{}, {}])
    for index in range(2):
        for key in "abc":
            assert held(memory[index], key) == model[index].get(key, frozenset({None}))
    assert state.marks == 0
    assert not state.trail


@given(PROGRAMS, PROGRAMS)
def test_a_rollback_restores_everything(before: list[Any], after: list[Any]) -> None:
    state = State()
    memory: list[dict[str, Any]] = [{}, {}]
    run_trail(before, state, memory)
    old = [dict(slots) for slots in memory]
    mark = state.begin()
    run_trail(after, state, memory)
    state.rollback(mark)
    state.end()
    assert memory == old


@given(PROGRAMS, PROGRAMS, PROGRAMS)
def test_an_early_exit_brings_its_state_along(before: list[Any], leaving: list[Any], staying: list[Any]) -> None:
    """`if c: <leaving>; break` and `<staying>` behind it, then the end of the loop."""
    state = State()
    memory: list[dict[str, Any]] = [{}, {}]
    target = object()
    run_trail(before, state, memory)
    outer = state.begin()
    mark = state.begin()
    run_trail(leaving, state, memory)
    state.leave(4, target)
    state.rollback(mark)
    state.merge([], include_current=True)
    state.end()
    run_trail(staying, state, memory)
    assert state.arrive(4, target, include_current=True) == 1
    found = [{key: held(slots, key) for key in "abc"} for slots in memory]
    state.rollback(outer)
    state.end()

    start = run_copies(before, [{}, {}])
    left, stayed = run_copies(leaving, start), run_copies(staying, start)
    absent = frozenset({None})
    assert found == [
        {key: left[index].get(key, absent) | stayed[index].get(key, absent) for key in "abc"} for index in range(2)
    ]


def test_the_join_of_a_table_follows_what_its_entries_become() -> None:
    table = DictObj("dict", {Known("a"): Known(1), Known("b"): Known(2)})
    for value in (2, 2, 3):
        table.slots[Known("b")] = Known(value)
        joined = table.join_entries([entry for _, entry in table.known()])
        assert set(options(joined)) == {Known(1), Known(value)}
