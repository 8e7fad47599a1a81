/* The fastest runtime there can be: one blocking connection, each request written whole.
 * Echoes its payload. AWS_LAMBDA_RUNTIME_API is host:port, with a path in front of the Runtime API's
 * own where a server wants one (host:port/path). With STUB_PIPELINE set, the answer and the next poll
 * go out in one write. With STUB_QUICKACK set, what was read is acknowledged at once: a server that
 * writes head and body apart without TCP_NODELAY waits for that. */
#define _GNU_SOURCE /* strcasestr */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static char in[8 << 20], out[8 << 20];
static size_t have;
static int quickack;

/* Reads one response into `in`; returns its body and length, moves what follows to the front later. */
static char *response(int fd, size_t *length, size_t *whole) {
    for (;;) {
        in[have] = 0;
        char *end = strstr(in, "\r\n\r\n");
        if (end) {
            char *at = strcasestr(in, "content-length:");
            *length = at && at < end ? strtoul(at + 15, NULL, 10) : 0;
            *whole = (size_t)(end + 4 - in) + *length;
            if (have >= *whole) return end + 4;
        }
        int one = 1; /* the kernel forgets it after a while */
        if (quickack) setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
        ssize_t n = read(fd, in + have, sizeof in - have - 1);
        if (n <= 0) exit(0);
        have += (size_t)n;
    }
}

static void discard(size_t whole) {
    memmove(in, in + whole, have - whole);
    have -= whole;
}

static void send_all(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t n = write(fd, data, size);
        if (n <= 0) exit(0);
        data += n, size -= (size_t)n;
    }
}

int main(void) {
    static char next[512];
    char *address = getenv("AWS_LAMBDA_RUNTIME_API"), *prefix = strchr(address, '/');
    int pipeline = getenv("STUB_PIPELINE") != NULL, one = 1;
    if (!prefix) prefix = "";
    quickack = getenv("STUB_QUICKACK") != NULL;
    size_t next_size = (size_t)snprintf(next, sizeof next,
        "GET %s/2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n", prefix);
    if (next_size >= sizeof next) return 2;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(strchr(address, ':') + 1))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to)) return 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    send_all(fd, next, next_size);
    for (;;) {
        size_t length, whole;
        char *body = response(fd, &length, &whole), id[64] = "";
        char *header = strcasestr(in, "lambda-runtime-aws-request-id:");
        if (header) sscanf(header + 30, " %63[^\r]", id);
        int head = snprintf(out, 1024,
                            "POST %s/2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: runtime\r\n"
                            "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", prefix, id, length);
        memcpy(out + head, body, length);
        size_t size = (size_t)head + length;
        discard(whole);
        if (pipeline) {
            memcpy(out + size, next, next_size);
            size += next_size;
        }
        send_all(fd, out, size);
        response(fd, &length, &whole);
        discard(whole);
        if (!pipeline) send_all(fd, next, next_size);
    }
}
