#!/usr/bin/env python3
"""Run a command on a kernel that seems to have no nftables: without_nftables.py COMMAND [ARGUMENT...]. A socket of netlink for
the packet filter is refused, as by a kernel that was built without it, to the command and to all that it starts."""
import ctypes
import os
import platform
import struct
import sys

AF_NETLINK, NETLINK_NETFILTER, EPROTONOSUPPORT = 16, 12, 93
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000
NUMBER, FIRST, THIRD = 0, 16, 32  # where struct seccomp_data has them
SOCKET = 41 if platform.machine() == "x86_64" else 198

program = [
    (LOAD, 0, 0, NUMBER), (JUMP_EQUAL, 0, 5, SOCKET),
    (LOAD, 0, 0, FIRST), (JUMP_EQUAL, 0, 3, AF_NETLINK),
    (LOAD, 0, 0, THIRD), (JUMP_EQUAL, 0, 1, NETLINK_NETFILTER),
    (RETURN, 0, 0, FAIL | EPROTONOSUPPORT), (RETURN, 0, 0, ALLOW),
]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]


libc = ctypes.CDLL(None, use_errno=True)
what = Program(len(program), ctypes.addressof(code))
if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(what), 0, 0) != 0:
    sys.exit("seccomp: " + os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[1], sys.argv[1:])
