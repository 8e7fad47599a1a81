"""The tables of the queues.

A message is *waiting* while ``visible_at <= now``, *delayed* while it lies ahead and nobody holds
a receipt, and *in flight* while it lies ahead and somebody does. A row of ``message_groups`` says
when a FIFO group may be received from next: when what is in flight of it comes back, else when its
first message becomes visible.
"""

SCHEMA = """
CREATE TABLE IF NOT EXISTS queues (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    arn TEXT NOT NULL UNIQUE,
    given TEXT NOT NULL,
    tags TEXT NOT NULL,
    created_at REAL NOT NULL,
    modified_at REAL NOT NULL,
    purged_at REAL
);
CREATE TABLE IF NOT EXISTS messages (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    queue INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    body TEXT NOT NULL,
    attributes TEXT,
    trace_header TEXT,
    sent_at REAL NOT NULL,
    visible_at REAL NOT NULL,
    receives INTEGER NOT NULL DEFAULT 0,
    first_received_at REAL,
    receipt TEXT,
    group_id TEXT,
    deduplication_id TEXT,
    source_arn TEXT
);
CREATE INDEX IF NOT EXISTS messages_visible ON messages (queue, visible_at);
CREATE INDEX IF NOT EXISTS messages_sent ON messages (queue, sent_at);
CREATE INDEX IF NOT EXISTS messages_group ON messages (queue, group_id, sequence)
    WHERE group_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_held ON messages (queue, visible_at)
    WHERE receipt IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_group_held ON messages (queue, group_id, visible_at)
    WHERE receipt IS NOT NULL AND group_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS message_groups (
    queue INTEGER NOT NULL,
    group_id TEXT NOT NULL,
    ready_at REAL NOT NULL,
    PRIMARY KEY (queue, group_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS message_groups_ready ON message_groups (queue, ready_at);
CREATE TABLE IF NOT EXISTS deduplications (
    queue INTEGER NOT NULL,
    scope TEXT NOT NULL,
    deduplication_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    expires_at REAL NOT NULL,
    PRIMARY KEY (queue, scope, deduplication_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deduplications_expiry ON deduplications (expires_at);
CREATE TABLE IF NOT EXISTS receive_attempts (
    queue INTEGER NOT NULL,
    attempt_id TEXT NOT NULL,
    receipts TEXT NOT NULL,
    expires_at REAL NOT NULL,
    PRIMARY KEY (queue, attempt_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS move_tasks (
    handle TEXT PRIMARY KEY,
    source_arn TEXT NOT NULL,
    destination_arn TEXT,
    per_second INTEGER,
    status TEXT NOT NULL,
    moved INTEGER NOT NULL DEFAULT 0,
    to_move INTEGER NOT NULL,
    failure TEXT,
    started_at REAL NOT NULL
) WITHOUT ROWID;
"""
