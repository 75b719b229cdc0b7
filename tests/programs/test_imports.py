"""The import check of `make check` (pyproject.toml) looks at every package of ours."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_import_check_looks_at_every_package():
    check = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    packages = sorted(init.parent.name for init in ROOT.glob("*/__init__.py") if init.parent.name != "tests")
    assert check["root_packages"] == packages
    (circles,) = (contract for contract in check["contracts"] if contract["type"] == "acyclic_siblings")
    assert circles["ancestors"] == packages
