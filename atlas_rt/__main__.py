"""Where the program begins: the command `atlas-rt`, and `python -P -m atlas_rt`."""

import sys

from atlas_rt import startup


def main() -> int:
    """Run the program with the words of the command line; returns the exit code."""
    startup.prepare()
    try:
        # Imported here and not above: not before the path is safe, and a spawned engine imports this module too and
        # needs nothing of the command line.
        from atlas_rt import excepthooks

        excepthooks.install()
        from atlas_rt.cli import main as run

        return run()
    except KeyboardInterrupt:  # while it is imported, or once it is done
        return 130


if __name__ == "__main__":
    sys.exit(main())
