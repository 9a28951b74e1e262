#!/usr/bin/env python3
"""Everything about the files below a folder, a line each, to be compared: layer_tree.py [--free FILE] FOLDER

Type and mode, owner, size, time of change in ns, device, name of the first of its hard links, content or target,
extended attributes. Times of paths that FILE lists are left out, and the folder's own.
"""
import hashlib
import os
import stat
import sys


def content(path, st):
    if stat.S_ISLNK(st.st_mode):
        return os.readlink(path).hex()
    if not stat.S_ISREG(st.st_mode):
        return '-'
    digest = hashlib.sha256()
    with open(path, 'rb') as f:
        while True:
            piece = f.read(1 << 20)
            if not piece:
                return digest.hexdigest()[:16]
            digest.update(piece)


def main():
    free = set()
    if sys.argv[1] == '--free':
        with open(sys.argv[2], 'rb') as f:
            free = {line.rstrip(b'\n') for line in f}
        del sys.argv[1:3]
    root = os.fsencode(sys.argv[1])
    first = {}
    paths = []
    for folder, folders, files in os.walk(root):
        paths += [os.path.relpath(os.path.join(folder, name), root) for name in folders + files]
    for name in [b'.'] + sorted(paths):
        path = os.path.join(root, name)
        st = os.lstat(path)
        is_dir = stat.S_ISDIR(st.st_mode)
        linked = first.setdefault((st.st_dev, st.st_ino), name) if st.st_nlink > 1 and not is_dir else b''
        xattrs = {x: os.getxattr(path, x, follow_symlinks=False).hex() for x in os.listxattr(path, follow_symlinks=False)}
        print(repr(name)[1:], oct(st.st_mode), f'{st.st_uid}:{st.st_gid}', '-' if is_dir else st.st_size,
              '-' if name in free or name == b'.' else st.st_mtime_ns, st.st_rdev, repr(linked)[1:],
              content(path, st), sorted(xattrs.items()))


main()
