"""Receipts on paper: every fact is there, nothing is wider than the paper, nothing from outside is obeyed."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from domain.trip.request import TripRequest
from rendering.plain_text import plain
from rendering.receipts import WIDTH, as_html, as_text
from tests.anything import ANYTHING, changed
from tests.domain.test_display_values import START, receipt_for
from tests.factories import usd_json

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f jam"


SALE = {
    "type": "SALE",
    "status": "PARTIALLY_PAID",
    "merchant": "Corner Shops",
    "storeId": "store-1",
    "shoppingTripId": "t1",
    "tripStartedAt": "2026-11-24T11:00:00Z",
    "issuedAt": "2026-11-24T12:00:00.123456Z",
    "lines": [
        {
            "description": "Oat milk",
            "quantity": 2,
            "price": usd_json("2.40"),
            "tax": usd_json("0.34"),
            "total": usd_json("4.80"),
        },
        {"quantity": "1.5 kg", "total": usd_json("37.30")},
        {"description": "A bag"},
    ],
    "total": usd_json("42.10"),
    "paid": usd_json("30.54"),
    "remaining": usd_json("11.56"),
    "card": {
        "brand": "VISA",
        "lastFour": "1234",
        "applicationId": "A0000000031010",
        "applicationLabel": "VISA",
        "entryMode": "chip",
        "verification": "Verified by PIN",
        "authorizationResponse": "00",
        "terminalId": "12345678",
    },
    "reconciliationId": "ABC123456789",
    "cardStatementTransactionId": "TXN987654321",
    "statements": ["30.54 USD was paid; 11.56 USD remains to be paid."],
}
FACTS = (
    *("SALE RECEIPT", "Corner Shops", "Store store-1", "2026-11-24 11:00:00 UTC", "2026-11-24 12:00:00 UTC", "t1"),
    *("Oat milk", "2 x 2.40 USD, tax 0.34 USD", "4.80 USD", "Item", "1.5 kg", "37.30 USD", "A bag"),
    *("TOTAL", "42.10 USD", "30.54 USD", "Remains to be paid", "11.56 USD"),
    *("VISA", "•••• 1234", "A0000000031010", "chip", "Verified by PIN", "00", "12345678"),
    *("ABC123456789", "TXN987654321", "30.54 USD was paid; 11.56 USD remains to be paid."),
)
words = st.text(max_size=120)


class Page(HTMLParser):
    """A page as a browser reads it: its elements and its words."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.words = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, attrs))

    def handle_data(self, data):
        self.words += data


def one_line(text):
    return " ".join(text.split())


@pytest.mark.parametrize("fact", FACTS)
def test_a_receipt_has_every_fact_on_paper_and_on_a_page(fact):
    assert fact.lower() in one_line(as_text([SALE])).lower()
    assert fact.lower() in one_line(Page(as_html([SALE])).words).lower()


def test_a_sale_that_is_paid_does_not_say_that_nothing_remains():
    receipt = {**SALE, "remaining": usd_json("0.00")}
    assert "Remains" not in as_text([receipt])
    assert "Remains" not in as_html([receipt])


@pytest.mark.parametrize(
    ("quantity", "printed"),
    [
        ({"value": "2", "unit": "each"}, "2 x 1.00 USD"),
        ({"value": "0.345", "unit": "kg"}, "0.345 kg x 1.00 USD"),
        ({"value": "2"}, "{'value': '2'} x 1.00 USD"),
    ],
)
def test_a_quantity_is_read_as_the_checkout_service_wants_it_said_too(quantity, printed):
    line = {"description": "a", "quantity": quantity, "price": usd_json("1.00"), "total": usd_json("2.00")}
    assert printed in as_text([{**SALE, "lines": [line]}])


def test_several_receipts_follow_one_another():
    refund = {
        **{name: SALE[name] for name in ("storeId", "shoppingTripId", "issuedAt", "paid")},
        "type": "REFUND",
        "refundRequestId": "r1",
        "refunded": usd_json("2.10"),
        "reason": "Other",
        "statements": [],
    }
    text = as_text([SALE, refund])
    assert text.index("SALE RECEIPT") < text.index("REFUND RECEIPT") < text.index("GIVEN BACK")
    assert as_html([SALE, refund]).count("<article>") == 2


def test_a_page_needs_nothing_from_elsewhere():
    page = as_html([SALE])
    assert not re.search(r"https?://|url\(|@import|<script|<link|<img", page)


@pytest.mark.parametrize("length", range(WIDTH - 10, WIDTH + 3))
def test_a_name_and_its_price_never_run_into_one_another(length):
    text = as_text([{**SALE, "lines": [{"description": "x" * length, "total": usd_json("4.80")}]}])
    assert re.search(r"x\s+4\.80 USD\n", text)


@settings(deadline=None)
@given(words, words, words)
def test_whatever_the_cart_system_says_fits_the_paper_and_is_obeyed_nowhere(description, quantity, sentence):
    line = {"description": description, "quantity": quantity, "price": usd_json("1.00"), "total": usd_json("1.00")}
    receipt = {**SALE, "lines": [line], "statements": [sentence]}
    text = as_text([receipt])
    assert all(cell_len(printed) <= WIDTH for printed in text.splitlines())
    assert all(char.isprintable() or char in "\n\u200c\u200d" for char in text)
    harmless = {**SALE, "lines": [{**line, "description": "a", "quantity": "b"}], "statements": ["c"]}
    assert Page(as_html([receipt])).elements == Page(as_html([harmless])).elements


@pytest.mark.parametrize("word", ["👨\u200d👩\u200d👧 bread", "क\u200dष", "❤\ufe0f tea", ENGLAND])
def test_what_joins_characters_to_one_is_printed(word):
    receipt = {**SALE, "lines": [{"description": word}]}
    assert word in as_text([receipt])
    assert word in Page(as_html([receipt])).words


@pytest.mark.parametrize("char", ["\x1b", "\x00", "\u202e", "\u2066", "\u200d", "\x85", "\U000e0041"])
def test_what_a_terminal_would_obey_or_nobody_sees_is_not_printed(char):
    assert char not in as_text([{**SALE, "lines": [{"description": f"tea{char}bag"}]}])


def test_a_line_has_signed_figures_with_all_their_decimals_and_zeros():
    coupon = {
        "description": "coupon",
        "quantity": 1,
        "price": usd_json("0.019"),
        "tax": usd_json("0.00"),
        "total": usd_json("-2.00"),
    }
    text = as_text([{**SALE, "lines": [coupon]}])
    for fact in ("1 x 0.019 USD, tax 0.00 USD", "-2.00 USD"):
        assert fact in one_line(text)


def test_a_quantity_of_any_shape_takes_no_more_than_some_lines():
    text = as_text([{**SALE, "lines": [{"description": "a", "quantity": [list(range(9))] * 200}]}])
    assert len(text.splitlines()) < len(as_text([SALE]).splitlines()) + 5


@settings(deadline=None)
@given(st.lists(ANYTHING, max_size=3))
def test_a_receipt_is_printed_whatever_the_cart_system_says_in_its_lines(lines):
    request = TripRequest.read(changed(START, ("cart", "lines"), lines))
    receipt = receipt_for(request)
    assert all(cell_len(printed) <= WIDTH for printed in as_text([receipt]).splitlines())
    assert "8.56 USD" in as_html([receipt])


@settings(deadline=None)
@given(words)
def test_a_page_shows_words_from_outside_as_they_are(description):
    shown = one_line(plain(f"<b>{description}</b>").plain)
    page = Page(as_html([{**SALE, "lines": [{"description": f"<b>{description}</b>"}]}]))
    assert shown in one_line(page.words)
