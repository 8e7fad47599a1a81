import json
import sys
import unittest
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "worker"))

import app


class Worker(unittest.TestCase):
    def setUp(self):
        self.event = json.loads((PROJECT / "events" / "worker.json").read_text())

    def test_names_the_messages_that_failed(self):
        _, empty_order = self.event["Records"]
        self.assertEqual(
            app.handler(self.event, None),
            {"batchItemFailures": [{"itemIdentifier": empty_order["messageId"]}]},
        )

    def test_fails_what_is_no_order(self):
        order, _ = self.event["Records"]
        for body in ("no JSON", "[]", "{}"):
            answer = app.handler({"Records": [{**order, "body": body}]}, None)
            self.assertEqual(len(answer["batchItemFailures"]), 1)

    def test_has_nothing_to_report_when_all_went_well(self):
        order, _ = self.event["Records"]
        answer = app.handler({"Records": [order, order]}, None)
        self.assertEqual(answer, {"batchItemFailures": []})


if __name__ == "__main__":
    unittest.main()
