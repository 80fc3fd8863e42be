"""`python -P -m trainer.torchrun --spec RUN_DIR`: what a supervisor starts for a run of several processes.

The words stay as they are: a supervisor of one version starts trainers out of environments of another.
"""

import sys

from trainer.cli import main

if __name__ == "__main__":
    sys.exit(main(["run", *sys.argv[1:]]))
