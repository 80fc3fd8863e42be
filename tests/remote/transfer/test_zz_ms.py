import os
from pathlib import Path
import pytest
from remote.session import connect
from remote.transfer.choose import Choice
from remote.transfer.pull import pull
from tests.remote.transfer.saved import RUN_ID, make_run, same, save
from tests.sshd.server import User

@pytest.mark.parametrize("most", ["2", "1"])
def test_few(start_sshd, tmp_path, most):
    server = start_sshd([User("plain")], options={"MaxSessions": most})
    host = server.host(); far = tmp_path / "far"; server.place(host, far)
    run = make_run(far)
    save(run, 100, {f"shard-{i}": os.urandom(300_000) for i in range(6)}, 1.0)
    with connect(host) as s:
        import time; t=time.time()
        try:
            p = pull(s, RUN_ID, to=tmp_path / "to")
            assert same(p.folder / "step-00000100", run.checkpoints / "step-00000100")
        finally:
            print("took", time.time()-t)
