// Loaded into a process under test (LD_PRELOAD): calls of the C library fail as on a disk that has
// no such operation, or has trouble. Each variable holds "<errno>", or "<errno> <end of the path>".
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

static int fails(const char *variable, const char *path) {
  const char *value = getenv(variable);
  if (value == NULL) return 0;
  const char *end = strchr(value, ' ');
  if (end != NULL) {
    size_t length = strlen(++end), all = strlen(path);
    if (all < length || strcmp(path + all - length, end) != 0) return 0;
  }
  errno = atoi(value);
  return 1;
}

static const char *path_of(int fd, char *path, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, size - 1);
  path[length < 0 ? 0 : length] = '\0';
  return path;
}

static int lock(const char *name, int fd, int command, void *argument) {
  char path[4096];
  if (command == F_SETLK && fails("FAIL_LOCK", path_of(fd, path, sizeof path))) return -1;
  return REAL(name, int (*)(int, int, ...))(fd, command, argument);
}

static int open_any(const char *name, const char *path, int flags, mode_t mode) {
  if (fails("FAIL_OPEN", path)) return -1;
  return REAL(name, int (*)(const char *, int, ...))(path, flags, mode);
}

#define ARGUMENT(type, last) \
  va_list list; \
  va_start(list, last); \
  type argument = va_arg(list, type); \
  va_end(list)

int fcntl(int fd, int command, ...) {
  ARGUMENT(void *, command);
  return lock("fcntl", fd, command, argument);
}

int fcntl64(int fd, int command, ...) {
  ARGUMENT(void *, command);
  return lock("fcntl64", fd, command, argument);
}

int open(const char *path, int flags, ...) {
  ARGUMENT(mode_t, flags);
  return open_any("open", path, flags, argument);
}

int open64(const char *path, int flags, ...) {
  ARGUMENT(mode_t, flags);
  return open_any("open64", path, flags, argument);
}

int fsync(int fd) {
  struct stat found;
  char path[4096];
  if (fstat(fd, &found) == 0 && S_ISDIR(found.st_mode) &&
      fails("FAIL_FOLDER_SYNC", path_of(fd, path, sizeof path)))
    return -1;
  return REAL("fsync", int (*)(int))(fd);
}

int link(const char *from, const char *to) {
  if (fails("FAIL_LINK", to)) return -1;
  return REAL("link", int (*)(const char *, const char *))(from, to);
}
