"""Where the program begins: the command `atlas-rt`, and `python -P -m atlas_rt`."""

import sys


def main() -> int:
    """Run the program with the words of the command line; returns the exit code."""
    try:
        # Imported here and not above: Ctrl-C may come meanwhile, and a spawned engine imports this module too and needs
        # nothing of the command line. Nothing else is imported before the path is safe.
        from atlas_rt import startup

        startup.prepare()
        from atlas_rt import excepthooks

        excepthooks.install()
        from atlas_rt.cli import main as run

        return run()
    except KeyboardInterrupt:  # while it is imported, or once it is done
        return 130


if __name__ == "__main__":
    sys.exit(main())
