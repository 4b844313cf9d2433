"""Runs one of the long tests of `tests/campaigns`. Called by `scripts/campaign`.

The exit code is pytest's: 0 where everything held.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "campaigns"


def campaigns() -> dict[str, str]:
    """Name -> the first sentence of what it does."""
    files = sorted(FOLDER.glob("[a-z]*.py"))
    return {file.stem: file.read_text("utf-8").partition("\n")[0].strip('"') for file in files}


def main() -> None:
    known = campaigns()
    listed = "\n".join(f"  {name:8} {does}" for name, does in known.items())
    parser = argparse.ArgumentParser(
        prog="campaign",
        description=f"Runs a test that takes minutes:\n\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", choices=known, metavar="NAME", help=f"one of {', '.join(known)}")
    name = parser.parse_args().name
    command = [sys.executable, "-m", "pytest", "-q", "-s", f"tests/campaigns/{name}.py"]
    raise SystemExit(subprocess.run(command, cwd=FOLDER.parents[1], check=False).returncode)


if __name__ == "__main__":
    main()
