"""What code, tests and documents refer to is in the repository, and what a program reads is in the reference."""

import re
from functools import cache
from pathlib import Path

import pytest
import typer

import starter
from domain.failures.attention import AttentionCause
from domain.journal import Account, EntryType
from domain.policy import Policy, SearchLimits
from domain.public_names import SearchAttribute
from domain.settlement import Settlement, Transaction
from domain.trip.request import TripRequest
from domain.trip.status import Status
from ledger.reconciliation.matching import Finding
from ledger.tables import metadata
from settings import WorkerSettings
from temporal.codec_server import CodecServerSettings

ROOT = Path(__file__).parents[2]
KINDS = {".md", ".py", ".toml", ".yml", ".j2", ".mako", ".ini"}
NAMED = {"Makefile", "Dockerfile", "run"}
"""Files without a suffix; `run` is .ci/run."""

DOCUMENT = re.compile(r"(?<![\w./-])((?:[\w.-]+/)*[\w.-]+\.md)\b(?:,\s+(?:# )?(?=[A-Z])([^\"|]*))?")
"""A document's name and, where a capital follows the comma, what begins with a section's heading."""
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([\w./-]*)#([\w-]+)\)")
"""A link to a heading, in another document or in its own."""
ISSUE = re.compile(r"\bissue\s+#?\d", re.IGNORECASE)


def texts():
    """Every text of the repository that people wrote: no hidden folder's but CI's, and no recorded history."""
    rooms = [path for path in ROOT.iterdir() if not path.name.startswith(".") or path.name == ".ci"]
    for path in sorted({*rooms, *(inner for room in rooms for inner in room.rglob("*"))}):
        written = path.suffix in KINDS or path.name in NAMED
        if written and path.is_file() and "histories" not in path.parts:
            yield path.relative_to(ROOT)


@cache
def headings(path):
    return HEADING.findall(path.read_text())


def is_there(path):
    return path.is_relative_to(ROOT) and path.is_file()


def found(name, beside):
    """The document of that name as it is seen from the root; one of a document's may also stand beside it."""
    places = [ROOT / name, *([(ROOT / beside).parent / name] if beside.suffix == ".md" else [])]
    return next((place for place in map(Path.resolve, places) if is_there(place)), None)


def begins_with(words, heading):
    return re.match(rf"{re.escape(heading)}(?!\w)", " ".join(words.split())) is not None


def fault_of(name, section, beside):
    document = found(name, beside)
    if document is None:
        return f"{beside} refers to {name}, which is not in the repository"
    if section and not any(begins_with(section, heading) for heading in headings(document)):
        return f"{beside} refers to a section of {name} that it does not have: {section[:40]}"
    return None


def anchor(heading):
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def link_fault(name, target, beside):
    document = (ROOT / beside).parent / name if name else ROOT / beside
    if document.is_file() and target in map(anchor, headings(document.resolve())):
        return None
    return f"{beside} links to #{target} of {name or 'itself'}, which it does not have"


def test_every_document_and_section_that_is_named_is_in_the_repository():
    others = [place for place in texts() if ROOT / place != Path(__file__)]
    named = [(place, *match.groups()) for place in others for match in DOCUMENT.finditer((ROOT / place).read_text())]
    assert len(named) > 60
    assert list(filter(None, (fault_of(name, section, place) for place, name, section in named))) == []


def test_every_link_to_a_heading_leads_to_one():
    documents = [place for place in texts() if place.suffix == ".md"]
    links = [(place, *match) for place in documents for match in LINK.findall((ROOT / place).read_text())]
    assert links
    assert list(filter(None, (link_fault(name, target, place) for place, name, target in links))) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("see contract.md", "not in the repository"),
        ("docs/nowhere.md", "not in the repository"),
        ("(docs/contract.md, Adjustment)", "a section"),
        ("(docs/contract.md,\n    # What counts as\n    a no)", "a section"),
        ("(docs/contract.md, Adjust) and more", None),
        ("docs/operations.md, A trip that stands\nstill: what then", None),
        ("as docs/operations.md says, and so", None),
    ],
)
def test_a_reference_that_leads_nowhere_is_found(text, fault):
    (match,) = DOCUMENT.finditer(text)
    told = fault_of(*match.groups(), Path("module.py"))
    assert (told is None) if fault is None else fault in told


QUOTED = re.compile(r"`([^`\n]+)`")
IN_FILE = re.compile(r"`([A-Z][A-Z0-9_]+)`, `([\w/]+\.py)`")
"""A constant, and the file that has it."""
ELSEWHERE = frozenset(
    {
        "AWS_PROFILE",
        "SCAN_CODE",
        "ALL_PROXY",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TEMPORAL_CODEC_ENDPOINT",
    }
)
"""What botocore, httpx or Temporal's own programs read, and a word of Amazon's: nothing of ours."""


def documents():
    return [place for place in texts() if place.suffix == ".md" and place.name != "CHANGELOG.md"]


@cache
def code():
    others = [ROOT / place for place in texts() if place.suffix != ".md" and ROOT / place != Path(__file__)]
    return "\n".join(path.read_text() for path in others)


def missing(quoted):
    """Why what a document quotes is not there; None where it is, or where it is no name of ours."""
    if re.fullmatch(r"[\w.]+/[\w./-]*", quoted) and (ROOT / quoted.partition("/")[0]).exists():
        return None if (ROOT / quoted).exists() else f"no file {quoted}"
    if target := re.fullmatch(r"make ([a-z-]+).*", quoted):
        return None if re.search(rf"^{target[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE) else f"no {quoted}"
    if re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+", quoted) and quoted not in ELSEWHERE:
        return None if re.search(rf"\b{quoted}\b", code(), re.IGNORECASE) else f"no {quoted}"
    return None


def test_every_path_constant_and_make_target_that_a_document_quotes_is_there():
    quoted = {word for place in documents() for word in QUOTED.findall((ROOT / place).read_text())}
    assert len(quoted) > 300
    assert list(filter(None, map(missing, sorted(quoted)))) == []


def test_a_constant_is_in_the_file_that_a_document_names():
    pairs = {pair for place in documents() for pair in IN_FILE.findall((ROOT / place).read_text())}
    assert pairs
    assert [pair for pair in sorted(pairs) if not re.search(rf"^{pair[0]}\b", (ROOT / pair[1]).read_text(), re.M)] == []


@pytest.mark.parametrize("quoted", ["domain/nowhere.py", "make coffee", "NO_SUCH_LIMIT"])
def test_a_quoted_name_that_is_not_there_is_found(quoted):
    assert missing(quoted)


def test_the_drawing_of_the_house_has_every_room_and_no_other():
    house = (ROOT / "docs" / "design.md").read_text().partition("## The house")[2].partition("\nImports ")[0]
    drawn = re.findall(r"^    ([\w.]+)/? {2,}", house, re.MULTILINE)
    rooms = {init.parent.name for init in ROOT.glob("*/__init__.py")} | {"docs", "tests"}
    programs = {path.name for path in ROOT.glob("*.py")}
    assert sorted(drawn) == sorted(rooms | programs)


def test_no_text_refers_to_an_issue_by_its_number():
    assert [place for place in texts() if ISSUE.search((ROOT / place).read_text())] == []


def names_of(*models):
    """The fields of messages, as JSON has them."""
    return [field.alias for model in models for field in model.model_fields.values()]


def commands_of(group, before=""):
    for name, command in group.commands.items():
        inner = hasattr(command, "commands")
        yield from commands_of(command, f"{name} ") if inner else [f"{before}{name}"]


def options_of(group):
    for command in group.commands.values():
        yield from options_of(command) if hasattr(command, "commands") else ()
        yield from (name for given in command.params for name in (*given.opts, *given.secondary_opts) if name[0] == "-")


GROUP = typer.main.get_command(starter.app)
SAME_EVERYWHERE = {"--json", "--help"}


@pytest.mark.parametrize(
    ("section", "names"),
    [
        ("Environment", [name.upper() for kind in (WorkerSettings, CodecServerSettings) for name in kind.model_fields]),
        ("Search attributes", list(SearchAttribute)),
        ("Trip input", names_of(TripRequest)),
        ("Policy", names_of(Policy, SearchLimits)),
        ("Status", names_of(Status)),
        ("Result", names_of(Settlement, Transaction)),
        ("Attentions", list(AttentionCause)),
        ("Commands", sorted(set(options_of(GROUP)) - SAME_EVERYWHERE)),
        (
            "Ledger",
            [*metadata.tables, *(column.name for table in metadata.tables.values() for column in table.columns)],
        ),
        ("Ledger", [*EntryType, *Account]),
        ("Reports", list(Finding)),
    ],
)
def test_the_reference_has_every_name(section, names):
    text = (ROOT / "docs" / "reference.md").read_text()
    told = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    quoted = {word for span in re.findall(r"`([^`]+)`", told) for word in span.split()}
    assert sorted({name for name in names if name not in quoted and not told_in_a_path(name, told)}) == []


def told_in_a_path(name, told):
    """Whether it stands as the last part of a dotted name."""
    return re.search(rf"\.{re.escape(name)}`", told) is not None


def test_the_reference_has_every_command():
    text = (ROOT / "docs" / "reference.md").read_text()
    assert [name for name in commands_of(GROUP) if not re.search(rf"^\| `{name}[ `]", text, re.MULTILINE)] == []
