"""`python -m simulator`: run the simulator until told to stop."""

import argparse
import asyncio
import signal
import sys

from simulator.server import HOST, running


async def _serve(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    async with running(arguments.port, arguments.host, strict=arguments.strict) as simulator:
        print(f"The simulator listens at {simulator.url}", flush=True)  # noqa: T201
        await stop.wait()


def main() -> int:
    """Run the simulator; 1 where it can't listen."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A payment service to develop against.")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one")
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--strict", action="store_true", help="a trip must be planned to be known")
    arguments = parser.parse_args()
    try:
        asyncio.run(_serve(arguments))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        print(f"can't listen at {arguments.host}:{arguments.port}: {reason}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
