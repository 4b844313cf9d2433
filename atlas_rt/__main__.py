"""`python -m atlas_rt`."""

import sys

if __name__ == "__main__":
    # Imported here and not above: a spawned engine imports this module too, and needs nothing of the command line.
    from atlas_rt.cli import main

    sys.exit(main())
