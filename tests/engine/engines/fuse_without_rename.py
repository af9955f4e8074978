"""A file system in memory, mounted through FUSE, that refuses every rename: run as a program with a folder.

It speaks the kernel's protocol (`linux/fuse.h`, 7.31) on /dev/fuse and needs no library, but the right to
mount.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import sys
import time
from pathlib import Path

_LOOKUP, _FORGET, _GETATTR, _SETATTR, _MKDIR, _UNLINK, _RMDIR, _RENAME = 1, 2, 3, 4, 9, 10, 11, 12
_OPEN, _READ, _WRITE, _STATFS, _RELEASE, _FSYNC, _FLUSH, _INIT = 14, 15, 16, 17, 18, 20, 25, 26
_OPENDIR, _READDIR, _RELEASEDIR, _ACCESS, _CREATE, _INTERRUPT, _BATCH_FORGET = 27, 28, 29, 34, 35, 36, 42
_RENAME2 = 45
_SILENT = {_FORGET, _INTERRUPT, _BATCH_FORGET}
_FINE = {_RELEASE, _FSYNC, _FLUSH, _RELEASEDIR, _ACCESS}
_SIZE_GIVEN = 1 << 3
_MOST = 2**17


class Node:
    """A file with its bytes, or a folder with the numbers of what is in it."""

    def __init__(self, mode: int) -> None:
        self.mode, self.data, self.time = mode, bytearray(), time.time()
        self.inside: dict[bytes, int] = {}

    def attributes(self, number: int) -> bytes:
        """Return `struct fuse_attr`."""
        seconds, size = int(self.time), len(self.data)
        times = (seconds, seconds, seconds, 0, 0, 0)
        owner = (os.getuid(), os.getgid())
        return struct.pack("<6Q10I", number, size, 0, *times, self.mode, 1, *owner, 0, 4096, 0)


class Files:
    """Answers one request at a time."""

    def __init__(self, refusal: int) -> None:
        self.refusal, self.nodes, self.last = refusal, {1: Node(stat.S_IFDIR | 0o755)}, 1

    def answer(self, operation: int, number: int, body: bytes) -> bytes:
        """Return the body of the answer, or raise OSError."""
        if operation == _INIT:
            return struct.pack("<4I2H2I2H2I", 7, 31, _MOST, 0, 0, 0, _MOST, 1, 0, 0, 0, 0).ljust(64, b"\0")
        if operation in (_RENAME, _RENAME2):
            raise OSError(self.refusal, "no rename here")
        if operation in _FINE:
            return b""
        if operation == _STATFS:
            return struct.pack("<5Q4I", 2**20, 2**20, 2**20, 2**20, 2**20, 4096, 255, 4096, 0).ljust(
                80, b"\0"
            )
        if number not in self.nodes:
            raise OSError(errno.ENOENT, "gone")
        node = self.nodes[number]
        if operation in (_OPEN, _OPENDIR):
            return struct.pack("<Q2I", 0, 0, 0)
        if operation in (_GETATTR, _SETATTR):
            valid, size = struct.unpack_from("<I", body)[0], 0
            if operation == _SETATTR and valid & _SIZE_GIVEN:
                (size,) = struct.unpack_from("<Q", body, 16)
                node.data[:] = node.data[:size].ljust(size, b"\0")
            return struct.pack("<Q2I", 0, 0, 0) + node.attributes(number)
        if operation in (_READ, _READDIR):
            _, offset, size = struct.unpack_from("<QQI", body)
            data = node.data if operation == _READ else self._listed(node)
            return bytes(data[offset : offset + size])
        if operation == _WRITE:
            _, offset, size = struct.unpack_from("<QQI", body)
            if offset > len(node.data):
                raise OSError(errno.ENOTSUP, "no holes here")
            node.data[offset : offset + size], node.time = body[40 : 40 + size], time.time()
            return struct.pack("<2I", size, 0)
        return self._named(operation, node, body)

    def _named(self, operation: int, folder: Node, body: bytes) -> bytes:
        skipped = {_MKDIR: 8, _CREATE: 16}.get(operation, 0)
        name = body[skipped:].split(b"\0")[0]
        if operation in (_MKDIR, _CREATE):
            kind = stat.S_IFDIR | 0o755 if operation == _MKDIR else stat.S_IFREG | 0o644
            self.last += 1
            self.nodes[self.last], folder.inside[name] = Node(kind), self.last
        elif name not in folder.inside:
            raise OSError(errno.ENOENT, "not there")
        number = folder.inside[name]
        if operation in (_UNLINK, _RMDIR):
            del folder.inside[name]
            return b""
        if operation not in (_LOOKUP, _MKDIR, _CREATE):
            raise OSError(errno.ENOSYS, "not here")
        entry = struct.pack("<4Q2I", number, 0, 0, 0, 0, 0) + self.nodes[number].attributes(number)
        return entry + (struct.pack("<Q2I", 0, 0, 0) if operation == _CREATE else b"")

    def _listed(self, folder: Node) -> bytes:
        listed = b""
        for name, number in folder.inside.items():
            entry = 24 + len(name) + -len(name) % 8
            kind = stat.S_IFMT(self.nodes[number].mode) >> 12
            head = struct.pack("<QQII", number, len(listed) + entry, len(name), kind)
            listed += (head + name).ljust(entry, b"\0")
        return listed


def serve(folder: Path, refusal: int) -> None:
    """Mount at a folder, say so on standard output, and answer until it is unmounted."""
    device = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
    if libc.mount(b"without_rename", os.fsencode(folder), b"fuse", 6, options.encode()):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    print("mounted", flush=True)
    files = Files(refusal)
    while True:
        try:
            request = os.read(device, _MOST + 4096)
        except OSError as error:
            if error.errno == errno.ENODEV:
                return
            continue
        length, operation, unique, number = struct.unpack_from("<IIQQ", request)
        if operation in _SILENT:
            continue
        try:
            failed, body = 0, files.answer(operation, number, request[40:length])
        except OSError as error:
            failed, body = error.errno or errno.EIO, b""
        os.write(device, struct.pack("<IiQ", 16 + len(body), -failed, unique) + body)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
