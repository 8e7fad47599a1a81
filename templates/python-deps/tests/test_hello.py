import json
import sys
import unittest
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "hello"))

import app


class Hello(unittest.TestCase):
    def test_greets_by_name(self):
        event = json.loads((PROJECT / "events" / "hello.json").read_text())
        self.assertEqual(app.handler(event, None)["message"], "Hello, Ada!")

    def test_says_what_is_wrong_with_an_event(self):
        errors = app.handler({"name": 7}, None)["errors"]
        self.assertEqual([error["loc"] for error in errors], [("name",)])


if __name__ == "__main__":
    unittest.main()
