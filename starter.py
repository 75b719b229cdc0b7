"""The command line of the cart system and of operators: `python starter.py COMMAND`.

Exit status: 0, 1 (refused, with the reason on standard error), 2 (usage), 130 (Ctrl-C).
"""

import errno

import typer

from cli import ledger as bookkeeping
from cli import list_executions as listing
from cli import receipt as printing
from cli import reconcile as reconciling
from cli import reconcile_daily as daily
from cli import refund as refunding
from cli import report as reporting
from cli import show as showing
from cli import start as starting
from cli import trip_messages as operating
from cli.output import OperationRefusedError, complain
from cli.usage import Commands
from temporal.connection import exit_immediately

app = typer.Typer(
    cls=Commands,
    help="Start shopping trips, speak to them, and see what became of them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
SUBJECTS = (starting, operating, showing, listing, refunding, printing, reporting, reconciling, daily, bookkeeping)
for subject in SUBJECTS:
    app.add_typer(subject.commands)


def main() -> int:
    """Run the command that was asked for; gives the exit status."""
    try:
        app()
    except OperationRefusedError as refusal:
        complain(str(refusal))
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        complain(f"the output can't be written: {error.strerror}")
        return 1
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


if __name__ == "__main__":
    exit_immediately(main())
