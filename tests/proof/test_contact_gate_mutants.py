"""Faults planted in the gate, one at a time: the comparison with the rule table finds every one.

A fault is made in the code's syntax tree: a rule switched off, a bound moved by the least step, half of a condition
left out, a hold forgotten. ``pytest -s`` prints each fault and the first question that gave it away.
"""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

from bot.outreach import gate, wishes, workdays
from bot.outreach.gate import HoldKind, Rule
from tests.proof.contact_cells import (
    ANSWERS,
    EDGE_HISTORIES,
    EDGE_WISHES,
    EVERY_MINUTE,
    HISTORIES,
    HOLDS,
    KINDS,
    PURPOSES,
    WISHES,
    Examined,
    Panel,
)

SWITCHED_OFF, BOUND, HALF, HOLD, UNCAUGHT = "switched off", "bound moved", "half left out", "hold forgotten", "uncaught"

EQUIVALENT = {
    # Quiet hours have both ends or none: ``ContactWishes`` refuses the rest.
    "half left out: self.quiet_from is None",
    "half left out: self.quiet_to is None",
    # The two ends differ: ``ContactWishes`` refuses the rest.
    "bound moved: self.quiet_from <= self.quiet_to",
    # A piece of the window without any length has no time in it either way.
    "bound moved: piece[0] <= piece[1]",
    # Nothing goes out before the window opens, so that it makes no difference whether a notice waits for its opening.
    "bound moved: opens < self.send_at < closes",
}
"""Faults that change nothing: no comparison could find them."""


@dataclass(frozen=True)
class Fault:
    """One planted fault, by kind and by the code it was made in; ``rules`` are those it switches off."""

    kind: str
    code: str
    rules: frozenset[str]
    module: ModuleType
    tree: ast.Module

    @property
    def name(self) -> str:
        return f"{self.kind}: {self.code}"


def planted(module: ModuleType, names: set[str]) -> Iterator[Fault]:
    """Yield every fault of our kinds in these functions and constants of a module."""
    tree = ast.parse(Path(module.__file__ or "").read_text("utf-8"))
    places = [index for index, node in enumerate(ast.walk(tree)) if _name(node, tree) in names]
    assert len(places) == len(names), module.__name__
    for place in places:
        whole = list(ast.walk(tree))[place]
        for index, node in enumerate(ast.walk(whole)):
            for kind, change in changes_of(node):
                mutant = copy.deepcopy(tree)
                target = list(ast.walk(list(ast.walk(mutant))[place]))[index]
                change(target)
                ast.fix_missing_locations(mutant)
                yield Fault(kind, told(kind, node, target), rules_in(node), module, mutant)


def _name(node: ast.AST, tree: ast.Module) -> str | None:
    if isinstance(node, ast.FunctionDef):
        return node.name
    if isinstance(node, ast.Assign) and node in tree.body and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None


def changes_of(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], None]]]:
    """Yield the ways to plant a fault in one node."""
    if isinstance(node, ast.If):
        yield SWITCHED_OFF, lambda target: setattr(target, "test", ast.Constant(value=False))
    if isinstance(node, ast.Compare):
        for number, operator in enumerate(node.ops):
            if (moved := MOVED.get(type(operator))) is not None:
                yield BOUND, lambda target, number=number, moved=moved: target.ops.__setitem__(number, moved())
    if isinstance(node, ast.BoolOp):
        neutral = ast.Constant(value=isinstance(node.op, ast.And))
        for number in range(len(node.values)):
            yield HALF, lambda target, number=number: target.values.__setitem__(number, neutral)
    if isinstance(node, ast.Set):
        for number in range(len(node.elts)):
            yield HOLD, lambda target, number=number: target.elts.pop(number)
    if isinstance(node, ast.ExceptHandler):
        yield UNCAUGHT, lambda target: target.body.__setitem__(slice(None), [ast.Raise()])


MOVED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


def told(kind: str, before: ast.AST, after: ast.AST) -> str:
    """Return the code to show for a fault: what was left out, or how it reads now."""
    if isinstance(before, ast.BoolOp) and isinstance(after, ast.BoolOp):
        left = [ast.dump(value) for value in after.values]
        return next(ast.unparse(value) for value in before.values if ast.dump(value) not in left)
    if isinstance(before, ast.Set) and isinstance(after, ast.Set):
        left = [ast.dump(value) for value in after.elts]
        return next(ast.unparse(value) for value in before.elts if ast.dump(value) not in left)
    if isinstance(before, ast.If):
        return f"if {ast.unparse(before.test)}"
    if isinstance(before, ast.ExceptHandler):
        return f"except {ast.unparse(before.type) if before.type else ''}"
    return ast.unparse(after)


def rules_in(node: ast.AST) -> frozenset[str]:
    """Return the rules that a branch decides by."""
    if not isinstance(node, ast.If | ast.ExceptHandler):
        return frozenset()
    inner = (each for statement in node.body for each in ast.walk(statement))
    return frozenset(
        Rule[each.attr].value
        for each in inner
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == "Rule"
    )


def made(fault: Fault) -> tuple[ModuleType, ModuleType]:
    """Return gate and wishes with the fault in the one of the three modules that has it."""
    kept = {each.__name__: sys.modules[each.__name__] for each in (workdays, wishes, gate)}
    trees = {fault.module.__name__: fault.tree}
    trees.setdefault(gate.__name__, UNCHANGED)  # it imports the other two
    fresh = dict(kept)
    try:
        for name in kept:
            if name not in trees:
                continue
            spec = spec_from_loader(name, loader=None)
            assert spec is not None
            fresh[name] = sys.modules[name] = module_from_spec(spec)
            exec(compile(trees[name], name, "exec"), fresh[name].__dict__)
    finally:
        sys.modules.update(kept)
    return fresh[gate.__name__], fresh[wishes.__name__]


UNCHANGED = ast.parse(Path(gate.__file__).read_text("utf-8"))

NEW = {"never written to": HISTORIES["never written to"]}
A_FEW = {name: HISTORIES[name] for name in ("never written to", "one in seven days, answered", "two unanswered")}
NO_WISH = {"none": WISHES["none"]}
NO_HOLD = {"none": HOLDS["none"]}
SINGLE_HOLDS = {kind: frozenset({kind}) for kind in KINDS}
QUARTERS = range(2 * 1440, 4 * 1440, 15)
"""Of the last day of the holiday and the first working day after it."""

PANELS = (
    Panel(QUARTERS, HISTORIES | EDGE_HISTORIES, NO_WISH, NO_HOLD, PURPOSES + ANSWERS),
    Panel(QUARTERS, A_FEW, WISHES | EDGE_WISHES, NO_HOLD),
    Panel(QUARTERS[::8], NEW, NO_WISH, SINGLE_HOLDS),
    Panel(QUARTERS[::8], HISTORIES, NO_WISH, NO_HOLD, due_key=None),
    Panel(QUARTERS[::8], NEW, NO_WISH, NO_HOLD, rests=False),
    Panel(EVERY_MINUTE[::60], NEW, NO_WISH, NO_HOLD),
)


def unknowns(examined: ModuleType) -> Iterator[str]:
    """Yield the question about something unknown, or somebody else, that a gate does not refuse as it must."""
    now = datetime(2026, 10, 8, 4, tzinfo=UTC)
    naive = now.replace(tzinfo=None)
    none: frozenset[HoldKind] = frozenset()
    limits, purpose, sent = examined.Limits(), examined.Purpose.PLAN_NOTICE, examined.PastNotice(naive, None)
    questions = {
        "no clock": (examined.Recipient(True, (), none, None), None, "unknown"),
        "a clock without a zone": (examined.Recipient(True, (), none, None), naive, "unknown"),
        "the end of the calendar": (
            examined.Recipient(True, (), none, None),
            datetime.max.replace(tzinfo=UTC),
            "unknown",
        ),
        "no history": (examined.Recipient(True, None, none, None), now, "unknown"),
        "no wishes": (examined.Recipient(True, (), none, None, None), now, "unknown"),
        "a notice without a zone": (examined.Recipient(True, (sent,), none, None), now, "unknown"),
        "a reply without a zone": (examined.Recipient(True, (), none, naive), now, "unknown"),
        "somebody else": (examined.Recipient(False, (), none, None), now, "P1"),
    }
    for name, (recipient, at, rule) in questions.items():
        try:
            decision = examined.may_send(purpose, None, recipient, at, limits)
        except Exception as error:
            yield f"{name}: {error!r}"
            continue
        if (decision.verdict, decision.rule) != ("refused", rule):
            yield f"{name}: {decision}"


def found_by(fault: Fault) -> object:
    """The first question that gives a fault away, None if none does."""
    faulty_gate, faulty_wishes = made(fault)
    if (question := next(unknowns(faulty_gate), None)) is not None:
        return question
    examined = Examined(faulty_gate, faulty_wishes)
    for panel in PANELS:
        if (difference := next(examined.disagreements(panel), None)) is not None:
            return difference
    return None


FAULTS = [
    *planted(
        gate,
        {
            "may_send",
            "_are_aware",
            "closed_by",
            "defer",
            "_next_open",
            "_earliest",
            "_frequency",
            "_SILENCING",
            "_LEAVING_PLAN_NOTICES",
        },
    ),
    *planted(wishes, {"quiet_at", "left_of", "earliest_in"}),
    *planted(workdays, {"in_public_holiday"}),
]


def test_the_comparison_finds_nothing_in_the_gate_as_it_is() -> None:
    assert found_by(Fault("none", "", frozenset(), gate, UNCHANGED)) is None


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found(fault: Fault) -> None:
    found = found_by(fault)
    if fault.name in EQUIVALENT:
        assert found is None, "it does change something: take it off the list"
        return
    assert found is not None, f"nothing gives it away: {fault.name}"
    print(f"\n{', '.join(sorted(fault.rules)) or '-'} | {fault.name} | {found}")  # noqa: T201


def test_every_rule_and_every_hold_is_switched_off_in_turn() -> None:
    off = {rule for fault in FAULTS if fault.kind in (SWITCHED_OFF, UNCAUGHT) for rule in fault.rules}
    assert off == {rule.value for rule in Rule}
    forgotten = {fault.code for fault in FAULTS if fault.kind == HOLD}
    assert forgotten == {f"HoldKind.{kind.name}" for kind in HoldKind if kind is not HoldKind.OPT_OUT}


def test_the_faults_that_change_nothing_are_all_still_there() -> None:
    assert {fault.name for fault in FAULTS} >= EQUIVALENT
