"""What counts as proof of a hardship, and what may be covered up in it. Any one kind will do; none is demanded (P6)."""

from enum import StrEnum

from bot.workout.policy_sections import HardshipKind


class HardshipEvidence(StrEnum):
    """A paper or a picture that somebody in this hardship may well have at hand."""

    LEAVING_PAPER = "leaving_paper"
    BENEFIT_RECORD = "benefit_record"
    DISMISSAL_NOTICE = "dismissal_notice"
    DIAGNOSIS = "diagnosis"
    MEDICAL_BILL = "medical_bill"
    SICK_NOTE = "sick_note"
    DEATH_RECORD = "death_record"
    FUNERAL_BILL = "funeral_bill"
    DISASTER_RECORD = "disaster_record"
    DAMAGE_PHOTO = "damage_photo"
    WAGE_RECORD = "wage_record"
    WORK_STOPPED = "work_stopped"
    TAKINGS_RECORD = "takings_record"
    ANYTHING_THAT_SHOWS_IT = "anything_that_shows_it"


class Coverable(StrEnum):
    """Something that stands in such a paper and is not needed for the decision."""

    ID_NUMBER = "id_number"
    CARD_NUMBER = "card_number"
    OTHER_PEOPLE = "other_people"
    ILLNESS_DETAIL = "illness_detail"
    OTHER_ENTRIES = "other_entries"


_BY_HARDSHIP: dict[HardshipKind, tuple[HardshipEvidence, ...]] = {
    HardshipKind.JOB_LOSS: (
        HardshipEvidence.LEAVING_PAPER,
        HardshipEvidence.BENEFIT_RECORD,
        HardshipEvidence.DISMISSAL_NOTICE,
    ),
    HardshipKind.ILLNESS: (
        HardshipEvidence.DIAGNOSIS,
        HardshipEvidence.MEDICAL_BILL,
        HardshipEvidence.SICK_NOTE,
    ),
    HardshipKind.BEREAVEMENT: (HardshipEvidence.DEATH_RECORD, HardshipEvidence.FUNERAL_BILL),
    HardshipKind.DISASTER: (HardshipEvidence.DISASTER_RECORD, HardshipEvidence.DAMAGE_PHOTO),
    HardshipKind.INCOME_CUT: (
        HardshipEvidence.WAGE_RECORD,
        HardshipEvidence.WORK_STOPPED,
        HardshipEvidence.TAKINGS_RECORD,
    ),
    HardshipKind.OTHER: (HardshipEvidence.WAGE_RECORD, HardshipEvidence.ANYTHING_THAT_SHOWS_IT),
}

_ALWAYS_COVERABLE = (Coverable.ID_NUMBER, Coverable.CARD_NUMBER, Coverable.OTHER_PEOPLE)
_ALSO_COVERABLE: dict[HardshipKind, Coverable] = {
    HardshipKind.ILLNESS: Coverable.ILLNESS_DETAIL,
    HardshipKind.INCOME_CUT: Coverable.OTHER_ENTRIES,
    HardshipKind.OTHER: Coverable.OTHER_ENTRIES,
}


def evidence_of(hardship: HardshipKind | None) -> tuple[HardshipEvidence, ...]:
    """Return what counts as proof of a hardship, the easiest to come by first; any one of them will do."""
    return _BY_HARDSHIP[hardship or HardshipKind.OTHER]


def coverable_in(hardship: HardshipKind | None) -> tuple[Coverable, ...]:
    """Return what somebody may cover up in it."""
    also = _ALSO_COVERABLE.get(hardship or HardshipKind.OTHER)
    return _ALWAYS_COVERABLE if also is None else (*_ALWAYS_COVERABLE, also)
