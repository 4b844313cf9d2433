"""The first lines of the program, before anything else is imported: the current folder runs no code, a home is there.

A folder of pictures may hold a file named random.py. Python takes modules from the current folder under `python -m`,
and in each process that multiprocessing starts (`python -c`), before it asks its own library.
"""

# Nothing that Python itself has not loaded by now: not even `from __future__`, which is a file of the library as well.
import os
import stat
import sys

_PROGRAM = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def prepare() -> None:
    """Make this process and those it starts safe from the current folder, and find them a home."""
    _keep_out_current_folder()
    _tell_interrupts_apart()
    _find_home()


class Interrupted(KeyboardInterrupt):
    """Ctrl-C came while the program is imported. Python ends a program by the signal, and not with our exit code, if
    its own KeyboardInterrupt passed through an `exec`, as while a dataclass is made; a subclass is not affected."""


def _tell_interrupts_apart() -> None:
    import signal

    def interrupt(*_: object) -> None:
        raise Interrupted

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)


def _say(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"atlas-rt: {text}\n")


# -- modules -----------------------------------------------------------------------------------------------------------


def _keep_out_current_folder() -> None:
    """No module comes from the current folder, unless the program itself lies there.

    PYTHONSAFEPATH keeps it out of our children; of PYTHONPATH and LD_LIBRARY_PATH everything but the current folder
    stays. (An empty entry in one of these means the current folder, too.)
    """
    os.environ["PYTHONSAFEPATH"] = "1"
    if _is_here(_PROGRAM):
        return
    first = not sys.flags.safe_path and bool(sys.path) and _is_here(sys.path[0])
    if first:
        del sys.path[0]
    ours = {os.path.abspath(entry) for entry in _clean("PYTHONPATH")}
    sys.path[:] = [entry for entry in sys.path if entry not in ours]
    _clean("LD_LIBRARY_PATH")
    sys.path[:] = [entry for entry in sys.path if entry]
    if first and getattr(sys.modules["__main__"], "__spec__", None) is not None:
        _warn_of_modules()


def _clean(variable: str) -> list[str]:
    """Take the current folder out of a list of folders in the environment; returns what was taken out."""
    entries = os.environ.get(variable, "").split(os.pathsep)
    ours = [entry for entry in entries if _is_here(entry)]
    if entries == [""] or not ours:
        return []
    os.environ[variable] = os.pathsep.join(entry for entry in entries if entry not in ours)
    return ours


def _is_here(folder: str) -> bool:
    """Whether a path is the current folder; the empty one is."""
    try:
        return os.path.samefile(folder or os.curdir, os.curdir)
    except OSError:
        return False


def _warn_of_modules() -> None:
    """Name a file of the current folder that `python -m` takes for a module: it may have run before our first line."""
    for name in _modules_here():
        _say(
            f"{name} in the current folder has the name of a module, and `python -m` looks there first, so it may have"
            " been run; start as `python -P -m atlas_rt`, or as `atlas-rt`"
        )
        return


def _modules_here() -> list[str]:
    """Files and packages of the current folder that stand before one of the modules that can be imported."""
    from importlib import machinery

    found = []
    try:
        names = sorted(os.listdir())
    except OSError:
        return []
    for name in names:
        module = name.partition(".")[0]
        if name.endswith(tuple(machinery.all_suffixes())):
            known = module in sys.stdlib_module_names or machinery.PathFinder.find_spec(module) is not None
        else:
            known = name in sys.stdlib_module_names and os.path.isfile(os.path.join(name, "__init__.py"))
        if known:
            found.append(name)
    return found


# -- home --------------------------------------------------------------------------------------------------------------


def _find_home() -> None:
    """Without a home folder (no HOME, and a user that the system does not know) libraries would be made in a folder
    named "~" of the current one. A folder of the user's own among the temporary ones serves instead."""
    if os.name != "posix" or os.path.isabs(os.path.expanduser("~")):
        return
    import tempfile

    home = os.path.join(tempfile.gettempdir(), f"atlas_rt-{os.getuid()}")
    try:
        os.mkdir(home, 0o700)
    except OSError:
        if not _is_own(home):
            home = tempfile.mkdtemp(prefix="atlas_rt-")
    os.environ["HOME"] = home
    _say(f"the system knows no home folder for this user, so {home} serves as one; --cache DIR names a lasting place")


def _is_own(folder: str) -> bool:
    """Whether it is a folder of this user that nobody else may enter."""
    try:
        status = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not stat.S_IMODE(status.st_mode) & 0o077
