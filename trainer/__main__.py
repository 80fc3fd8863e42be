"""`python -m trainer`."""

import os
import sys

from trainer.cli import main

if __name__ == "__main__":
    code = main()
    if "--ranked" in sys.argv:  # one of several: threads of gloo or NCCL must not abort what has ended well
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
