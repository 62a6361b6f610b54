"""Whether a phrase in an English text is denied: "no one was injured", "I do not need a lawyer", "hacked? no".

The rules follow NegEx (Chapman et al. 2001): a negation denies what follows it within a small scope. Here the scope has
an allowlist instead of a number of words: a phrase is denied only if each word between it and the negation is known to
carry the negation on. Any other word ends the scope, because a missed danger is worse than a false one: "do not ignore
that he was injured", "no answer about my hacked account".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from frontdesk.decision.phrases import SENTENCE_ENDS

_AUXILIARIES = "is was are were do does did has have had would will wo should need"
_CONTRACTIONS = frozenset(f"{verb}{ending}" for verb in _AUXILIARIES.split() for ending in ("n't", "nt")) | {"ain't"}
"""Not "can't" and "couldn't": "I can't use my hacked account"."""
_NEGATIONS = _CONTRACTIONS | frozenset(
    "no not never nobody nothing none noone without neither nor zero".split()  # vocabulary: words of customers
)
_DETERMINERS = frozenset("my our your his her their the".split())
_PRONOUNS = frozenset("i you he she we they somebody someone".split())  # vocabulary: words of customers

_AFFIRMING_NEXT = frozenset("only just merely simply solely but doubt wonder joke question".split())
"""Words after a negation that make it a statement: "not only", "nothing but", "no doubt"."""
_COMPARISONS = frozenset("so such more".split())
"""Words shortly after "never" that make it a statement."""
_DOES_NOT_DENY_AFTER = frozenset("why how if or can could".split())
"""Words before a negation that make it a question, an alternative or an inability."""

_CARRIERS = _DETERMINERS | frozenset(
    # articles, pronouns and degree
    "a an any its this that it there these those such other more real actual true single even at all ever really "
    "actually so too very particularly especially exactly seriously badly physically overly terribly super anything "
    "anyone anybody also in fact physical serious major minor great of to for as by like "
    # auxiliaries
    "is was are were be been being am has have had get gets got getting do does did 's one us here "
    # verbs that take what is denied as their object
    "need needs needed needing require want wanted wanting going gonna planning plan plans intend intending mean "
    "meaning trying take taking threaten threatening talking about involve involving call calling contact contacting "
    "hire hiring use using go post share write see seen smell smelled smelt find found feel felt notice noticed think "
    "believe suspect say saying claim claiming suggesting related involving because due caused treated considered "
    # nouns
    "sign signs trace traces evidence risk danger case kind sort form suspicion intention reason mention account card "
    "device parcel person people child children family members household staff passenger".split()
)
_CLAUSE_VERBS = frozenset("think believe suspect say saying claim claiming mean".split())
"""Verbs after which a pronoun does not end the scope: "I do not think I was hacked"."""
_WISHES = frozenset("want wanted wanting".split())
_FEARED = frozenset("it this that be been being get getting have my our us".split())
"""Words after a denied wish that express a fear: "I do not want it to catch fire"."""
_LIST_WORDS = frozenset({"or", "nor"})
_MAX_SCOPE = 8
_MAX_LIST_ITEMS = 3

_PREVENTING = frozenset("anti non".split())
_PREVENTED = frozenset("resistant resistance protection prevention protected".split())
_PREVENTED_WITH_HYPHEN = frozenset("free proof".split())
_COPULAS = frozenset("is was are were be been will would has have had".split())
_NOT_NEEDED = frozenset(
    "needed necessary required involved meant intended suspected called reported mentioned case used found".split()
)
_NO = frozenset("no none nope never".split())


def is_denied(tokens: Sequence[str], start: int, end: int) -> bool:
    """Whether the phrase `tokens[start:end]` is denied. Looks at a bounded number of tokens."""
    if end < len(tokens) and tokens[end] == "yet":
        return False  # "no one was injured yet"
    return _is_denied_before(tokens, start) or _is_denied_after(tokens, end) or _is_prevented(tokens, start, end)


def contains_negation(words: Iterable[str]) -> bool:
    """Whether the words of a phrase include a negation, as in "not safe" and "wasn't me": it is then never denied."""
    return any(word in _NEGATIONS or word in ("can't", "cant", "cannot") for word in words)


def _is_denied_before(tokens: Sequence[str], start: int) -> bool:
    if start and tokens[start - 1] in _DETERMINERS:
        return False  # "I did not get my hacked account back": the account exists
    between: list[str] = []
    list_items = 0  # words of a list that may still be passed: "no theft or fraud"
    for position in range(start - 1, max(-1, start - 1 - _MAX_SCOPE), -1):
        word = tokens[position]
        is_no_one = word == "one" and position > 0 and tokens[position - 1] == "no"
        if word in _NEGATIONS or is_no_one:
            if word == "nothing" and between[-1:] == ["about"]:
                return False  # "you do nothing about fraud"
            return _carries(between) and _denies(tokens, position - is_no_one)
        if word in _LIST_WORDS:
            list_items = _MAX_LIST_ITEMS if position >= start - 2 else list_items
        elif word in _CARRIERS or word in _PRONOUNS:
            between.append(word)
        elif list_items and word[0] not in SENTENCE_ENDS:
            list_items -= 1
        else:
            return False
    return False


def _carries(between: Sequence[str]) -> bool:
    """Whether the words between the phrase and the negation, from right to left, carry the negation on."""
    for number, word in enumerate(between):
        if word in _PRONOUNS and _CLAUSE_VERBS.isdisjoint(between[number:]):
            return False
        if word in _WISHES and not _FEARED.isdisjoint(between[:number]):
            return False
    return True


def _denies(tokens: Sequence[str], position: int) -> bool:
    """Whether the negation at `position` denies what follows it."""
    word = tokens[position]
    following = tokens[position + 1] if position + 1 < len(tokens) else ""
    if following in _AFFIRMING_NEXT:
        return False
    if word == "no" and (following in _DETERMINERS or following in _PRONOUNS or following in ("it", "this", "that")):
        return False  # "No my account was hacked"
    if word == "never" and not _COMPARISONS.isdisjoint(tokens[position + 1 : position + 4]):
        return False  # "it has never been so urgent", "I have never seen such mould"
    before = _words_before(tokens, position)
    if before[:1] and before[0] in _DOES_NOT_DENY_AFTER:
        return False
    if "why" in before or "how" in before:
        return False  # "why was this not treated as urgent"
    # "Isn't this fraud?" and "Is this not fraud?" expect the answer yes.
    begins_question = not before if word in _CONTRACTIONS else len(before) == 2 and before[-1] in _COPULAS
    return not (begins_question and _is_question(tokens, position))


def _words_before(tokens: Sequence[str], position: int) -> list[str]:
    """Return up to four words before `position` in the clause, from right to left."""
    words: list[str] = []
    for word in reversed(tokens[max(0, position - 4) : position]):
        if word[0] in SENTENCE_ENDS or word in (",", ":", "(", "and", "but"):
            break
        words.append(word)
    return words


def _is_question(tokens: Sequence[str], position: int) -> bool:
    for word in tokens[position : position + 20]:
        if word[0] in SENTENCE_ENDS:
            return word == "?"
    return False


def _is_denied_after(tokens: Sequence[str], end: int) -> bool:
    """Whether a denial follows: "a lawyer is not needed", "hacked? no", "injuries: none"."""
    rest = list(tokens[end : end + 5])
    if len(rest) >= 2 and rest[0] in ("?", ":") and rest[1] in _NO:
        return len(rest) == 2 or rest[2][0] in SENTENCE_ENDS or rest[2] == ","
    while rest and rest[0] in _COPULAS:
        del rest[0]
    if rest and (rest[0] in _CONTRACTIONS or rest[0] in ("not", "never")):
        return any(word in _NOT_NEEDED for word in rest[1:3])
    return False


def _is_prevented(tokens: Sequence[str], start: int, end: int) -> bool:
    """Whether a compound names protection: "mould-free", "anti-fraud", "fraud protection"."""
    before = tokens[start - 1] if start else ""
    if before == "-":
        before = tokens[start - 2] if start >= 2 else ""
    after = tokens[end : end + 2]
    if after[:1] == ["-"]:
        return before in _PREVENTING or bool(_PREVENTED_WITH_HYPHEN.union(_PREVENTED).intersection(after))
    return before in _PREVENTING or bool(_PREVENTED.intersection(after[:1]))
