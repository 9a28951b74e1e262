#!/usr/bin/env python3
"""Archives of layers, odd ones and hostile ones: layer_corpus.py FOLDER | --layout FOLDER ARCHIVE...

Makes in FOLDER, for the tests of layers:
  good/CASE/1.tar, 2.tar, …   the layers of one image, lowest first
  good/CASE/referee           umoci or tar: who says what comes out; tar knows single layers only
  good/CASE/free              paths whose times are not compared (made without an entry), one a line
  good/CASE/oci               the same as an OCI image layout with the tag "t", for umoci
  bad/NAME.tar                archives that have to be refused; bad/NAME.says: a piece of the message

--layout makes an OCI image layout with the tag "t" in FOLDER, of uncompressed archives.
"""
import hashlib
import json
import pathlib
import struct
import subprocess
import sys

BLOCK = 512
TIME = 1234567890


def pad(data):
    return data + b'\0' * (-len(data) % BLOCK)


def number(value, width):
    """Octal where it fits, else base-256 as GNU tar writes it."""
    if 0 <= value < 8 ** (width - 1):
        return b'%0*o\0' % (width - 1, value)
    return bytes([0x80 if value >= 0 else 0xff]) + (value % 256 ** (width - 1)).to_bytes(width - 1, 'big')


def header(name=b'file', mode=0o644, uid=0, gid=0, size=0, mtime=TIME, type=b'0', link=b'', magic=b'ustar\x0000',
           uname=b'', gname=b'', major=0, minor=0, prefix=b'', tail=b''):
    block = bytearray(BLOCK)
    fields = [(0, name[:100]), (100, number(mode, 8)), (108, number(uid, 8)), (116, number(gid, 8)),
              (124, number(size, 12)), (136, number(mtime, 12)), (148, b' ' * 8), (156, type), (157, link[:100]),
              (257, magic), (265, uname), (297, gname), (345, prefix)]
    if magic:
        fields += [(329, number(major, 8)), (337, number(minor, 8))]
    if tail:
        fields.append((345, tail))
    for at, data in fields:
        block[at:at + len(data)] = data
    block[148:156] = b'%06o\0 ' % sum(block)
    return bytes(block)


def pax(records, type=b'x'):
    data = b''
    for key, value in records:
        rest = len(key) + len(value) + 3
        n = rest + len(str(rest))
        n = rest + len(str(n))
        data += b'%d %s=%s\n' % (n, key, value)
    return header(name=b'PaxHeaders/x', type=type, size=len(data)) + pad(data)


def entry(name, data=b'', records=(), **fields):
    if isinstance(name, str):
        name = name.encode()
    records = [(k.encode() if isinstance(k, str) else k, v.encode() if isinstance(v, str) else v) for k, v in records]
    out = b''
    if len(name) > 100:
        records.append((b'path', name))
    if len(fields.get('link', b'')) > 100:
        records.append((b'linkpath', fields['link']))
    if records:
        out += pax(records)
    fields.setdefault('size', len(data))
    return out + header(name=name, **fields) + pad(data)


def file(name, data=b'data', **fields):
    return entry(name, data, **fields)


def folder(name, mode=0o755, **fields):
    return entry(name + ('/' if isinstance(name, str) else b'/'), mode=mode, type=b'5', **fields)


def symlink(name, target, **fields):
    return entry(name, link=target.encode() if isinstance(target, str) else target, type=b'2', mode=0o777, **fields)


def hardlink(name, target, **fields):
    return entry(name, link=target.encode() if isinstance(target, str) else target, type=b'1', **fields)


def whiteout(name):
    path, _, base = name.rpartition('/')
    return file(f'{path}/.wh.{base}' if path else f'.wh.{base}', b'')


def opaque(name):
    return file(f'{name}/.wh..wh..opq', b'')


END = b'\0' * (2 * BLOCK)
ROOT = folder('.')


def longlink(type, text):
    return header(name=b'././@LongLink', type=type, size=len(text) + 1, magic=b'ustar  \0', mtime=0) + pad(text + b'\0')


def acl(*items):
    return struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *i) for i in items)


NOBODY = 0xffffffff
ACCESS = acl((1, 6, NOBODY), (2, 7, 1000), (4, 4, NOBODY), (16, 7, NOBODY), (32, 4, NOBODY))
DEFAULT = acl((1, 7, NOBODY), (2, 5, 1000), (4, 5, NOBODY), (8, 7, 2000), (16, 7, NOBODY), (32, 0, NOBODY))
CAPABILITY = struct.pack('<IIIII', 0x02000001, 1 << 10, 0, 0, 0)

# ---------------------------------------------------------------------------------------------------------------- good


def kinds():
    return (ROOT + folder('d') + file('d/file', b'x' * 70000) + file('d/empty', b'') + file('none', mode=0)
            + file('suid', mode=0o4755, uid=1000, gid=1001) + file('sgid', mode=0o2711, gid=50)
            + folder('sticky', 0o1777) + folder('sgid-dir', 0o2775, gid=77) + file('sgid-dir/root', gid=0)
            + folder('sgid-dir/plain', 0o755) + file('sgid-dir/plain/other', uid=3, gid=4)
            + symlink('sgid-dir/link', 'x') + entry('sgid-dir/fifo', type=b'6', mode=0o640)
            + symlink('dangling', 'no/where') + symlink('up', '../../../etc/passwd') + symlink('absolute', '/d/file')
            + hardlink('d/hard', 'd/file') + hardlink('harder', './d/hard') + hardlink('hard-link', 'dangling')
            + entry('fifo', type=b'6', mode=0o600, uid=5) + entry('null', type=b'3', mode=0o666, major=1, minor=3)
            + entry('loop', type=b'4', mode=0o660, gid=6, major=7, minor=300))


def names():
    part = 'n' * 255
    return b''.join([
        ROOT, file(' blank ', b'1'), file('new\nline', b'2'), file(b'not-utf8-\xff\xfe\x80', b'3'), file('ünï', b'4'),
        file('back\\slash', b'5'), file('-dash', b'6'), file('a' * 100, b'7'), file('b' * 101, b'8'),
        folder('p' * 90), file('p' * 90 + '/' + 'q' * 90, b'9'), file(part, b'10'),
        header(name=b'in-prefix', prefix=b'p' * 90, size=1) + pad(b'z'),
        longlink(b'L', b'p' * 90 + b'/' + b'g' * 200) + header(name=b'p', magic=b'ustar  \0', size=1) + pad(b'y'),
        longlink(b'K', b't' * 150) + header(name=b'gnu-link', magic=b'ustar  \0', type=b'2', link=b't'),
        symlink('long-target', 'x/' * 500 + 'y'), folder(part[:-1]),
        b''.join(folder('/'.join([part[:-1]] * n)) for n in range(2, 10)),
        file('/'.join([part[:-1]] * 9 + ['deep']), b'11'), file(b'not-utf8-\xff/../clean', b'12'),
        file('./dot/../dotted', b'13'), file('/rooted', b'14'), file('p' * 90 + '//./twice', b'15')])


def numbers():
    return b''.join([
        ROOT, file('uid', uid=2 ** 21, gid=2 ** 21 + 5), file('uid-most', uid=2 ** 32 - 2, gid=2 ** 32 - 2),
        file('uid-pax', records=[('uid', '3000000000'), ('gid', '4000000000')]),
        file('before', mtime=-86400 * 365), file('before-ns', records=[('mtime', '-1.25')]),
        file('ns', records=[('mtime', '1700000000.123456789')]), file('ns-more', records=[('mtime', '1.9999999999')]),
        file('atime', records=[('mtime', '1700000000.5'), ('atime', '1600000000.25')]),
        folder('dir-ns', records=[('mtime', '999999999.000000001')]), file('dir-ns/inside'),
        symlink('link-ns', 'x', records=[('mtime', '1500000000.000000002')]),
        file('zero', mtime=0), file('late', mtime=8 ** 11 + 5), file('octal-blanks', mode=0o600),
        header(name=b'v7-file', magic=b'', type=b'\0', size=2) + pad(b'v7'), header(name=b'v7-dir/', magic=b'', type=b'\0'),
        header(name=b'star', size=2, tail=b'st' + b'\0' * 129 + b'%011o\0%011o\0' % (5, 6)) + pad(b'ar')])


def xattrs():
    def x(name, value):
        return (f'SCHILY.xattr.{name}'.encode(), value)
    return b''.join([
        ROOT, file('user', records=[x('user.a', b'1'), x('user.b.c', b'a\n=\0b'), x('trusted.t', b'tt')]),
        folder('dir', records=[x('user.d', b'dd')]), symlink('link', 'x', records=[x('trusted.l', b'll')]),
        file('caps', mode=0o755, records=[x('security.capability', CAPABILITY)]),
        file('caps-owned', mode=0o4755, uid=7, gid=8, records=[x('security.capability', CAPABILITY)]),
        file('acl', mode=0o674, records=[x('system.posix_acl_access', ACCESS)]),
        folder('by-default', 0o750, records=[x('system.posix_acl_default', DEFAULT)]),
        file('by-default/file', mode=0o604), folder('by-default/dir', 0o705), file('by-default/dir/file', mode=0o777),
        entry('by-default/fifo', type=b'6', mode=0o602), symlink('by-default/link', 'x'),
        file('by-default/acl', mode=0o674, records=[x('system.posix_acl_access', ACCESS)]),
        hardlink('by-default/hard', 'acl'),
        file('twice', records=[x('user.a', b'1'), x('user.a', b'2')]), entry('fifo', type=b'6', records=[x('trusted.f', b'1')])])


def sparse_files(work):
    """As GNU tar makes them, in each of its four forms."""
    source = work / 'sparse'
    source.mkdir()
    subprocess.run(['truncate', '-s', '64M', source / 'hole'], check=True)
    with open(source / 'few', 'wb') as f:
        for at in (0, 1 << 20, 5 << 20):
            f.seek(at)
            f.write(b'%d' % at * 1000)
    with open(source / 'many', 'wb') as f:
        for i in range(60):
            f.seek(i << 16)
            f.write(b'piece %d' % i)
        f.truncate(100 << 16)
    with open(source / 'end', 'wb') as f:
        f.seek(3000000)
        f.write(b'end')
    with open(source / ('long' * 40), 'wb') as f:
        f.seek(1 << 20)
        f.write(b'long')
    forms = {'gnu': ['--format=gnu'], 'pax-0.0': ['--format=pax', '--sparse-version=0.0'],
             'pax-0.1': ['--format=pax', '--sparse-version=0.1'], 'pax-1.0': ['--format=pax', '--sparse-version=1.0']}
    for form, flags in forms.items():
        out = subprocess.run(['tar', '-C', source, '-S', '--sort=name', *flags, '-cf', '-', '.'], check=True,
                             stdout=subprocess.PIPE)
        yield 'sparse-' + form, out.stdout


def acls(work):
    """ACLs as text, as GNU tar writes them."""
    source = work / 'acls'
    (source / 'dir').mkdir(parents=True)
    (source / 'file').write_text('f')
    subprocess.run(['setfacl', '-m', 'u:1234:rwx,g:4321:r,m::rw', source / 'file'], check=True)
    subprocess.run(['setfacl', '-m', 'u:1234:rx,d:u:1234:rwx,d:g::r,d:o::-', source / 'dir'], check=True)
    return subprocess.run(['tar', '-C', source, '--acls', '--sort=name', '-cf', '-', '.'], check=True,
                          stdout=subprocess.PIPE).stdout


def again():
    return b''.join([
        ROOT, file('file', b'first', mode=0o600), file('file', b'second', mode=0o640, uid=9),
        folder('dir', 0o700), file('dir/kept', b'k'), folder('dir', 0o711, uid=4, mtime=TIME + 7),
        file('becomes-dir'), folder('becomes-dir'), file('becomes-dir/in', b'i'),
        folder('becomes-file'), file('becomes-file/in', b'i'), folder('becomes-file/deep'), file('becomes-file/deep/er'),
        file('becomes-file', b'file'), symlink('becomes-real', 'dir'), folder('becomes-real'), file('becomes-real/own'),
        folder('becomes-link'), file('becomes-link/gone'), symlink('becomes-link', 'dir'),
        file('becomes-fifo'), entry('becomes-fifo', type=b'6'), entry('was-fifo', type=b'6'), file('was-fifo', b'f'),
        file('target', b'old'), hardlink('linked', 'target'), file('target', b'new'), file('over', b'over'), hardlink('over', 'linked')])


def links_on_the_way():
    return b''.join([
        ROOT, folder('real'), symlink('link', 'real'), file('link/in', b'1'), symlink('rooted', '/real'),
        file('rooted/absolute', b'2'), folder('a'), folder('a/b'), symlink('a/b/up', '../../real'), file('a/b/up/upwards', b'3'),
        symlink('out', '../../../../real'), file('out/clamped', b'4'), hardlink('link/hard', 'rooted/in'),
        symlink('chain', 'link'), folder('chain/dir'), file('chain/dir/file', b'5')])


def globals_and_unknown():
    return b''.join([
        pax([(b'comment', b'made by a version control system'), (b'mtime', b'1111111111.5'), (b'uid', b'12')], b'g'),
        ROOT, file('one'), pax([(b'gid', b'13')], b'g'), file('two'), file('own', records=[('mtime', '5')]),
        header(name=b'label', type=b'V', magic=b'ustar  \0'), file('contiguous', type=b'7')])


def dirs(count):
    return b''.join(folder(f'd{i}') + file(f'd{i}/f', b'%d' % i, mtime=i) for i in range(count))


LOWER = b''.join([
    ROOT, folder('bin-real'), symlink('bin', 'bin-real'), file('bin-real/sh', b'shell', mode=0o755), folder('etc', 0o750, uid=3, gid=4),
    file('etc/passwd', b'root'), file('etc/shadow', b'secret', mode=0o600, uid=1, gid=42,
                                      records=[('SCHILY.xattr.user.s', 'kept'), ('mtime', '1600000000.5')]),
    folder('var', 0o711, records=[('SCHILY.xattr.user.v', 'var'), ('mtime', '1600000001.75')]), folder('var/lib', 0o2755, gid=9),
    file('var/lib/db', b'database'), folder('opt'), file('opt/a', b'a'), folder('opt/sub'), file('opt/sub/b', b'b'),
    file('plain', b'plain'), symlink('sym', 'plain'), folder('gone'), file('gone/x', b'x'), folder('swap-dir'), file('swap-dir/s'),
    file('swap-file', b's'), entry('pipe', type=b'6'), file('sbin-less', b'1')])

# what is on top of LOWER, one or more layers; and paths whose times umoci does not keep, or that have no entry
ON_TOP = {
    'whiteouts': ([whiteout('plain') + whiteout('gone') + folder('etc') + whiteout('etc/passwd') + whiteout('never')], []),
    'whiteout-file-after': ([whiteout('plain') + file('plain', b'new')], []),
    'whiteout-file-before': ([file('plain', b'new') + whiteout('plain')], []),
    'whiteout-dir-after': ([whiteout('opt') + folder('opt', 0o700) + file('opt/new', b'n')], []),
    'whiteout-dir-before': ([folder('opt', 0o700) + file('opt/new', b'n') + whiteout('opt')], ['opt']),
    'whiteout-then-implied': ([whiteout('opt') + file('opt/new', b'n')], ['opt']),
    'opaque-first': ([folder('opt') + opaque('opt') + file('opt/new', b'n')], []),
    'opaque-last': ([folder('opt') + file('opt/new', b'n') + folder('opt/sub') + file('opt/sub/c', b'c') + opaque('opt')], ['opt/sub']),
    'dir-to-file': ([file('swap-dir', b'f')], []),
    'file-to-dir': ([folder('swap-file') + file('swap-file/in', b'i')], []),
    'dir-file-dir': ([file('swap-dir', b'f'), folder('swap-dir') + file('swap-dir/new', b'n')], []),
    'file-then-dir-in-one': ([file('opt', b'f') + folder('opt') + file('opt/new', b'n')], []),
    'link-to-dir': ([folder('bin') + file('bin/own', b'o')], []),
    'missing-parent': ([file('var/lib/new', b'n') + file('new/dir/file', b'n')], ['new', 'new/dir', 'var', 'var/lib']),
    'parent-is-link-below': ([file('bin/ls', b'ls') + folder('bin/more') + file('bin/more/x', b'x')], ['bin-real']),
    'whiteout-behind-link': ([whiteout('bin/sh')], ['bin-real']),
    'hardlink-below': ([hardlink('shadow-too', 'etc/shadow')], ['etc']),
    'hardlink-below-twice': ([folder('etc', 0o750, uid=3, gid=4) + hardlink('etc/one', 'etc/shadow') + hardlink('two', 'etc/shadow')], []),
    'hardlink-symlink-below': ([hardlink('sym2', 'sym') + hardlink('pipe2', 'pipe')], []),
    'hardlink-behind-link': ([hardlink('bin/bash', 'bin/sh')], ['bin-real']),
    'hardlink-two-down': ([folder('unrelated'), folder('var', 0o700), hardlink('d', 'var/lib/db')], ['var', 'var/lib']),
    'attributes-only': ([folder('etc', 0o700, uid=8) + folder('var', 0o755)], []),
    'delete-and-again': ([whiteout('opt'), folder('opt') + file('opt/z', b'z'), file('opt/y', b'y')], ['opt']),
    'deleted-parent': ([whiteout('opt'), file('opt/sub/new', b'n')], ['opt', 'opt/sub']),
    'opaque-parent': ([folder('opt') + opaque('opt'), file('opt/sub/new', b'n')], ['opt', 'opt/sub']),
    'opaque-and-whiteouts': ([whiteout('opt/a') + folder('opt') + opaque('opt') + whiteout('opt/sub') + folder('opt/d') + whiteout('opt/d/x')], []),
    'whiteout-in-default-acl': ([folder('var', records=[('SCHILY.xattr.system.posix_acl_default', DEFAULT)]) + folder('var/lib') + whiteout('var/lib/db')], []),
    'nothing': ([b''], []),
}


def write_layout(path, layers):
    """An OCI image layout with one image, uncompressed."""
    blobs = path / 'blobs' / 'sha256'
    blobs.mkdir(parents=True)

    def put(data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {'mediaType': 'application/vnd.oci.image.' + media_type, 'digest': 'sha256:' + digest, 'size': len(data)}

    described = [put(layer, 'layer.v1.tar') for layer in layers]
    config = put(json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': {},
                             'rootfs': {'type': 'layers', 'diff_ids': [d['digest'] for d in described]}}).encode(),
                 'config.v1+json')
    manifest = put(json.dumps({'schemaVersion': 2, 'config': config, 'layers': described}).encode(), 'manifest.v1+json')
    manifest['annotations'] = {'org.opencontainers.image.ref.name': 't'}
    (path / 'index.json').write_text(json.dumps({'schemaVersion': 2, 'manifests': [manifest]}))
    (path / 'oci-layout').write_text('{"imageLayoutVersion":"1.0.0"}')


def good(out):
    single = {'kinds': kinds(), 'names': names(), 'numbers': numbers(), 'xattrs': xattrs(), 'again': again(),
              'links': links_on_the_way(), 'globals': globals_and_unknown(), 'dirs': ROOT + dirs(300)}
    free = {'numbers': ['st']}
    cases = {name: ([data], free.get(name, [])) for name, data in single.items()}
    cases['child-first'] = ([ROOT + file('a/b/c', b'1') + folder('a/b', 0o700, mtime=5) + folder('a', 0o711, mtime=6)], [])
    cases.update({name: ([data], []) for name, data in sparse_files(out)})
    cases['acls'] = ([acls(out)], [])
    cases.update({name: ([LOWER] + layers, paths) for name, (layers, paths) in ON_TOP.items()})
    for name, (layers, paths) in cases.items():
        path = out / 'good' / name
        path.mkdir(parents=True)
        layers = [layer if layer.endswith(END) else layer + END for layer in layers]
        for i, layer in enumerate(layers):
            (path / f'{i + 1}.tar').write_bytes(layer)
        (path / 'free').write_text(''.join(p + '\n' for p in paths))
        (path / 'referee').write_text('tar' if name in ('globals', 'acls') or name.startswith('sparse') else 'umoci')
        write_layout(path / 'oci', layers)


# ----------------------------------------------------------------------------------------------------------------- bad


def overwrite(block, at, data):
    """A header with other bytes, and the checksum that they ask for."""
    block = bytearray(block)
    block[at:at + len(data)] = data
    block[148:156] = b' ' * 8
    block[148:156] = b'%06o\0 ' % sum(block)
    return bytes(block)


def sparse_1(map_text, data=b'', size=100):
    body = pad(map_text) + data
    return entry('s', body, records=[('GNU.sparse.major', '1'), ('GNU.sparse.minor', '0'), ('GNU.sparse.name', 'sparse'),
                                     ('GNU.sparse.realsize', str(size))])


def bad(out):
    some = ROOT + folder('d') + file('d/f', b'x' * 1000)
    cases = {
        'up': (file('../up'), 'leads out of the tree'),
        'up-later': (file('a/../../up'), 'leads out of the tree'),
        'up-absolute': (file('/../up'), 'leads out of the tree'),
        'link-up': (hardlink('l', '../../etc/passwd'), 'leads out of the tree'),
        'link-nowhere': (hardlink('l', 'etc/passwd'), 'there is no such file'),
        'link-dir': (folder('d') + hardlink('l', 'd'), 'is a directory'),
        'link-root': (hardlink('l', '/'), 'is a directory'),
        'link-deleted': (whiteout('x') + hardlink('l', 'x'), 'has been deleted'),
        'link-of-itself': (hardlink('l', 'l'), 'there is no such file'),
        'link-into-removed': (folder('d') + file('d/f') + hardlink('d', 'd/f'), 'd: '),
        'symlink-empty': (symlink('l', ''), 'leads nowhere'),
        'root-file': (file('.', b''), 'root can only be a directory'),
        'parent-file': (file('f') + file('f/g'), 'not a directory'),
        'parent-loop': (symlink('a', 'b') + symlink('b', 'a') + file('a/x'), 'symbolic links'),
        'whiteout-dot': (file('.wh..', b''), 'whiteout of nothing'),
        'whiteout-dots': (file('d/.wh...', b''), 'whiteout of nothing'),
        'whiteout-empty': (file('.wh.', b''), 'whiteout of nothing'),
        'whiteout-parent': (file('.wh.x/y', b''), 'whiteout cannot be a directory'),
        'part-long': (file('n' * 256), '256 bytes'),
        'name-long': (file('/'.join(['n' * 200] * 25)), 'more than 4095 bytes'),
        'checksum': (bytes(BLOCK - 1) + b'x' + bytes(BLOCK), 'no tar header'),
        'text': (b'<html><body>404 not found</body></html>' * 40, 'no tar header'),
        'lone-block': (some + bytes(BLOCK) + file('more'), 'lone empty block'),
        'cut-header': (some[:-BLOCK * 2 - 100], 'cut off'),
        'cut-data': (some + header(size=100000) + b'x' * 5000, 'cut off'),
        'cut-padding': (some[:-20], 'cut off'),
        'size-negative': (header(size=-5), 'negative size'),
        'size-huge': (header(size=2 ** 62), 'cut off'),
        'size-word': (overwrite(header(), 124, b'0000000000x\0'), 'size is not a number'),
        'size-overflow': (overwrite(header(), 124, b'\x80' + b'\xff' * 11), 'size is not a number'),
        'size-pax': (entry('f', records=[('size', '-1')]), 'negative size'),
        'size-pax-word': (entry('f', records=[('size', '1e9')]), 'size is not a number'),
        'uid-none': (file('f', uid=2 ** 32 - 1), 'does not exist'),
        'uid-large': (file('f', records=[('uid', str(2 ** 40))]), 'does not exist'),
        'uid-negative': (file('f', uid=-2), 'does not exist'),
        'uid-pax-negative': (file('f', records=[('uid', '-1')]), 'uid is not a number'),
        'device': (entry('f', type=b'3', major=-1), 'does not exist'),
        'mtime-word': (file('f', records=[('mtime', 'yesterday')]), 'not a time'),
        'pax-no-equals': (header(type=b'x', size=10) + pad(b'10 nothing'), 'not a record'),
        'pax-length': (header(type=b'x', size=10) + pad(b'99 path=a\n'), 'not a record'),
        'pax-length-none': (header(type=b'x', size=7) + pad(b' path=\n'), 'not a record'),
        'pax-nul': (entry('f', records=[('path', b'a\0b')]), 'NUL in path'),
        'pax-huge': (header(type=b'x', size=2 ** 40), 'more than the limit'),
        'longname-huge': (header(type=b'L', size=2 ** 30), 'more than the limit'),
        'global-huge': (pax([(b'comment', b'x' * 70000)], b'g'), 'global header of more than'),
        'xattrs-many': (entry('f', records=[(f'SCHILY.xattr.user.{i}', '1') for i in range(1100)]), 'extended attributes'),
        'sparse-overlap': (sparse_1(b'2\n0\n10\n5\n10\n', b'x' * 20), 'overlaps'),
        'sparse-outside': (sparse_1(b'1\n95\n10\n', b'x' * 10), 'lies outside'),
        'sparse-short': (sparse_1(b'1\n0\n10\n', b'x' * 9), 'are stored'),
        'sparse-count': (sparse_1(b'99999999999\n0\n1\n', b'x'), 'map of the sparse file is damaged'),
        'sparse-word': (sparse_1(b'one\n', b''), 'map of the sparse file is damaged'),
        'sparse-line': (sparse_1(b'1' * 400, b''), 'map of the sparse file is damaged'),
        'sparse-version': (entry('s', records=[('GNU.sparse.major', '7'), ('GNU.sparse.minor', '0')]), 'unknown version'),
        'sparse-unsized': (entry('s', records=[('GNU.sparse.map', '0,1')]), 'without its size'),
        'sparse-half': (entry('s', b'x', records=[('GNU.sparse.map', '0,1,5'), ('GNU.sparse.size', '9')]), 'ends with an offset'),
        'sparse-gnu-negative': (overwrite(header(type=b'S', magic=b'ustar  \0'), 483, number(-1, 12)), 'negative size'),
        'sparse-wraps': (sparse_1(b'1\n9223372036854775807\n9223372036854775807\n', b'', 2 ** 62), 'lies outside'),
    }
    (out / 'bad').mkdir()
    for name, (data, says) in cases.items():
        (out / 'bad' / f'{name}.tar').write_bytes(data if says == 'cut off' else data + END)
        (out / 'bad' / f'{name}.says').write_text(says)


def main():
    if sys.argv[1] == '--layout':
        write_layout(pathlib.Path(sys.argv[2]), [pathlib.Path(p).read_bytes() for p in sys.argv[3:]])
        return
    out = pathlib.Path(sys.argv[1])
    good(out)
    bad(out)


main()
