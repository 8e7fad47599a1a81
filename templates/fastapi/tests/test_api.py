import json
import sys
import unittest
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "api"))

import app


def request(method="GET", path="/notes/1", **changes):
    event = json.loads((PROJECT / "events" / "api.json").read_text())
    event["requestContext"]["http"].update(method=method, path=path)
    event["headers"]["content-type"] = "application/json"
    response = app.handler({**event, "rawPath": path, **changes}, None)
    return response["statusCode"], json.loads(response["body"])


class Api(unittest.TestCase):
    def test_reads_a_note(self):
        self.assertEqual(request(), (200, {"text": "Buy milk"}))

    def test_reads_the_query(self):
        self.assertEqual(request(rawQueryString="upper=1"), (200, {"text": "BUY MILK"}))

    def test_has_no_such_note(self):
        self.assertEqual(request(path="/notes/99")[0], 404)

    def test_adds_a_note(self):
        status, added = request("POST", "/notes", body='{"text": "Call Ada"}')
        self.assertEqual(status, 201)
        self.assertEqual(request(path=f"/notes/{added['number']}"), (200, {"text": "Call Ada"}))

    def test_says_what_is_wrong_with_a_note(self):
        status, answer = request("POST", "/notes", body="{}")
        self.assertEqual(status, 422)
        self.assertEqual(answer["detail"][0]["loc"], ["body", "text"])


if __name__ == "__main__":
    unittest.main()
