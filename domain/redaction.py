"""What of a text that somebody else wrote may be repeated in a log, a history, the ledger or a message to a person.

Everything that we write down goes through here: card numbers with what stands right behind them, e-mail addresses and
credentials are left out, and so is what no database and no JSON can hold. Each function takes time in proportion to
the text: one trip's long message must not keep the others waiting.
"""

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import accumulate, chain, combinations
from typing import Any

HIDDEN = "***"

MAX_SENTENCE = 2_000
"""Characters of a sentence: an operator's name and note, each at most 1,000 characters, fit with little to spare."""

MAX_DEPTH = 12
"""Levels of a value that are shown; what lies deeper is hidden."""

CUT = "…"
MARGIN = 300
"""Characters behind a cut that are looked at, so that what is cut through is still known for what it is."""

MIN_CARD_DIGITS, MAX_CARD_DIGITS = 12, 19
"""ISO/IEC 7812-1, with the shortest that Maestro has."""

MIN_ANYWHERE = 15
"""Digits of a card number that is found within a longer number too. Shorter ones must stand for themselves: every tenth
of Visa's transaction ids, which have 15 digits, would hold one."""

SCHEMES = {
    r"4": (13, 16, 19),  # Visa
    r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720": (16,),  # Mastercard
    r"3[47]": (15,),  # American Express
    r"30[0-5]|3095|3[689]": (14, 16, 19),  # Diners Club
    r"35": (16, 17, 18, 19),  # JCB
    r"2131|1800": (15,),  # JCB, the older ones
    r"5018|5020|5038|5893|6304|6759|676[1-3]": tuple(range(12, 20)),  # Maestro
    r"5[06-9]|6|81|220[0-5]": (16, 17, 18, 19),  # Maestro, Discover, UnionPay, Mir
    r"82|8600|9704|9792|9860": (16, 19),  # RuPay, Uzcard, Napas, Troy, Humo
}
"""How many digits a card number has, by its first ones. Luhn's check alone would hide every tenth of all long ids."""

LENGTHS = tuple(SCHEMES.values())
SCHEME = re.compile("|".join(f"({'(?:' + beginning + ')'})" for beginning in SCHEMES))

OTHER_BORDERS = {13: (4, 7, 10), 14: (4, 10), 15: (4, 10)}
"""Where groups end that are not of four digits: the older Visa numbers', Diners Club's and American Express's."""

CARD_GROUPS = frozenset(
    "".join("|" if place in borders else "." for place in range(1, length))
    for length in range(MIN_CARD_DIGITS, MAX_CARD_DIGITS + 1)
    for borders in chain(
        [range(1, length)],  # each digit alone
        [OTHER_BORDERS[length]] if length in OTHER_BORDERS else [],
        *(combinations(range(4, length, 4), count) for count in (2, 3, 4)),
    )
)
"""A card number's own groups, as what stands between its digits: in these it is known where other digits touch its ends
too. Of the borders between groups of four some may be missing, but not all but one: any two long ids side by side have
one. No id such as 402-1234567-1234567 has these groups; in any groups, every tenth would hold a card number."""

ENCODED_BLANK = re.compile(
    r"%(?:20|09|0[ad]|2[dD]|[aA]0|[cC]2%[aA]0)|&(?:nbsp|ensp|emsp|thinsp|shy|#160|#32|#x[aA]0|#x20);"
    r"|\\(?:u00[aA]0|u0020|u00[aA][dD]|u20[01][0-9a-fA-F]|x[aA]0|x20|[tnr])"
)
"""What stands between digits in an address, a page or a JSON text."""

MAX_BEHIND = 3
"""An expiry date, a security code, and one more date: in any order."""

DIGIT_RUN = re.compile(r"[0-9](?: *+[0-9])*+")
"""In a text's shape (see `_shape`): digits with no letter between them."""

BEHIND_A_CARD = re.compile(
    r"(?:a{1,2}[0-9]++)++"  # a magnetic stripe's or a chip's next field
    r"|(?: ++a{1,12}(?!a)){0,3} *+(?:(?:0?[1-9]|1[0-2])(?: ++[0-3]?[0-9])? *+(?:20)?[0-9]{2}"
    r"|[0-3]?[0-9] ++(?:0?[1-9]|1[0-2]) ++(?:20)?[0-9]{2}|(?:20)?[0-9]{2} *+(?:0[1-9]|1[0-2]))(?![0-9])"
)
"""In a text's shape: what may be the card's expiry date, perhaps with some words before it."""

EXPIRY_MONTH = re.compile(
    r"(?:\W{1,9}[a-z]{1,12}){0,2}\W{1,9}(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\W{1,3}"
    r"(?:20)?\d{2}(?!\d)"
    r"|(?:\W{1,9}[^\W\d_]{1,12}){1,3}\W{1,3}20\d{2}(?:-\d{2}){0,2}(?!\d)",  # a month of another language, or a date
    re.IGNORECASE,
)
SECURITY_CODE = re.compile(
    r"\W{0,9}(?:cv[cvn]2?|cid|csc|(?:security|verification|card)(?:\W{1,3}(?:code|value|number))+)\W{0,9}\d{3,4}(?!\d)",
    re.IGNORECASE,
)
EXPIRY_BEFORE = re.compile(
    r"(?<![^\W\d_])(?:exp|valid|thru|good|until|ablauf|g[uü]ltig|vence|caduc)[^\W\d_]{0,12}(?:\W{1,9}[^\W\d_]{1,12}){0,2}"
    r"\W{0,9}\d{1,4}\W{1,3}\d{2,4}(?:\W{1,9}[^\W\d_]{1,12}){0,3}\W{0,9}\Z",
    re.IGNORECASE,
)
"""An expiry date in front of the number, with a word that says so."""
LOOKED_BACK = 100
"""Characters in front of a card number that may hold its expiry date."""
NAME_ON_TRACK = re.compile(r"\^[^^]{2,26}\^\d*")

PROTECTED = re.compile(
    r"(?<![0-9a-z])(?=[0-9-]{0,35}[a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-z])"
    r"|(?<![0-9a-z])(?=[0-9]{0,31}[a-f])[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}(?![0-9a-z])"  # 1 of 1,250
    r"|(?<!\d)(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
    r"(?:[t ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-6]\d(?:\.\d{1,9})?)?(?:z|[+-]\d\d:?\d\d)?)?(?!\d)",
    re.ASCII | re.IGNORECASE,
)
"""UUIDs, by which trips, refunds and requests are known, and RFC 3339's times: their digits are no card's."""

EMAIL = re.compile(
    r"(?<![\w.!#$&'*+/=?^`{|}~-])([\w.!#$&'*+/=?^`{|}~-]++|\"[^\"\s@][^\"@\n]{0,62}\")"
    r"(?:[@＠﹫]|%40|\\u0040)(?:\[[0-9a-fA-F.:]{2,45}\]|(?:[\w\u00ad-]++[.。．｡])+[^\W\d_]{2,})"  # noqa: RUF001 (twins)
)
"""RFC 5322's addresses: any atom or a quoted text, at a name or at an address in brackets."""

CREDENTIAL = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{8,}"  # the id of an AWS key
    r"|(?<![\w-])eyJ[\w-]{8,}+\.[\w-]++\.[\w-]++"  # a JSON web token
    r"|(?<=://)[^\s/@:]*+:[^\s/@]++(?=@)"  # a login in an address
)
NAMED_CREDENTIAL = re.compile(
    r"(?<![\w-])("
    r"(?:[a-z0-9]++[_-])*?"  # AWS_SECRET_ACCESS_KEY, X-Amz-Signature
    r"(?:authorization|signature|credential|passw(?:or)?d|secret|(?:api|access|secret|account)[_-]?key|[a-z]*token)"
    r"(?:[\"']\s?:\s?[\"']?|=[\"']?)"
    r"|authorization:\s?|passw(?:or)?d\s?:\s?|bearer\s(?=\S{16}))"
    r"(?:(?:bearer|basic|aws4-hmac-sha256)\s)?[^\s\"',;&]++",
    re.IGNORECASE | re.ASCII,
)

SECRET_NAME = re.compile(r"authorization|api_?key|token$|passw|secret|credential|expiration|expiry", re.IGNORECASE)
"""What a value is called that is never shown."""

SECRET = re.compile(
    r"[^\s@<>\"']{1,64}(?:@|%40|\\u0040)[^\s@<>\"']+"  # what may be an e-mail address
    r"|\b(?:AKIA|ASIA)[A-Z0-9]+"  # the id of an AWS key
    r"|[\w+/=-]{32,}",  # a token, a signature, a secret key
)

WINDOW = 600
"""Bytes of an answer that are looked at: more than are shown, so that an address cut at the end is known for one."""

SHOWN = 200
"""Characters of an answer that are shown: enough to tell a proxy's HTML page from a broken JSON."""


class _Shapes(dict[int, str]):
    """What each character is to us: a digit of any script, the letter `a` for any letter, a blank for all else."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        digit = unicodedata.digit(char, None)
        # A letter that only modifies others, such as Japanese's long dash, joins digits as a dash does.
        is_letter = char.isalpha() and unicodedata.category(char) != "Lm"
        return str(digit) if digit is not None else "a" if is_letter else " "


SHAPES = _Shapes()
SHAPES.update({code: SHAPES[code] for code in range(128)})


def masked(text: str) -> str:
    """The text without card numbers and credentials, and of e-mail addresses no more than whose they are."""
    words = CREDENTIAL.sub(HIDDEN, storable(text))
    words = NAMED_CREDENTIAL.sub(rf"\1{HIDDEN}", words)
    return _without_card_numbers(EMAIL.sub(rf"\1@{HIDDEN}", words))


def in_short(text: str, limit: int = MAX_SENTENCE) -> str:
    """The text, masked, and cut where it is longer than that many characters."""
    text = masked(_cut(text, limit + MARGIN))
    return text if len(text) <= limit else text[: limit - len(CUT)] + CUT


def redacted(value: Any, limit: int = MAX_SENTENCE, depth: int = MAX_DEPTH) -> Any:
    """A JSON value whose texts are masked and cut to the limit, names among them.

    Hidden is a number that may be a card's, what has a secret's name, and what lies deeper than `depth` levels.
    """
    if isinstance(value, str):
        return in_short(value, limit)
    if value is None or isinstance(value, int | float):
        return HIDDEN if value and _may_be_a_card(value) else value
    if isinstance(value, Mapping | list | tuple) and not depth:
        return HIDDEN
    if isinstance(value, Mapping):
        return {
            in_short(str(name), limit): HIDDEN if SECRET_NAME.search(str(name)) else redacted(part, limit, depth - 1)
            for name, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [redacted(part, limit, depth - 1) for part in value]
    return in_short(str(value), limit)


def quoted(answer: bytes) -> str:
    """How an answer begins, in one printable line without e-mail addresses, secrets and digits.

    No digit at all is shown: it may belong to a card's number, whole, grouped or cut, or to its expiry date.
    """
    text = SECRET.sub(HIDDEN, answer[:WINDOW].decode("utf-8", "replace"))
    line = " ".join(text.split())[:SHOWN]
    return "".join("#" if SHAPES[ord(char)].isdigit() else char if char.isprintable() else "?" for char in line)


def holds_card_number(text: str) -> bool:
    """Whether any 12 to 19 digits of the text, of whatever script and however separated, may be a card's number."""
    return next(_card_numbers(text), None) is not None


def storable(text: str) -> str:
    """The text without what a database or JSON can't hold: the character 0, and halves of a UTF-16 pair."""
    text = text.replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _may_be_a_card(number: float) -> bool:
    """Whether a number may be a card's; one that is endless may hold one, and Python does not even write it out."""
    endless = isinstance(number, int) and abs(number) >= 10 ** (2 * MAX_CARD_DIGITS)
    return endless or (abs(number) >= 10 ** (MIN_CARD_DIGITS - 1) and holds_card_number(str(number)))


def storable_value(value: Any) -> Any:
    """A JSON value whose texts are storable on every level, names among them, and null for what is no number."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(name)): storable_value(part) for name, part in value.items()}
    return [storable_value(part) for part in value] if isinstance(value, list | tuple) else value


def _without_card_numbers(text: str) -> str:
    kept, end = [], 0
    for begin, behind in _card_numbers(text):
        kept += [text[end:begin], HIDDEN]
        end = behind
    return "".join([*kept, text[end:]])


def _card_numbers(text: str) -> Iterator[tuple[int, int]]:
    """Where the text holds a card number, from its first character to behind its last.

    What stands around it with no letter between, an expiry date perhaps, belongs to it.
    """
    shape = ENCODED_BLANK.sub(lambda found: " " * len(found.group()), text).translate(SHAPES)
    if not any(map(_holds_card_number, DIGIT_RUN.findall(shape))):
        return
    shape = _with_protected(shape, text)
    end = 0
    for run in DIGIT_RUN.finditer(shape):
        if run.start() >= end and _holds_card_number(run.group()):
            before = EXPIRY_BEFORE.search(text, max(end, run.start() - LOOKED_BACK), run.start())
            end = _behind(text, shape, run.end())
            yield before.start() if before else run.start(), end


def _behind(text: str, shape: str, end: int) -> int:
    """Where ends what belongs to the card number that ends there: a track's fields, expiry date and security code."""
    for _ in range(MAX_BEHIND):
        found = (
            NAME_ON_TRACK.match(text, end),
            BEHIND_A_CARD.match(shape, end),
            EXPIRY_MONTH.match(text, end),
            SECURITY_CODE.match(text, end),
        )
        behind = max((told.end() for told in found if told), default=end)
        if behind == end:
            break
        end = behind
    return end


def _with_protected(shape: str, text: str) -> str:
    """The shape, in which what is no card's is letters."""
    parts, end = [], 0
    for found in PROTECTED.finditer(text):
        parts += [shape[end : found.start()], "a" * len(found.group())]
        end = found.end()
    return "".join([*parts, shape[end:]])


def _holds_card_number(run: str) -> bool:
    """Whether digits, with blanks between groups of them, hold a card number.

    It stands in one group, in whole ones, or in a card's own groups with other digits right before or behind it.
    """
    if len(run) < MIN_CARD_DIGITS:
        return False
    groups = run.split()
    digits = "".join(groups)
    borders = "|" + "|".join("." * (len(group) - 1) for group in groups) + "|"
    sums = _luhn_sums(digits)
    for begin in range(len(digits) - MIN_CARD_DIGITS + 1):
        scheme = SCHEME.match(digits, begin)
        for length in LENGTHS[scheme.lastindex - 1] if scheme and scheme.lastindex else ():
            end = begin + length
            if end > len(digits):
                continue
            between = borders[begin + 1 : end]
            whole = borders[begin] == borders[end] == "|"
            within = length >= MIN_ANYWHERE and "|" not in between
            parity = sums[end % 2]
            if (whole or within or between in CARD_GROUPS) and (parity[end] - parity[begin]) % 10 == 0:
                return True
    return False


def _luhn_sums(digits: str) -> tuple[list[int], list[int]]:
    """The sums of Luhn's check (ISO/IEC 7812-1) up to each place, for numbers that end at an even or an odd place.

    Every second digit from the right counts double; a number is a card's where its sum ends in 0.
    """
    single = [int(digit) for digit in digits]
    double = [sum(divmod(2 * digit, 10)) for digit in single]
    mixed = list(single)
    mixed[::2] = double[::2]
    other = list(double)
    other[::2] = single[::2]
    return [0, *accumulate(mixed)], [0, *accumulate(other)]


def _cut(text: str, limit: int) -> str:
    """The text's beginning. Digits that the cut goes through may be a card's, and are left out."""
    if len(text) <= limit:
        return text
    text = text[:limit]
    shape = text.translate(SHAPES).rstrip("0123456789 ")
    return text[: len(shape)]
