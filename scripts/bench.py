"""Runs the program's own measurements and writes their bars as one Markdown table. Called by `scripts/bench`.

A measurement that fails is named below the table, and the exit code is then 1; a bar that does not hold
is no failure: the table says so.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MEASUREMENTS = ("frame", "start", "ingest", "search", "locate", "map", "scale", "sight", "wall", "rest")


@dataclass(frozen=True)
class Report:
    """What one measurement answered: its JSON, or why there is none."""

    name: str
    answer: Mapping[str, Any] | None
    failure: str = ""


def measure(name: str, words: Sequence[str]) -> Report:
    """Run `atlas-rt bench NAME --json` and wait for it; its progress goes to the terminal."""
    print(f"bench {name}", file=sys.stderr)
    command = [sys.executable, "-P", "-m", "atlas_rt", "bench", name, *words, "--json"]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode:
        return Report(name, None, f"exit code {result.returncode}")
    try:
        return Report(name, json.loads(result.stdout))
    except json.JSONDecodeError as error:
        return Report(name, None, f"its answer is no JSON ({error})")


def markdown(reports: Sequence[Report]) -> Iterator[str]:
    machines = dict.fromkeys(_words(report.answer.get("machine")) for report in reports if report.answer)
    yield from (f"Measured on {machine}." for machine in machines if machine)
    yield ""
    yield "| measurement | what | value | bar | holds |"
    yield "| --- | --- | ---: | ---: | --- |"
    for report in reports:
        for bar in report.answer["bars"] if report.answer else ():
            value, limit = (_number(bar[key], bar["unit"]) for key in ("value", "bar"))
            holds = "yes" if bar["holds"] else "**no**"
            yield f"| {report.name} | {bar['name']} | {value} | {bar['sense']} {limit} | {holds} |"
    yield from (f"\n`bench {report.name}` failed: {report.failure}." for report in reports if report.failure)


def _words(machine: object) -> str:
    if isinstance(machine, Mapping):
        return ", ".join(f"{key} {value}" for key, value in machine.items())
    return str(machine or "")


def _number(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}".strip()


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASUREMENTS)} (all)")
    args, words = parser.parse_known_args()
    if unknown := set(args.names) - set(MEASUREMENTS):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}; there are {', '.join(MEASUREMENTS)}")
    reports = [measure(name, words) for name in args.names or MEASUREMENTS]
    print("\n".join(markdown(reports)))
    raise SystemExit(any(report.failure for report in reports))


if __name__ == "__main__":
    main()
