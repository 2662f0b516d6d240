"""Sentences for the teachers to read: grammars of our own, and words of the dictionary.

Nothing is taken from any text that somebody else wrote, so the voices owe nothing to one.
"""

import hashlib
import random
from collections.abc import Callable, Sequence

from heliovox.local import phrases

_DIGITS = phrases.words_of("""zero one two three four five six seven eight nine""")
_TEENS = phrases.words_of(
    """ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"""
)
_TENS = phrases.words_of("""twenty thirty forty fifty sixty seventy eighty ninety""")
_ORDINALS = phrases.words_of(
    """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth
    fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth"""
)
_MONTHS = phrases.words_of(
    """january february march april may june july august september october november december"""
)
_DAYS = phrases.words_of(
    """monday tuesday wednesday thursday friday saturday sunday today tomorrow"""
)
_LETTERS = phrases.words_of("""a b c d e f g h i j k l m n o p q r s t u v w x y z""")
_SPELLED = phrases.words_of(
    """alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar
    papa quebec romeo sierra tango uniform victor whiskey yankee zulu"""
)
_COMMANDS = phrases.lines_of(
    """yes|no|help|stop|cancel|repeat|start over|go back|main menu|operator
    speak to an agent|billing|payments|technical support|sales|new order|order status
    account balance|opening hours|hold on|one moment|continue|confirm|that is correct
    that is wrong|change my address|reset my password|goodbye|call me back|transfer me
    louder please|slower please|say that again|turn it on|turn it off|volume up|play|pause
    next|previous|open|close|up|down|left|right|send|delete|save|exit
    report a problem|emergency|okay|sorry|thank you|please|hello|good morning|good evening"""
)
_NOUNS = phrases.words_of(
    """account order package invoice ticket card phone number line router bill payment address name
    letter street city house garden river mountain village teacher doctor engineer driver child
    children woman man people family friend neighbour window kitchen table chair bottle glass
    bread coffee water weather winter summer morning evening week month year minute journey train
    bridge station airport flight hotel room key door light paper picture story question answer
    reason problem idea system network message voice music language word sound measure price
    market business office company meeting contract policy agent customer service refund delivery
    password website charge fuel engine horse dog bird fish forest island ocean cloud"""
)
_VERBS = phrases.words_of(
    """change check open close find send bring carry watch measure choose follow leave join build
    cancel confirm answer describe explain deliver receive replace return repair review update
    remember forget imagine protect finish begin visit cross reach push pull touch judge usher"""
)
_ADJECTIVES = phrases.words_of(
    """new old young large small heavy light quiet loud strange usual careful early late open empty
    full cheap expensive broken missing good bad better yellow orange purple green dark bright
    warm cold fresh rough smooth joyful royal fair pure genuine precious public private foreign"""
)
_ADVERBS = phrases.words_of(
    """slowly quickly often never always today again usually together alone soon"""
)
_WHERE = phrases.lines_of(
    """in the garden|at the station|near the bridge|on the table|behind the house
    under the window|across the river|before noon|after the meeting|without any trouble
    because of the weather|through the forest|with my brother|for the whole family
    from the first day|by the sea"""
)
_OPENERS = phrases.lines_of(
    """i would like to|could you please|how do i|we need to|she wants to|they are going to
    you should|he tried to|please|let us|i am calling to|can you help me|do not
    it is time to|why did you"""
)
_PRONOUNS = phrases.words_of("""i you he she we they it""")


def cardinal(n: int) -> str:
    """`n` in words, for 0 <= n < 1,000,000."""
    if n < 20:
        return (_DIGITS + _TEENS)[n]
    if n < 100:
        return _TENS[n // 10 - 2] + (f" {_DIGITS[n % 10]}" if n % 10 else "")
    if n < 1000:
        return f"{_DIGITS[n // 100]} hundred" + (f" {cardinal(n % 100)}" if n % 100 else "")
    rest = f" {cardinal(n % 1000)}" if n % 1000 else ""
    return f"{cardinal(n // 1000)} thousand{rest}"


def _some(rng: random.Random, words: Sequence[str], least: int, most: int) -> str:
    return " ".join(rng.choice(words) for _ in range(rng.randint(least, most)))


def _money(rng: random.Random) -> str:
    unit = rng.choice(["dollars", "pounds", "euros"])
    cents = f" and {cardinal(rng.randint(2, 99))} cents" if rng.random() < 0.4 else ""
    return f"{cardinal(rng.randint(2, rng.choice([20, 100, 1000, 9000])))} {unit}{cents}"


def _date(rng: random.Random) -> str:
    year = f", twenty {cardinal(rng.randint(10, 40))}" if rng.random() < 0.4 else ""
    day = rng.choice(_ORDINALS)
    return rng.choice(
        [
            f"{rng.choice(_MONTHS)} {day}{year}",
            f"{rng.choice(_DAYS)} the {day}",
            f"the {day} of may",
        ]
    )


def _time(rng: random.Random) -> str:
    hour = cardinal(rng.randint(1, 12))
    minute = cardinal(rng.randint(10, 59))
    return rng.choice(
        [f"{hour} o'clock", f"{hour} {minute} p m", f"half past {hour}", f"{hour} {minute} a m"]
    )


def telephone(rng: random.Random) -> str:
    """What telephone systems say and hear: numbers, letters, dates, money, commands."""
    makers: list[Callable[[], str]] = [
        lambda: _some(rng, _DIGITS, 3, 10),
        lambda: f"my number is {_some(rng, _DIGITS, 3, 4)}, {_some(rng, _DIGITS, 3, 4)}",
        lambda: _some(rng, _LETTERS, 3, 8),
        lambda: f"{_some(rng, _LETTERS, 2, 4)} {_some(rng, _DIGITS, 2, 4)}",
        lambda: f"that is {_some(rng, _SPELLED, 2, 4)}, {_some(rng, _DIGITS, 2, 4)}",
        lambda: f"{rng.choice(_COMMANDS)}, {rng.choice(_COMMANDS)}",
        lambda: rng.choice(_COMMANDS),
        lambda: f"the total is {_money(rng)}",
        lambda: f"on {_date(rng)} at {_time(rng)}",
        lambda: f"your appointment is on {_date(rng)}, at {_time(rng)}",
        lambda: cardinal(rng.randint(0, 999_999)),
        lambda: f"say {rng.choice(_COMMANDS)} or {rng.choice(_COMMANDS)}",
    ]
    return rng.choice(makers)()


def _thing(rng: random.Random) -> str:
    article = rng.choice(["the", "my", "your", "this", "every", "their", "our", "that"])
    adjective = f"{rng.choice(_ADJECTIVES)} " if rng.random() < 0.6 else ""
    return f"{article} {adjective}{rng.choice(_NOUNS)}"


def plain(rng: random.Random) -> str:
    """Plain sentences about nothing in particular: function words in their usual places."""
    thing, verb, where = _thing(rng), rng.choice(_VERBS), rng.choice(_WHERE)
    return rng.choice(
        [
            f"{rng.choice(_OPENERS)} {verb} {thing} {where}",
            f"{thing} is {rng.choice(_ADJECTIVES)}, and {_thing(rng)} was {rng.choice(_NOUNS)}",
            f"{rng.choice(_PRONOUNS)} had to {verb} {thing} {rng.choice(_ADVERBS)}",
            f"what did {_thing(rng)} do with {thing}",
            f"if {rng.choice(_PRONOUNS)} {verb} {thing}, {_thing(rng)} will {rng.choice(_VERBS)}",
            f"{rng.choice(_ADVERBS)}, {thing} would {verb} {_thing(rng)} {where}",
        ]
    )


def sentence(rng: random.Random, dictionary: Sequence[str]) -> str:
    """One sentence of 1 to about 14 words with its punctuation; equal generators, equal text."""
    kind = rng.random()
    if kind < 0.2:
        text = phrases.sentence(rng)
    elif kind < 0.4:
        text = telephone(rng)
    elif kind < 0.65:
        text = plain(rng)
    else:  # any word, so that every pair of phones is met
        text = _some(rng, dictionary, 1, 5)
        text += f", {_some(rng, dictionary, 1, 4)}" if rng.random() < 0.4 else ""
    return text + rng.choice([".", ".", ".", "?"])


def held_out(text: str) -> bool:
    """Whether a sentence is for evaluation alone: one in 16, by hash."""
    return hashlib.sha256(text.rstrip(".?").encode()).digest()[0] < 16


def training_texts(seed: int, count: int, dictionary: Sequence[str]) -> list[str]:
    """Sentences to train on: none is held out."""
    rng = random.Random(seed)
    drawn = (sentence(rng, dictionary) for _ in range(count))
    return [text for text in drawn if not held_out(text)]


def evaluation_texts(seed: int, count: int) -> list[str]:
    """Plain sentences to measure with: all are held out."""
    rng, texts = random.Random(seed), list[str]()
    while len(texts) < count:
        if held_out(text := f"{plain(rng)}."):
            texts.append(text)
    return texts
