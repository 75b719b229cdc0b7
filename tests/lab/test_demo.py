"""The demo as it is told of: each kind of trip comes out as it should, and the ledger agrees with the files."""

import subprocess
import sys
from pathlib import Path

from lab.demo import SCENARIOS

ROOT = Path(__file__).parents[2]


def test_the_demo_ends_well_and_nothing_is_left_over_in_the_books():
    command = [sys.executable, "-m", "lab.demo", "--once"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.count("agrees") == len(SCENARIOS), done.stdout + done.stderr
    assert "matched 8, left over 0" in done.stdout
    assert all(len(line) <= 120 for line in done.stdout.splitlines())
    assert done.returncode == 0
