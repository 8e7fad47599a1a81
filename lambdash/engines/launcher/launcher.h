/* What the launcher's two halves share: the frames spoken with the daemon, and their buffer.
 *
 * A frame is type (1 byte), zero (1), channel (2), length (4), then `length` bytes; integers are
 * big-endian. Channel is 0 but for relayed connections. frames.py holds the other end. */
#ifndef LAMBDASH_LAUNCHER_H
#define LAMBDASH_LAUNCHER_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    HELLO = 1,    /* > version u32, pid u32, port u32, relay secret; unix: descriptors beside it */
    STARTED = 2,  /* > pid u32, CLOCK_MONOTONIC in ns at fork u64 */
    EXITED = 3,   /* > exit code or -1 i32, signal or 0 i32, out of memory u32, peak bytes u64 */
    DONE = 4,     /* > everything is dead; the launcher exits */
    STDOUT = 5,   /* > bytes (relay) */
    STDERR = 6,   /* > bytes (relay) */
    OPEN = 7,     /* > the runtime connected (relay) */
    DATA = 8,     /* = bytes, within the receiver's credit (relay) */
    END = 9,      /* = no more bytes from this side (relay) */
    CLOSE = 10,   /* = once from each side; then the channel is free again (relay) */
    CREDIT = 11,  /* = bytes consumed u32 (relay) */
    ASSIGN = 16,  /* < open files u32, core u32 (all ones: keep), argc u16, envc u16, then strings
                       ended by NUL: working directory, arguments, variables */
    RESET = 17,   /* < kill the runtime's tree, start it anew */
    SHUTDOWN = 18 /* < grace in ms u32 */
};

enum {
    PROTOCOL = 1,
    HEADER = 8,
    FRAME_MAX = 256 * 1024,
    OUT_MAX = 4 * 1024 * 1024,
    WINDOW = 64 * 1024, /* a channel's initial credit, each way */
    CHANNELS = 64,
    SETTLE_MS = 500 /* how long a dead runtime's last bytes may take through the relay */
};

extern int listener;        /* the Runtime API's listening socket */
extern int output_read[2], output_write[2]; /* pipes of the runtime's stdout and stderr */
extern int wake[2];         /* a byte a signal */
extern int first_process;   /* this is PID 1 */

void die(const char *what);  /* and everything below */
int64_t now_ms(void);
int own(int fd); /* close-on-exec and non-blocking */
void put32(uint8_t *at, uint32_t value);
uint32_t get32(const uint8_t *at);

size_t room(void);           /* bytes that still fit into the outgoing buffer */
uint8_t *place(size_t size); /* where the payload of the next frame goes; `size` must fit */
void commit(uint8_t type, uint16_t channel, uint32_t length);

extern struct task { /* what to run, as assigned once */
    char strings[FRAME_MAX];
    char *directory, **arguments, **variables;
    uint32_t open_files, core;
} task;

extern struct life {
    pid_t pid, group; /* pid 0: not running; group: until all of it is dead */
    int status;
    long oom_kills;
    uint64_t peak;
} life;

uint64_t start_runtime(void); /* CLOCK_MONOTONIC in ns at its fork */
void ask_to_end(void);        /* SIGTERM */
void kill_all(void);          /* SIGKILL to everything below, and reap it */
int reap(void);               /* 0: no child is left */
long oom_kills(void);
const char *peak_path(void); /* the file with the peak of a cgroup of our own, or NULL */

int relay_connect(char *address); /* HOST:PORT or [HOST]:PORT */
size_t relay_watch(struct pollfd *fds);
void relay_turn(const struct pollfd *fds, size_t count);
void relay_frame(uint8_t type, uint16_t channel, const uint8_t *payload, uint32_t length);
void relay_drop(void);   /* closes every channel: their runtime is dead */
int relay_settled(void); /* nothing of a dead runtime is left to send */

#endif
