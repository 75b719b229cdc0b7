"""`make demo`: each kind of trip has the expected result, and the ledger agrees with the settlement files."""

import subprocess
import sys
from pathlib import Path

from lab.demo import SCENARIOS

ROOT = Path(__file__).parents[2]
MAX_WIDTH = 80
"""README shows these lines."""


def test_demo_succeeds_and_leaves_nothing_over_in_the_ledger():
    command = [sys.executable, "-m", "lab.demo", "--once"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert f"{len(SCENARIOS)} of {len(SCENARIOS)} trips agree" in done.stdout, done.stdout + done.stderr
    trips, reconciled, summary = done.stdout.partition("matched 9, left over 0")
    assert reconciled
    assert all(len(line) <= MAX_WIDTH for line in trips.splitlines())
    assert all(len(line) <= 120 for line in summary.splitlines())
    assert done.returncode == 0
