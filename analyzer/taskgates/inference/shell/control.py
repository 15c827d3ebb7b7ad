"""Control flow: sequences, conditions, loops, pipelines, and the joining of undecided paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.shell import syntax_tree as syntax
from taskgates.inference.shell.conditions import evaluate_expression
from taskgates.inference.shell.expansion import Expander
from taskgates.inference.shell.joining import join_states, replace_state, widen_states
from taskgates.inference.shell.machine import Frame, FunctionDefinition, Jump, Outcome, Sink, Status, Stream
from taskgates.inference.shell.patterns import matches
from taskgates.inference.shell.redirection import output_file, redirect, remember_output
from taskgates.inference.shell.texts import alternatives_of, as_member, choose, generalise, hole, stands_for_many
from taskgates.inference.text import Text, TextLike, concat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from taskgates.inference.shell.host import ShellState
    from taskgates.inference.shell.interpreter import ShellInterpreter

_NESTING = 90
_WIDENING_ROUNDS = 3


class Control:
    """Runs statements.

    Attributes:
        nesting: how many statements are being run inside each other.
        guarded: how many conditions are being run, in which a failure does not end the script.

    Args:
        machine: runs simple commands and talks to the host.
    """

    def __init__(self, machine: ShellInterpreter) -> None:
        self._machine = machine
        self.nesting = 0
        self.guarded = 0

    # ---- statements --------------------------------------------------------------------------------------------

    def execute(self, node: syntax.Node, frame: Frame, state: ShellState) -> Outcome:
        """Run one statement; the state changes in place."""
        if self.nesting >= _NESTING:
            self._machine.opaque("shell code nests too deeply", frame, frame.source.place(node.offset))
            return Outcome(Status.UNKNOWN)
        self.nesting += 1
        try:
            return self._execute(node, frame, state)
        finally:
            self.nesting -= 1

    def _execute(self, node: syntax.Node, frame: Frame, state: ShellState) -> Outcome:
        match node:
            case syntax.Simple():
                return self._machine.simple(node, frame, state)
            case syntax.Sequence():
                return self._sequence(node, frame, state)
            case syntax.AndOr():
                return self._and_or(node, frame, state)
            case syntax.Pipeline():
                return self._pipeline(node, frame, state)
            case syntax.If():
                return self._if(node, frame, state)
            case syntax.For():
                return self._for(node, frame, state)
            case syntax.While():
                return self._while(node, frame, state)
            case syntax.CountingFor():
                return self._counting_for(node, frame, state)
            case syntax.Case():
                return self._case(node, frame, state)
            case syntax.Negated():
                self.guarded += 1
                outcome = self.execute(node.body, frame, state)
                self.guarded -= 1
                return Outcome(outcome.status.negated, outcome.jump, outcome.levels, outcome.doubts)
            case syntax.Subshell():
                outcome = self.execute(node.body, frame, state.copy())
                return Outcome(outcome.status)
            case syntax.Background():
                self.execute(node.body, frame, state.copy())
                return Outcome()
            case syntax.Redirected():
                return self._redirected(node, frame, state)
            case syntax.Function():
                state.functions[node.name] = FunctionDefinition(node.body, frame.source)
                return Outcome()
            case syntax.Test():
                text = Expander(self._machine, frame, state)
                return Outcome(Status.of(evaluate_expression(text, node.raw, frame.source.place(node.offset))))
            case syntax.Arithmetic():
                value = Expander(self._machine, frame, state).arithmetic(node.raw)
                return Outcome(Status.of(None if value is None else value != 0))
            case syntax.Declaration():
                return self._machine.declaration(node, frame, state)
            case _:
                self._machine.opaque("shell text could not be parsed", frame, frame.source.place(node.offset))
                return Outcome(Status.UNKNOWN)

    def _sequence(self, node: syntax.Sequence, frame: Frame, state: ShellState) -> Outcome:
        outcome = Outcome()
        doubts: frozenset[Jump] = frozenset()
        for item in node.items:
            outcome = self.execute(item, frame.within(conditional=bool(doubts)), state)
            doubts |= outcome.doubts
            failed = outcome.status is Status.FAILURE and not isinstance(item, syntax.AndOr | syntax.Negated)
            if failed and "errexit" in state.settings and not self.guarded and outcome.jump is None:
                return Outcome(outcome.status, Jump.EXIT, 1, doubts)
            if outcome.jump is not None:
                break
        return Outcome(outcome.status, outcome.jump, outcome.levels, doubts)

    def _and_or(self, node: syntax.AndOr, frame: Frame, state: ShellState) -> Outcome:
        self.guarded += 1
        outcome = self.execute(node.first, frame, state)
        self.guarded -= 1
        for operator, right in node.rest:
            if outcome.jump is not None:
                return outcome
            status = outcome.status
            if operator == "&&":
                runs = True if status is Status.LIKELY else status.decided
            else:
                runs = None if status is Status.LIKELY else (None if status.decided is None else not status.decided)
            if runs is False:
                continue
            inner = frame.within(conditional=bool(outcome.doubts))
            if runs:
                following = self.execute(right, inner, state)
                if status is Status.LIKELY and following.status is Status.SUCCESS:
                    following.status = Status.LIKELY
                following.doubts |= outcome.doubts
                outcome = following
                continue
            here = state.copy()
            there = state.copy()
            following = self.execute(right, inner.within(), there)
            joined = self._join([(here, Outcome(status)), (there, following)], state)
            kept = status if operator == "||" and following.jump is not None else Status.UNKNOWN
            if operator == "||" and following.jump is None and following.status in (Status.SUCCESS, Status.LIKELY):
                kept = Status.LIKELY
            outcome = Outcome(kept, joined.jump, joined.levels, joined.doubts | outcome.doubts)
        return outcome

    def _join(self, branches: list[tuple[ShellState, Outcome]], state: ShellState) -> Outcome:
        """Merge the ends of undecided branches into `state`."""
        live = [branch for branch in branches if branch[1].jump is None]
        doubts: frozenset[Jump] = frozenset()
        for _, outcome in branches:
            doubts |= outcome.doubts
        if not live:
            first = min(branches, key=lambda branch: branch[1].jump.value if branch[1].jump else 0)
            replace_state(state, join_states([one for one, _ in branches], self._machine.options.choices))
            others = {outcome.jump for _, outcome in branches if outcome.jump not in (None, first[1].jump)}
            doubts |= frozenset(jump for jump in others if jump is not None)
            return Outcome(first[1].status, first[1].jump, first[1].levels, doubts)
        for _, outcome in branches:
            if outcome.jump is not None and not (
                outcome.jump is Jump.EXIT and outcome.status in (Status.FAILURE, Status.UNKNOWN)
            ):
                doubts |= {outcome.jump}
        replace_state(state, join_states([one for one, _ in live], self._machine.options.choices))
        statuses = {outcome.status for _, outcome in live}
        status = statuses.pop() if len(statuses) == 1 else Status.UNKNOWN
        return Outcome(status, None, 1, doubts)

    def branches(
        self, bodies: Sequence[Callable[[Frame, ShellState], Outcome]], frame: Frame, state: ShellState
    ) -> Outcome:
        """Run undecided alternatives on copies of the state and join what they leave, captured output too."""
        ends: list[tuple[ShellState, Outcome]] = []
        outputs: list[TextLike] = []
        position = frame.stdin.position if frame.stdin is not None else 0
        for body in bodies:
            copy = state.copy()
            mark = frame.sink.mark if frame.sink is not None else 0
            if frame.stdin is not None:
                frame.stdin.position = position
            ends.append((copy, body(frame.within(), copy)))
            if frame.sink is not None:
                outputs.append(frame.sink.since(mark))
        if frame.sink is not None and outputs:
            frame.sink.write(choose(outputs, self._machine.options.choices))
        return self._join(ends, state)

    # ---- conditions --------------------------------------------------------------------------------------------

    def condition(self, node: syntax.Node, frame: Frame, state: ShellState) -> Outcome:
        """Run a condition; failures in it do not end the script."""
        self.guarded += 1
        try:
            return self.execute(node, frame, state)
        finally:
            self.guarded -= 1

    def _if(self, node: syntax.If, frame: Frame, state: ShellState) -> Outcome:
        return self._if_from(node, 0, frame, state)

    def _if_from(self, node: syntax.If, index: int, frame: Frame, state: ShellState) -> Outcome:
        if index == len(node.branches):
            return self.execute(node.otherwise, frame, state) if node.otherwise is not None else Outcome()
        condition, body = node.branches[index]
        outcome = self.condition(condition, frame, state)
        if outcome.jump is not None:
            return outcome
        decided = outcome.status.decided
        if decided is True:
            return self.execute(body, frame, state)
        if decided is False:
            return self._if_from(node, index + 1, frame, state)
        return self.branches(
            [
                lambda inner, copy: self.execute(body, inner, copy),
                lambda inner, copy: self._if_from(node, index + 1, inner, copy),
            ],
            frame,
            state,
        )

    def _case(self, node: syntax.Case, frame: Frame, state: ShellState) -> Outcome:
        expander = Expander(self._machine, frame, state)
        subject = expander.string(node.subject.raw, node.subject.offset)
        candidates: list[int] = []
        decided = False
        for index, item in enumerate(node.items):
            found = self._matches_any(expander, subject, item)
            if found is not False:
                candidates.append(index)
            if found is True:
                decided = True
                break
        if decided and len(candidates) == 1:
            return self._case_body(node, candidates[0], frame, state)
        if not candidates:
            return Outcome()
        bodies: list[Callable[[Frame, ShellState], Outcome]] = [
            lambda inner, copy, index=index: self._case_body(node, index, inner, copy)  # type: ignore[misc]
            for index in candidates
        ]
        if not decided:
            bodies.append(lambda _inner, _copy: Outcome())
        return self.branches(bodies, frame, state)

    def _matches_any(self, expander: Expander, subject: TextLike, item: syntax.CaseItem) -> bool | None:
        answers: set[bool | None] = set()
        for variant in alternatives_of([subject], self._machine.options.choices):
            answer: bool | None = False
            for word in item.patterns:
                found = matches(variant[0], expander.pattern(word.raw, word.offset))
                if found is True:
                    answer = True
                    break
                answer = None if found is None else answer
            answers.add(answer)
        return answers.pop() if len(answers) == 1 else None

    def _case_body(self, node: syntax.Case, index: int, frame: Frame, state: ShellState) -> Outcome:
        outcome = Outcome()
        for item in node.items[index:]:
            outcome = self.execute(item.body, frame, state)
            if item.terminator == ";;" or outcome.jump is not None:
                break
            if item.terminator == ";;&":
                position = node.items.index(item)
                return self._case(syntax.Case(node.subject, node.items[position + 1 :], node.offset), frame, state)
        return outcome

    # ---- loops -------------------------------------------------------------------------------------------------

    def _leave_loop(self, outcome: Outcome) -> tuple[bool, Outcome]:
        """Whether a loop ends after a round, and what the round's end means outside the loop."""
        doubts = outcome.doubts.difference({Jump.BREAK, Jump.CONTINUE})
        if outcome.jump in (Jump.BREAK, Jump.CONTINUE):
            if outcome.levels > 1:
                return True, Outcome(outcome.status, outcome.jump, outcome.levels - 1, doubts)
            return outcome.jump is Jump.BREAK, Outcome(Status.SUCCESS, None, 1, doubts)
        return outcome.jump is not None, Outcome(outcome.status, outcome.jump, outcome.levels, doubts)

    def _for(self, node: syntax.For, frame: Frame, state: ShellState) -> Outcome:
        if node.words is None:
            words = list(state.arguments)
        else:
            expander = Expander(self._machine, frame, state)
            words = [field for word in node.words for field in expander.fields(word)]
        if node.select:
            words = [choose(words, self._machine.options.choices)] if words else []
        return self._rounds(node.name, words, node.body, frame, state, many=node.select)

    def _rounds(
        self, name: str, words: list[TextLike], body: syntax.Node, frame: Frame, state: ShellState, *, many: bool
    ) -> Outcome:
        if len(words) > self._machine.options.unroll:
            words = [generalise(words)]
            many = True
        result = Outcome()
        maybe_left = False
        for word in words:
            inner = frame.within(conditional=maybe_left)

            def once(surroundings: Frame, copy: ShellState, word: TextLike = word) -> Outcome:
                copy.arrays.pop(name, None)
                copy.variables[name] = as_member(word)
                return self.execute(body, surroundings, copy)

            outcome = self._widened(once, inner, state) if many or stands_for_many(word) else once(inner, state)
            maybe_left = maybe_left or bool(outcome.doubts)
            leaves, outcome = self._leave_loop(outcome)
            result = Outcome(outcome.status, outcome.jump, outcome.levels, result.doubts | outcome.doubts)
            if leaves:
                break
        return result

    def _widened(self, once: Callable[[Frame, ShellState], Outcome], frame: Frame, state: ShellState) -> Outcome:
        """Run a loop's body for any number of rounds: loop-carried variables are widened first, silently."""
        position = frame.stdin.position if frame.stdin is not None else 0
        self._machine.muted += 1
        before = state.copy()
        # A loop inside a loop that is only tried out gets fewer rounds: nesting multiplies them.
        rounds = _WIDENING_ROUNDS if self._machine.muted == 1 else 2
        for number in range(rounds):
            trial = state.copy()
            mark = frame.sink.mark if frame.sink is not None else 0
            once(frame.within(), trial)
            if frame.sink is not None:
                frame.sink.since(mark)
            if frame.stdin is not None:
                frame.stdin.position = position
            stable = widen_states(state, trial, last=number == rounds - 1)
            if stable:
                break
        self._machine.muted -= 1
        after = state.copy()
        mark = frame.sink.mark if frame.sink is not None else 0
        outcome = once(frame.within(), after)
        if frame.sink is not None and frame.sink.mark > mark:
            printed = frame.sink.since(mark)
            frame.sink.write(printed if isinstance(printed, Text) else concat(printed, hole("data")))
        if outcome.jump is Jump.EXIT or outcome.jump is Jump.RETURN:
            replace_state(state, before)
            return Outcome(Status.UNKNOWN, None, 1, outcome.doubts | {outcome.jump})
        replace_state(state, join_states([before, state, after], self._machine.options.choices))
        jump = outcome.jump if outcome.jump in (Jump.BREAK, Jump.CONTINUE) and outcome.levels > 1 else None
        return Outcome(Status.UNKNOWN, jump, outcome.levels, outcome.doubts)

    def _while(self, node: syntax.While, frame: Frame, state: ShellState) -> Outcome:
        def check(surroundings: Frame, current: ShellState) -> bool | None:
            status = self.condition(node.condition, surroundings, current).status.decided
            return None if status is None else status != node.negated

        def body(surroundings: Frame, current: ShellState) -> Outcome:
            return self.execute(node.body, surroundings, current)

        return self._repeat(check, body, frame, state)

    def _counting_for(self, node: syntax.CountingFor, frame: Frame, state: ShellState) -> Outcome:
        Expander(self._machine, frame, state).arithmetic(node.initial)

        def check(surroundings: Frame, current: ShellState) -> bool | None:
            if not node.condition:
                return True
            value = Expander(self._machine, surroundings, current).arithmetic(node.condition)
            return None if value is None else value != 0

        def body(surroundings: Frame, current: ShellState) -> Outcome:
            outcome = self.execute(node.body, surroundings, current)
            if outcome.jump in (None, Jump.CONTINUE):
                Expander(self._machine, surroundings, current).arithmetic(node.update)
            return outcome

        return self._repeat(check, body, frame, state)

    def _repeat(
        self,
        check: Callable[[Frame, ShellState], bool | None],
        body: Callable[[Frame, ShellState], Outcome],
        frame: Frame,
        state: ShellState,
    ) -> Outcome:
        """A conditional loop: rounds that are decided run one by one, the others as one widened round."""
        doubts: frozenset[Jump] = frozenset()
        maybe_left = False
        for _ in range(self._machine.options.unroll):
            inner = frame.within(conditional=maybe_left)
            position = frame.stdin.position if frame.stdin is not None else 0
            trial = state.copy()
            decided = check(inner, trial)
            if decided is False:
                replace_state(state, trial)
                return Outcome(Status.SUCCESS, None, 1, doubts)
            if decided is None:
                if frame.stdin is not None:
                    frame.stdin.position = position
                if not self._undecided_round(check, body, inner, state):
                    return Outcome(Status.UNKNOWN, None, 1, doubts)
                continue
            replace_state(state, trial)
            outcome = body(inner, state)
            maybe_left = maybe_left or bool(outcome.doubts)
            leaves, outcome = self._leave_loop(outcome)
            doubts |= outcome.doubts
            if leaves:
                return Outcome(outcome.status, outcome.jump, outcome.levels, doubts)
        self._undecided_round(check, body, frame, state)
        return Outcome(Status.UNKNOWN, None, 1, doubts)

    def _undecided_round(
        self,
        check: Callable[[Frame, ShellState], bool | None],
        body: Callable[[Frame, ShellState], Outcome],
        frame: Frame,
        state: ShellState,
    ) -> bool:
        """Run a round for any number of rounds; whether more input waits behind the unknown lines that it read."""

        def once(surroundings: Frame, copy: ShellState) -> Outcome:
            check(surroundings, copy)
            return self._leave_loop(body(surroundings, copy))[1]

        self._widened(once, frame, state)
        if frame.stdin is not None and frame.stdin.at_many:
            frame.stdin.skip()
            return True
        return False

    def _pipeline(self, node: syntax.Pipeline, frame: Frame, state: ShellState) -> Outcome:
        stdin = frame.stdin
        outcome = Outcome()
        for index, stage in enumerate(node.stages):
            last = index == len(node.stages) - 1
            sink = frame.sink if last else Sink()
            outcome = self.execute(stage, frame.with_streams(stdin, sink), state.copy())
            if not last and sink is not None:
                stdin = Stream(sink.text)
        return Outcome(outcome.status)

    def _redirected(self, node: syntax.Redirected, frame: Frame, state: ShellState) -> Outcome:
        before = output_file(node.redirects, state, Expander(self._machine, frame, state))
        inner = redirect(self._machine, node.redirects, frame, state)
        if isinstance(node.body, syntax.Function):
            return self.execute(node.body, frame, state)
        outcome = self.execute(node.body, inner, state)
        remember_output(self._machine, before, inner)
        return outcome
