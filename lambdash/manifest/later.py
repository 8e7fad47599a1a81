"""What AWS or a later lambdash has and this one does not: refused by name, never ignored."""

from collections.abc import Mapping

# key of a manifest, a function or `defaults` -> what it would be
SECTIONS: Mapping[str, str] = {
    "aliases": "aliases",
    "api_key": "API keys",
    "auto_publish": "publishing versions",
    "budget": "budgets",
    "builder": "builders",
    "bundle": "bundling",
    "capacity_provider_config": "managed instances",
    "code_signing_config_arn": "code signing",
    "dead_letter_config": "dead-letter queues",
    "debug": "debugging",
    "durable": "durable functions",
    "durable_config": "durable functions",
    "endpoints": "endpoints",
    "event_invoke_config": "asynchronous invocation settings",
    "events": "events",
    "extensions": "extensions",
    "file_system_configs": "file systems",
    "function_url_config": "function URLs",
    "http": "HTTP APIs",
    "image_uri": "AWS's form of `image`",
    "kms_key_arn": "KMS keys",
    "log_format": "log formats outside of `logging_config`",
    "logging": "AWS SAM's form of `logging_config`",
    "package": "packaging options",
    "parameters": "parameters",
    "permissions": "resource policies",
    "policies": "policies",
    "policy": "resource policies",
    "provisioned_concurrency": "provisioned concurrency",
    "recursive_loop": "recursive loop detection",
    "role": "execution roles",
    "runtime_management_config": "runtime management",
    "scaling_config": "scaling of event sources",
    "secrets": "secrets",
    "snap_start": "SnapStart",
    "snapstart": "SnapStart",
    "streaming": "response streaming",
    "tags": "tags",
    "tenancy": "tenant isolation",
    "tenancy_config": "tenant isolation",
    "tests": "tests",
    "tracing": "tracing",
    "tracing_config": "tracing",
    "versions": "versions",
    "vpc_config": "AWS's VPCs",
}

# what to write instead, today
INSTEAD: Mapping[str, str] = {
    "dead_letter_config": "write `dead_letter: {queue: NAME}`",
    "event_invoke_config": "write `maximum_retry_attempts`, `maximum_event_age`, `destinations`",
    "events": "write `event_sources`",
    "function_url_config": "write `url`",
    "http": "write `event_sources: [{http: GET /path}]`",
    "image_uri": "write `image`",
    "log_format": "write `logging_config: {log_format: JSON}`",
    "logging": "write `logging_config`",
    "provisioned_concurrency": "write `provisioned_concurrent_executions`",
    "vpc_config": "`network` joins an existing network of the engine",
}

BUILD_KEYS: Mapping[str, str] = {
    "builder": "builders",
    "bundle": "bundling",
    "cache_from": "build caches",
    "command": "build commands",
    "esbuild": "bundling",
    "image": "builds inside an image",
    "platform": "build platforms",
    "secrets": "build secrets",
    "ssh": "SSH forwarding",
}

LIMIT_KEYS: Mapping[str, str] = {
    "code_size_unzipped": "a raised package size",
    "code_size_zipped": "a raised upload size",
    "payload_size": "a raised payload size",
    "total_code_size": "a total code size",
    "unreserved_concurrent_executions": "a raised unreserved concurrency",
}

EVENT_SOURCES: Mapping[str, str] = {
    "alexa": "Alexa skills",
    "cloudwatch_logs": "CloudWatch Logs subscriptions",
    "cognito": "Cognito triggers",
    "command": "commands whose output lines are events",
    "documentdb": "DocumentDB",
    "dynamodb": "DynamoDB streams",
    "eventbridge": "EventBridge rules",
    "folder": "folders as buckets",
    "iot": "IoT rules",
    "kafka": "Kafka",
    "kinesis": "Kinesis",
    "load_balancer": "load balancers",
    "logs": "CloudWatch Logs subscriptions",
    "mq": "Amazon MQ",
    "msk": "Amazon MSK",
    "plugin": "event sources of your own",
    "s3": "S3 notifications",
    "schedule": "schedules",
    "ses": "SES",
    "sns": "SNS",
    "stdin": "lines of standard input",
    "webhook": "webhooks",
    "websocket": "WebSocket APIs",
}

ENGINES: Mapping[str, str] = {"swarm": "the swarm engine"}
