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
    HELLO = 1,    /* > version u32, pid u32, port u32, port of the gateway or 0 u32, relay secret; unix:
                       descriptors beside it */
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
    EXTENSIONS = 12, /* > names, each ended by NUL: they run, the runtime is started by START */
    EXTENSION_EXITED = 13, /* > exit code or -1 i32, signal or 0 i32, name */
    QUIET = 14,   /* > after RETIRE: the runtime is dead, and so are the extensions or it is late */
    EXTENSION_OUTPUT = 15, /* > bytes (relay) */
    ASSIGN = 16,  /* < open files u32, core u32, memory in MiB u32 (all ones: keep), argc u16, envc u16, how many of
                       those extensions are not given u16, then strings ended by NUL: working
                       directory, folder of extensions, arguments, variables */
    RESET = 17,   /* < kill the runtime's tree, start it anew, extensions first */
    SHUTDOWN = 18, /* < grace in ms u32 */
    START = 19,   /* < the extensions have registered: start the runtime */
    RETIRE = 20,  /* < grace in ms u32: kill the runtime, give its extensions time to end */
    CONNECT = 21, /* < token u32, port u32: a connection to 127.0.0.1, made in here */
    CONNECTED = 22, /* > token u32; relay: on a new channel; else the descriptor is at the door */
    REFUSED = 23, /* > token u32, errno u32 */
    FREEZE = 24,  /* < let nothing of the runtime and its extensions run */
    THAW = 25,    /* < let them run on */
    OPEN_GATEWAY = 26 /* > somebody in here connected to the gateway (relay) */
};

enum {
    PROTOCOL = 4,
    HEADER = 8,
    FRAME_MAX = 256 * 1024,
    OUT_MAX = 4 * 1024 * 1024,
    WINDOW = 64 * 1024, /* a channel's initial credit, each way */
    CHANNELS = 64,
    RUNTIMES_OWN = 16, /* of them, which the gateway leaves to the Runtime API */
    EXTENSIONS_MAX = 32, /* AWS lets 10 register */
    SETTLE_MS = 500 /* how long a dead runtime's last bytes may take through the relay */
};

extern int listener;        /* the Runtime API's listening socket */
extern int gateway;         /* that of AWS's API; -1: none is wanted */
extern int output_read[2], output_write[2]; /* pipes of the runtime's stdout and stderr */
extern int extension_read, extension_write; /* one pipe for both of all extensions', once needed */
extern int door;            /* descriptors to the daemon; -1 through a relay */
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
    char *directory, *extensions, **arguments, **variables;
    uint32_t open_files, core, memory, withheld; /* variables that extensions are not given come first */
} task;

extern struct life {
    pid_t pid, group; /* pid 0: not running; group: until all of it is dead */
    int status, exceeded; /* its memory; watched, for no cgroup limits it */
    long oom_kills;
    uint64_t peak;
} life;

struct program {
    const char *directory;
    char **arguments, **variables;
    int output[2];
};

pid_t start_program(const struct program *program); /* -1: could not fork; its own session */
uint64_t start_runtime(void); /* CLOCK_MONOTONIC in ns at its fork */
void ask_to_end(void);        /* SIGTERM */
void kill_runtime(void);      /* SIGKILL to its session alone */
void signal_tree(int number); /* to everything below */
int64_t watch_memory(int64_t now); /* when to be called again, or -1 */
void kill_all(void);          /* SIGKILL to everything below, and reap it */
int reap(void);               /* 0: no child is left */
int pause_forever(void);     /* what the first process of a pause container does */
long oom_kills(void);
const char *peak_path(void); /* the file with the peak of a cgroup of our own, or NULL */

size_t start_extensions(void);   /* how many there are: names are told, and the pipe passed on */
size_t living_extensions(void);
void extension_ended(pid_t pid, int status); /* tells it, if it is one */
void forget_extensions(void);    /* whatever happens to them is nobody's news */
void pass(int fd, uint8_t what, uint32_t token); /* at the door of daemons on this kernel */
void connect_inside(uint32_t token, uint32_t port);
int relay_adopt(int fd);         /* a channel for it, or -1 */

int relay_connect(char *address); /* HOST:PORT or [HOST]:PORT */
enum { RELAY_FDS = 5 + CHANNELS };
size_t relay_watch(struct pollfd *fds); /* RELAY_FDS of them */
void relay_turn(const struct pollfd *fds, size_t count);
void relay_frame(uint8_t type, uint16_t channel, const uint8_t *payload, uint32_t length);
void relay_drop(void);   /* closes every channel: their runtime is dead */
int relay_settled(void); /* nothing of a dead runtime is left to send */

#endif
