"""A queue's worker: a batch of messages is an event, and the answer names those that failed.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import json


def handler(event, context):
    """Work on each message by itself, so that one bad message does not bring the others back."""
    failed = []
    for record in event["Records"]:
        try:
            work(json.loads(record["body"]))
        except Exception as error:
            tries = record["attributes"]["ApproximateReceiveCount"]
            print(f"failed {record['messageId']}, try {tries}: {error!r}")
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def work(order):
    """What is to be done for one message."""
    if order["quantity"] < 1:
        raise ValueError("nothing was ordered")
    print(f"order {order['id']}: {order['quantity']} pieces")
