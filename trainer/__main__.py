"""`python -m trainer`."""

import gc
import os
import sys

from trainer.cli import main

COLLECT_EVERY = 10_000  # new objects: what is imported is no garbage, and torch alone is half a million

if __name__ == "__main__":
    gc.set_threshold(COLLECT_EVERY)
    code = main()
    if "--ranked" in sys.argv:  # one of several: threads of gloo or NCCL must not abort what has ended well
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    gc.freeze()  # what is left is not looked through once more
    sys.exit(code)
