"""What of a text that somebody else wrote may be repeated in a log, a history or a message to a person."""

import re

WINDOW = 600
"""Bytes that are looked at: more than are shown, so that an address cut at the end is still known for one."""

SHOWN = 200
"""Characters that are shown: enough to tell a proxy's HTML page from a broken JSON."""

EMAIL = re.compile(r"([\w.+-]{1,64})@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}")

SECRET = re.compile(
    r"[^\s@<>\"']{1,64}(?:@|%40|\\u0040)[^\s@<>\"']+"  # what may be an e-mail address
    r"|\b(?:AKIA|ASIA)[A-Z0-9]+"  # the id of an AWS key
    r"|[\w+/=-]{32,}",  # a token, a signature, a secret key
)

DIGIT_GROUPS = re.compile(r"(?<!\w)\d(?:[ -]?\d){11,18}(?!\w)")
CARD_NUMBER = re.compile(r"4\d{12}|3[0689]\d{12}|3[47]\d{13}|[2-6]\d{15,18}")
"""By ISO/IEC 7812 and the schemes: 15 digits are Amex's alone. Visa's transaction ids have 15 as well, and are kept."""


def quoted(answer: bytes) -> str:
    """How an answer begins, in one printable line without e-mail addresses, secrets and digits.

    No digit at all is shown: it may belong to a card's number, whole, grouped or cut, or to its expiry date.
    """
    text = SECRET.sub("***", answer[:WINDOW].decode("utf-8", "replace"))
    line = re.sub(r"\d", "#", " ".join(text.split()))[:SHOWN]
    return "".join(char if char.isprintable() else "?" for char in line)


def masked(words: str) -> str:
    """What a person said, without card numbers, and of e-mail addresses no more than whose they are."""
    words = DIGIT_GROUPS.sub(lambda found: "***" if holds_card_number(found.group()) else found.group(), words)
    return EMAIL.sub(r"\1@***", words)


def holds_card_number(text: str) -> bool:
    """Whether a number in the text, its digits grouped or not, has a card number's length and its check digit."""
    return any(_is_card_number(re.sub(r"[ -]", "", match.group())) for match in DIGIT_GROUPS.finditer(text))


def _is_card_number(digits: str) -> bool:
    """Luhn's check, ISO/IEC 7812-1: every second digit from the right counts double, the sum ends in 0."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return bool(CARD_NUMBER.fullmatch(digits)) and (doubled + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0
