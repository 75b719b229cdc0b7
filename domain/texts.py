"""Texts that logs, errors and the ledger repeat: short, and without what none of them may hold."""

from typing import Annotated

from pydantic import AfterValidator

from domain.redaction import in_short, masked

Masked = AfterValidator(masked)
"""For a text that logs and ledger repeat: it is kept without what no log may hold."""

Sentence = Annotated[str, AfterValidator(in_short)]
"""What people are told: short, and without what no log may hold, whatever was put into it."""


class ReadableError(ValueError):
    """An error whose sentence people read: it is cut and masked like any other."""

    def __init__(self, sentence: str) -> None:
        super().__init__(in_short(sentence))


class CommandRejectedError(ReadableError):
    """What was asked for can't be done; the sentence says why."""
