"""How a workflow says no to a start or a message."""

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory


def refused(sentence: str, kind: str = "Refused") -> ApplicationError:
    """The failure to raise, with a sentence for people; `kind` is for programs.

    It is expected (benign): the SDK counts it in no metric of failures, which are for what somebody must mend here.
    """
    return ApplicationError(sentence, type=kind, non_retryable=True, category=ApplicationErrorCategory.BENIGN)
