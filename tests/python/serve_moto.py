"""moto's server, answering one request at a time.

Its threads share one state without a lock: PutObject compares the ETag in one step and stores in another, so that of two conditional
puts at once both can win, which S3 never lets happen. Whoever tests races on it needs the steps of a request kept together.

What a rule of its EventBridge sends to a target says everything but whose event it is; it does here, as an event always does.
"""

import sys
import threading

import moto.server
from moto.events.utils import EventTemplateParser

ONE_AT_A_TIME = threading.Lock()
serve = moto.server.run_simple


def serve_one_at_a_time(host, port, app, **options):
    def locked(environ, start_response):
        with ONE_AT_A_TIME:
            return app(environ, start_response)

    serve(host, port, locked, **options)


moto.server.run_simple = serve_one_at_a_time
sent = EventTemplateParser.DEFAULT_EVENT_INPUT_TEMPLATE
if '"account"' not in sent:
    EventTemplateParser.DEFAULT_EVENT_INPUT_TEMPLATE = sent.replace('"source"', '"account": "<account>", "source"')
moto.server.main(sys.argv[1:])
