"""`python -m tui.keys`: the README's table of keys."""

import sys

from tui.keys.in_force import markdown

if __name__ == "__main__":
    sys.stdout.write("\n".join(markdown()) + "\n")
