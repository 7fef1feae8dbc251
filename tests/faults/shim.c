/* Stands before libc (LD_PRELOAD): counts the calls of a process that touch files below one folder, and has the k-th of
 * them kill the process or fail. Whoever makes the call is reached: Python, safetensors in Rust, a runtime in C++.
 *
 * A process arms itself by fault_arm(); until then nothing is changed. Of C's buffered streams only fopen() is seen. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { COUNT, KILL, KILL_HALFWAY, FAIL_ONCE, FAIL_ON }; /* as in shim.py */
enum { CHANGES = 1, READS = 2 };

static char folder[PATH_MAX], journal[PATH_MAX];
static int armed, how, wanted, fault;
static long at, calls;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void fault_arm(const char *below, const char *log, int groups, int what, int error, long call) {
    snprintf(folder, sizeof folder, "%s", below);
    snprintf(journal, sizeof journal, "%s", log);
    wanted = groups, how = what, fault = error, at = call, calls = 0;
    __atomic_store_n(&armed, 1, __ATOMIC_SEQ_CST);
}

static int below_folder(const char *path) {
    size_t length = strlen(folder);
    return !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}

/* The path in full in `full`; whether it lies below the folder. */
static int find(int at_folder, const char *path, char *full) {
    char link[64], base[PATH_MAX] = "";
    if (path[0] != '/') {
        if (at_folder == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) return 0;
        } else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", at_folder);
            ssize_t got = readlink(link, base, sizeof base - 1);
            if (got < 0) return 0;
            base[got] = 0;
        }
        if (snprintf(full, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return 0;
    } else if (snprintf(full, PATH_MAX, "%s", path) >= PATH_MAX) return 0;
    return below_folder(full);
}

static int find_open(int descriptor, char *full) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t got = readlink(link, full, PATH_MAX - 1);
    if (got < 0) return 0;
    full[got] = 0;
    return below_folder(full);
}

static void note(const char *call, const char *path) {
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%s %s\n", call, path + strlen(folder));
    int descriptor = REAL(open)(journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (descriptor < 0) return;
    if (REAL(write)(descriptor, line, length) < 0) abort();
    close(descriptor);
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* What is to become of a call: 0 nothing, -1 it fails, 1 half of it is done before the end. */
static int struck(const char *call, const char *path, int group) {
    if (!(group & wanted)) return 0;
    long number = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    if (journal[0]) note(call, path);
    if (how == COUNT || number < at || (number > at && how != FAIL_ON)) return 0;
    if (how == KILL) die();
    if (how == KILL_HALFWAY) return 1;
    errno = fault;
    return -1;
}

static int struck_path(const char *call, int at_folder, const char *path, int group) {
    int before = errno;
    char full[PATH_MAX];
    if (!armed || !path || !find(at_folder, path, full)) return errno = before, 0;
    errno = before;
    return struck(call, full, group);
}

static int struck_open(const char *call, int descriptor, int group) {
    int before = errno;
    char full[PATH_MAX];
    if (!armed || !find_open(descriptor, full)) return errno = before, 0;
    errno = before;
    return struck(call, full, group);
}

static int opened(const char *call, int at_folder, const char *path, int flags) {
    int changes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
    int found = struck_path(call, at_folder, path, changes ? CHANGES : READS);
    if (found > 0) die();
    return found;
}

#define MODE(flags) mode_t mode = 0; if ((flags) & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); \
    mode = va_arg(rest, mode_t); va_end(rest); }
#define OPEN(name) int name(const char *path, int flags, ...) { MODE(flags) \
    return opened("open", AT_FDCWD, path, flags) < 0 ? -1 : REAL(name)(path, flags, mode); }
#define OPENAT(name) int name(int base, const char *path, int flags, ...) { MODE(flags) \
    return opened("open", base, path, flags) < 0 ? -1 : REAL(name)(base, path, flags, mode); }
#define FOPEN(name) FILE *name(const char *restrict path, const char *restrict mode) { \
    return opened("open", AT_FDCWD, path, strpbrk(mode, "wa+") ? O_WRONLY | O_CREAT : O_RDONLY) < 0 ? NULL \
        : REAL(name)(path, mode); }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
FOPEN(fopen)
FOPEN(fopen64)

ssize_t write(int descriptor, const void *bytes, size_t length) {
    int found = struck_open("write", descriptor, CHANGES);
    if (found < 0) return -1;
    ssize_t done = REAL(write)(descriptor, bytes, found ? length / 2 : length);
    if (found) die();
    return done;
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    int found = struck_open("write", descriptor, CHANGES);
    if (found < 0) return -1;
    ssize_t done = REAL(writev)(descriptor, parts, found ? count / 2 : count);
    if (found) die();
    return done;
}

#define PWRITE(name, offset_type) \
    ssize_t name(int descriptor, const void *bytes, size_t length, offset_type offset) { \
        int found = struck_open("write", descriptor, CHANGES); \
        if (found < 0) return -1; \
        ssize_t done = REAL(name)(descriptor, bytes, found ? length / 2 : length, offset); \
        if (found) die(); \
        return done; }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t read(int descriptor, void *bytes, size_t length) {
    if (struck_open("read", descriptor, READS) < 0) return -1;
    return REAL(read)(descriptor, bytes, length);
}

#define PATHS(call, ...) { int found = struck_path(call, __VA_ARGS__, CHANGES); if (found < 0) return -1; \
    if (found) die(); }
#define OPENED(name, call) { int found = struck_open(call, descriptor, CHANGES); if (found < 0) return -1; \
    if (found) die(); \
    return REAL(name)(descriptor); }
int fsync(int descriptor) OPENED(fsync, "fsync")
int fdatasync(int descriptor) OPENED(fdatasync, "fsync")
int rename(const char *from, const char *to) {
    PATHS("rename", AT_FDCWD, to)
    return REAL(rename)(from, to);
}
int renameat(int base, const char *from, int other, const char *to) {
    PATHS("rename", other, to)
    return REAL(renameat)(base, from, other, to);
}
int link(const char *from, const char *to) {
    PATHS("link", AT_FDCWD, to)
    return REAL(link)(from, to);
}
int unlink(const char *path) {
    PATHS("unlink", AT_FDCWD, path)
    return REAL(unlink)(path);
}
int unlinkat(int base, const char *path, int flags) {
    PATHS("unlink", base, path)
    return REAL(unlinkat)(base, path, flags);
}
int mkdir(const char *path, mode_t mode) {
    PATHS("mkdir", AT_FDCWD, path)
    return REAL(mkdir)(path, mode);
}
int mkdirat(int base, const char *path, mode_t mode) {
    PATHS("mkdir", base, path)
    return REAL(mkdirat)(base, path, mode);
}
int rmdir(const char *path) {
    PATHS("rmdir", AT_FDCWD, path)
    return REAL(rmdir)(path);
}
int ftruncate64(int descriptor, off64_t length) {
    int found = struck_open("truncate", descriptor, CHANGES);
    if (found < 0) return -1;
    if (found) die();
    return REAL(ftruncate64)(descriptor, length);
}
