"""A function with dependencies: lambdash installs requirements.txt for the function's own runtime."""

import os

import requests
from pydantic import BaseModel, ValidationError

GREETING = os.environ.get("GREETING", "Hello")
count = 0


class Event(BaseModel):
    """What callers may send; `url` is fetched when there is one."""

    name: str = "world"
    url: str | None = None


def handler(event, context):
    """Check the event, greet, and say how the page answered."""
    global count
    count += 1
    try:
        asked = Event.model_validate(event)
    except ValidationError as error:
        return {"errors": error.errors(include_url=False, include_input=False), "count": count}
    answer = {"message": f"{GREETING}, {asked.name}!", "count": count}
    if asked.url:
        answer["status"] = requests.get(asked.url, timeout=5).status_code
    return answer
