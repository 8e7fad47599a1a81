/* External extensions: every program of one folder, started before the runtime; and connections
 * made in here for the daemon, which extensions listen for. */
#define _GNU_SOURCE
#include "launcher.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOPBACK_MS = 50 }; /* a connection within this machine takes microseconds */

static struct extension {
    pid_t pid; /* 0: it ended */
    char name[256];
} extensions[EXTENSIONS_MAX];
static size_t count;

int extension_read = -1, extension_write = -1;

static int by_name(const void *one, const void *other) {
    return strcmp(((const struct extension *)one)->name, ((const struct extension *)other)->name);
}

static void find(void) { /* AWS starts every file; one that is no program fails as a program does */
    struct dirent *entry;
    struct stat status;
    DIR *folder = *task.extensions ? opendir(task.extensions) : NULL;
    count = 0;
    while (folder && (entry = readdir(folder)) && count < EXTENSIONS_MAX) {
        if (fstatat(dirfd(folder), entry->d_name, &status, 0) != 0 || S_ISDIR(status.st_mode)) continue;
        extensions[count].pid = 0;
        snprintf(extensions[count++].name, sizeof extensions->name, "%s", entry->d_name);
    }
    if (folder) closedir(folder);
    qsort(extensions, count, sizeof *extensions, by_name);
}

static void open_pipe(void) {
    int ends[2];
    if (extension_write >= 0) return;
    if (pipe(ends) != 0) die("pipe");
    extension_read = own(ends[0]);
    extension_write = ends[1];
    fcntl(extension_write, F_SETFD, FD_CLOEXEC);
    pass(extension_read, EXTENSION_OUTPUT, 0);
}

size_t start_extensions(void) {
    char path[4096], names[EXTENSIONS_MAX * sizeof extensions->name];
    size_t size = 0;
    find();
    if (!count) return 0;
    open_pipe();
    for (size_t i = 0; i < count; i++) {
        char *arguments[] = {path, NULL};
        struct program program = {"/", arguments, task.variables + task.withheld,
                                  {extension_write, extension_write}};
        snprintf(path, sizeof path, "%s/%s", task.extensions, extensions[i].name);
        extensions[i].pid = start_program(&program);
        if (extensions[i].pid < 0) die("fork");
        size += strlen(strcpy(names + size, extensions[i].name)) + 1;
    }
    memcpy(place(size), names, size);
    commit(EXTENSIONS, 0, (uint32_t)size);
    return count;
}

size_t living_extensions(void) {
    size_t living = 0;
    for (size_t i = 0; i < count; i++) living += extensions[i].pid > 0;
    return living;
}

void forget_extensions(void) { count = 0; }

void extension_ended(pid_t pid, int status) {
    for (size_t i = 0; i < count; i++) {
        if (extensions[i].pid != pid) continue;
        size_t size = strlen(extensions[i].name);
        uint8_t *to = place(8 + size);
        extensions[i].pid = 0;
        put32(to, WIFEXITED(status) ? (uint32_t)WEXITSTATUS(status) : (uint32_t)-1);
        put32(to + 4, WIFSIGNALED(status) ? (uint32_t)WTERMSIG(status) : 0);
        memcpy(to + 8, extensions[i].name, size);
        commit(EXTENSION_EXITED, 0, (uint32_t)(8 + size));
    }
}

static void refuse(uint32_t token, int problem) {
    uint8_t *to = place(8);
    put32(to, token);
    put32(to + 4, (uint32_t)problem);
    commit(REFUSED, 0, 8);
}

static int problem_of(int fd) { /* one that the listener keeps waiting may yet be made */
    struct pollfd made = {fd, POLLOUT, 0};
    int problem = 0;
    socklen_t size = sizeof problem;
    poll(&made, 1, LOOPBACK_MS);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size);
    return problem;
}

void connect_inside(uint32_t token, uint32_t port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = own(socket(AF_INET, SOCK_STREAM, 0)), channel = -1, problem = 0;
    at.sin_port = htons((uint16_t)port);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) != 0) problem = errno;
    if (problem == EINPROGRESS) problem = problem_of(fd);
    if (problem) {
        refuse(token, problem);
    } else if (door >= 0) {
        pass(fd, CONNECTED, token);
    } else if ((channel = relay_adopt(fd)) >= 0) {
        put32(place(4), token);
        commit(CONNECTED, (uint16_t)channel, 4);
        return; /* the channel's now */
    } else {
        refuse(token, EMFILE);
    }
    if (fd >= 0) close(fd);
}

void pass(int fd, uint8_t what, uint32_t token) {
    union { struct cmsghdr head; char space[CMSG_SPACE(sizeof(int))]; } rights = {0};
    uint8_t text[5] = {what};
    struct iovec bytes = {text, sizeof text};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = rights.space,
                             .msg_controllen = sizeof rights.space};
    if (door < 0) return;
    put32(text + 1, token);
    rights.head.cmsg_level = SOL_SOCKET;
    rights.head.cmsg_type = SCM_RIGHTS;
    rights.head.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&rights.head), &fd, sizeof(int));
    if (sendmsg(door, &message, 0) != (ssize_t)sizeof text && what == CONNECTED) refuse(token, errno);
}
