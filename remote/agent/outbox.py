"""What waits to be written to a pipe that may not take it all at once."""

import os
from collections import deque


class Outbox:
    """Chunks in order, written without blocking."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._chunks: deque[memoryview] = deque()
        self.size = 0

    def put(self, data: bytes) -> None:
        """Add a chunk."""
        self._chunks.append(memoryview(data))
        self.size += len(data)

    def flush(self) -> None:
        """Write what the pipe takes.

        Raises:
            OSError: nobody reads any more.
        """
        while self._chunks:
            chunk = self._chunks[0]
            try:
                written = os.write(self._fd, chunk)
            except BlockingIOError:
                return
            self.size -= written
            if written < len(chunk):
                self._chunks[0] = chunk[written:]
            else:
                self._chunks.popleft()
