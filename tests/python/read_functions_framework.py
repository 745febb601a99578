"""Has Google's functions-framework read requests, each a line of JSON, and says of each what it made of it: the status, and the event.

    {"path": "/", "headers": {...}, "body": "..."}   ->   {"status": 200, "event": {"id": ..., "source": ..., ...}}
"""

import json
import os
import sys
import tempfile

from functions_framework import create_app

FUNCTION = """
SEEN = []

def seen(event):
    SEEN.append(event)
"""


def main():
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "main.py")
        with open(source, "w", encoding="utf-8") as file:
            file.write(FUNCTION)
        app = create_app("seen", source, "cloudevent")
        events = sys.modules["main"].SEEN
        client = app.test_client()
        for line in sys.stdin:
            request = json.loads(line)
            events.clear()
            answer = client.post(request["path"], headers=request["headers"], data=request["body"].encode())
            said = {"status": answer.status_code, "event": None}
            if events:
                [event] = events
                said["event"] = {name: event[name] for name in ("id", "source", "type")}
                said["event"]["subject"] = event.get("subject")
                said["event"]["data"] = event.data
            print(json.dumps(said, default=str))


main()
