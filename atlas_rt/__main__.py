"""`python -m atlas_rt`."""

import sys

if __name__ == "__main__":
    try:
        # Imported here and not above: a spawned engine imports this module too, and needs nothing of the command line.
        from atlas_rt.cli import main

        code = main()
    except KeyboardInterrupt:  # while it is imported, or once it is done
        code = 130
    sys.exit(code)
