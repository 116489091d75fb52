"""What people read, in Swedish and English. Every key is in both; a name never becomes part of a key.

The page has its own catalogue for its own words; here are those that the server must choose, since only it knows them.
"""

from collections.abc import Mapping, Sequence

from mcu.conference.roster import Language
from mcu.media.messages import NoticeKind

TEXTS: Mapping[Language, Mapping[str, str]] = {
    "sv": {
        "joined": "{who} gick med",
        "left": "{who} lämnade",
        "reconnected": "{who} är tillbaka",
        "reconnected.many": "{who} är tillbaka",
        "missed": "Medan du var borta: {what}",
        "missed.joined": "{count} gick med",
        "missed.left": "{count} lämnade",
        "missed.reconnected": "{count} kom tillbaka",
        "two": "{first} och {second}",
        "many": "{first} och {count} till",
        "somebody": "Någon",
        "numbers": "noll en två tre fyra fem sex sju åtta nio tio elva tolv",
        "refused": "Det får du inte göra",
        "hosts-only": "Det får bara en värd som är i rummet göra",
        "that-person-only": "Det kan bara personen själv göra",
        "not-found": "Personen är inte kvar",
        "conflict": "Det går inte just nu",
        "meeting-full": "Mötet är fullt",
        "meeting-locked": "Mötet är låst",
        "destination-not-allowed": "Dit får mötet inte ringa",
        "invalid": "Det gick inte att förstå",
        "malformed": "Det gick inte att förstå",
        "too-many-requests": "För mycket på en gång: vänta lite",
        "unavailable": "Det går inte just nu: försök igen",
        "internal": "Något gick fel",
    },
    "en": {
        "joined": "{who} joined",
        "left": "{who} left",
        "reconnected": "{who} is back",
        "reconnected.many": "{who} are back",
        "missed": "While you were away: {what}",
        "missed.joined": "{count} joined",
        "missed.left": "{count} left",
        "missed.reconnected": "{count} came back",
        "two": "{first} and {second}",
        "many": "{first} and {count} more",
        "somebody": "Somebody",
        "numbers": "zero one two three four five six seven eight nine ten eleven twelve",
        "refused": "You may not do that",
        "hosts-only": "Only a host who is in the room may do that",
        "that-person-only": "Only that person may do that",
        "not-found": "That person is not here any more",
        "conflict": "That cannot be done just now",
        "meeting-full": "The meeting is full",
        "meeting-locked": "The meeting is locked",
        "destination-not-allowed": "The meeting may not call there",
        "invalid": "That could not be understood",
        "malformed": "That could not be understood",
        "too-many-requests": "Too much at once: wait a little",
        "unavailable": "That cannot be done just now: try again",
        "internal": "Something went wrong",
    },
}
_SUMMED = (NoticeKind.JOINED, NoticeKind.LEFT, NoticeKind.RECONNECTED)


def notice_text(language: Language, kind: NoticeKind, names: Sequence[str], missed: Mapping[NoticeKind, int]) -> str:
    """A notice in words. `names`: whom it is about; `missed`: for a summary, how many of each kind."""
    texts = TEXTS[language]
    if kind is NoticeKind.MISSED:
        parts = [
            texts[f"missed.{one}"].format(count=_number(language, missed[one])) for one in _SUMMED if one in missed
        ]
        return texts["missed"].format(what=", ".join(parts))
    who = _who(language, [name or texts["somebody"] for name in names] or [texts["somebody"]])
    return (texts.get(f"{kind}.many", texts[kind]) if len(names) > 1 else texts[kind]).format(who=who)


def refusal_text(language: Language, code: str) -> str:
    """Why something was not done. An error without words of its own is told as the general one."""
    texts = TEXTS[language]
    return texts.get(code, texts["internal"])


def _who(language: Language, names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    if len(names) == 2:
        return TEXTS[language]["two"].format(first=names[0], second=names[1])
    return TEXTS[language]["many"].format(first=names[0], count=len(names) - 1)


def _number(language: Language, count: int) -> str:
    words = TEXTS[language]["numbers"].split()
    return words[count] if count < len(words) else str(count)
