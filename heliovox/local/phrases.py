"""The telephone grammar: what people say to a telephone system, and what our recogniser knows.

Every phrase is lower case, with digits as words and letters spaced ("a b c"): the recogniser's own
orthography, so that a phrase and its transcript can be compared as they stand.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping


def words_of(text: str) -> tuple[str, ...]:
    """The words of a block of text."""
    return tuple(text.split())


def lines_of(text: str) -> tuple[str, ...]:
    """The phrases of a block of text: one a line, or several between bars."""
    parts = (part.strip() for part in text.replace("\n", "|").split("|"))
    return tuple(part for part in parts if part)


DIGITS: Final = words_of("zero one two three four five six seven eight nine")
TEENS: Final = words_of(
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
)
TENS: Final = words_of("twenty thirty forty fifty sixty seventy eighty ninety")
LETTERS: Final = tuple("abcdefghijklmnopqrstuvwxyz")
_FIRST_TO_NINTH: Final = words_of("first second third fourth fifth sixth seventh eighth ninth")
ORDINALS: Final = (
    *_FIRST_TO_NINTH,
    *words_of(
        """tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth
        nineteenth twentieth"""
    ),
    *(f"twenty {ordinal}" for ordinal in _FIRST_TO_NINTH),
    "thirtieth",
    "thirty first",
)
MONTHS: Final = words_of(
    """january february march april may june july august september october november december"""
)
DAYS: Final = words_of("monday tuesday wednesday thursday friday saturday sunday")
COMMANDS: Final = lines_of(
    """yes|no|help|stop|cancel|repeat|go|start|enter|erase|continue|confirm|next|previous|back|open
    close|send|delete|save|exit|play|pause|finish|start over|go back|main menu|hold on|one moment
    hang up|call me back|transfer me|say that again|speak louder|speak slower|turn it on|turn it off
    volume up|volume down|call my office|call home|send a message|read my messages
    check my voicemail
    leave a message|operator please|speak to an agent|speak to a person|customer service
    technical support|billing department|sales department|shipping department|new order|order status
    cancel my order|track my order|where is my order|return an item|change my order|account balance
    check my balance|pay my bill|make a payment|last payment|change my address|change my password
    reset my password|close my account|open an account|block my card|report a lost card
    activate my card|opening hours|store locations|find a store|book an appointment
    change my appointment|cancel my appointment|confirm my appointment|talk to a doctor
    refill my prescription|internet is down|my phone is broken|no signal|slow internet
    report a problem|report an outage|schedule a visit|renew my contract|upgrade my plan
    cancel my service|start my service|send me a copy|send a text message|press one|press two
    press the star key|press the pound key|that is correct|that is wrong|that is all
    go to the next one
    emergency|goodbye|hello|thank you|good morning|good afternoon|good evening"""
)

ACTIONS: Final = lines_of(
    """pay my bill|change my address|cancel my order|check my balance|book a flight|book a room
    return an item|change my password|close my account|open an account|make a payment
    track my package
    speak to an agent|renew my contract|change my appointment|report a problem|order a new card
    update my phone number|talk to billing|leave a message|place an order"""
)
THINGS: Final = lines_of(
    """phone|card|order|bill|account|package|contract|internet|appointment|payment|ticket|flight
    room|computer|printer|television|subscription|delivery|invoice|password|refund|insurance|message
    service|modem"""
)

_TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = {
    "number": ("{number}", "number {number}", "the number is {number}", "{number} of them"),
    "digits": ("{digits}", "enter {digits}", "the code is {digits}", "extension {short_digits}"),
    "letters": ("{letters}", "enter {letters}", "it is spelled {letters}", "{letters} {number}"),
    "date": ("{date}", "on {date}", "my birthday is {date}", "it was delivered on {date}"),
    "time": ("{time}", "at {time}", "{day} at {time}", "call me back at {time}"),
    "money": ("{money}", "i paid {money}", "the total is {money}", "send {money} to my account"),
    "yes_no": lines_of(
        """yes|no|yes please|no thank you|yes i do|no i do not|yes that is right|no that is wrong
        that is correct|yes that is all|no i want to change it|yes go on|i am not sure"""
    ),
    "command": ("{command}", "please {command}", "{command} please", "i said {command}"),
    "reference": (
        "my order number is {digits}",
        "my account number is {digits}",
        "my phone number is {phone}",
        "the order number is {letter} {letter} {digits}",
        "the reference is {letter} {letter} {letter} {digits}",
        "the card ends in {short_digits}",
        "my customer number is {short_digits}",
        "you can reach me at {phone}",
    ),
    "request": (
        "i would like to {action}",
        "i want to {action}",
        "can i {action} please",
        "i need to {action} today",
        "i am calling about my {thing}",
        "there is a problem with my {thing}",
        "my {thing} does not work",
        "my {thing} has not arrived",
        "where is my {thing}",
        "how much is the {thing}",
        "i was charged {money} for my {thing}",
        "i bought the {thing} on {day}",
        "can you call me on {day} at {time}",
        "i would like an appointment on {date}",
        "please cancel my {thing} on {day}",
        "please send the {thing} to my home",
        "i have been waiting for {number} minutes",
        "could you repeat that please",
        "i did not understand that",
        "can you help me with my {thing}",
        "i would like to speak to the manager",
        "please transfer me to technical support",
        "thank you for your help goodbye",
    ),
}


def kinds() -> tuple[str, ...]:
    """The kinds of phrase there are, for instance "date" and "money"."""
    return tuple(_TEMPLATES)


def phrase(rng: random.Random, kind: str) -> str:
    """One phrase of this kind, of any length from one word.

    Raises:
        ValueError: there is no such kind.
    """
    if kind not in _TEMPLATES:
        raise ValueError(f"kind={kind!r} is unknown: choose one of {', '.join(kinds())}")
    return fill(rng.choice(_TEMPLATES[kind]), rng)


def fill(template: str, rng: random.Random) -> str:
    """The template with each slot drawn anew: "{date}" or "send {money} on {day}".

    Raises:
        KeyError: the template names a slot that there is not.
    """
    return re.sub(r"\{(\w+)\}", lambda slot: _SLOTS[slot[1]](rng), template)


def fixed_sentences() -> frozenset[str]:
    """Every command, action and template without a slot: there is no other wording of them."""
    templates = (line for lines in _TEMPLATES.values() for line in lines)
    return frozenset((*COMMANDS, *ACTIONS, *(line for line in templates if "{" not in line)))


def sentence(rng: random.Random) -> str:
    """A phrase of any kind, of 3 to 12 words: equal states of `rng`, equal sentences."""
    while True:
        text = phrase(rng, rng.choice(kinds()))
        if 3 <= len(text.split()) <= 12:
            return text


def vocabulary() -> frozenset[str]:
    """Every word that a phrase may hold."""
    templates = " ".join(line for lines in _TEMPLATES.values() for line in lines)
    fixed = re.sub(r"\{\w+\}", " ", templates)
    lists = (DIGITS, TEENS, TENS, LETTERS, ORDINALS, MONTHS, DAYS, COMMANDS, ACTIONS, THINGS)
    slots = "hundred thousand oh twenty the of o'clock half past quarter to in morning afternoon"
    more = "evening dollars and cents"
    return frozenset(" ".join([fixed, slots, more, *(w for words in lists for w in words)]).split())


def below_hundred(n: int) -> str:
    """0 to 99 in words."""
    if n < 10:
        return DIGITS[n]
    if n < 20:
        return TEENS[n - 10]
    tens = TENS[n // 10 - 2]
    return tens if n % 10 == 0 else f"{tens} {DIGITS[n % 10]}"


def number_words(n: int) -> str:
    """0 to 99,999 in words, without "and".

    Raises:
        ValueError: `n` is outside that range.
    """
    if not 0 <= n < 100_000:
        raise ValueError(f"n={n} is out of range: choose 0 to 99999")
    if n < 100:
        return below_hundred(n)
    unit, name = (100, "hundred") if n < 1000 else (1000, "thousand")
    head = f"{number_words(n // unit)} {name}"
    return head if n % unit == 0 else f"{head} {number_words(n % unit)}"


def _number(rng: random.Random) -> str:
    top = rng.choice((20, 100, 100, 1000, 10_000))
    return number_words(rng.randrange(top))


def _digits(rng: random.Random, shortest: int, longest: int) -> str:
    zero = rng.choice(("zero", "oh"))
    return " ".join(
        zero if digit == "zero" else digit
        for digit in (rng.choice(DIGITS) for _ in range(rng.randint(shortest, longest)))
    )


def _letters(rng: random.Random) -> str:
    return " ".join(rng.choice(LETTERS) for _ in range(rng.randint(2, 7)))


def _date(rng: random.Random) -> str:
    month, ordinal = rng.choice(MONTHS), rng.choice(ORDINALS)
    year = f"{rng.choice(('nineteen', 'twenty'))} {below_hundred(rng.randint(10, 99))}"
    forms = (
        f"{month} {ordinal}",
        f"the {ordinal} of {month}",
        f"{rng.choice(DAYS)} {month} {ordinal}",
        f"{month} {ordinal} {year}",
    )
    return rng.choice(forms)


def _time(rng: random.Random) -> str:
    hour = below_hundred(rng.randint(1, 12))
    forms = (
        f"{hour} o'clock",
        f"{hour} {rng.choice('ap')} m",
        f"{hour} {below_hundred(rng.randint(10, 59))}",
        f"half past {hour}",
        f"quarter {rng.choice(('past', 'to'))} {hour}",
        f"{hour} in the {rng.choice(('morning', 'afternoon', 'evening'))}",
    )
    return rng.choice(forms)


def _money(rng: random.Random) -> str:
    dollars = f"{number_words(rng.choice((rng.randint(2, 99), rng.randint(100, 999))))} dollars"
    return rng.choice((dollars, f"{dollars} and {below_hundred(rng.randint(2, 99))} cents"))


_SLOTS: Final[Mapping[str, Callable[[random.Random], str]]] = {
    "number": _number,
    "digits": lambda rng: _digits(rng, 4, 8),
    "short_digits": lambda rng: _digits(rng, 2, 4),
    "phone": lambda rng: _digits(rng, 7, 7),
    "letter": lambda rng: rng.choice(LETTERS),
    "letters": _letters,
    "date": _date,
    "time": _time,
    "money": _money,
    "day": lambda rng: rng.choice(DAYS),
    "command": lambda rng: rng.choice(COMMANDS),
    "action": lambda rng: rng.choice(ACTIONS),
    "thing": lambda rng: rng.choice(THINGS),
}
