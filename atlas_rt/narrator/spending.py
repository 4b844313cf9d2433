"""What Claude has cost, in one ledger for all windows and commands, and the budgets that stop it.

The dearest that a request may become is entered before it is sent, and corrected by what it did cost: so two windows
together stay within a budget, and what a killed program had asked counts in full.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from atlas_rt.core.money import money
from atlas_rt.errors import MissingError
from atlas_rt.library.personal_data import PersonalFile

NAME = "spending"


class BudgetError(MissingError):
    """A budget is used up; nothing more is sent."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one library cost in one month with one model. month: 2026-11. library: the name of its folder."""

    month: str
    library: str
    model: str
    requests: int
    usd: float


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be spent, in dollars: on one library in all, and on all libraries in a month."""

    library_usd: float
    month_usd: float


@dataclass(frozen=True, slots=True)
class Reservation:
    """What was entered for one request."""

    month: str
    library: str
    model: str
    usd: float


class Ledger:
    """The file of all spending, and the budget of one library. Any number of processes may hold one."""

    def __init__(self, folder: Path, library: str, budget: Budget, *, today: Callable[[], date] = date.today) -> None:
        """folder: of all that a person made."""
        self._file = PersonalFile(folder, NAME, read=_read, write=_write)
        self._library, self._budget, self._today = library, budget, today

    def spent(self) -> tuple[float, float]:
        """Dollars spent on this library, and on all libraries this month. Raises MissingError as `reserve`."""
        return self._sums(self._entries())

    def reserve(self, model: str, usd: float) -> Reservation:
        """Enter what a request may cost at most, before it is sent.

        Raises BudgetError where a budget does not allow it, MissingError where the ledger cannot be read or written:
        what cannot be counted is not spent.
        """
        wanted = Reservation(self._month(), self._library, model, usd)
        self._entries()

        def changed(entries: tuple[Spent, ...]) -> tuple[Spent, ...]:
            self._refuse_over(usd, *self._sums(entries))
            return _added(entries, wanted, requests=1, usd=usd)

        self._file.change(changed)
        return wanted

    def settle(self, reserved: Reservation, usd: float) -> None:
        """Correct a reservation to what the request did cost."""
        self._file.change(lambda entries: _added(entries, reserved, requests=0, usd=usd - reserved.usd))

    def _entries(self) -> tuple[Spent, ...]:
        kept = self._file.read()
        if kept.remark and not kept.entries:
            raise MissingError(
                f"What Claude has cost so far cannot be read, so nothing is sent. Mend or remove this file: "
                f"{self._file.path}"
            )
        return kept.entries

    def _sums(self, entries: tuple[Spent, ...]) -> tuple[float, float]:
        month = self._month()
        library = sum(each.usd for each in entries if each.library == self._library)
        return library, sum(each.usd for each in entries if each.month == month)

    def _refuse_over(self, usd: float, library: float, month: float) -> None:
        for name, spent, allowed in (
            ("library", library, self._budget.library_usd),
            ("month", month, self._budget.month_usd),
        ):
            if spent + usd > allowed:
                raise BudgetError(
                    f"The budget of this {name} is used up: {money(spent)} of {money(allowed)} are spent, and the next "
                    f"answer may cost {money(usd)}. Allow more with --budget-{name} USD."
                )

    def _month(self) -> str:
        return self._today().isoformat()[:7]


def _added(entries: tuple[Spent, ...], to: Reservation, *, requests: int, usd: float) -> tuple[Spent, ...]:
    key = (to.month, to.library, to.model)
    old = next((each for each in entries if (each.month, each.library, each.model) == key), Spent(*key, 0, 0.0))
    new = replace(old, requests=old.requests + requests, usd=max(0.0, round(old.usd + usd, 9)))
    return (*(each for each in entries if each is not old), new)


def _read(facts: object) -> Spent:
    if not isinstance(facts, dict):
        raise TypeError
    month, library, model = (str(facts[name]) for name in ("month", "library", "model"))
    return Spent(month, library, model, int(facts["requests"]), float(facts["usd"]))


def _write(spent: Spent) -> dict[str, object]:
    return {name: getattr(spent, name) for name in ("month", "library", "model", "requests", "usd")}
