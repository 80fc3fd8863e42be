"""Looks at a host that has nothing of ours. Python 3.6, standard library, read-only; sent as it is."""

import glob
import json
import os
import platform
import subprocess
import sys

ASKED = {}  # the sender puts home, python and data here
MAGIC = "photinus-probe-1 "
PLACES = """/opt/homebrew/bin /usr/local/bin ~/.local/bin /usr/bin /bin ~/miniconda3/bin ~/anaconda3/bin
~/miniforge3/bin ~/mambaforge/bin /opt/conda/bin /opt/miniconda3/bin ~/.pyenv/versions/*/bin
~/.local/share/uv/python/*/bin /Library/Frameworks/Python.framework/Versions/*/bin"""
NAMES = ["python3"] + ["python3.%d" % minor for minor in range(15, 10, -1)]
MAC = sys.platform == "darwin"
USER = os.path.expanduser("~")
ABOUT = """
import json, sys, sysconfig
about = {"path": sys.executable, "version": ".".join(map(str, sys.version_info[:3])), "packages": {}}
if sys.version_info >= (3, 11):
    from importlib import metadata, util
    paths = sysconfig.get_paths()
    about["site"] = sorted({paths["purelib"], paths["platlib"]})
    about["tools"] = [name for name in ("venv", "ensurepip", "pip") if util.find_spec(name)]
    for name, module in (("torch", "torch"), ("numpy", "numpy"), ("safetensors", "safetensors"),
            ("msgspec", "msgspec"), ("pyyaml", "yaml"), ("psutil", "psutil"), ("filelock", "filelock")):
        try:
            if util.find_spec(module):
                about["packages"][name] = metadata.version(name)
        except Exception:
            about["packages"][name] = "0"
print("about " + json.dumps(about))
"""
troubles = []


def run(argv, timeout=15):
    """What a program prints; empty where it fails."""
    try:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError:
        return ""
    try:
        return child.communicate(timeout=timeout)[0].decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        troubles.append("no answer within %d s: %s" % (timeout, argv[0]))
        return ""


def read(path):
    """A file's text; empty where there is none."""
    try:
        with open(path, errors="replace") as file:
            return file.read(1 << 20)
    except (OSError, ValueError):
        return ""


def folders():
    """The path, then where installers put programs."""
    found = os.environ.get("PATH", "").split(os.pathsep)
    extra = [os.environ.get("UV_PYTHON_INSTALL_DIR", "") + "/*/bin"] + PLACES.split()
    extra += [row + "/bin" for row in read(USER + "/.conda/environments.txt").split("\n") if row[:1] == "/"]
    for place in extra:
        found += sorted(glob.glob(os.path.expanduser(place)), reverse=True)
    return [folder for folder in found if folder[:1] == "/"]


def which(name):
    """The first program of that name."""
    paths = [os.path.join(folder, name) for folder in folders()]
    return next((path for path in paths if os.access(path, os.X_OK)), "")


def pythons():
    """Every interpreter, the asked one first."""
    asked = os.path.expanduser(ASKED.get("python", ""))
    paths = [asked] * bool(asked) + [os.path.join(folder, name) for folder in folders() for name in NAMES]
    seen, found = set(), []
    for path in paths:
        real = os.path.realpath(path)
        if path != asked and (real in seen or not os.path.isfile(real) or not os.access(path, os.X_OK)):
            continue
        if MAC and path == "/usr/bin/python3" and not run(["/usr/bin/xcode-select", "-p"]):
            continue  # a stub that would ask somebody at the screen to install the developer tools
        seen.add(real)
        rows = [row for row in run([path, "-I", "-c", ABOUT]).split("\n") if row[:6] == "about "]
        if rows:
            about = json.loads(rows[-1][6:])
            about["asked"] = path == asked
            sites = [other.get("site") for other in found]
            if about["asked"] or about.get("site", 0) not in sites:
                found.append(about)
        if len(found) == 16:
            break
    return found


def root():
    """The state root, there or not yet."""
    path = ASKED.get("home") or os.environ.get("PHOTINUS_HOME") or "~/.photinus"
    path = os.path.abspath(os.path.join(USER, os.path.expanduser(path)))
    there = path
    while not os.path.isdir(there):
        there = os.path.dirname(there)
    about = {"path": path, "exists": os.path.lexists(path), "writable": os.access(there, os.W_OK)}
    if about["exists"]:
        stat = os.lstat(path)
        about.update(link=os.path.islink(path), owner=stat.st_uid, mode=stat.st_mode & 0o7777)
    space = os.statvfs(there)
    about["free"] = space.f_bavail * space.f_frsize
    about.update(real=os.path.realpath(path), flags=space.f_flag)
    real = os.path.realpath(there) + "/"
    rows = run(["/sbin/mount"]) if MAC else read("/proc/self/mountinfo")
    device = os.stat(there).st_dev
    about["device"] = "%d:%d" % (os.major(device), os.minor(device))
    about["mounts"] = []
    for row in rows.split("\n"):
        words = row.split(" on ", 1)[-1].split(" (")[:1] if MAC else row.split()[4:5]
        if words and (real.startswith(words[0].rstrip("/") + "/") or "\\" in words[0]):
            about["mounts"].append(row)
    about["mounts"] = about["mounts"][-40:]
    notes = glob.glob(glob.escape(path) + "/envs/*/photinus-home")
    notes.sort(key=os.path.getmtime, reverse=True)
    about["envs"] = [os.path.basename(os.path.dirname(note)) for note in notes][:20]
    return about


def accelerators():
    """The NVIDIA driver and its devices."""
    smi = which("nvidia-smi") or "/usr/lib/wsl/lib/nvidia-smi"
    query = "--query-gpu=driver_version,name,memory.total"
    rows = [row.split(", ") for row in run([smi, query, "--format=csv,noheader"]).split("\n")]
    rows = [row for row in rows if len(row) == 3]
    words = read("/proc/driver/nvidia/version").split("\n")[0].split()
    driver = rows[0][0] if rows else next((word for word in words if word[0].isdigit() and "." in word), "")
    return {"driver": driver, "gpus": [" ".join(row[1:]) for row in rows][:64]}


def login():
    """Whether the system ends what a user leaves running."""
    bus = "org.freedesktop.login1"
    path = "/" + bus.replace(".", "/")
    setting = run(["busctl", "get-property", bus, path, bus + ".Manager", "KillUserProcesses"])
    if not setting:
        files = ["/etc/systemd/logind.conf"] + sorted(glob.glob("/etc/systemd/logind.conf.d/*.conf"))
        rows = [row.strip().lower() for name in files for row in read(name).split("\n")]
        setting = ([""] + [row for row in rows if row.startswith("killuserprocesses")])[-1]
    kills = setting.split("=")[-1].split()[-1:] in (["true"], ["yes"], ["1"], ["on"])
    return {"kills": kills, "lingers": os.path.exists("/var/lib/systemd/linger/" + os.path.basename(USER))}


def unreadable():
    """Folders that may not be read: on macOS a matter of Full Disk Access."""
    paths = [os.path.join(USER, os.path.expanduser(ASKED["data"]))] if ASKED.get("data") else []
    closed = []
    for path in paths + [USER + name for name in ("/Documents", "/Desktop", "/Downloads") if MAC]:
        try:
            os.listdir(path)
        except PermissionError:
            closed.append(path)
        except OSError:
            continue
    return closed


def attempt(reading):
    """One reading; what goes wrong costs no other."""
    try:
        return reading()
    except Exception as error:
        troubles.append("%s: %r" % (reading.__name__, error))
        return None


def main():
    """Everything, in one line behind the magic word."""
    umask = os.umask(0o77)
    os.umask(umask)
    answer = {"system": sys.platform, "release": platform.platform(), "arch": platform.machine()}
    answer.update(umask=umask, uid=os.getuid(), libc=" ".join(platform.libc_ver()), uv=which("uv"))
    for one in (root, pythons, accelerators, login, unreadable):
        answer[one.__name__] = attempt(one)
    answer["troubles"] = troubles[:20]
    sys.stdout.write("\n" + MAGIC + json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
