"""What the models learn, beside their controls.

usage: python -m benchmarks.learning one     one run of a preset, one JSON object
       python -m benchmarks.learning study   every run of the study that is missing in benchmarks/results
       python -m benchmarks.learning recall  models on generated recall text, and their distance curves
       python -m benchmarks.learning table   tables and pictures into docs/kuramoto.md
"""

import argparse
import sys

from benchmarks.learning import one, recalling, study, table


def main() -> int:
    """Do what was named."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.learning",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, module in {"one": one, "study": study, "recall": recalling, "table": table}.items():
        below = commands.add_parser(name, description=module.__doc__)
        module.add_options(below)
        below.set_defaults(act=module.main)
    options = parser.parse_args()
    code: int = options.act(options)
    return code


if __name__ == "__main__":
    sys.exit(main())
