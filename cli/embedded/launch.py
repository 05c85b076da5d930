"""Become the process that was asked for, so that it never outlives its supervisor.

Started as a script of its own (``python -I -S launch.py JSON COMMAND ...``): between fork and exec
nothing of the supervisor's threads or imports is in the way. The JSON says who to become.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys

# linux/prctl.h, linux/capability.h
PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _checked(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def _step_down(libc: ctypes.CDLL | None, uid: int, gid: int, capability: int | None) -> None:
    """Give up root; keep at most the one capability that lets the account pass closed folders."""
    if capability is not None and libc is not None:
        _checked(libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keep capabilities")
    os.setgroups([])
    os.setresgid(gid, gid, gid) if hasattr(os, "setresgid") else os.setgid(gid)
    os.setresuid(uid, uid, uid) if hasattr(os, "setresuid") else os.setuid(uid)
    if capability is not None and libc is not None:
        bit = 1 << capability
        sets = (_Sets * 2)(_Sets(bit, bit, bit), _Sets(0, 0, 0))
        header = _Header(CAPABILITY_VERSION_3, 0)
        _checked(libc.capset(ctypes.byref(header), ctypes.byref(sets)), "set capabilities")
        raised = libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)
        _checked(raised, "raise an ambient capability")


def main() -> None:
    """Step down when asked, tie this process to its parent, and become the command."""
    wanted = json.loads(sys.argv[1])
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    if wanted.get("uid") is not None:
        _step_down(libc, wanted["uid"], wanted["gid"], wanted.get("capability"))
    if libc is not None:
        # After the change of user, which clears it.
        _checked(libc.prctl(PR_SET_PDEATHSIG, wanted["death_signal"], 0, 0, 0), "follow the parent")
    if os.getppid() != wanted["parent"]:
        sys.exit("the supervisor ended while this process was starting")
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606  # a fixed path, no shell


if __name__ == "__main__":
    main()
