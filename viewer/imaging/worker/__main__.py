"""Entry of a worker process: `python -m viewer.imaging.worker KIND --fd N ...`, run by its host."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from viewer.imaging.worker.limits import harden


def main(arguments: Sequence[str]) -> int:
    """Run a worker until its host goes; `arguments` begin with the kind."""
    parser = argparse.ArgumentParser(prog="sightline worker", description="Run by the program itself.")
    parser.add_argument("kind")
    parser.add_argument("--fd", type=int, required=True, help="inherited socket")
    parser.add_argument("--module", required=True, help="module with HANDLERS")
    parser.add_argument("--memory", type=int, required=True, help="address space in bytes")
    parser.add_argument("--nice", type=int, default=0)
    options = parser.parse_args(arguments)
    harden(memory_limit=options.memory, nice=options.nice)

    # After the limits: this brings pydantic and numpy.
    from viewer.imaging.worker.serve import serve

    return serve(options.fd, kind=options.kind, module=options.module, memory_limit=options.memory)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
