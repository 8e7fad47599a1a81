/* The runtime's process: one life of it at a time, and everything it leaves behind. */
#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <dirent.h>
#include <sys/prctl.h>
#endif

enum { KILL_PATIENCE_MS = 10000, WATCH_MS = 200, DEPTH_MAX = 16, EXIT_UNKILLABLE = 70, KEEP = -1 };

struct task task;
struct life life;

/* The runtime's process tree. */

void signal_tree(int number) {
    if (first_process) {
        kill(-1, number);
        return;
    }
    if (life.group) kill(-life.group, number);
#ifdef __linux__
    static pid_t family[65536];
    size_t count = 1, before = 0;
    family[0] = getpid();
    DIR *folder = opendir("/proc");
    while (folder && before != count) { /* parents may be listed after their children */
        struct dirent *entry;
        before = count;
        rewinddir(folder);
        while ((entry = readdir(folder)) && count < sizeof family / sizeof *family) {
            char path[64], text[512], *after;
            pid_t pid = (pid_t)strtol(entry->d_name, &after, 10), parent = 0;
            if (*after || pid <= 1) continue;
            snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
            int fd = open(path, O_RDONLY | O_CLOEXEC);
            ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
            if (fd >= 0) close(fd);
            if (size <= 0) continue;
            text[size] = 0;
            after = strrchr(text, ')'); /* the name before it is the process's own choice */
            if (!after || after[1] == 0 || after[2] == 'Z') continue;
            parent = (pid_t)strtol(after + 3, NULL, 10);
            size_t known = 0, mine = 0;
            for (size_t i = 0; i < count; i++) {
                known |= family[i] == pid;
                mine |= family[i] == parent;
            }
            if (known || !mine) continue;
            family[count++] = pid;
            kill(pid, number);
        }
    }
    if (folder) closedir(folder);
#endif
}

static uint64_t read_number(const char *path, const char *key, int *found) {
    char text[1024];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    *found = 0;
    if (size <= 0) return 0;
    text[size] = 0;
    char *at = key ? strstr(text, key) : text;
    if (!at) return 0;
    *found = 1;
    return strtoull(at + (key ? strlen(key) : 0), NULL, 10);
}

long oom_kills(void) {
    int found = 0;
    uint64_t count = 0;
    if (first_process) count = read_number("/sys/fs/cgroup/memory.events", "oom_kill ", &found);
    if (first_process && !found)
        count = read_number("/sys/fs/cgroup/memory/memory.oom_control", "oom_kill ", &found);
    return (long)count;
}

const char *peak_path(void) {
    static const char *paths[] = {"/sys/fs/cgroup/memory.peak",
                                  "/sys/fs/cgroup/memory/memory.max_usage_in_bytes"};
    for (size_t i = 0; first_process && i < 2; i++)
        if (access(paths[i], R_OK) == 0) return paths[i];
    return NULL;
}

int reap(void) { /* how many children are left: 0 or more than 0 */
    struct rusage usage;
    int status;
    pid_t pid;
    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        if (pid != life.pid) {
            extension_ended(pid, status);
            continue;
        }
        int found = 0;
        life.pid = 0;
        life.status = status;
        life.peak = peak_path() ? read_number(peak_path(), NULL, &found) : 0;
#ifdef __linux__
        if (!found) life.peak = (uint64_t)usage.ru_maxrss * 1024;
#else
        if (!found) life.peak = (uint64_t)usage.ru_maxrss;
#endif
    }
    return pid == 0;
}

void kill_all(void) {
    int64_t until = now_ms() + KILL_PATIENCE_MS;
    char signals[64];
    signal_tree(SIGKILL);
    while (reap()) { /* orphans become children of PID 1, and of a subreaper */
        struct pollfd child = {wake[0], POLLIN, 0};
        if (now_ms() > until) _exit(EXIT_UNKILLABLE);
        poll(&child, 1, 20);
        while (read(wake[0], signals, sizeof signals) > 0) continue;
        signal_tree(SIGKILL);
    }
    life.group = 0;
}

/* One life of the runtime. */

static void complain(const char *what, const char *name, int problem) {
    dprintf(2, "lambdash: cannot %s %s: %s\n", what, name, strerror(problem));
    _exit(problem == ENOENT || problem == ENOTDIR ? 127 : 126);
}

static void limit(int resource, uint32_t value) {
    struct rlimit bound;
    if (value == (uint32_t)KEEP || getrlimit(resource, &bound) != 0) return;
    if (bound.rlim_max == RLIM_INFINITY || bound.rlim_max > value) bound.rlim_max = value;
    bound.rlim_cur = bound.rlim_max;
    setrlimit(resource, &bound);
}

static void execute(const struct program *program) {
    const char *path = "/usr/local/bin:/usr/bin:/bin", *name = program->arguments[0];
    int problem = ENOENT;
    if (strchr(name, '/')) {
        execve(name, program->arguments, program->variables);
        complain("start", name, errno);
    }
    for (char **each = program->variables; *each; each++)
        if (strncmp(*each, "PATH=", 5) == 0) path = *each + 5;
    while (path) {
        char full[4096];
        const char *end = strchr(path, ':');
        int size = end ? (int)(end - path) : (int)strlen(path);
        if (snprintf(full, sizeof full, "%.*s/%s", size, size ? path : ".", name) < (int)sizeof full)
            execve(full, program->arguments, program->variables);
        if (errno != ENOENT && errno != ENOTDIR) problem = errno;
        path = end ? end + 1 : NULL;
    }
    complain("start", name, problem);
}

static void become(const struct program *program, pid_t parent) {
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
#ifdef __linux__
    if (!first_process) prctl(PR_SET_PDEATHSIG, SIGKILL); /* a second net: the launcher killed */
#endif
    if (getppid() != parent) _exit(1);
    int null = open("/dev/null", O_RDONLY);
    dup2(null, 0);
    if (null > 2) close(null);
    for (int i = 0; i < 2; i++) { /* an earlier life may have left them non-blocking */
        dup2(program->output[i], i + 1);
        fcntl(i + 1, F_SETFL, fcntl(i + 1, F_GETFL) & ~O_NONBLOCK);
    }
    if (chdir(program->directory) != 0) complain("enter", program->directory, errno);
    limit(RLIMIT_NOFILE, task.open_files);
    limit(RLIMIT_CORE, task.core);
    execute(program);
}

pid_t start_program(const struct program *program) {
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) become(program, parent);
    return pid;
}

uint64_t start_runtime(void) {
    struct timespec at;
    const struct program runtime = {task.directory, task.arguments, task.variables,
                                    {output_write[0], output_write[1]}};
    life.oom_kills = oom_kills();
    life.exceeded = 0;
    clock_gettime(CLOCK_MONOTONIC, &at);
    life.pid = life.group = start_program(&runtime);
    if (life.pid < 0) {
        life.pid = life.group = 0;
        die("fork");
    }
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

void ask_to_end(void) { /* its group; the process alone when it has not made its group yet */
    if (life.pid && kill(-life.pid, SIGTERM) != 0) kill(life.pid, SIGTERM);
}

void kill_runtime(void) {
    if (life.group) kill(-life.group, SIGKILL);
    if (life.pid) kill(life.pid, SIGKILL);
}

/* Where no cgroup limits memory: what is its own alone, of the runtime and its descendants. */

#ifdef __linux__
static uint64_t own_pages(pid_t pid) {
    char path[64], text[128] = "";
    unsigned long all = 0, resident = 0, shared = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    if (size <= 0 || sscanf(text, "%lu %lu %lu", &all, &resident, &shared) != 3) return 0;
    return resident > shared ? resident - shared : 0;
}

static uint64_t tree_pages(pid_t pid, int depth) {
    char path[64], line[8192];
    uint64_t pages = own_pages(pid);
    struct dirent *thread;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = depth < DEPTH_MAX ? opendir(path) : NULL;
    while (threads && (thread = readdir(threads))) {
        char *at = line, *after;
        if (*thread->d_name == '.') continue;
        snprintf(path, sizeof path, "/proc/%d/task/%.16s/children", (int)pid, thread->d_name);
        FILE *children = fopen(path, "re");
        if (!children) continue;
        if (!fgets(line, sizeof line, children)) *line = 0;
        fclose(children);
        for (long child; (child = strtol(at, &after, 10)) > 0; at = after)
            pages += tree_pages((pid_t)child, depth + 1);
    }
    if (threads) closedir(threads);
    return pages;
}
#endif

int64_t watch_memory(int64_t now) {
    static int64_t next;
    if (!life.pid || task.memory == (uint32_t)KEEP) return -1;
    if (now < next) return next;
    next = now + WATCH_MS;
#ifdef __linux__
    if (tree_pages(life.pid, 0) * (uint64_t)sysconf(_SC_PAGESIZE) > (uint64_t)task.memory << 20) {
        life.exceeded = 1;
        kill_runtime();
    }
#endif
    return next;
}

int pause_forever(void) {
    sigset_t wanted;
    int number = 0;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGCHLD);
    sigprocmask(SIG_BLOCK, &wanted, NULL);
    while (sigwait(&wanted, &number) != 0 || number == SIGCHLD)
        while (waitpid(-1, NULL, WNOHANG) > 0) continue;
    return 0;
}
