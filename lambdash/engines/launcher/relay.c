/* The launcher's relay: where the daemon does not share this kernel, connections to the Runtime
 * API and the gateway, and the runtime's output, travel over one outward TCP connection.
 *
 * Bounds: CHANNELS connections at once (more wait in the kernel's backlog), WINDOW bytes of credit
 * each way per channel, and nothing is read while the outgoing buffer is short of room. Output
 * that was written before bytes on a connection is sent before them, so a log tail is exact. */
#define _GNU_SOURCE
#include "launcher.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { CHUNK = 16 * 1024, PIPE_ROOM = 64 * 1024, CHANNEL_ROOM = 3 * 1024 * 1024, CONNECT_S = 15 };

static struct channel {
    int used, fd;           /* fd -1: closed here, the daemon's CLOSE is awaited */
    int ended, end_wanted;  /* local end of file seen; the daemon's END to pass on */
    uint32_t credit;        /* what the daemon still takes */
    uint32_t at, size;      /* bytes of `data` not yet written to the runtime */
    uint8_t data[WINDOW];
} channels[CHANNELS];

/* Connecting. */

static int lookup(const char *name, struct sockaddr_storage *to, uint16_t port) {
    struct sockaddr_in *four = (struct sockaddr_in *)to;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;
    if (inet_pton(AF_INET, name, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        return 1;
    }
    if (inet_pton(AF_INET6, name, &six->sin6_addr) != 1) return 0;
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    return 1;
}

static int lookup_hosts(const char *name, struct sockaddr_storage *to, uint16_t port) {
    char line[1024], *rest; /* a static libc has no name service */
    FILE *file = fopen("/etc/hosts", "re");
    int found = 0;
    while (file && !found && fgets(line, sizeof line, file)) {
        line[strcspn(line, "#\n")] = 0;
        char *address = strtok_r(line, " \t", &rest), *alias;
        while (address && !found && (alias = strtok_r(NULL, " \t", &rest)))
            found = strcasecmp(alias, name) == 0 && lookup(address, to, port);
    }
    if (file) fclose(file);
    return found;
}

int relay_connect(char *address) {
    struct sockaddr_storage to = {0};
    struct timeval patience = {CONNECT_S, 0};
    int yes = 1;
    char *colon = strrchr(address, ':'), *name = address;
    if (!colon || atoi(colon + 1) <= 0 || atoi(colon + 1) > 65535) errno = EINVAL, die(address);
    uint16_t port = (uint16_t)atoi(colon + 1);
    *colon = 0;
    if (*name == '[' && colon[-1] == ']') name++, colon[-1] = 0;
    if (!lookup(name, &to, port) && !lookup_hosts(name, &to, port)) errno = EADDRNOTAVAIL, die(name);
    int fd = socket(to.ss_family, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    socklen_t size = to.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (connect(fd, (struct sockaddr *)&to, size) != 0) die(name);
    return fd;
}

/* From the runtime to the daemon. */

static uint32_t waiting(int fd) {
    int bytes = 0;
    return ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0 ? (uint32_t)bytes : 0;
}

static void pump(int from, uint8_t type) { /* what it holds now: a flood must not keep us here */
    uint32_t left = waiting(from);
    while (left > 0 && room() > PIPE_ROOM) {
        ssize_t size = read(from, place(CHUNK), left < CHUNK ? left : CHUNK);
        if (size <= 0) return;
        commit(type, 0, (uint32_t)size);
        left -= (uint32_t)size;
    }
}

static void pump_all(void) {
    pump(output_read[0], STDOUT);
    pump(output_read[1], STDERR);
    if (extension_read >= 0) pump(extension_read, EXTENSION_OUTPUT);
}

static void tell(uint8_t type, size_t index) {
    place(0);
    commit(type, (uint16_t)index, 0);
}

static void shut(size_t index) {
    if (channels[index].fd < 0) return;
    close(channels[index].fd);
    channels[index].fd = -1;
    tell(CLOSE, index);
}

int relay_adopt(int fd) {
    size_t index = 0;
    int yes = 1;
    while (index < CHANNELS && channels[index].used) index++;
    if (index == CHANNELS) return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct channel *channel = &channels[index];
    channel->used = 1;
    channel->fd = own(fd);
    channel->ended = channel->end_wanted = 0;
    channel->at = channel->size = 0;
    channel->credit = WINDOW;
    return (int)index;
}

static void accept_one(int from, uint8_t type) { /* a channel is free */
    int fd = accept(from, NULL, NULL), index = fd < 0 ? -1 : relay_adopt(fd);
    if (index >= 0) tell(type, (size_t)index);
}

static void read_channel(size_t index) {
    static uint8_t chunk[CHUNK];
    struct channel *channel = &channels[index];
    ssize_t size = read(channel->fd, chunk, channel->credit < CHUNK ? channel->credit : CHUNK);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size < 0) {
        shut(index);
        return;
    }
    pump_all();
    if (size == 0) {
        channel->ended = 1;
        tell(END, index);
        return;
    }
    memcpy(place((size_t)size), chunk, (size_t)size);
    commit(DATA, (uint16_t)index, (uint32_t)size);
    channel->credit -= (uint32_t)size;
}

/* From the daemon to the runtime. */

static void write_channel(size_t index) {
    struct channel *channel = &channels[index];
    uint32_t before = channel->at;
    while (channel->at < channel->size) {
        ssize_t size = write(channel->fd, channel->data + channel->at, channel->size - channel->at);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && errno == EAGAIN) break;
        if (size < 0) size = channel->size - channel->at; /* nobody listens; it may have spoken */
        channel->at += (uint32_t)size;
    }
    if (channel->at > before) {
        put32(place(4), channel->at - before);
        commit(CREDIT, (uint16_t)index, 4);
    }
    if (channel->at < channel->size) return;
    channel->at = channel->size = 0;
    if (channel->end_wanted) shutdown(channel->fd, SHUT_WR);
    channel->end_wanted = 0;
}

void relay_frame(uint8_t type, uint16_t index, const uint8_t *payload, uint32_t length) {
    struct channel *channel = index < CHANNELS ? &channels[index] : NULL;
    if (!channel || !channel->used) errno = EPROTO, die("frame for no channel");
    if (type == CLOSE) {
        shut(index);
        channel->used = 0;
    } else if (channel->fd < 0) {
        return; /* on its way before the daemon knew */
    } else if (type == CREDIT && length == 4) {
        uint32_t grant = get32(payload);
        if (grant > WINDOW - channel->credit) errno = EPROTO, die("credit beyond the window");
        channel->credit += grant;
    } else if (type == END) {
        channel->end_wanted = 1;
        write_channel(index);
    } else if (type == DATA) {
        memmove(channel->data, channel->data + channel->at, channel->size - channel->at);
        channel->size -= channel->at;
        channel->at = 0;
        if (length > WINDOW - channel->size) errno = EPROTO, die("data beyond the window");
        memcpy(channel->data + channel->size, payload, length);
        channel->size += length;
        write_channel(index);
    } else {
        errno = EPROTO, die("unknown frame");
    }
}

/* The poll loop's share. */

size_t relay_watch(struct pollfd *fds) {
    short output = room() > PIPE_ROOM ? POLLIN : 0;
    int more = room() > CHANNEL_ROOM, free_channels = 0;
    for (size_t i = 0; i < CHANNELS; i++) {
        struct channel *channel = &channels[i];
        short events = channel->at < channel->size ? POLLOUT : 0;
        if (more && channel->credit && !channel->ended) events |= POLLIN;
        free_channels += !channel->used;
        fds[5 + i] = (struct pollfd){events ? channel->fd : -1, events, 0};
        if (!channel->used) fds[5 + i].fd = -1;
    }
    fds[0] = (struct pollfd){output ? output_read[0] : -1, output, 0};
    fds[1] = (struct pollfd){output ? output_read[1] : -1, output, 0};
    fds[2] = (struct pollfd){more && free_channels ? listener : -1, POLLIN, 0};
    fds[3] = (struct pollfd){output ? extension_read : -1, output, 0};
    fds[4] = (struct pollfd){more && free_channels > RUNTIMES_OWN ? gateway : -1, POLLIN, 0};
    return RELAY_FDS;
}

void relay_turn(const struct pollfd *fds, size_t count) {
    for (size_t i = 5; i < count; i++) {
        struct channel *channel = &channels[i - 5];
        if (!channel->used || channel->fd != fds[i].fd || !fds[i].revents) continue;
        if (fds[i].events & POLLOUT) write_channel(i - 5);
        if (channel->fd >= 0 && (fds[i].events & POLLIN) && room() > CHANNEL_ROOM) read_channel(i - 5);
    }
    if (fds[0].revents || fds[1].revents || fds[3].revents) pump_all();
    if (fds[2].revents) accept_one(listener, OPEN);
    if (fds[4].revents) accept_one(gateway, OPEN_GATEWAY);
}

void relay_drop(void) {
    for (size_t i = 0; i < CHANNELS; i++)
        if (channels[i].used) shut(i);
}

int relay_settled(void) {
    struct pollfd backlog = {listener, POLLIN, 0};
    for (size_t i = 0; i < CHANNELS; i++)
        if (channels[i].used && channels[i].fd >= 0 && !channels[i].ended) return 0;
    return !waiting(output_read[0]) && !waiting(output_read[1]) && poll(&backlog, 1, 0) <= 0;
}
