/* PID 1 of every container of lambdash, and the parent of every runtime of its process engine.
 *
 * It opens the listening sockets of the Runtime API and, where it is told to, of AWS's API, and
 * the runtime's output pipes, hands them to the
 * daemon (descriptors over a unix socket, or relayed over TCP), then starts, resets, stops and
 * reaps the runtime as told. When the control connection ends, everything below it dies. */
#define _GNU_SOURCE
#include "launcher.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

enum { BACKLOG = 512 }; /* one that overflows lets connections hang, half open */

int listener = -1, gateway = -1, output_read[2], output_write[2], wake[2], door = -1, first_process;
static int control = -1, relayed;
static uint8_t in[HEADER + FRAME_MAX], out[OUT_MAX];
static size_t in_size, out_start, out_end;

static enum { NOTHING, EXIT, END_OF_ALL } report; /* what to say once the relay has settled */
static int64_t report_by, stop_by = -1, term_by = -1, retire_by = -1;

int64_t now_ms(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

int own(int fd) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

void put32(uint8_t *at, uint32_t value) {
    value = htonl(value);
    memcpy(at, &value, sizeof value);
}

uint32_t get32(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return ntohl(value);
}

static void put64(uint8_t *at, uint64_t value) {
    put32(at, (uint32_t)(value >> 32));
    put32(at + 4, (uint32_t)value);
}

/* The outgoing buffer. */

size_t room(void) { return OUT_MAX - (out_end - out_start); }

uint8_t *place(size_t size) {
    if (HEADER + size > room()) die("outgoing buffer");
    if (out_end + HEADER + size > OUT_MAX) {
        memmove(out, out + out_start, out_end - out_start);
        out_end -= out_start;
        out_start = 0;
    }
    return out + out_end + HEADER;
}

void commit(uint8_t type, uint16_t channel, uint32_t length) {
    uint8_t *head = out + out_end;
    head[0] = type;
    head[1] = 0;
    head[2] = (uint8_t)(channel >> 8);
    head[3] = (uint8_t)channel;
    put32(head + 4, length);
    out_end += HEADER + length;
}

static int flush(void) { /* -1: the daemon is gone */
    while (out_start < out_end) {
        ssize_t sent = write(control, out + out_start, out_end - out_start);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return errno == EAGAIN ? 0 : -1;
        out_start += (size_t)sent;
    }
    out_start = out_end = 0;
    return 0;
}

void die(const char *what) {
    fprintf(stderr, "lambdash launcher: %s: %s\n", what, strerror(errno));
    if (wake[0]) kill_all();
    exit(1);
}

/* What is said of a life of the runtime. */

static void begin(void) {
    uint64_t at_ns = start_runtime();
    uint8_t *to = place(12);
    put32(to, (uint32_t)life.pid);
    put64(to + 4, at_ns);
    commit(STARTED, 0, 12);
}

static void start(void) { /* with extensions, the runtime waits until they have registered */
    if (!start_extensions()) begin();
}

static void say_exited(void) {
    uint8_t *to = place(20);
    put32(to, WIFEXITED(life.status) ? (uint32_t)WEXITSTATUS(life.status) : (uint32_t)-1);
    put32(to + 4, WIFSIGNALED(life.status) ? (uint32_t)WTERMSIG(life.status) : 0);
    put32(to + 8, oom_kills() > life.oom_kills || life.exceeded);
    put64(to + 12, life.peak);
    commit(EXITED, 0, 20);
    report = NOTHING;
}

static void say_later(int what) {
    report = what;
    report_by = now_ms() + (relayed ? SETTLE_MS : 0);
}

static void end_of_all(void) {
    place(0);
    commit(DONE, 0, 0);
    fcntl(control, F_SETFL, fcntl(control, F_GETFL) & ~O_NONBLOCK);
    flush();
    exit(0);
}

/* What the daemon asks for. */

static char **take_strings(char **at, const char *end, uint32_t count) {
    char **list = calloc(count + 1, sizeof *list);
    for (uint32_t i = 0; list && i < count; i++) {
        if (*at >= end) die("short assignment");
        list[i] = *at;
        *at += strlen(*at) + 1;
    }
    return list ? list : (die("memory"), NULL);
}

static void assign(const uint8_t *payload, uint32_t length) {
    if (length < 21 || task.arguments || payload[length - 1] != 0) die("bad assignment");
    uint32_t arguments = get32(payload + 12) >> 16, variables = get32(payload + 12) & 0xffff;
    memcpy(task.strings, payload + 18, length - 18);
    char *at = task.strings, *end = task.strings + length - 18;
    task.open_files = get32(payload);
    task.core = get32(payload + 4);
    task.memory = get32(payload + 8);
    task.withheld = (uint32_t)(payload[16] << 8 | payload[17]);
    task.directory = at;
    at += strlen(at) + 1;
    if (at >= end || task.withheld > variables) die("bad assignment");
    task.extensions = at;
    at += strlen(at) + 1;
    task.arguments = take_strings(&at, end, arguments);
    task.variables = take_strings(&at, end, variables);
    if (!task.arguments[0]) die("empty assignment");
    start();
}

static void reset(void) {
    if (!task.arguments) die("reset before assignment");
    if (report == EXIT) say_exited();
    forget_extensions();
    kill_all();
    if (relayed) relay_drop();
    for (int late; (late = accept(listener, NULL, NULL)) >= 0;) close(late);
    for (int late; (late = accept(gateway, NULL, NULL)) >= 0;) close(late);
    start();
}

static void retire(uint32_t grace) {
    retire_by = now_ms() + grace;
    kill_runtime();
}

static void stop(uint32_t grace) { /* AWS gives the runtime 30 % of it, its extensions all */
    stop_by = now_ms() + grace;
    if (!grace) return;
    ask_to_end();
    if (living_extensions()) term_by = now_ms() + grace * 3 / 10;
}

static void obey(uint8_t type, uint16_t channel, const uint8_t *payload, uint32_t length) {
    if (type == ASSIGN) {
        assign(payload, length);
    } else if (type == RESET) {
        reset();
    } else if (type == SHUTDOWN && length == 4) {
        stop(get32(payload));
    } else if (type == RETIRE && length == 4) {
        retire(get32(payload));
    } else if (type == START && task.arguments && !life.pid) {
        begin();
    } else if (type == CONNECT && length == 8) {
        connect_inside(get32(payload), get32(payload + 4));
    } else if (type == FREEZE || type == THAW) {
        signal_tree(type == FREEZE ? SIGSTOP : SIGCONT);
    } else if (relayed) {
        relay_frame(type, channel, payload, length);
    } else {
        die("unknown frame");
    }
}

static int listen_to_daemon(void) { /* -1: the daemon is gone */
    ssize_t size = read(control, in + in_size, sizeof in - in_size);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (size <= 0) return -1;
    in_size += (size_t)size;
    size_t at = 0;
    while (in_size - at >= HEADER) {
        uint32_t length = get32(in + at + 4);
        if (length > FRAME_MAX) die("frame too long");
        if (in_size - at < HEADER + length) break;
        obey(in[at], (uint16_t)(in[at + 2] << 8 | in[at + 3]), in + at + HEADER, length);
        at += HEADER + length;
    }
    memmove(in, in + at, in_size - at);
    in_size -= at;
    return 0;
}

static void on_signal(int number) {
    int saved = errno;
    char byte = (char)number;
    if (write(wake[1], &byte, 1) < 0) errno = 0; /* full: a wake-up is pending anyway */
    errno = saved;
}

static void take_signals(void) {
    char numbers[64];
    ssize_t size;
    pid_t pid = life.pid;
    while ((size = read(wake[0], numbers, sizeof numbers)) > 0)
        if (memchr(numbers, SIGTERM, (size_t)size)) kill_all(), exit(0);
    reap();
    if (!pid || life.pid) return;
    if (living_extensions()) kill_runtime();
    else kill_all(); /* what a dead runtime left behind */
    if (retire_by < 0) say_later(EXIT);
}

static void keep_deadlines(int64_t now) {
    int quiet = !life.pid && !living_extensions();
    if (term_by >= 0 && now >= term_by) {
        term_by = -1;
        kill_runtime();
    }
    if (retire_by >= 0 && (quiet || now >= retire_by)) {
        retire_by = -1;
        place(0);
        commit(QUIET, 0, 0);
    }
    if (stop_by >= 0 && report != END_OF_ALL && (quiet || now >= stop_by)) {
        kill_all();
        say_later(END_OF_ALL);
    }
}

static int64_t next_deadline(int64_t now) { /* milliseconds, -1: none */
    int64_t next = report ? now + 5 : -1, deadlines[] = {stop_by, term_by, retire_by, watch_memory(now)};
    for (int i = 0; i < 4; i++)
        if (deadlines[i] >= 0 && (next < 0 || deadlines[i] < next)) next = deadlines[i];
    return next < 0 ? -1 : next > now ? next - now : 0;
}

static void serve(void) {
    struct pollfd fds[2 + RELAY_FDS];
    for (;;) {
        int64_t now = now_ms();
        keep_deadlines(now);
        if (report && (!relayed || now >= report_by || relay_settled())) {
            if (report == END_OF_ALL) end_of_all();
            say_exited();
        }
        if (flush() != 0) break;
        fds[0] = (struct pollfd){wake[0], POLLIN, 0};
        fds[1] = (struct pollfd){control, (short)(out_end > out_start ? POLLIN | POLLOUT : POLLIN), 0};
        size_t extra = relayed ? relay_watch(fds + 2) : 0;
        if (poll(fds, (nfds_t)(2 + extra), (int)next_deadline(now)) < 0 && errno != EINTR) die("poll");
        if (fds[0].revents) take_signals();
        if (extra) relay_turn(fds + 2, extra);
        if ((fds[1].revents & (POLLIN | POLLHUP | POLLERR)) && listen_to_daemon() != 0) break;
    }
    kill_all();
}

/* Getting there. */

static int open_listener(const char *wanted, uint32_t *port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int yes = 1, fd = own(socket(AF_INET, SOCK_STREAM, 0));
    at.sin_port = htons((uint16_t)atoi(wanted));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &size) != 0)
        die("cannot listen in the sandbox");
    *port = ntohs(at.sin_port);
    return fd;
}

static int control_connect(const char *path) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (strlen(path) >= sizeof at.sun_path) errno = ENAMETOOLONG, die(path);
    strcpy(at.sun_path, path);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0) die(path);
    return fd;
}

static void hello(uint32_t port, uint32_t gateway_port, const char *secret) {
    union { struct cmsghdr head; char space[CMSG_SPACE(6 * sizeof(int))]; } rights = {0};
    int ends[2], fds[6] = {listener, gateway}, kept = gateway < 0 ? 1 : 2, count = kept;
    uint32_t length = 16 + (uint32_t)strlen(secret);
    uint8_t *to = place(length);
    put32(to, PROTOCOL);
    put32(to + 4, (uint32_t)getpid());
    put32(to + 8, port);
    put32(to + 12, gateway_port);
    memcpy(to + 16, secret, length - 16);
    commit(HELLO, 0, length);
    if (relayed) return;
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0) die("door");
    door = own(ends[0]);
    for (int i = 0; i < 2; i++) fds[count++] = output_read[i];
    fds[count++] = ends[1];
    if (peak_path() && (fds[count] = open(peak_path(), O_RDONLY | O_CLOEXEC)) >= 0) count++;
    struct iovec bytes = {out, out_end};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = rights.space,
                             .msg_controllen = CMSG_SPACE((size_t)count * sizeof(int))};
    rights.head.cmsg_level = SOL_SOCKET;
    rights.head.cmsg_type = SCM_RIGHTS;
    rights.head.cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
    memcpy(CMSG_DATA(&rights.head), fds, (size_t)count * sizeof(int));
    if (sendmsg(control, &message, 0) != (ssize_t)out_end) die("cannot greet the daemon");
    out_end = 0;
    for (int i = kept; i < count; i++) close(fds[i]);
}

int main(int argc, char **argv) {
    char *path = getenv("LAMBDASH_CONTROL"), *relay = getenv("LAMBDASH_RELAY");
    const char *secret = getenv("LAMBDASH_RELAY_SECRET"), *wanted = getenv("LAMBDASH_PORT");
    const char *aws = getenv("LAMBDASH_GATEWAY_PORT");
    if (argc == 2 && strcmp(argv[1], "pause") == 0) return pause_forever();
    if (argc != 1 || !(path || (relay && secret && strlen(secret) <= 128))) {
        fprintf(stderr, "lambdash launcher: started by lambdash, not by hand\n");
        return 64;
    }
    first_process = getpid() == 1;
#ifdef __linux__
    prctl(PR_SET_DUMPABLE, 0); /* or code of the same user could ptrace it, or open its descriptors */
    if (!first_process) prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
    relayed = !path;
    uint32_t port = 0, gateway_port = 0;
    listener = open_listener(wanted ? wanted : "9001", &port);
    if (aws) gateway = open_listener(aws, &gateway_port);
    control = relayed ? relay_connect(relay) : control_connect(path);
    if (pipe(wake) != 0) die("pipe");
    for (int i = 0; i < 2; i++) {
        int ends[2];
        if (pipe(ends) != 0) die("pipe");
        own(wake[i]);
        output_read[i] = own(ends[0]);
        output_write[i] = ends[1];
        fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, first_process ? SIG_IGN : on_signal); /* PID 1: code inside could send it */
    signal(SIGCHLD, on_signal);
    hello(port, gateway_port, relayed ? secret : "");
    own(control);
    serve();
    return 0;
}
