"""What is said in call centres: about 1,000 words in sentences that we wrote for training."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from heliovox.local import phrases
from heliovox.local.phrases import lines_of, words_of

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping


FIRST_NAMES: Final = words_of(
    """james john robert michael william david richard thomas mary patricia jennifer linda elizabeth
    susan jessica sarah karen nancy daniel matthew anthony mark paul steven andrew kenneth george
    joshua kevin brian edward maria anna laura emma oliver henry peter helen alice amy cindy barbara
    margaret lisa betty sandra ashley donna carol michelle emily amanda melissa deborah stephanie
    rebecca sharon cynthia kathleen angela ruth diane julie joyce victoria kelly christina joan
    evelyn judith megan andrea cheryl hannah jacqueline martha gloria teresa ann sara frances ronald
    timothy jason jeffrey ryan jacob gary nicholas eric jonathan stephen larry justin scott brandon
    benjamin samuel gregory alexander patrick frank raymond jack dennis jerry tyler aaron jose adam
    nathan douglas zachary kyle walter harold carl arthur roger keith terry lawrence sean albert
    jesse
    dylan bruce willie ralph roy eugene louis philip bobby johnny"""
)
LAST_NAMES: Final = words_of(
    """smith johnson brown jones garcia miller davis wilson anderson taylor moore jackson martin lee
    thompson white harris clark lewis robinson walker young allen king wright green baker adams
    nelson
    hill campbell mitchell carter roberts phillips evans turner parker collins edwards stewart
    morris
    murphy cook rogers morgan cooper peterson reed bailey bell kelly howard ward cox richardson wood
    watson brooks bennett gray hughes price myers long foster sanders ross powell sullivan russell
    jenkins perry butler barnes fisher prince howell gibson connelly morewood beverly fox hunt
    shaw"""
)
CITIES: Final = lines_of(
    """boston|chicago|dallas|houston|seattle|denver|miami|atlanta|phoenix|austin|portland|berlin
    madrid|rome|dublin|toronto|manchester|birmingham|leeds|bristol|glasgow|edinburgh|sydney
    melbourne
    london|paris|new york|pittsburgh|philadelphia|cleveland|detroit|baltimore|charlotte|nashville
    orlando|sacramento|san diego|san francisco|los angeles|las vegas|kansas city|washington|vienna
    amsterdam|brussels|lisbon|oxford|cambridge|liverpool|california|texas|florida|virginia|ohio
    pennsylvania|michigan|illinois|georgia|oregon|arizona|nevada|colorado"""
)
STREETS: Final = words_of(
    """main oak park maple cedar elm lake river church high station school mill bridge spring north
    south east west forbes fifth center garden forest market college pine walnut chestnut sunset"""
)
CODES: Final = words_of(
    """alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar
    papa quebec romeo sierra tango uniform victor whiskey yankee zulu"""
)
ITEMS: Final = lines_of(
    """phone|laptop|tablet|router|modem|television|printer|camera|headset|keyboard|charger|battery
    screen|cable|washing machine|fridge|oven|vacuum cleaner|coffee machine|watch|speaker|jacket
    pair of shoes|shirt|dress|book|ticket|package|parcel|gift card|sofa|mattress|table|lamp|bicycle
    heater|medicine|prescription|chair|desk|monitor|mouse|remote control|microwave|dishwasher
    toaster
    blender|carpet|curtain|pillow|blanket|suitcase|backpack|wallet|umbrella|toy|game|coat|sweater
    letter|document|form|receipt|voucher|coupon|sample|tool kit|air conditioner|smoke detector"""
)
SERVICES: Final = lines_of(
    """internet|broadband|mobile data|cable service|account|online banking|website|mobile app|email
    voicemail|subscription|membership|insurance policy|credit card|debit card|bank account|savings
    account|loan|mortgage|phone line|electricity supply|gas supply|water supply|booking|reservation
    flight|hotel room|delivery|invoice|password|user name|contract|warranty|claim|refund|rental car
    medical record|health plan|travel plan|data plan|business account|security code|pin number
    profile
    newsletter|registration|application|appointment|meeting|connection|network|software|license"""
)
VERBS: Final = lines_of(
    """cancel|update|change|check|renew|upgrade|downgrade|activate|confirm|close|open|review|extend
    suspend|verify|find|pay for|dispute|reschedule|register|block|unlock|reset|set up|fix|manage
    transfer|replace|restore|delete|remove|add|move|stop|start|print|download|install|discuss
    complete"""
)
DEPARTMENTS: Final = lines_of(
    """billing|sales|technical support|customer service|accounts|shipping|returns|human resources
    the front desk|reservations|the claims department|the fraud team|the pharmacy|the manager
    a supervisor|an agent|a real person|the insurance department|the mortgage team|the warehouse
    the warranty department|an engineer|the doctor|the nurse|a specialist|someone who can help
    the security office|the complaints department|the kitchen|the service desk"""
)
TROUBLES: Final = lines_of(
    """is broken|does not work|doesn't turn on|stopped working|is too slow|keeps crashing|is missing
    arrived damaged|is the wrong size|is the wrong color|never arrived|makes a strange noise
    is overheating|won't connect|has no signal|shows an error message|is frozen|will not charge
    was delivered to the wrong address|is out of stock|has expired|is locked|was stolen
    keeps switching itself off|is leaking water|smells like smoke|is not what i ordered
    came without a manual|has a large scratch|is empty|was returned to the sender|is under review
    was declined twice|has been late every week|looks different from the picture"""
)
REASONS: Final = lines_of(
    """because it is too expensive|because i am moving house|since i lost my job
    because i found a better price|because i am not happy with the service
    since nobody called me back
    because my card was stolen|because the contract has ended|as i am leaving the country
    because there was a mistake on my bill|because i no longer need it|since it was charged twice
    because my wife already bought one|as my husband is in hospital|because it does not fit
    before the end of the month|after the price went up again|because the quality is poor"""
)
WANTS: Final = lines_of(
    """i want to|i would like to|i'd like to|i need to|can i|could i|can you help me
    i am calling to|i'm calling to|how do i|is it possible to|i have to|i'm trying to|please help me
    i was hoping to|my company wants to|we would like to|where can i"""
)
GREETINGS: Final = lines_of(
    "hello|hi|good morning|good afternoon|good evening|hi there|excuse me|yes hello|okay"
)
POLITE: Final = lines_of(
    """please|if possible|thank you|thanks|as soon as possible|right away|today|tomorrow|this week
    now"""
)
WHOLE: Final = lines_of(
    """i am very upset about this|this is not acceptable|i am really happy with your service
    that sounds great|i don't understand|this is the third time i have called
    i have been waiting for an hour|nobody has been able to help me|you have been very helpful
    i'm sorry to hear that|i appreciate your patience|that is not what i asked for
    i will have to think about it|let me check that for you|i can hardly hear you
    are you still there|sorry could you repeat that|the line is very bad|have a nice day
    thank you for your help|no that is everything thank you|yes that is right
    no that's not correct|i think so|i'm not sure|absolutely|of course|that would be perfect
    okay no problem|please hold the line|i will be right back|what is your name|how old are you
    may i have your full name|can i put you on hold for a moment|is there anything else i can do
    your call may be recorded for training|all our agents are busy|please stay on the line
    you are next in the queue|we are closed on public holidays|both of them arrived this morning
    could you speak a little louder|can you say that more slowly|let me write that down
    i already told your colleague everything|who am i speaking with|it happened again last night
    what are your opening hours|do you accept cash|is parking free|how far is it from the airport
    i need a quiet room with two beds|we need a table for four people near the window
    my son cannot log in|my daughter forgot her password|my mother lives alone|my father is sick
    the driver left it with a neighbor|the light on the front is red
    the light is green but it blinks
    i tried to restart it several times|turn it off wait ten seconds and turn it on again
    did you receive my last email|i sent the documents by mail|please sign and return both copies
    i would rather speak to a human being|just a minute i need to find a pen|go ahead i am ready
    can i get my money back|there is a small extra fee|the first month is free|that is a fair offer
    we can offer you a discount|it takes about three working days|the price includes tax
    i am afraid that is not possible|i completely understand|would you like a reminder
    your password must have eight characters|please enter the number followed by the pound key
    the weather delayed our flight|the train was cancelled|my bag did not arrive|where is the gate
    the doctor can see you at noon|i have a bad headache|i ran out of my medicine|is it serious
    you can find it at the bottom of the page|click on the blue button
    type your name and press enter
    nothing happens when i press it|there is no sound|the picture is dark|the power went out
    everything is working fine now|it was my mistake|never mind|maybe later|not really|sure"""
)
_TEMPLATES: Final = lines_of(
    """{greeting} {want} {verb} my {service}|{want} {verb} my {service} {polite}
    {greeting} my {service} {trouble}|the {item} i ordered {trouble}|{greeting} the {item} {trouble}
    i bought a {item} on {date} and it {trouble}|the reference is {code} {code} {digits}
    my name is {first} {last}|this is {first} {last}|{greeting} my name is {first}
    can you transfer me to {department} {polite}
    i'd like to speak to {department} about my {service}
    {want} {verb} my {service} {reason}|{want} return a {item} {reason}
    i was charged {money} on {date} for my {service}|how much does the {item} cost
    the total is {money} is that okay|there is a payment of {money} that i don't recognize
    {want} pay {money} by credit card|the card ends in {digits4} and expires in {month}
    my address is {number} {street} street in {city}|i live at {number} {street} road {city}
    {number} {street} avenue|{want} book an appointment for {day} at {time}
    can i come in on {date} at {time}|is there anything available on {day} {polite}
    your appointment is on {date} at {time}|{whole}|{whole} {whole}|{whole}
    {greeting} this is {first} from {department} how can i help you
    thank you for calling {department} my name is {first}|my last name is {last}
    could you spell your last name for me|my date of birth is {date}|it is {last} spelled {spelled}
    my {service} {trouble} since {day}|when will my {item} be delivered
    where is my {item} it {trouble}
    {want} fly from {city} to {city} on {date}|{want} send a {item} to {city}|i live in {city}
    what time do you open on {day}|do you have any {item} in stock|i ordered {number} of them
    let me put you on hold while i {verb} your {service}
    the confirmation code is {code} {digits4} {code}
    your {service} will be ready in {number} minutes|if it {trouble} please call us before {time}
    press {digit} for {department}|say {command} or {command}|did you {verb} the {service} already
    {first} {last} called about the {item}|can someone {verb} the {service} {polite}
    {item} and {item}|{city} or {city}|{street} street|{first} and {first}|{department} {polite}
    i will {verb} it on {day}|they told me to {verb} the {service}
    we had to {verb} the {service} {reason}"""
)
_LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "greeting": GREETINGS,
    "want": WANTS,
    "verb": VERBS,
    "service": SERVICES,
    "polite": POLITE,
    "item": ITEMS,
    "trouble": TROUBLES,
    "reason": REASONS,
    "department": DEPARTMENTS,
    "first": FIRST_NAMES,
    "last": LAST_NAMES,
    "city": CITIES,
    "street": STREETS,
    "code": CODES,
    "whole": WHOLE,
    "command": phrases.COMMANDS,
    "day": phrases.DAYS,
    "month": phrases.MONTHS,
    "digit": phrases.DIGITS,
}
_DRAWN: Final[Mapping[str, Callable[[random.Random], str]]] = {
    "date": lambda rng: phrases.fill("{date}", rng),
    "time": lambda rng: phrases.fill("{time}", rng),
    "money": lambda rng: phrases.fill("{money}", rng),
    "number": lambda rng: phrases.fill("{number}", rng),
    "digits": lambda rng: phrases.fill("{digits}", rng),
    "digits4": lambda rng: " ".join(rng.choices(phrases.DIGITS, k=4)),
    "spelled": lambda rng: " ".join(rng.choice(LAST_NAMES)),
}


def sentence(rng: random.Random) -> str:
    """One sentence of a caller or an agent, of 1 to about 20 words."""

    def filled(slot: re.Match[str]) -> str:
        name = slot[1]
        return _DRAWN[name](rng) if name in _DRAWN else rng.choice(_LISTS[name])

    return re.sub(r"\{(\w+)\}", filled, rng.choice(_TEMPLATES))


def fixed_sentences() -> frozenset[str]:
    """Every sentence without a slot: there is no other wording of them."""
    return frozenset((*WHOLE, *(line for line in _TEMPLATES if "{" not in line)))


def vocabulary() -> frozenset[str]:
    """Every word a sentence may hold, those of the telephone grammar included."""
    fixed = re.sub(r"\{\w+\}", " ", " ".join(_TEMPLATES))
    listed = " ".join(word for words in _LISTS.values() for word in words)
    return frozenset(f"{fixed} {listed}".split()) | phrases.vocabulary()
