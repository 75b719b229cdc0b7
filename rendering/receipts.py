"""Receipts for people: as text for a terminal or a till's printer, as HTML for a browser or a mail.

Both are made from one template, templates/receipt.j2: what stands on a receipt is said once, how it looks twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from domain.display_values import shortened
from domain.money import Money
from domain.shown_money import ShownMoney
from rendering.plain_text import moment, plain

WIDTH = 48
"""Characters of a line: what a till's printer of 80 mm paper has."""
PAPER = Console(width=WIDTH)
"""Nothing is printed to it: rich breaks lines only for a console."""

EACH = "each"
"""The unit of what is counted: a receipt says 2 and not 2 each."""

MAX_QUANTITY_LENGTH = 100
"""Characters of how many there were: cart systems say anything there."""

TITLES = {"SALE": "Sale receipt", "REFUND": "Refund receipt"}

ABOUT = {
    "tripStartedAt": "Visit",
    "paidAt": "Paid at",
    "issuedAt": "Issued",
    "shoppingTripId": "Trip",
    "refundRequestId": "Refund",
    "reason": "Reason",
}
CARD = {
    "brand": "Card",
    "lastFour": "Card number",
    "applicationLabel": "Application",
    "applicationId": "AID",
    "entryMode": "Card read by",
    "verification": "Cardholder",
    "authorizationResponse": "Authorization response",
    "terminalId": "Terminal",
}
REFERENCES = {"reconciliationId": "Reconciliation", "cardStatementTransactionId": "On your statement"}
SUMS = {"refunded": "Given back", "total": "Total", "paid": "Paid", "remaining": "Remains to be paid"}
"""What a receipt's fields are called on paper, in the order in which they stand there."""

Rows = list[tuple[str, str]]


@dataclass(frozen=True)
class Good:
    """A line of the cart."""

    name: str
    details: str
    total: str


@dataclass(frozen=True)
class Sheet:
    """A receipt in words, as it goes on paper."""

    title: str
    seller: list[str]
    """The merchant, where the trip named it, and the store."""
    about: Rows
    goods: list[Good]
    sums: Rows
    card: Rows
    statements: list[str]


def as_text(receipts: Iterable[Mapping[str, Any]]) -> str:
    """The receipts in lines of WIDTH characters."""
    return _print(receipts, "text.j2")


def as_html(receipts: Iterable[Mapping[str, Any]]) -> str:
    """The receipts as one page; whatever they say is shown as it is, never obeyed."""
    return _print(receipts, "html.j2")


def sheet_of(receipt: Mapping[str, Any]) -> Sheet:
    """A receipt's JSON (domain/receipts/receipt.py) in words."""
    card = receipt.get("card", {})
    shown = {**receipt, **{name: _time(receipt[name]) for name in ABOUT if name.endswith("At") and name in receipt}}
    if "lastFour" in card:
        card = {**card, "lastFour": f"•••• {card['lastFour']}"}
    return Sheet(
        title=TITLES[receipt["type"]],
        seller=[_words(name) for name in (receipt.get("merchant", ""), f"Store {receipt['storeId']}") if name],
        about=_rows(ABOUT, shown),
        goods=[_good(line) for line in receipt.get("lines", ())],
        sums=[(label, _money(receipt[name])) for name, label in SUMS.items() if _worth_a_line(receipt, name)],
        card=[*_rows(CARD, card), *_rows(REFERENCES, receipt)],
        statements=[_words(sentence) for sentence in receipt["statements"]],
    )


def _print(receipts: Iterable[Mapping[str, Any]], layout: str) -> str:
    template = _environment(escaped=layout == "html.j2").get_template("receipt.j2")
    return template.render(layout=layout, sheets=[sheet_of(receipt) for receipt in receipts]).strip("\n")


def _environment(*, escaped: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=escaped,  # noqa: S701 (text has nothing to escape: _words has taken out what a terminal obeys)
        undefined=StrictUndefined,
    )
    environment.filters |= {"across": _across, "apart": _apart, "middle": _middle, "folded": _folded}
    return environment


def _rows(labels: Mapping[str, str], facts: Mapping[str, Any]) -> Rows:
    return [(label, _words(facts[name])) for name, label in labels.items() if name in facts]


def _good(line: Mapping[str, Any]) -> Good:
    """A line of the cart; the cart system may have left out anything."""
    quantity, price, tax = _quantity(line.get("quantity")), line.get("price"), line.get("tax")
    times = f"{quantity} x {_money(price)}" if price and quantity is not None else quantity
    details = [times if times is not None else price and _money(price), tax and f"tax {_money(tax)}"]
    return Good(
        name=_words(line.get("description", "Item")),
        details=", ".join(_words(detail) for detail in details if detail),
        total=_money(line["total"]) if "total" in line else "",
    )


def _quantity(said: Any) -> str | None:
    """How many, also as the Checkout Service wants it said: a value and its unit."""
    if isinstance(said, dict) and {"value", "unit"} <= said.keys():
        said = said["value"] if said["unit"] == EACH else f"{said['value']} {said['unit']}"
    return None if said is None else shortened(str(said), MAX_QUANTITY_LENGTH)


def _worth_a_line(receipt: Mapping[str, Any], name: str) -> bool:
    """Whether the sum says something: that nothing remains to be paid need not be said."""
    return name in receipt and (name != "remaining" or bool(Money.model_validate(receipt[name])))


def _money(value: Any) -> str:
    shown = ShownMoney.read(value, "")
    return str(shown) if shown else ""


def _time(value: str) -> str:
    return moment(datetime.fromisoformat(value)).replace("Z", " UTC")


def _words(value: object) -> str:
    """Words from outside on one line, without what a terminal would obey."""
    return " ".join(plain(value).plain.split())


# What the text's layout does with words; cells and not characters are counted: 茶 takes two.


def _across(mark: str) -> str:
    return mark * WIDTH


def _middle(words: str) -> str:
    return "\n".join(" " * ((WIDTH - cell_len(line)) // 2) + line for line in _lines(words, WIDTH))


def _folded(words: str) -> str:
    return "\n".join(_lines(words, WIDTH))


def _apart(label: str, value: str) -> str:
    """A label to the left and its value to the right, on lines of their own where one is too narrow."""
    free = WIDTH - cell_len(label) - cell_len(value)
    if free > 0:
        return f"{label}{' ' * free}{value}".rstrip()
    right = [" " * (WIDTH - cell_len(line)) + line for line in _lines(value, WIDTH)]
    return "\n".join([*_lines(label, WIDTH), *right]).rstrip()


def _lines(words: str, width: int) -> Sequence[str]:
    return [line.plain.rstrip() for line in Text(words).wrap(PAPER, width)] or [""]
