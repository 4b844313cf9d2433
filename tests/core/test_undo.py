"""One stack of what was done, and of what was taken back."""

from __future__ import annotations

from atlas_rt.core.undo import ENTRIES_MAX, Outcome, Undoable, UndoStack

REFUSED = "Another window writes this library."


class Shelf:
    """A word that changes are made to; it may refuse."""

    def __init__(self) -> None:
        self.word, self.refuses = "", False
        self.stack = UndoStack()

    def write(self, letter: str, key: object = None) -> None:
        self.word += letter
        self.stack.add(
            Undoable(f"{letter} is off", f"{letter} is on", lambda: self._set(-1), lambda: self._set(1, letter), key)
        )

    def _set(self, step: int, letter: str = "") -> str:
        if not self.refuses:
            self.word = self.word[:step] if step < 0 else self.word + letter
        return REFUSED if self.refuses else ""


def test_changes_are_taken_back_newest_first_and_made_again_in_their_order() -> None:
    shelf = Shelf()
    for letter in "abc":
        shelf.write(letter)
    assert [shelf.stack.undo().text for _ in range(2)] == ["c is off", "b is off"]
    assert shelf.word == "a"
    assert shelf.stack.redo() == Outcome("b is on")
    assert shelf.word == "ab"
    shelf.write("x")  # what was taken back before it is over
    assert shelf.stack.redo() == Outcome("there is nothing to do again")
    assert [shelf.stack.undo().text for _ in range(4)][2:] == ["a is off", "there is nothing to take back"]


def test_a_change_that_cannot_be_taken_back_now_stays_where_it_is() -> None:
    shelf = Shelf()
    shelf.write("a")
    shelf.refuses = True
    assert shelf.stack.undo() == Outcome(f"Nothing was taken back. {REFUSED}", failed=True)
    shelf.refuses = False
    assert shelf.stack.undo() == Outcome("a is off")
    shelf.refuses = True
    assert shelf.stack.redo() == Outcome(f"Nothing was changed. {REFUSED}", failed=True)
    shelf.refuses = False
    assert shelf.stack.redo() == Outcome("a is on")


def test_what_fails_on_its_way_goes_back_and_what_is_told_twice_counts_once() -> None:
    stack = UndoStack()
    late = Undoable("off", "on", lambda: "", lambda: "", key="paths")
    stack.add(late)
    assert stack.undo().text == "off"
    stack.fail(late)  # a thread could not write it
    assert stack.undo().text == "off"
    assert stack.redo().text == "on"
    stack.fail(late)
    assert stack.redo().text == "on"
    stack.add(Undoable("off", "on", lambda: "", lambda: "", key="paths"))  # the engine tells of it once more
    assert [stack.undo().text for _ in range(2)] == ["off", "there is nothing to take back"]


def test_it_remembers_so_many() -> None:
    shelf = Shelf()
    for _ in range(ENTRIES_MAX + 5):
        shelf.write("a")
    assert sum(shelf.stack.undo().text == "a is off" for _ in range(ENTRIES_MAX + 5)) == ENTRIES_MAX


def test_a_change_of_which_nothing_is_left_is_passed_over_and_notices_tell_how_it_is_now() -> None:
    stack, gone = UndoStack(), set[str]()
    stack.add(Undoable(lambda: f"{len(gone)} gone", "on", lambda: "", lambda: ""))
    for name in "ab":
        stack.add(Undoable(f"{name} off", f"{name} on", lambda: "", lambda: "", void=lambda name=name: name in gone))
    assert stack.undo().text == "b off"
    gone.add("b")
    assert stack.redo().text == "there is nothing to do again"
    gone.add("a")
    assert stack.undo().text == "2 gone"
    gone.clear()
    assert stack.undo().text == "there is nothing to take back"
    assert stack.redo().text == "on"
