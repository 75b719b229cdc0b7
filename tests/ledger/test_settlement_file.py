"""Settlement files as processors write them, and as they break: rows, or sentences about what can't be used."""

import io
from codecs import BOM_UTF8

import pytest

from domain.journal import EntryType
from ledger.database import LedgerRejectionError
from ledger.reconciliation.mapping import Mapping, Packaged, load_mapping
from ledger.reconciliation.matching import Finding
from ledger.reconciliation.settlement_file import MAX_BROKEN_ROWS, MAX_LINE, read_settlement_file
from simulator.export import COLUMNS

HEADER = ",".join(COLUMNS)
REQUEST = "3f0e1a52-9b1c-4d7e-8f00-0123456789ab"
CARD_NUMBER = "4111111111111111"
CAPTURE = "t1,ABC1,Settled,USD,42.10,store-1,,2026-11-24T12:00:00Z"
REFUND = f"t1,ABC1,Refunded,USD,2.10,store-1,{REQUEST},2026-11-24T13:00:00Z"


def read(*lines, mapping=Packaged.SIMULATOR, header=HEADER):
    content = "\n".join([header, *lines]).encode()
    return read_settlement_file(io.BytesIO(content), mapping if isinstance(mapping, Mapping) else load_mapping(mapping))


def facts(row):
    return (row.line, row.shopping_trip_id, row.movement, row.amount, row.reference)


def test_the_simulators_export_is_read_by_its_packaged_mapping():
    file = read(CAPTURE, REFUND)
    assert [facts(row) for row in file.rows] == [
        (2, "t1", EntryType.CAPTURE, "42.10 USD", None),
        (3, "t1", EntryType.REFUND, "2.10 USD", REQUEST),
    ]
    assert file.rows[0].dated == "2026-11-24T12:00:00Z"
    assert not file.broken


def test_a_line_that_does_not_end_is_not_read_to_its_end():
    with pytest.raises(LedgerRejectionError, match=f"a line of more than {MAX_LINE:,} characters"):
        read("x" * (MAX_LINE + 1))


def test_a_uuid_in_upper_case_is_the_same_trip_and_the_same_refund():
    (row,) = read(REFUND.replace("t1", REQUEST.upper(), 1).replace(f",{REQUEST},", f",{REQUEST.upper()},")).rows
    assert (row.shopping_trip_id, row.reference) == (REQUEST, REQUEST)


def test_amazons_checkout_file_is_read_as_claims_by_order():
    header = "Order Id,Trip Id,Store,Currency,Amount,Booking Date"
    (row,) = read("order-1,t1,store-1,USD,9.00,2026-11-24", mapping="amazon", header=header).rows
    assert facts(row) == (2, "t1", EntryType.DELEGATED, "9.00 USD", "order-1")


def mapping(**others):
    columns = {"trip": "Trip", "type": "Kind", "currency": "Cur", "amount": "Amount", "reference": "Ref"}
    words = {"capture": ["S"], "refund": ["R"], "ignored": ["Fee"]}
    return Mapping.model_validate({"columns": columns, "words": words, **others})


@pytest.mark.parametrize(
    ("how", "line", "amount"),
    [
        ({"delimiter": ";", "decimal_comma": True}, "t1;S;EUR;42,10;", "42.10 EUR"),
        ({"delimiter": ";", "minor_units": True}, "t1;S;JPY;1200;", "1200 JPY"),
        ({"delimiter": ";", "minor_units": True}, "t1;S;KWD;500;", "0.500 KWD"),
        ({"delimiter": ";", "refunds_are_negative": True}, f"t1;R;USD;-2.10;{REQUEST}", "2.10 USD"),
    ],
)
def test_amounts_are_read_as_the_mapping_says(how, line, amount):
    (row,) = read(line, mapping=mapping(**how), header="Trip;Kind;Cur;Amount;Ref").rows
    assert row.amount == amount


@pytest.mark.parametrize(
    ("how", "line", "movement", "finding", "units"),
    [
        ({}, "t1;S;USD;-1.00;", EntryType.CAPTURE, Finding.CAPTURE_REVERSED, -100),
        ({"minor_units": True}, "t1;S;USD;-100;", EntryType.CAPTURE, Finding.CAPTURE_REVERSED, -100),
        ({}, "t1;S;USD;-0.00;", EntryType.CAPTURE, None, 0),
        ({"refunds_are_negative": True}, "t1;R;USD;2.10;", EntryType.REFUND, Finding.REFUND_REVERSED, -210),
        ({"refunds_are_negative": True}, "t1;R;USD;-2.10;", EntryType.REFUND, None, 210),
        ({}, "t1;CB;USD;5.00;", EntryType.CAPTURE, Finding.CHARGEBACK, -500),
        ({}, "t1;CB;USD;-5.00;", EntryType.CAPTURE, Finding.CHARGEBACK, -500),
        ({}, "t1;CBR;USD;5.00;", EntryType.CAPTURE, Finding.CHARGEBACK_REVERSED, 500),
        ({}, "t1;RR;USD;5.00;", EntryType.REFUND, Finding.REFUND_REVERSED, -500),
    ],
)
def test_what_comes_after_a_movement_is_known_by_its_word_or_by_its_sign(how, line, movement, finding, units):
    words = {"capture": ["S"], "refund": ["R"], "chargeback": ["CB"], "chargeback_reversed": ["CBR"]}
    words["refund_reversed"] = ["RR"]
    (row,) = read(line, mapping=mapping(words=words, delimiter=";", **how), header="Trip;Kind;Cur;Amount;Ref").rows
    assert (row.movement, row.afterwards, row.units) == (movement, finding, units)


def test_a_row_whose_status_says_that_nothing_was_paid_is_none_and_an_unknown_status_is_broken():
    columns = {"trip": "Trip", "status": "Status", "currency": "Cur", "amount": "Amount"}
    statuses = {"counts": ["settled"], "ignored": ["refused"]}
    how = Mapping.model_validate({"columns": columns, "every_row": "capture", "statuses": statuses})
    lines = ("t1,settled,USD,1.00", "t2,refused,USD,2.00", "t3,SETTLED,USD,3.00")
    file = read(*lines, mapping=how, header="Trip,Status,Cur,Amount")
    assert [row.shopping_trip_id for row in file.rows] == ["t1"]
    assert file.ignored == 1
    assert [str(broken) for broken in file.broken] == ["line 4: Status: no status that the mapping knows"]


def test_rows_that_are_none_of_ours_are_counted_and_passed_over():
    file = read("t1,Fee,USD,-0.10,", "t1,S,USD,1.00,", mapping=mapping(), header="Trip,Kind,Cur,Amount,Ref")
    assert (file.ignored, len(file.rows), file.broken) == (1, 1, [])


def test_a_processors_reference_of_a_capture_says_nothing():
    (row,) = read("t1,ABC1,Settled,USD,42.10,store-1,mod-7,2026-11-24").rows
    assert row.reference is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("t1,ABC1,Settled,USD,42.105,store-1,,d", "Gross Amount: no amount of USD (a plain number with at most 2"),
        ("t1,ABC1,Settled,JPY,42.10,store-1,,d", "Gross Amount: no amount of JPY (a plain number with at most 0"),
        ("t1,ABC1,Refunded,USD,-1.00,store-1,,d", "Gross Amount: no amount of USD"),
        ("t1,ABC1,Settled,USD,--1.00,store-1,,d", "Gross Amount: no amount of USD"),
        ("t1,ABC1,Settled,USD,=1+1,store-1,,d", "Gross Amount: no amount of USD"),
        ('t1,ABC1,Settled,USD,"1,000.00",store-1,,d', "Gross Amount: no amount of USD"),
        (f"t1,ABC1,Settled,USD,{CARD_NUMBER},store-1,,d", "Gross Amount: no amount of USD"),
        ("t1,ABC1,Settled,USX,1.00,store-1,,d", "Gross Currency: no currency of ISO 4217"),
        (f"t1,ABC1,Settled,{CARD_NUMBER},1.00,store-1,,d", "Gross Currency: no currency of ISO 4217"),
        ("=HYPERLINK(),ABC1,Settled,USD,1.00,store-1,,d", "Merchant Reference: an id has 1 to 255 letters"),
        ("t1,ABC1,Refunded,USD,1.00,store-1,r\x7f1,d", "Modification Reference: should be at most 255 printable"),
        (f"t1,ABC1,Refunded,USD,1.00,store-1,{'r' * 256},d", "Modification Reference: should be at most 255 printable"),
        (",ABC1,Settled,USD,1.00,store-1,,d", "Merchant Reference: an id has 1 to 255 letters"),
        (f"t1,ABC1,{CARD_NUMBER},USD,1.00,store-1,,d", "Type: no word that the mapping knows"),
        ("t1,ABC1,Settled,USD,1.00", "5 cells, the header has 8"),
        ('t1,ABC1,Settled,USD,1.00,"sto"re,,d', "not CSV"),
        ('t1,ABC1,Settled,USD,1.00,store-1,,"d', "not CSV"),
    ],
)
def test_a_broken_row_is_listed_with_its_line_and_why_without_its_values(line, reason):
    file = read(CAPTURE, line)
    (broken,) = file.broken
    assert str(broken).startswith(f"line 3: {reason}")
    assert CARD_NUMBER not in str(broken)
    assert [facts(row)[0] for row in file.rows] == [2]


def test_the_rows_after_a_broken_one_are_read_and_blank_lines_are_none():
    file = read("t1,short", "", REFUND)
    assert [broken.line for broken in file.broken] == [2]
    assert [row.line for row in file.rows] == [4]


def test_a_quote_that_was_never_closed_is_broken_and_swallows_no_row_in_silence():
    line = 't1,ABC1,Settled,USD,1.00,store-1,,"d'
    file = read(line, CAPTURE, 't2,ABC1,Settled,USD,1.00,store-1,,d"')
    assert str(file.broken[0]).startswith("line 2: a line break within a cell")
    assert not file.rows


def test_a_byte_order_mark_and_windows_line_ends_are_taken():
    content = BOM_UTF8 + f"{HEADER}\r\n{CAPTURE}\r\n".encode()
    file = read_settlement_file(io.BytesIO(content), load_mapping(Packaged.SIMULATOR))
    assert [facts(row)[:2] for row in file.rows] == [(2, "t1")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (BOM_UTF8, "the file is empty"),
        (HEADER.replace("Type", "Kind").replace("Gross Amount", "Net").encode(), "has no column Gross Amount, Type"),
        (f"{HEADER},Type".encode(), "more than one column Type"),
        (b"\x89PNG\r\n\x1a\n", "not UTF-8"),
        (f"{HEADER}\nt1,".encode() + b"\xff", "not UTF-8"),
        (
            f"{HEADER}\n".encode() + b"x\n" * (MAX_BROKEN_ROWS + 1),
            "more than 1,000 rows can't be used, the first in line 2",
        ),
    ],
)
def test_a_file_of_another_kind_is_refused_in_words(content, words):
    with pytest.raises(LedgerRejectionError, match=words):
        read_settlement_file(io.BytesIO(content), load_mapping(Packaged.SIMULATOR))


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("columns = [", "the mapping can't be read"),
        ("", "columns: is missing"),
        ('[columns]\ntrip="A"\ncurrency="B"\namount="C"', "say what a row is by every_row, or by columns.type"),
        ('every_row="delegated"\n[columns]\ntrip="A"\ncurrency="B"\namount="C"\ntype="D"', "say what a row is"),
        ('every_row="sale"\n[columns]\ntrip="A"\ncurrency="B"\namount="C"', "every_row: should be"),
        ('[columns]\ntrip="A"\ncurrency="B"\namount="C"\ntype="D"\n[words]\nignored=["x"]', "name at least one of"),
        ('[columns]\ntrip="A"\ncurrency="B"\namount="C"\ntype="D"\n[words]\ncapture=["x"]\nrefund=["x"]', "two things"),
        (
            'every_row="capture"\nrefunds_are_negative=true\n[columns]\ntrip="A"\ncurrency="B"\namount="C"',
            "refunds_are_negative: says nothing where no row is a refund",
        ),
        (
            'every_row="capture"\n[columns]\ntrip="A"\ncurrency="B"\namount="C"\n[statuses]\ncounts=["x"]',
            r"say what a status means by columns\.status with \[statuses\]",
        ),
        ('colums = "A"', "colums: is no name that is known here"),
    ],
)
def test_a_mapping_that_cant_be_used_is_refused_in_words(tmp_path, toml, words):
    path = tmp_path / "mapping.toml"
    path.write_text(toml)
    with pytest.raises(LedgerRejectionError, match=words):
        load_mapping(path)


def test_a_mapping_that_is_not_there_is_refused_in_words(tmp_path):
    with pytest.raises(LedgerRejectionError, match="the mapping can't be read: No such file"):
        load_mapping(tmp_path / "nowhere.toml")


def test_a_mapping_of_ones_own_is_read_from_its_file(tmp_path):
    path = tmp_path / "mapping.toml"
    path.write_text('every_row = "refund"\n[columns]\ntrip = "T"\ncurrency = "C"\namount = "A"\n')
    assert load_mapping(path).movements == (EntryType.REFUND,)
    assert set(load_mapping("simulator").movements) == {EntryType.CAPTURE, EntryType.REFUND}
