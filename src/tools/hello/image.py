#!/usr/bin/env python3
"""image.py PROGRAM ARCHITECTURE OUTPUT - an image of that one program, as an OCI image layout in a tar archive.

The same program gives the same bytes, whenever and by whomever it is made.
"""
import hashlib
import io
import json
import sys
import tarfile

CREATED = "2026-01-01T00:00:00Z"
NAME = "docker.io/library/hello:latest"
MEDIA = "application/vnd.oci.image."


def archive(files):
    """A tar archive of [(path, bytes, mode)]."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, content, mode in files:
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def text(document):
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def main(program, architecture, output):
    blobs = {}

    def blob(kind, content):
        digest = hashlib.sha256(content).hexdigest()
        blobs[digest] = content
        return {"mediaType": MEDIA + kind, "digest": "sha256:" + digest, "size": len(content)}

    with open(program, "rb") as file:
        layer = blob("layer.v1.tar", archive([("hello", file.read(), 0o755)]))
    config = blob("config.v1+json", text({
        "architecture": architecture, "os": "linux", "created": CREATED,
        "config": {"Cmd": ["/hello"], "Labels": {"org.opencontainers.image.title": "hello",
                   "org.opencontainers.image.description": "says that coracle works, and what to try next"}},
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
        "history": [{"created": CREATED, "created_by": "coracle's build", "comment": "/hello"}],
    }))
    manifest = blob("manifest.v1+json", text({
        "schemaVersion": 2, "mediaType": MEDIA + "manifest.v1+json", "config": config, "layers": [layer]}))
    manifest["annotations"] = {"io.containerd.image.name": NAME, "org.opencontainers.image.ref.name": "latest"}
    index = text({"schemaVersion": 2, "mediaType": MEDIA + "index.v1+json", "manifests": [manifest]})
    files = [("oci-layout", text({"imageLayoutVersion": "1.0.0"}), 0o644), ("index.json", index, 0o644)]
    files += [("blobs/sha256/" + digest, blobs[digest], 0o644) for digest in sorted(blobs)]
    with open(output, "wb") as file:
        file.write(archive(files))


if __name__ == "__main__":
    main(*sys.argv[1:])
