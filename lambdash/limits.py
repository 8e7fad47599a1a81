"""Every bound in one place, units last, each with the page it comes from.

``https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html`` is meant where a
comment says *AWS quotas*. The others are ours, and say what they protect.
"""

MIB = 1024 * 1024

# AWS quotas
MEMORY_SIZE_MIN_MB = 128
MEMORY_SIZE_MAX_MB = 10_240
MEMORY_SIZE_DEFAULT_MB = 128
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
MEMORY_OF_ONE_CPU_MB = 1_769
TIMEOUT_MIN_S = 1
TIMEOUT_MAX_S = 900
TIMEOUT_DEFAULT_S = 3
EPHEMERAL_STORAGE_MIN_MB = 512
EPHEMERAL_STORAGE_MAX_MB = 10_240
EPHEMERAL_STORAGE_DEFAULT_MB = 512
ENVIRONMENT_VARIABLES_MAX_BYTES = 4 * 1024
UNZIPPED_PACKAGE_MAX_BYTES = 250 * MIB
CONCURRENT_EXECUTIONS = 1_000
UNRESERVED_CONCURRENCY_MIN = 100
# https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html
SCALING_ENVIRONMENTS_MAX = 1_000
SCALING_PERIOD_S = 10.0
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
REQUESTS_PER_UNIT_PER_S = 10
PROCESSES_MAX = 1_024
FILE_DESCRIPTORS_MAX = 1_024
INIT_MAX_S = 10.0
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
# this or the function's timeout, whichever is longer
PROVISIONED_INIT_MAX_S = 130.0
REQUEST_PAYLOAD_MAX_BYTES = 6 * MIB
# as the text of AWS's `Function.ResponseSizeTooLarge` says: 6 MiB and 100 bytes
RESPONSE_PAYLOAD_MAX_BYTES = 6_291_556
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
RESPONSE_STREAM_MAX_BYTES = 200 * MIB
# of one event of a streamed answer; ours
STREAM_FRAME_MAX_BYTES = 256 * 1024
LOG_TAIL_MAX_BYTES = 4 * 1024
LAYERS_MAX = 5
LAYER_NAME_MAX_CHARS = 140
LAYER_COMPATIBLE_RUNTIMES_MAX = 15
FUNCTION_NAME_MAX_CHARS = 64
HANDLER_MAX_CHARS = 128
DESCRIPTION_MAX_CHARS = 256
# https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html
LOG_GROUP_NAME_MAX_CHARS = 512
WORKING_DIRECTORY_MAX_CHARS = 1_000
IMAGE_CONFIG_ITEMS_MAX = 1_500

# https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
EXTENSIONS_MAX = 10
SHUTDOWN_GRACE_INTERNAL_S = 0.5
SHUTDOWN_GRACE_EXTERNAL_S = 2.0
# a registration or a subscription; ours
EXTENSION_BODY_MAX_BYTES = 64 * 1024

# https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html#telemetry-api-buffering
TELEMETRY_ITEMS_MIN = 1_000
TELEMETRY_ITEMS_MAX = 10_000
TELEMETRY_BYTES_MIN = 256 * 1024
TELEMETRY_BYTES_MAX = MIB
TELEMETRY_TIMEOUT_MIN_MS = 25
TELEMETRY_TIMEOUT_MAX_MS = 30_000
RUNTIME_API_PORT = 9_001
# a subscriber that does not take its batch is tried again, later each time; ours
TELEMETRY_RETRY_MIN_S = 0.1
TELEMETRY_RETRY_MAX_S = 5.0
TELEMETRY_ANSWER_MAX_S = 5.0
# of what came before the first subscription
TELEMETRY_REPLAYED_MAX_RECORDS = 1_000

# HTTP: what one peer may make us hold
HTTP_HEAD_MAX_BYTES = 64 * 1024
HTTP_HEADERS_MAX = 128
HTTP_BACKLOG_MAX_BYTES = 256 * 1024
HTTP_CONNECTIONS_MAX = 2_048
HTTP_HEAD_TIMEOUT_S = 30.0
HTTP_IDLE_TIMEOUT_S = 300.0
HTTP_TARGET_MAX_BYTES = 16 * 1024
HTTP_BODY_TIMEOUT_S = 60.0
HTTP_WRITE_TIMEOUT_S = 60.0
# after a refusal the rest of what was sent is read and thrown away, so that the answer arrives
HTTP_LINGER_S = 10.0
HTTP_LINGER_MAX_BYTES = 64 * MIB
# how much is parsed at once: bounds the pipelined requests held in parsed form
HTTP_PARSE_MAX_BYTES = 16 * 1024
# bytes that are kept to know a request again without parsing it
HTTP_REPEATED_MAX_BYTES = 4 * 1024
# all bodies of invocations together, from the first byte to the answer; smaller ones do not count
BODIES_MAX_BYTES = 256 * MIB
HTTP_COUNTED_BODY_MIN_BYTES = 64 * 1024
# a larger body is not joined with its head for the sake of one write
HTTP_JOINED_BODY_MAX_BYTES = 64 * 1024
HTTP_CLOSE_GRACE_S = 1.0
CONTROL_BODY_MAX_BYTES = 16 * MIB
# one environment's Runtime API: its own connections, not another's
RUNTIME_CONNECTIONS_MAX = 64
# what its AWS clients may hold open (a client of the SDK for JavaScript opens up to 50), and where
# they are answered in a container
GATEWAY_CONNECTIONS_MAX = 128
GATEWAY_PORT = 9002
# longer than any invocation: a runtime keeps its connection while the handler runs
RUNTIME_IDLE_TIMEOUT_S = 3_600.0

# The pool: what this machine may be asked to hold
MAX_ENVIRONMENTS_DEFAULT = 16
QUEUE_MAX_INVOCATIONS = 10_000
KEEP_ALIVE_DEFAULT_S = 600.0
REDISPATCHES_MAX = 3
# how long a waiting invocation counts on a runtime that has answered and not polled yet
REPOLL_GRACE_S = 0.1
# how long an idle environment may be without its poll before it is given up
REPOLL_MAX_S = 5.0
# provisioned environments of one function that initialise at a time
PROVISIONING_AT_ONCE = 4
# how long after a provisioned environment failed to initialise the next one is tried
PROVISIONING_RETRY_S = 60.0

# Asynchronous invocation: AWS's settings
# (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html)
ASYNC_PAYLOAD_MAX_BYTES = MIB
ASYNC_RETRY_ATTEMPTS_DEFAULT = 2
ASYNC_EVENT_AGE_MAX_S = 21_600
ASYNC_BACKOFF_MIN_S = 1.0
ASYNC_BACKOFF_MAX_S = 300.0
# ours: what lies in memory of a function's backlog; the rest waits on disk
ASYNC_READ_AHEAD_EVENTS = 16
ASYNC_EVENTS_MAX = 1_000_000
ASYNC_ERROR_MESSAGE_MAX_CHARS = 1_024

# Durable queues: operations that share one commit
GROUP_COMMIT_MAX_OPERATIONS = 1_024

# SQS (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html)
SQS_IN_FLIGHT_MAX = 120_000
SQS_DEDUPLICATION_S = 300.0
SQS_SEQUENCE_NUMBER_BASE = 18_849_496_460_467_696_128
SQS_MESSAGE_MAX_BYTES = MIB
SQS_BATCH_MAX_ENTRIES = 10
SQS_RECEIVE_MAX_MESSAGES = 10
SQS_WAIT_MAX_S = 20
SQS_VISIBILITY_MAX_S = 43_200
SQS_DELAY_MAX_S = 900
SQS_RETENTION_MIN_S = 60
SQS_RETENTION_MAX_S = 1_209_600
SQS_MESSAGE_ATTRIBUTES_MAX = 10
SQS_PURGE_INTERVAL_S = 60.0
SQS_TAGS_MAX = 50
SQS_LIST_MAX = 1_000
SQS_MOVE_PER_SECOND_MAX = 500
SQS_MOVE_TASKS_LISTED_MAX = 10
FORM_FIELDS_MAX = 2_000

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
IAM_ROLES_MAX = 1_000
IAM_TAGS_PER_ROLE_MAX = 50
IAM_ATTACHED_POLICIES_PER_ROLE_MAX = 10
IAM_TRUST_POLICY_MAX_CHARS = 2_048
IAM_INLINE_POLICIES_MAX_CHARS = 10_240
IAM_LIST_ITEMS = 100

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
LOG_EVENTS_MAX = 10_000
LOG_EVENTS_MAX_BYTES = MIB
LOG_LIST_ITEMS = 50
# a token that is a number of items
PAGE_TOKEN_MAX_CHARS = 16

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
METRIC_QUERIES_MAX = 500
METRIC_DATA_MAX = 100_800
METRIC_DATAPOINTS_MAX = 1_440
METRICS_LIST_ITEMS = 500
# ours: how many messages one step of a move task takes along
SQS_MOVE_BATCH = 100
# a wall clock that stands still must not make a long poll spin
SQS_WAIT_STEP_MIN_S = 0.001

# Event sources: how long a poller waits after a throttle or a fault
POLLER_BACKOFF_MIN_S = 0.2
POLLER_BACKOFF_MAX_S = 30.0

# Front doors
STREAM_PRELUDE_MAX_BYTES = 64 * 1024
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
HTTP_API_BODY_MAX_BYTES = 10 * MIB
HTTP_API_TIMEOUT_S = 30.0
HTTP_API_PORT = 3_000
HTTP_API_PORTS_TRIED = 64

# Logs and the journal
LOG_LINE_MAX_BYTES = 256 * 1024
LOG_KEPT_PER_INVOCATION_MAX_BYTES = MIB
JOURNAL_MAX_INVOCATIONS = 100_000
REQUEST_ID_PREFIX_MIN_CHARS = 8  # as much as `history` shows; four billion of them
JOURNAL_MAX_LOG_LINES = 200_000
JOURNAL_MAX_LOG_CHARS = 128 * MIB
JOURNAL_MAX_LOG_STREAMS = 20_000
JOURNAL_MAX_PENDING_LINES = 50_000
JOURNAL_MAX_PENDING_CHARS = 16 * MIB
# how often, at most, an environment's memory is read for the report of a warm invocation
MEMORY_SAMPLE_S = 0.1
ERROR_DOCUMENT_READ_MAX_BYTES = 64 * 1024
LOG_PATTERN_MAX_CHARS = 1_024

# Manifest: a document someone else may have written
MANIFEST_MAX_BYTES = MIB
MANIFEST_MAX_DEPTH = 32
MANIFEST_MAX_NODES = 50_000
MANIFEST_EXPANDED_MAX_CHARS = 4 * MIB
MANIFEST_MAX_PROBLEMS = 100
MAX_ENVIRONMENTS_MAX = 1_000
KEEP_ALIVE_MAX_S = 86_400.0

# Unix socket addresses are bounded by the kernel (sun_path: 108 on Linux, 104 on macOS)
SOCKET_PATH_MAX_BYTES = 103

# A container engine: what one daemon asks of it at once, and how long it waits for an answer
ENGINE_CALLS_MAX = 16
ENGINE_CALL_TIMEOUT_S = 60.0
ENGINE_CONNECT_TIMEOUT_S = 5.0
ENGINE_RECONNECT_MIN_S = 0.2
ENGINE_RECONNECT_MAX_S = 5.0
# create + start has answered by then, or the launcher never will
LAUNCHER_CONNECT_TIMEOUT_S = 30.0
ENGINE_PROBE_TIMEOUT_S = 10.0
# network namespaces made ahead, each held by a pause container of about 4 MiB
SPARE_NAMESPACES_MIN = 4
SPARE_NAMESPACES_MAX = 16
SPARE_NAMESPACES_MEMORY_S = 300.0
# the launcher's own memory, on top of the function's
LAUNCHER_MEMORY_MB = 4
SHARED_MEMORY_BYTES = 64 * 1024

# Images and interpreters
INTERPRETER_ANSWER_MAX_S = 10.0
INTERPRETERS_REMEMBERED = 128
RUNTIME_CLIENT_INSTALL_MAX_S = 180.0
TOOL_OUTPUT_KEPT_CHARS = 4_000
BUILD_LOG_KEPT_LINES = 20
FAILED_PULLS_REMEMBERED = 64
FAILED_PULL_REMEMBERED_S = 300.0
IMAGE_DEFAULTS_REMEMBERED = 256
LIBRARY_LOOKUP_MAX_S = 60.0
DOCKERFILE_MAX_BYTES = MIB
PROGRESS_INTERVAL_S = 0.1

# Packages: what a source folder may make us walk, and what the store keeps at hand
PACKAGE_MAX_FILES = 100_000
PACKAGE_LARGEST_SHOWN = 5
IGNORE_FILE_MAX_BYTES = 256 * 1024
IGNORE_PATTERN_MAX_CHARS = 1_024
IGNORE_PATTERN_MAX_DOUBLE_STARS = 4
DIGESTS_KEPT_MAX = 200_000
PACKAGE_TREES_KEPT_MAX = 32
# links only, but each of their folders takes a block
SPARE_TREES_MAX = 4
# by then what was built has started, and does not share the disk with this
SPARE_TREE_AFTER_S = 1.0
REQUIREMENTS_MAX_BYTES = 4 * MIB
REQUIREMENTS_INCLUDES_MAX = 32
PACKAGE_JSON_MAX_BYTES = 32 * MIB
DEPENDENCIES_TIMEOUT_S = 900.0
BYTECODE_TIMEOUT_S = 120.0
# an interpreter's start costs as much as compiling about ten
BYTECODE_MODULES_PER_WORKER_MIN = 20
COMMAND_FIRST_LINES_KEPT = 12
COMMAND_LAST_LINES_KEPT = 18
COMMAND_LINE_MAX_CHARS = 2_000
FLUSH_FILES_MAX = 64
DISK_FULL_BELOW_BYTES = 64 * 1024
STORE_INDEX_MAX = 10_000
# archives: 100,000 files of long paths; PATH_MAX and NAME_MAX of Linux
ZIP_DIRECTORY_MAX_BYTES = 32 * MIB
ZIP_PATH_MAX_DEPTH = 128
FILE_NAME_MAX_BYTES = 255
LINK_TARGET_MAX_BYTES = 4_095

# The launcher: what one sandbox may make the daemon hold or wait for (launcher.h holds the same)
LAUNCHER_FRAME_MAX_BYTES = 256 * 1024
LAUNCHER_CONNECT_MAX_S = 10.0
# above the 10 s the launcher itself gives a process tree to die
LAUNCHER_REPLY_MAX_S = 15.0
ASSIGNMENT_MAX_BYTES = LAUNCHER_FRAME_MAX_BYTES - 1024
ASSIGNMENT_MAX_STRINGS = 8_192
DRAIN_MAX_BYTES = MIB
SHUTDOWN_GRACE_MAX_S = 60.0
SANDBOX_CONNECTING_MAX = 16
SANDBOX_CONNECT_MAX_S = 5.0
RELAY_WINDOW_BYTES = 64 * 1024
RELAY_CHANNELS_MAX = 64
RELAY_STRANGERS_MAX = 64

# Client and daemon: how long one waits for the other, and what it reads at most
CONTROL_CONNECT_TIMEOUT_S = 5.0
CONTROL_LINE_MAX_BYTES = 16 * MIB
DAEMON_START_TIMEOUT_S = 60.0
DAEMON_STOP_TIMEOUT_S = 60.0
DAEMON_LOG_MAX_BYTES = 4 * MIB
DAEMON_LOG_SHOWN_LINES = 12
DISK_FREE_WARN_BYTES = 1024 * MIB

# The Lambda API (AWS quotas)
ZIPPED_PACKAGE_MAX_BYTES = 50 * MIB
CODE_STORAGE_MAX_BYTES = 75 * 1024 * MIB
# AWS: 50 MB zipped, in base64, and what is around it
API_BODY_MAX_BYTES = 70_167_211
# from here on an archive is taken out of its JSON before that is parsed, off the event loop
LIFTED_ARCHIVE_MIN_BYTES = 64 * 1024
# by then its length was refused: no pattern is matched against more
PATTERN_CHECKED_MAX_CHARS = 4_096
FUNCTIONS_PAGE_MAX = 50

# The daemon
DEFAULT_PORT = 4_566
DAEMON_IDLE_TIMEOUT_S = 3_600.0
DAEMON_REACH_CHECK_S = 2.0
# freed memory above this goes back to the system when nothing was asked for a while
IDLE_GROWTH_MAX_BYTES = 16 * MIB
LOG_LINES_SHOWN = 1_000
QUEUE_EVENTS_SHOWN = 20

# Event patterns (the sizes: AWS's quotas of EventBridge and of event source mappings)
EVENT_PATTERN_MAX_CHARS = 4_096
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html: raised on request
FILTERS_PER_MAPPING_MAX = 5
PATTERN_MAX_DEPTH = 100
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
PATTERN_MAX_ALTERNATIVES = 1_000
# https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
FILTER_POLICY_MAX_KEYS = 5
FILTER_POLICY_MAX_CHARS = 256 * 1024
FILTER_POLICY_MAX_COMBINATIONS = 150

# Schedules: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html
SCHEDULE_EXPRESSION_MAX_CHARS = 256
SCHEDULE_FIRST_YEAR = 1970
SCHEDULE_LAST_YEAR = 2199
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
ASYNC_RETRY_FIRST_S = 60.0
ASYNC_RETRY_LATER_S = 120.0
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html
TAGS_PER_RESOURCE_MAX = 50
# `MaxItems` of the lists whose page the service model does not bound tighter
LIST_PAGE_MAX = 10_000
MAPPINGS_PAGE_MAX = 100
