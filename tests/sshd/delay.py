"""A slow, breakable road to a port of the loopback: delay a direction, silence, cuts, counts."""

import asyncio
import contextlib
import socket
import struct
import threading
import time

CHUNK = 1 << 16
IN_FLIGHT = 256  # chunks a direction that may be under way, like a long pipe
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST


class DelayProxy:
    """Listens on a free port and passes everything on to `target_port`, `delay_s` later in each direction.

    Attributes:
        to_target, to_client: bytes that went through.
        accepted: connections made so far.

    Bandwidth is not limited. A connection's handshake takes no delay: the kernel answers it.
    """

    def __init__(self, target_port: int, delay_s: float = 0.0) -> None:
        self.delay_s = delay_s
        self.to_target = self.to_client = self.accepted = 0
        self._target = target_port
        self._cut_at: int | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._passing = asyncio.Event()
        self._passing.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="delay-proxy", daemon=True)
        self._thread.start()
        self._ready.wait()

    def pause(self) -> None:
        """A silent partition: connections stay open, nothing passes, new ones get no word."""
        self._do(self._passing.clear)

    def resume(self) -> None:
        """What was held back goes on, in order."""
        self._do(self._passing.set)

    def cut(self) -> None:
        """Reset every open connection, at both ends; new ones are served."""
        self._do(self._reset)

    def cut_after(self, to_client: int) -> None:
        """Cut once, by itself, when so many more bytes have gone to the client."""
        self._cut_at = self.to_client + to_client

    def close(self) -> None:
        """Cut and stop listening."""
        if not self._thread.is_alive():
            return
        self._do(self._reset)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def __enter__(self) -> "DelayProxy":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _do(self, action: object) -> None:
        done = threading.Event()

        def act() -> None:
            action()  # type: ignore[operator]
            done.set()

        self._loop.call_soon_threadsafe(act)
        done.wait(5.0)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._meet, sock=self._listener))
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _meet(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._open.add(to_client)
        await self._passing.wait()
        try:
            from_target, to_target = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            self._abort(to_client)
            return
        self._open.add(to_target)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await asyncio.gather(
                self._carry(from_client, to_target, "to_target"),
                self._carry(from_target, to_client, "to_client"),
            )
        for writer in (to_client, to_target):
            self._abort(writer)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, counter: str) -> None:
        road: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(IN_FLIGHT)

        async def load() -> None:
            data = b"x"
            while data:
                data = await source.read(CHUNK)
                await road.put((time.monotonic() + self.delay_s, data))

        loading = asyncio.ensure_future(load())
        try:
            while True:
                due, data = await road.get()
                if (wait := due - time.monotonic()) > 0:
                    await asyncio.sleep(wait)
                await self._passing.wait()
                if not data:
                    break
                if counter == "to_client" and self._cut_at is not None:
                    room = self._cut_at - self.to_client
                    if len(data) >= room:
                        sink.write(data[:room])
                        self.to_client += room
                        self._cut_at = None
                        self._reset()
                        return
                sink.write(data)
                setattr(self, counter, getattr(self, counter) + len(data))
                await sink.drain()
            if sink.can_write_eof():
                sink.write_eof()
        finally:
            if loading.done() and not loading.cancelled():
                loading.exception()
            loading.cancel()

    def _reset(self) -> None:
        for writer in list(self._open):
            self._abort(writer)

    def _abort(self, writer: asyncio.StreamWriter) -> None:
        self._open.discard(writer)
        with contextlib.suppress(OSError):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        writer.transport.abort()
