"""The command line of the cart system and of operators: `python starter.py COMMAND`.

Exit status: 0, 1 (refused, with the reason on standard error), 2 (usage), 130 (Ctrl-C).
"""

import errno

import typer

from cli import (
    check,
    ledger,
    list_executions,
    receipt,
    reconcile,
    reconcile_daily,
    recover,
    refund,
    report,
    show,
    start,
    trip_messages,
)
from cli.output import print_error
from cli.usage import Commands
from ledger.database import LedgerError
from operations.errors import OperationError
from runtime.environment import SettingsError
from temporal.connection import ConnectionFailedError, exit_immediately

app = typer.Typer(
    cls=Commands,
    help="Start shopping trips, speak to them, and see what became of them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COMMANDS = (
    *(start, trip_messages, show, list_executions),
    *(refund, recover, receipt, report, reconcile, reconcile_daily, ledger, check),
)
for module in COMMANDS:
    app.add_typer(module.commands)


def main() -> int:
    """Run the command that was asked for; gives the exit status."""
    try:
        app()
    except (OperationError, LedgerError, SettingsError, ConnectionFailedError) as error:
        print_error(str(error))
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print_error(f"the output can't be written: {error.strerror}")
        return 1
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


if __name__ == "__main__":
    exit_immediately(main())
