"""SQS as an event source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""
