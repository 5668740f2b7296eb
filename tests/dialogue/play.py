"""Plays a written conversation over a line and checks every step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import yaml

from bot.services.approval_decisions import Decision
from bot.services.demo_data import load_demo_data
from bot.settings import ROOT
from bot.text.normalize import normalize_text
from bot.text.scripts import Script, to_script
from tests.builders.accounts import a_plan, verified
from tests.builders.past import a_plan_of_old
from tests.builders.people import Person, a_person, a_stranger
from tests.dialogue.lines import Line
from tests.dialogue.proving import shown_code
from tests.dialogue.script import Case, Conversation, Step, fill, found, openings, way_to
from tests.dialogue.world import World
from tests.running.borrower import Said
from tests.running.desk import RunningDesk

PNG = b"\x89PNG\r\n\x1a\n and the rest of it"
NEVER_SHOWN = ("/[{}]/", "utter_", "action_", "/\\bNone\\b/", "Traceback", "Error")


def person_for(desk: RunningDesk, conversation: Conversation) -> Person:
    """Return who is at the other end: somebody new, one of the demo's people by phone, or nobody the desk knows."""
    if conversation.who == "fresh":
        person = a_person(desk.deps, [debt.owed() for debt in conversation.owes])
        assert person.borrower_id is not None
        if conversation.plan is not None and conversation.plan.agreed_days_ago:
            old = conversation.plan
            a_plan_of_old(desk.deps, person.borrower_id, person.debt_ids[0], old.agreed_days_ago, old.paid)
        elif conversation.plan is not None:
            a_plan(desk.deps, verified(desk.deps, person.borrower_id))
        return person
    if conversation.who == "anonymous":
        return a_stranger()
    data = load_demo_data(desk.deps.data / "demo" / "accounts.yml")
    known = next(each for each in data.borrowers if each.phone == conversation.who)
    return Person(known.name, known.phone, known.id_number[-4:])


class Play:
    """One conversation under way."""

    def __init__(self, case: Case, line: Line, world: World) -> None:
        self._case = case
        self._line = line
        self._world = world
        self._person = world.person
        self._remembered: dict[str, list[str]] = {}
        self._done: list[str] = [f"[{said.author}] {said.text}" for said in line.heard]

    def run(self) -> None:
        """Go to where the conversation begins, then through its steps.

        Raises:
            AssertionError: an answer was not as it must be; the text holds the whole transcript.
        """
        start = way_to(self._case.at) if self._case.at else []
        for step in (*start, *self._case.conversation.steps):
            try:
                self._take(step)
            except AssertionError as error:
                raise AssertionError(f"{error}\n\n{self.transcript()}") from error

    def transcript(self) -> str:
        """Return what was said so far, as a person reads it."""
        return "\n".join(self._done)

    def _take(self, step: Step) -> None:
        if step.borrower is not None:
            text = fill(step.borrower, self._values(step.borrower))
            self._done.append(f"> {text[:200]}")
            answers = self._line.say(text)
        elif any(happens is not None for happens in step.happens):
            self._done.append(f"* {step.file or step.supervisor or step.payment}")
            answers = self._line.heard_of(lambda: self._let_happen(step), lambda said: self._is_told(step, said))
        else:
            title = fill(step.press or "", self._values(step.press or ""))
            self._done.append(f"> [{title}]")
            answers = self._line.press(title)
        self._done += [f"[{said.author}] {said.text}  {list(said.buttons) or ''}".rstrip() for said in answers]
        if answers or step.borrower is not None or step.press is not None:
            self._check(step, answers)

    def _let_happen(self, step: Step) -> None:
        if step.file is not None:
            self._line.send_file(step.file, PNG)
        elif step.supervisor is not None:
            self._world.decide(Decision(step.supervisor.removesuffix("_without")), looks=step.supervisor == "approve")
        elif step.payment is not None:
            self._world.pay(step.payment)

    def _is_told(self, step: Step, said: Sequence[Said]) -> bool:
        shown = "\n".join(each.text for each in said)
        return all(found(fill(wanted, self._values(wanted)), shown) for wanted in step.expect)

    def _check(self, step: Step, answers: Sequence[Said]) -> None:
        shown = "\n".join(said.text for said in answers)
        problem = self._line.problem()
        assert problem == step.problem, f"problem {problem!r} instead of {step.problem!r}"
        if step.silence or step.problem:
            assert not answers, "answered, but must not have been"
            return
        assert any(said.author in ("bot", "notice") for said in answers), "nobody answered"
        for wanted in step.expect:
            assert found(fill(wanted, self._values(wanted)), shown), f"missing {wanted!r}"
        for unwanted in (*step.never, *self._case.conversation.never):
            assert not found(unwanted, shown), f"must not be said: {unwanted!r}"
        _check_decency(answers)
        if self._case.conversation.script == "hant":
            assert shown == to_script(shown, Script.HANT), "not in Traditional script"
        titles = [title for said in answers for title in said.buttons]
        for wanted in step.buttons:
            assert any(wanted in title for title in titles), f"no button {wanted!r} among {titles}"
        if step.resumes:
            question = openings()[self._case.at or ""].open_question
            assert question, f"{self._case.at} has no open question"
            assert found(question, answers[-1].text), f"the open question did not come back: {question!r}"
        if step.remember:
            self._remembered[step.remember] = [said.text for said in answers if said.author == "bot"]
        if step.as_before:
            words = [said.text for said in answers if said.author == "bot"]
            assert words == self._remembered[step.as_before], f"not the words of {step.as_before!r}"

    def _values(self, text: str) -> dict[str, str]:
        person = self._person
        values = {"phone": person.phone, "name": person.name, "tail": person.id_tail, "word": self._case.word or ""}
        if "_code" in text or "$code" in text:
            code = shown_code(self._line)
            values |= {"code": code, "wrong_code": f"{(int(code) + 1) % 1_000_000:06d}"}
        values["wrong_tail"] = f"{(int(person.id_tail[:3]) + 1) % 1000:03d}9"
        return values


def _check_decency(answers: Sequence[Said]) -> None:
    """What must not be said anywhere, whatever the conversation is about."""
    for said in answers:
        if said.author != "bot":
            continue
        for unwanted in NEVER_SHOWN:
            assert not found(unwanted, said.text), f"must not be shown: {unwanted!r}"
        plain = normalize_text(said.text)
        for phrase in _red_list():
            assert phrase not in plain, f"must never be said: {phrase!r}"


@cache
def _red_list() -> tuple[str, ...]:
    raw = yaml.safe_load((ROOT / "data" / "rights" / "_red_list.yml").read_text("utf-8"))
    return tuple(normalize_text(entry["phrase"]) for entry in raw["phrases"])
