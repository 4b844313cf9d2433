"""One ledger for all windows: what is entered before a request is sent, and what a budget stops."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from atlas_rt.core.money import money
from atlas_rt.errors import MissingError
from atlas_rt.narrator.spending import Budget, BudgetError, Ledger

MODEL = "us.anthropic.claude-haiku-5-5"
SPEND = """
import sys
from pathlib import Path
from atlas_rt.narrator.spending import Budget, BudgetError, Ledger

ledger, sent = Ledger(Path(sys.argv[1]), sys.argv[2], Budget(1.0, 0.5)), 0
try:
    while True:
        ledger.settle(ledger.reserve("m", 0.02), 0.01)
        sent += 1
except BudgetError:
    print(sent)
"""


def ledger(folder: Path, library: str = "one", *, month: int = 11, allowed: tuple[float, float] = (1.0, 2.0)) -> Ledger:
    return Ledger(folder, library, Budget(*allowed), today=lambda: date(2026, month, 28))


def test_what_a_request_cost_replaces_what_it_might_have(tmp_path: Path) -> None:
    one = ledger(tmp_path)
    reserved = one.reserve(MODEL, 0.5)
    assert one.spent() == (0.5, 0.5)
    one.settle(reserved, 0.125)
    ledger(tmp_path, "two").reserve(MODEL, 0.25)
    assert (one.spent(), ledger(tmp_path, "two").spent()) == ((0.125, 0.375), (0.25, 0.375))
    assert ledger(tmp_path, month=12).spent() == (0.125, 0.0)


def test_a_budget_stops_before_it_is_passed(tmp_path: Path) -> None:
    one = ledger(tmp_path)
    one.reserve(MODEL, 0.75)
    with pytest.raises(BudgetError) as told:
        one.reserve(MODEL, 0.5)
    assert str(told.value) == (
        "The budget of this library is used up: $0.75 of $1.00 are spent, and the next answer may cost $0.50. Allow "
        "more with --budget-library USD."
    )
    ledger(tmp_path, "two").reserve(MODEL, 1.0)
    with pytest.raises(BudgetError, match=r"budget of this month is used up: \$1\.75 of \$2\.00"):
        ledger(tmp_path, "three").reserve(MODEL, 0.5)
    ledger(tmp_path, "three", month=12).reserve(MODEL, 0.5)


def test_two_processes_stay_within_one_budget(tmp_path: Path) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", SPEND, str(tmp_path), name], stdout=subprocess.PIPE, text=True)
        for name in ("one", "two")
    ]
    sent = [int(process.communicate()[0]) for process in running]
    assert sum(sent) in (48, 49)  # the last one that fits needs room for the most it may cost
    assert ledger(tmp_path).spent()[0] == pytest.approx(0.01 * sent[0])


def test_a_ledger_that_cannot_be_read_spends_nothing(tmp_path: Path) -> None:
    (tmp_path / "spending.json").write_text("{")
    with pytest.raises(MissingError, match="What Claude has cost so far cannot be read, so nothing is sent"):
        ledger(tmp_path).reserve(MODEL, 0.01)


def test_an_amount_has_as_many_digits_as_it_takes() -> None:
    assert [money(usd) for usd in (0.0, 0.00038, 0.0042, 0.05, 1.2, 1234.5)] == [
        "$0.00", "$0.00038", "$0.0042", "$0.050", "$1.20", "$1,234.50",
    ]  # fmt: skip
