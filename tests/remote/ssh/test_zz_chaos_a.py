import os, random, signal, time, subprocess
import pytest
from remote.session import connect
from remote.updates import *
from tests.remote.scripts import spec
from tests.remote.ssh.test_session_over_ssh import QUICK, placed, agent_pid
from tests.waiting import wait_until
SCRIPT = "import sys,time\ni=0\nwhile True:\n    print('line', i, flush=True); i+=1; time.sleep(0.002)\n"
def test_chaos(sshd, slow_link):
    road = slow_link(0.0)
    rng = random.Random(os.getpid())
    with connect(placed(sshd, port=road.port), timings=QUICK) as session:
        run_id = session.call("start", {"start_id": "s1", "spec": spec(SCRIPT).to_json()})["run_id"]
        session.follow(run_id)
        data, ups = bytearray(), []
        def drain():
            for one in session.drain():
                if isinstance(one, Bytes): data.extend(one.data)
                else: ups.append(one)
            return True
        def fail(what):
            print("FAILED", what, session.link, len(data), bytes(data[-100:]))
            for u in ups[-40:]:
                if not isinstance(u, (RunsSeen,)): print(str(u)[:250])
            print(session._pilot._streams._followers)
            raise AssertionError(what)
        def w(c, s, what):
            try: wait_until(c, s, what)
            except TimeoutError: fail(what)
        w(lambda: drain() and len(data) > 100, 20, "first")
        for n in range(40):
            kind = rng.choice(["agent", "sshd", "cut", "pause", "blink", "double"])
            backs = sum(isinstance(u, LinkChanged) and u.back_after_s is not None for u in ups)
            recs = sum(isinstance(u, Recovered) for u in ups)
            t=time.time()
            if kind == "agent":
                try: os.kill(agent_pid(session), signal.SIGKILL)
                except ProcessLookupError: pass
            elif kind == "sshd": sshd.kill_sessions()
            elif kind == "cut": road.cut()
            elif kind == "pause":
                road.pause(); w(lambda: drain() and session.link.phase in ("lost","retrying","connecting"), 20, "lost"); road.resume()
            elif kind == "blink":
                road.pause(); time.sleep(0.2); road.resume(); continue
            else:
                road.cut(); time.sleep(rng.random()*0.5); road.cut()
            w(lambda: drain() and sum(isinstance(u, LinkChanged) and u.back_after_s is not None for u in ups) > backs, 20, kind+" back")
            w(lambda: drain() and sum(isinstance(u, Recovered) for u in ups) > recs, 20, kind+" recovered")
            at = len(data)
            w(lambda: drain() and len(data) > at, 20, kind+" more")
            print(kind, round(time.time()-t,2), end="; ", flush=True)
        session.call("kill", {"run_id": run_id, "req_id": "k"})
    lines = bytes(data).split(b"\n")[:-1]
    assert lines == [b"line %d" % i for i in range(len(lines))]
    print(len(lines), "lines exactly once")
