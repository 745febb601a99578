"""Says what is in a zip, and unpacks it with its modes, as the clouds do: read_package.py ZIP [FOLDER]."""

import hashlib
import json
import pathlib
import sys
import zipfile

zipped, *folder = sys.argv[1:]
files = {}
with zipfile.ZipFile(zipped) as archive:
    for entry in archive.infolist():
        content = archive.read(entry)
        mode = entry.external_attr >> 16
        files[entry.filename] = {
            "mode": oct(mode & 0o7777),
            "date": "-".join(map(str, entry.date_time)),
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        if folder:
            path = pathlib.Path(folder[0], entry.filename)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(mode & 0o7777)
json.dump(files, sys.stdout)
