import json
import os
import shutil
import subprocess
import threading
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

PROJECT = Path(__file__).parents[1]


class RuntimeApi(BaseHTTPRequestHandler):
    """Hands out the events of `server.events`, then ends the runtime with an error status."""

    def do_GET(self):
        events = self.server.events
        self.send_response(200 if events else 410)
        if events:
            self.send_header("Lambda-Runtime-Aws-Request-Id", f"request-{len(events)}")
        self.end_headers()
        if events:
            self.wfile.write(events.pop())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answers.append((self.path.split("/")[-2], json.loads(body)))
        self.send_response(202)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@unittest.skipUnless(shutil.which("curl"), "needs curl")
class Hello(unittest.TestCase):
    def test_answers_each_event_until_there_are_no_more(self):
        event = (PROJECT / "events" / "hello.json").read_bytes()
        server = HTTPServer(("127.0.0.1", 0), RuntimeApi)
        server.events, server.answers = [event, event], []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{server.server_port}"
        environment = {**os.environ, "AWS_LAMBDA_RUNTIME_API": address, "no_proxy": "127.0.0.1"}
        subprocess.run(
            [PROJECT / "hello" / "bootstrap"], env=environment, capture_output=True, timeout=30
        )
        server.shutdown()
        server.server_close()
        self.assertEqual([name for name, _ in server.answers], ["request-2", "request-1"])
        first, second = (answer for _, answer in server.answers)
        self.assertEqual((first["count"], second["count"]), (1, 2))
        self.assertEqual(first["event"], {"name": "Ada"})


if __name__ == "__main__":
    unittest.main()
