"""Why an operation was not done: the class is for programs, the sentence for people. It holds nothing of the input.

OperationError
├── InvalidInputError         what was given can't be used; the sentence names the field
├── NotFoundError             neither Temporal nor the ledger knows it
├── OperationRefusedError     the workflow, the ledger or Temporal refuses, and asking again does not help
│   └── TripEndedError        Temporal ended the trip's workflow before it was settled
├── NoAnswerError             no worker answered in time: a message may have been taken all the same
├── UnreadableAnswerError     the answer is encrypted under other keys, or another version's
└── UnavailableError          Temporal or the ledger can't be used now: later the same may work
"""


class OperationError(Exception):
    """What was asked for was not done; the sentence says why."""


class InvalidInputError(OperationError):
    """What was given can't be used; the sentence names the field and what it should be."""


class NotFoundError(OperationError):
    """Neither Temporal nor the ledger knows it."""


class OperationRefusedError(OperationError):
    """A workflow, the ledger or Temporal itself refuses: asking the same again does not help."""


class TripEndedError(OperationRefusedError):
    """Temporal ended the trip's workflow before it was settled; a restart goes on with it."""


class NoAnswerError(OperationError):
    """No worker answered in time. A message may have been taken all the same: look before sending it again."""


class UnreadableAnswerError(OperationError):
    """The answer can't be read: it is encrypted under other keys, or another version's."""


class UnavailableError(OperationError):
    """Temporal or the ledger can't be used now; later the same may work."""
