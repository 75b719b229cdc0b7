"""Parquet is an extra: the command line, without pyarrow, writes everything else and says what to install."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITHOUT_PYARROW = """
import runpy, sys
sys.modules["pyarrow"] = None  # an import of it fails as if it were not installed
sys.argv[0] = "starter.py"
runpy.run_path("starter.py", run_name="__main__")
"""


@pytest.fixture
def run(tmp_path):
    def _run(*args):
        return subprocess.run(
            [sys.executable, "-c", WITHOUT_PYARROW, *args],
            cwd=ROOT,
            env=os.environ | {"LEDGER_URL": f"sqlite:///{tmp_path / 'ledger.db'}"},
            capture_output=True,
            text=True,
            check=False,
        )

    assert _run("ledger", "upgrade").returncode == 0
    return _run


def test_without_pyarrow_a_parquet_report_is_refused_by_name(run, tmp_path):
    path = tmp_path / "day.parquet"
    ran = run("report", "--format", "parquet", "--output", str(path))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "a report in Parquet needs pyarrow: run pip install 'pyarrow>=22', or choose csv or jsonl\n"
    assert not path.exists()


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_without_pyarrow_other_reports_are_written(run, form):
    ran = run("report", "--format", form)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "0 rows" in ran.stdout or '"rows": 0' in ran.stdout
