"""Some simulated months on both databases: whatever goes wrong, no rule is broken, nothing comes twice or is lost."""

from __future__ import annotations

import pytest

from bot.services.deps import Deps
from tests.builders.desk import SetClock
from tests.simulation.year import Outcome, Year

SEED = 20261121


def lived(deps: Deps, clock: SetClock) -> Outcome:
    """Live through fewer days with fewer people on PostgreSQL, where every statement is a round trip."""
    is_sqlite = deps.database.engine.dialect.name == "sqlite"
    people, days = (45, 75) if is_sqlite else (14, 30)
    return Year(deps, clock, people, days, SEED).run()


@pytest.mark.timeout(600)
def test_months_of_reminders_break_no_rule_and_lose_nothing(deps: Deps, clock: SetClock) -> None:
    outcome = lived(deps, clock)
    assert outcome.findings == [], "\n".join(outcome.lines())
    ended = {name.split()[1] for name in outcome.ended}
    assert {"sent", "superseded", "refused"} <= ended, outcome.ended
    assert {"agrees", "pays_something", "stops", "complains"} <= set(outcome.acts), outcome.acts
    assert outcome.went_wrong["scheduler killed"] > 0, outcome.went_wrong
    assert outcome.went_wrong["two schedulers at once"] > 0, outcome.went_wrong
