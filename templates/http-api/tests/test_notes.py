import json
import sys
import unittest
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "notes"))

import app


def request(**changes):
    event = json.loads((PROJECT / "events" / "notes.json").read_text())
    response = app.handler({**event, **changes}, None)
    return response["statusCode"], json.loads(response["body"])


class Notes(unittest.TestCase):
    def test_reads_a_note(self):
        self.assertEqual(request(), (200, {"id": "1", "text": "Buy milk"}))

    def test_reads_the_query(self):
        _, note = request(queryStringParameters={"upper": "1"})
        self.assertEqual(note["text"], "BUY MILK")

    def test_has_no_such_note(self):
        status, _ = request(pathParameters={"id": "none"})
        self.assertEqual(status, 404)

    def test_adds_a_note(self):
        status, note = request(routeKey="POST /notes", body='{"text": "Call Ada"}')
        self.assertEqual((status, note["text"]), (201, "Call Ada"))
        self.assertEqual(request(pathParameters={"id": note["id"]}), (200, note))

    def test_reads_a_body_in_base64(self):
        status, note = request(
            routeKey="POST /notes", body="eyJ0ZXh0IjogIkhpIn0=", isBase64Encoded=True
        )
        self.assertEqual((status, note["text"]), (201, "Hi"))

    def test_refuses_what_is_no_note(self):
        for body in ("", "no JSON", "[]", "{}"):
            status, _ = request(routeKey="POST /notes", body=body)
            self.assertEqual(status, 400)


if __name__ == "__main__":
    unittest.main()
