"""A function: what runs once per environment is at the top, what runs per event in the handler."""

import os

GREETING = os.environ.get("GREETING", "Hello")
count = 0


def handler(event, context):
    """Greet by name; the count grows for as long as the environment stays warm."""
    global count
    count += 1
    name = event.get("name", "world")
    print(f"greeting {name}")
    return {"message": f"{GREETING}, {name}!", "count": count}
