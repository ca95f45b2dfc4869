"""`sightline`: without a subcommand the window, with one the command line."""

import sys


def main() -> int:
    """Run the program with the process's arguments and return its exit code."""
    from app.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
