"""An HTTP API: every request comes as an event of payload format 2.0, with the route it took.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import json

notes = {"1": "Buy milk"}  # for as long as this environment lives; a real API has a database


def handler(event, context):
    """Leave the request to the function of its route."""
    print(event["requestContext"]["http"]["method"], event["rawPath"])
    return ROUTES[event["routeKey"]](event)


def read_note(event):
    """GET /notes/{id}; with ?upper=1 in capitals."""
    number = event["pathParameters"]["id"]
    if number not in notes:
        return answer(404, {"message": f"there is no note {number}"})
    upper = event.get("queryStringParameters", {}).get("upper") == "1"
    return answer(200, {"id": number, "text": notes[number].upper() if upper else notes[number]})


def add_note(event):
    """POST /notes with {"text": ...}."""
    body = event.get("body", "")
    if event["isBase64Encoded"]:  # any content type that is not text
        body = base64.b64decode(body)
    try:
        text = json.loads(body)["text"]
    except (ValueError, KeyError, TypeError):
        return answer(400, {"message": 'expected {"text": "..."}'})
    number = str(len(notes) + 1)
    notes[number] = str(text)
    return answer(201, {"id": number, "text": notes[number]}, location=f"/notes/{number}")


def answer(status, document, **headers):
    """A response in the format of API Gateway."""
    headers["content-type"] = "application/json"
    return {"statusCode": status, "headers": headers, "body": json.dumps(document)}


ROUTES = {"GET /notes/{id}": read_note, "POST /notes": add_note}
