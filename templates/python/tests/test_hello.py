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

    def test_counts_what_one_environment_served(self):
        first = app.handler({}, None)["count"]
        self.assertEqual(app.handler({}, None)["count"], first + 1)


if __name__ == "__main__":
    unittest.main()
