"""Starts Google's Pub/Sub emulator, and has it push what is read from standard input, a list of texts, to an address.

    push_by_pubsub.py PROGRAM PORT ADDRESS
"""

import base64
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request

PROJECT = "projects/acme-landfall"


def call(port, method, path, body):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/{path}", json.dumps(body).encode(), method=method)
    request.add_header("content-type", "application/json")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def main(program, port, address):
    texts = json.load(sys.stdin)
    emulator = subprocess.Popen(
        [program, "--host=127.0.0.1", f"--port={port}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for attempt in range(300):
            try:
                call(port, "PUT", f"{PROJECT}/topics/landfall-events", {})
                break
            except (urllib.error.URLError, ConnectionError):
                assert emulator.poll() is None, "the emulator ended"
                time.sleep(0.1)
        topic = f"{PROJECT}/topics/landfall-events"
        subscription = {"topic": topic, "pushConfig": {"pushEndpoint": f"{address}/"}, "ackDeadlineSeconds": 600}
        call(port, "PUT", f"{PROJECT}/subscriptions/landfall-events", subscription)
        messages = [{"data": base64.b64encode(text.encode()).decode()} for text in texts]
        call(port, "POST", f"{topic}:publish", {"messages": messages})
        # Long enough for the pushes; what came of them the function's log says.
        time.sleep(5)
    finally:
        emulator.terminate()
        emulator.wait()


main(*sys.argv[1:])
