"""The HTTP API of AWS Lambda: what boto3, the AWS CLI and plain HTTP clients speak."""
