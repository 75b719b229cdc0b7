"""What of others' texts may be repeated: no card number, expiry date, e-mail address or credential."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.redaction import MAX_SENTENCE, MIN_ANYWHERE, holds_card_number, in_short, masked, quoted, redacted, storable

CARDS = [
    "4111111111111111",
    "4222222222222",
    "4000000000000000006",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "30569309025904",
    "6011111111111117",
    "3530111333300000",
    "6304000000000000",
    "501800000009",
    "6205500000000000004",
    "6331101999990016",
    "2200000000000004",
]
"""Test numbers of the schemes, of 12 to 19 digits."""

SEPARATORS = [
    "",
    " ",
    "-",
    ".",
    "/",
    "_",
    "\u00a0",
    "\u2009",
    "\u200b",
    "\u2060",
    "\ufeff",
    " - ",
    "\n",
    ", ",
    "\u0301",
]
ZEROS = ["0", "\uff10", "\u0660", "\u0966", "\u0e50", "\U0001d7d8"]
"""Of Latin, full-width, Arabic-Indic, Devanagari, Thai and mathematical digits."""

KEPT = [
    "trip 3f0e8a52-7f4c-4a5e-9b57-6f1f0c1d2e3f",
    "refund-0b9d7a4e-3c21-4f0a-8f5e-411111111111",
    "a4111111-1111-1111-1111-111111111111",
    "00000000-0000-0000-0000-000000000007",
    "delivery-t1:captured:2026-11-24T12:00:00.123456+00:00:opened",
    "2026-11-24 10:00:00.123456+00:00",
    "2026-11-30 01:23:45.123456",
    "startedAt: 2026-11-23T10:00:00Z",
    "captured 123456789012.34 USD of 999999999999.99 USD",
    "order 112-1234567-1234567",
    "order 402-1234567-1234567",
    "order 402-1234567-1234567, order 402-7654321-7654321",
    "order 402-4111111-1111111",
    "trip 4111111111111112",
    "4111 1111 1111 11121229",
    "24.11.2026 10:00:00.123456, 24.11.2026 10:00:05.654321",
    "1795123456789, 1795123456799",
    "4567.12 + 4567.12 = 9134.24",
    "192.168.100.101:50051, 10.0.0.1:4111",
    "Visa's transaction 412345678901237",
    "12 x 3.50, 7 x 19.99",
    "2 @ 3.50",
    "2@3.50",
    "n\u00e9e @",
    "the token expired before 20.00 USD was charged",
    "PAYLOAD_KEYS: not set",
]


def written(card, separator, zero):
    """The card's number in another script, its digits in groups of four."""
    digits = [chr(ord(zero) + int(digit)) for digit in card]
    return separator.join("".join(digits[place : place + 4]) for place in range(0, len(digits), 4))


@pytest.mark.parametrize("zero", ZEROS)
@pytest.mark.parametrize("separator", SEPARATORS)
def test_a_card_number_is_hidden_in_any_script_and_with_any_separators(separator, zero):
    for card in CARDS:
        text = f"card {written(card, separator, zero)} declined"
        assert holds_card_number(text)
        assert masked(text) == "card *** declined"


@given(
    card=st.sampled_from(CARDS),
    gaps=st.lists(st.sampled_from(["", " ", "\u00a0", "\u200b", "-", "/"]), min_size=18, max_size=18),
    before=st.text(string.ascii_letters + " _:", max_size=20),
    behind=st.text(string.ascii_letters + " _:", max_size=20),
)
def test_no_digit_of_a_card_number_is_left_whatever_stands_between_and_around(card, gaps, before, behind):
    text = "".join(f"{digit}{gap}" for digit, gap in zip(card, [*gaps[: len(card) - 1], ""], strict=True))
    assert not any(char.isdigit() for char in masked(f"{before}{text}{behind}"))


@pytest.mark.parametrize(
    "text",
    [
        "card_4111111111111111",
        "TXN4111111111111111X",
        "0004111111111111111100",
        "x 99378282246310005",
        "4111 1111 1111 1111 12/27",
        "4111 1111 1111 1111 1227 123",
        "4111111111111111 exp. 12/2027",
        "4111111111111111, valid thru 12-27, cvv 123",
        "4111111111111111 valid until December 2027",
        "4111 1111 1111 1111 (Dec 27)",
        "12/27 4111111111111111",
        "%B4111111111111111^DOE/JOHN^27121010000000000000?",
        ";4111111111111111=27121010000012300?",
        "4111111111111111D27122010000F",
        "5A0841111111111111115F2403271231",
        "\u2463\u00b9\u00b9\u00b9 1111 1111 1111",
        "4111111111111111 cvv 123 exp 12/27",
        "4111111111111111 exp 12/27 security code 093",
        "exp 12/27 card 4111 1111 1111 1111",
        "valid thru: 2027-12, number 4111111111111111",
        "4111111111111111 (VISA, exp. date: 12/27)",
        "4111111111111111 exp 2027-12-31",
        "4111111111111111 exp 12/31/2027",
        "4111111111111111 exp 31.12.2027",
        "4111111111111111 exp d\u00e9c. 2027",
        "4111111111111111 ablauf Dezember 2027",
        *(
            gap.join(["4111", "1111", "1111", "1111"])
            for gap in ("\u30fc", "\u0640", "\u02bc", "%20", "&nbsp;", "\\u00a0")
        ),
    ],
)
def test_nothing_of_what_belongs_to_a_card_is_left(text):
    told = masked(text)
    assert "***" in told
    digits = "".join(char for char in told if unicodedata.digit(char, None) is not None)
    assert digits in ("", "5")  # the tag before the number


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 11111229",
        "4111 1111 1111 1111123",
        "4111-1111-1111-11111229",
        "4111 1111 1111 111112/29",
        "124111 1111 1111 1111",
        "12/294111 1111 1111 1111",
        "4111 1111 1111 11114111 1111 1111 1111",
        "4111 1111 1111 11115555 5555 5555 4444",
        "4111 11111111 11111229",
        "41111111 1111 11111229",
        "4222 222 222 2221229",
        "3782 822463 100051229",
        "123782-822463-10005",
        "3056 930902 59041229",
        "6205 5000 0000 0000 0041229",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 11229",
    ],
)
def test_a_card_number_in_its_groups_is_hidden_with_digits_that_touch_it(text):
    assert holds_card_number(text)
    assert masked(f"ann {text} rang") == "ann *** rang"


@pytest.mark.parametrize("zero", ZEROS)
@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize(("before", "behind"), [("", "1229"), ("", "123"), ("12", ""), ("7", "1229"), ("1229", "1")])
def test_a_card_number_in_fours_is_hidden_in_any_script_with_digits_that_touch_it(before, behind, separator, zero):
    for card in (card for card in CARDS if separator or len(card) >= MIN_ANYWHERE):
        text = f"{before}{written(card, separator, zero)}{behind}"
        assert holds_card_number(text)
        assert masked(f"card {text} declined") == "card *** declined"


@given(order=st.from_regex(r"4[0-9]{2}-[12][0-9]{6}-[0-9]{7}", fullmatch=True))
def test_no_order_id_in_groups_that_no_card_has_is_taken_for_a_card_number(order):
    assert not holds_card_number(order)
    assert masked(f"order {order}") == f"order {order}"


@pytest.mark.parametrize("text", KEPT)
def test_ids_times_and_amounts_are_kept(text):
    assert masked(text) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("jo.doe@example.com rang.", "jo.doe@*** rang."),
        ("jo@example.co.uk.", "jo@***."),
        ("<jo+x@ex-ample.com>", "<jo+x@***>"),
        ("jo%40example.com", "jo@***"),
        ("jo\uff20example.com", "jo@***"),
        ("key AKIAIOSFODNN7EXAMPLE", "key ***"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("Credential=AKIAIOSFODNN7EXAMPLE/2026, Signature=ab12", "Credential=***, Signature=***"),
        ('{"password": "hunter2"}', '{"password": "***"}'),
        ("postgresql://ann:hunter2@host/db", "postgresql://***@host/db"),
        ("https://x.example.com/?token=abc&a=1", "https://x.example.com/?token=***&a=1"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0", "***"),
    ],
)
def test_of_an_address_is_kept_whose_it_is_and_of_a_credential_nothing(text, told):
    assert masked(text) == told


@given(st.text(max_size=300) | st.text("4111 @.ab=-", max_size=300))
def test_what_is_masked_stays_as_it_is(text):
    assert masked(masked(text)) == masked(text)


def test_a_card_number_that_a_cut_goes_through_is_hidden():
    for at in range(MAX_SENTENCE - 40, MAX_SENTENCE + 400):
        told = in_short(f"{'x' * at}4111 1111 1111 1111{'y' * 5000}")
        assert len(told) <= MAX_SENTENCE
        assert "4111" not in told


def test_a_short_text_is_not_cut():
    assert in_short("x" * MAX_SENTENCE) == "x" * MAX_SENTENCE
    assert in_short("x" * (MAX_SENTENCE + 1)) == "x" * (MAX_SENTENCE - 1) + "\u2026"


def test_a_value_is_redacted_on_every_level_names_and_numbers_included():
    value = {
        "4111111111111111": [4111111111111111, 4111111111111111.0, 10**5000, 42, True, None, 1e308],
        "expirationDate": {"expirationYear": "2027"},
        "deep": {"note": ("call jo@example.com",)},
    }
    assert redacted(value) == {
        "***": ["***", "***", "***", 42, True, None, 1e308],
        "expirationDate": "***",
        "deep": {"note": ["call jo@***"]},
    }


def test_what_is_nested_without_end_is_hidden():
    value = "4111111111111111"
    for _ in range(5000):
        value = [value]
    assert "4111" not in repr(redacted(value))


def test_no_digit_of_an_answer_is_quoted():
    text = "card \uff14111 and \u0664\u00b9, born 1970, jo@example.com".encode()
    assert quoted(text) == "card #### and ##, born ####, ***"


@pytest.mark.parametrize(
    ("text", "kept"),
    [("an\0n", "ann"), ("a\ud800b", "a\ufffdb"), ("\ud83d\ude00", "\U0001f600"), ("caf\u00e9", "caf\u00e9")],
)
def test_what_no_database_can_hold_is_left_out(text, kept):
    assert storable(text) == masked(text) == kept


@pytest.mark.parametrize(
    "part",
    [
        "4",
        "4 ",
        "4444 ",
        "\u0664",
        "4111111111111111 a",
        "1 2 3 a",
        "a@",
        "a.a@a.",
        "@a.a",
        "eyJ-",
        "token=",
        "authorization: ",
        "://a:",
        "2026-11-24 ",
        "0123abcd-",
        "4111111111111111^",
        "a_-",
        "AKIA",
        "\u8336",
    ],
)
def test_a_huge_text_takes_time_in_proportion(part):
    """Where each character was compared with all others, this would take hours and meet pytest's own time-out."""
    text = part * (500_000 // len(part))
    masked(f"4111111111111111{text}")
    assert len(in_short(text)) <= MAX_SENTENCE


@pytest.mark.parametrize(
    "address",
    [
        *("ann!@example.com", "ann~@example.com", '"ann b"@example.com', "ann@[10.0.0.1]"),
        *("ann@example\u3002com", "ann@exam\u00adple.com"),
    ],
)
def test_an_address_of_any_form_is_left_without_its_place(address):
    told = masked(f"asked by {address}, today")
    assert "@***" in told
    assert not any(place in told for place in ("example", "10.0", "ple.com"))


@pytest.mark.parametrize(
    "text", ["AWS_SECRET_ACCESS_KEY=hush", "X-Amz-Signature=hush", "X-Amz-Credential=hush", "password: hush"]
)
def test_a_secret_is_known_by_the_end_of_its_name(text):
    assert "hush" not in masked(text)


@pytest.mark.parametrize(
    "text",
    [
        "asked on 12/11 by ann, table 12/27",
        "there are no AWS credentials: their credential_process did not end",
        "the token expired at 2026-11-24T12:00:00Z before 42.10 USD was charged",
        "expires 12/27: trip 3f0e5f6a-52c4-4b0e-8d6b-0a8f3c1b2d4e of store-1",
    ],
)
def test_a_text_without_a_card_stays_as_it_is(text):
    assert masked(text) == text


@given(st.uuids(version=4))
def test_a_uuid_is_never_taken_for_a_card_with_or_without_its_dashes(identifier):
    for written in (str(identifier), identifier.hex):
        if not written.replace("-", "").isdigit():
            assert masked(f"trip {written}: missing") == f"trip {written}: missing"


@pytest.mark.parametrize("written", ["07045483f17b4766937706461174b813", "c591e8b3236446e48226235633812167"])
def test_a_uuid_whose_digits_would_be_a_cards_is_shown(written):
    assert masked(f"trip {written}") == f"trip {written}"
