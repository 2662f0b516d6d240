"""Worlds drawn by chance, written down as the text of a regions.yaml.

Few words, so that they meet; round numbers, so that limits are hit exactly. Every word is written
without quotes, `no` for Norway too. Some worlds must be refused: which, the checker says.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from prover.checker.sound import faults
from prover.checker.world import read

PLACES = (
    (50.11, 8.68), (53.35, -6.26), (39.04, -77.49), (45.52, -122.68), (19.08, 72.88),
    (-23.55, -46.63), (1.35, 103.82), (59.91, 10.75), (48.86, 2.35), (24.71, 46.68),
)  # fmt: skip
LAWS = ("de", "fr", "ie", "us", "in", "br", "no", "sg")
CERTIFICATIONS = ("iso27001", "hipaa", "fedramp")
TENANTS = ("t1", "t2", "t3")
DATA = ("health", "payment")
LANGUAGES = ("en", "en-GB", "de", "hi")
COUNTRIES = ("de", "fr", "no", "us")
KINDS_KEPT = ("audio", "transcripts", "recovery", "synthesis")
DAY_ONE = datetime(2026, 1, 1, tzinfo=UTC)
OFFSETS = ("Z", "+02:00", "-05:30")


@dataclass
class Drawn:
    """A text, and what of it a player wants to know."""

    text: str
    policies: list[str]
    tenants: tuple[str, ...] = TENANTS
    turns_ms: list[int] = field(default_factory=list)
    """Moments at which something begins or ends to be in force."""


def draw_world(chance: Random) -> Drawn:
    """Any world; seven of ten are drawn until nothing speaks against them."""
    drawn = _Drawing(chance).world()
    if chance.random() < 0.7:
        while next(faults(read(drawn.text)), None) is not None:
            drawn = _Drawing(chance).world()
    return drawn


class _Drawing:
    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._turns: list[int] = []
        self._laws = sorted(chance.sample(LAWS, chance.randint(2, 6)))
        self._law_of: dict[str, str] = {}
        self._zones: dict[str, frozenset[str]] = {}  # jurisdictions that lie in it

    def world(self) -> Drawn:
        lines = ["regions:", *self._regions(), "zones:", *self._zone_lines(), "policies:"]
        names = [f"p{at}" for at in range(self._chance.randint(2, 5))]
        for name in names:
            lines += [f"  {name}:", *self._policy(name)]
        rules = [f"r{at}" for at in range(self._chance.choice((0, 1, 2, 3, 3, 4, 5, 6)))]
        if rules:
            lines.append("rules:")
            for name in rules:
                lines += [f"  {name}:", *self._rule(names)]
        lines += ["default_policy: p0", *self._ranking(), *self._waiting()]
        return Drawn("\n".join(lines) + "\n", names, turns_ms=sorted(set(self._turns)))

    # regions and zones

    def _regions(self) -> list[str]:
        chance, lines = self._chance, []
        place = chance.choice(PLACES)
        for at in range(chance.randint(2, 10)):
            if at == 0 or chance.random() < 0.85:  # else at the very place of the one before
                lat, lon = chance.choice(PLACES)
                shift = chance.choice((0.0, 0.0, 1.0, 7.5))
                place = round(lat + shift, 2), round(lon - shift, 2)
            name, law = f"{chance.choice('nsew')}-{at}", chance.choice(self._laws)
            self._law_of[name] = law
            lines.append(f"  {name}:")
            lines.append(f"    place: {{lat: {place[0]}, lon: {place[1]}}}")
            lines.append("    time_zone: UTC")
            lines.append(f"    jurisdiction: {law}")
            lines.append("    tiers: {hot: 1}")
            if chance.random() < 0.9:
                lines.append(f"    hourly_cost_usd: {chance.randint(5, 14) / 10}")
            if chance.random() < 0.7:
                lines.append(f"    certifications: {_list(self._some(CERTIFICATIONS, 3))}")
        self._laws = sorted(set(self._law_of.values()))
        return lines

    def _zone_lines(self) -> list[str]:
        lines: list[str] = []
        everywhere = frozenset(self._laws)
        self._zones["everywhere"] = everywhere
        for at in range(self._chance.randint(2, 6)):
            known = sorted(self._zones)
            include = self._some((*self._laws, *known), 3)
            exclude = (
                self._some((*self._laws, *known[1:]), 2) if self._chance.random() < 0.5 else []
            )
            law = self._law(include) - self._law(exclude)
            if not law:
                exclude, law = [], self._law(include)
            name = f"z{at}"
            self._zones[name] = law
            if exclude:
                said = f"{{include: {_list(include)}, exclude: {_list(exclude)}}}"
            else:
                said = self._chance.choice((_list(include), f"{{include: {_list(include)}}}"))
            lines.append(f"  {name}: {said}")
        return lines

    def _law(self, members: list[str]) -> frozenset[str]:
        return frozenset().union(*(self._zones.get(each, frozenset({each})) for each in members))

    # policies and rules

    def _policy(self, name: str) -> list[str]:
        chance = self._chance
        allow = self._some(sorted(self._zones), 2)
        if chance.random() < 0.4:
            allow = ["everywhere"]
        said = {"allow": _list(allow)}
        inside = [zone for zone in sorted(self._zones) if self._zones[zone] <= self._law(allow)]
        if chance.random() < 0.8:
            said["overflow"] = self._overflow(inside)
        if chance.random() < 0.2:
            said["forbid"] = _list(self._some(sorted(self._zones), 1))
        if chance.random() < 0.2:
            said["require"] = _list(self._some(CERTIFICATIONS, 2))
        if chance.random() < 0.4:
            said["country_from"] = chance.choice(("claim", "address", "both", "agree"))
        said |= self._settings(0.3, inside) | self._kept(0.3, inside)
        if name != "p0" and chance.random() < 0.3:
            said |= self._period()
        return [f"    {key}: {value}" for key, value in said.items()]

    def _rule(self, policies: list[str]) -> list[str]:
        chance = self._chance
        when = {
            key: _list(self._some(words, 2))
            for key, words in (
                ("tenants", TENANTS),
                ("data", DATA),
                ("languages", LANGUAGES),
                ("countries", COUNTRIES),
                ("policies", tuple(policies)),
            )
            if chance.random() < 0.35
        }
        said: dict[str, str] = {}
        if when:
            said["when"] = f"{{{', '.join(f'{key}: {words}' for key, words in when.items())}}}"
        if chance.random() < 0.3:
            said["allow"] = _list(self._some(sorted(self._zones), 2))
        if chance.random() < 0.3:
            said["forbid"] = _list(self._some(sorted(self._zones), 1))
        if chance.random() < 0.3:
            said["require"] = _list(self._some(CERTIFICATIONS, 2))
        if chance.random() < 0.25:
            said["overflow"] = self._overflow(sorted(self._zones))
        said |= self._settings(0.12, sorted(self._zones)) | self._kept(0.1, sorted(self._zones))
        if not said.keys() - {"when"}:
            said["forbid"] = _list(self._some(sorted(self._zones), 1))
        if chance.random() < 0.4:
            said |= self._period()
        if chance.random() < 0.7:
            said["may_refuse"] = "true"
        return [f"    {key}: {value}" for key, value in said.items()]

    def _settings(self, often: float, zones: list[str]) -> dict[str, str]:
        chance, said = self._chance, {}
        if zones and chance.random() < often:
            said["prefer"] = _list(self._some(zones, 2))
        if chance.random() < often:
            said["when_full"] = chance.choice(("refuse", "wait", "call_back"))
        if chance.random() < often:
            said["wait_s"] = chance.choice(("0", "5", "12.5"))
        if chance.random() < often / 2:
            said["restricted"] = chance.choice(("true", "false"))
        if chance.random() < often / 2:
            said["after_expiry_s"] = chance.choice(("0", "60", "86400"))
        if chance.random() < often / 2:
            said["when_forbidden"] = chance.choice(("finish", "end", "move"))
        if chance.random() < often / 2:
            said["ledger"] = chance.choice(("wanted", "required"))
        if chance.random() < often / 2:
            said["recovery_s"] = chance.choice(("0", "60", "120.5"))
        return said

    def _kept(self, often: float, zones: list[str]) -> dict[str, str]:
        if not zones or self._chance.random() >= often:
            return {}
        kept = (
            f"{what}: {{zones: {_list(self._some(zones, 2))}, "
            f"days: {self._chance.choice((0, 1, 30))}}}"
            for what in self._some(KINDS_KEPT, 2)
        )
        return {"keep": f"{{{', '.join(kept)}}}"}

    def _overflow(self, zones: list[str]) -> str:
        chance = self._chance
        named = self._some(zones, 2) if zones and chance.random() < 0.95 else []
        said = [f"zones: {_list(named)}"]
        if chance.random() < 0.6:
            said.append(f"from_load: {chance.choice((0.05, 0.4, 0.5, 0.6, 0.75, 0.8, 1))}")
        if chance.random() < 0.4:
            said.append(f"max_added_rtt_ms: {chance.choice((0, 10, 55, 90, 150))}")
        if chance.random() < 0.4:
            said.append(f"max_added_cost_usd: {chance.choice((0, 0.1, 0.3, 0.5))}")
        return f"{{{', '.join(said)}}}"

    def _period(self) -> dict[str, str]:
        first, last = sorted(self._chance.sample(range(12), 2))
        which = self._chance.choice(("from", "until", "both", "both"))
        said = {}
        if which in ("from", "both"):
            said["from"] = self._date(first)
        if which in ("until", "both"):
            said["until"] = self._date(last)
        return said

    def _date(self, number: int) -> str:
        """One of twelve moments: a day, or a moment with its offset."""
        moment = DAY_ONE + timedelta(days=number)
        if number % 2:
            moment += timedelta(hours=13, minutes=30, seconds=number)
        self._turns.append((moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1))
        if not number % 2 and self._chance.random() < 0.7:
            return moment.strftime("%Y-%m-%d")
        offset = self._chance.choice(OFFSETS)
        if offset == "Z":
            return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        sign = 1 if offset[0] == "+" else -1
        shift = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:])) * sign
        return (moment + shift).strftime("%Y-%m-%dT%H:%M:%S") + offset

    def _ranking(self) -> list[str]:
        chance = self._chance
        if chance.random() < 0.3:
            return []
        cost = chance.choice(("0", "5", "20", "100"))
        conservative = chance.choice(("true", "true", "false"))
        return [f"ranking: {{cost_ms_per_usd: {cost}, conservative: {conservative}}}"]

    def _waiting(self) -> list[str]:
        """Who waits longer than others is nothing that a single decision depends on."""
        if self._chance.random() < 0.7:
            return []
        weights = ", ".join(f"{name}: {self._chance.randint(1, 100)}" for name in TENANTS)
        return [f"waiting: {{weights: {{{weights}}}}}"]

    def _some(self, words: tuple[str, ...] | list[str], most: int) -> list[str]:
        """From one to so many of the words, in their order."""
        words = list(words)
        chosen = self._chance.sample(
            range(len(words)), self._chance.randint(1, min(most, len(words)))
        )
        return [words[at] for at in sorted(chosen)]


def _list(words: list[str]) -> str:
    return f"[{', '.join(words)}]"
