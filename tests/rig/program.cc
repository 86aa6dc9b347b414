// What the tests have corerig run as "the user's own command": one verb per behaviour. Knows nothing of corerig.
//
//   self                where and as what it runs, one "name value" a line
//   lines MS TEXT       writes TEXT and a number every MS milliseconds, until SIGTERM; then "last" and exits 0
//   burn MS             a child burns MS of CPU time and is waited for; writes what getrusage says of it; then sleeps
//   burn-and-exit MS    the same, and exits 0
//   daemon              leaves a process in a session of its own, deaf to SIGTERM, and sleeps
//   daemon-and-exit     the same, writes the daemon's pid and exits 0
//   flood BYTES         writes BYTES as lines of 80, then sleeps
//   exit N, segv, deaf  exits N; dies by SIGSEGV; sleeps and ignores SIGTERM
//   children N MIB      N children of MIB each, touched; sleeps
//   read PATH           opens PATH and copies it to its output, until SIGTERM
//   answer PATH WHERE N opens PATH and answers each of the first N lines that begin with $GNRMC, 20 ms after it came:
//   by
//                       a datagram to that port of 127.0.0.1 or to that Unix socket, or with "back" by a line to PATH
//   datagrams PORT      binds that port of 127.0.0.1 and writes "datagram SIZE" for each that comes
//   threads MS          a thread burns MS of CPU time and ends; sleeps
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>

extern char** environ;

namespace {

double Seconds(clockid_t clock) {
  timespec now = {};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

[[noreturn]] void Sleep() {
  for (;;) pause();
}

void Burn(clockid_t clock, double milliseconds) {
  const double until = Seconds(clock) + milliseconds / 1000;
  while (Seconds(clock) < until) {
  }
}

void Self() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  std::printf("began %lld\n", static_cast<long long>(now.tv_sec) * 1'000'000'000 + now.tv_nsec);
  std::printf("pid %d\nsession %d\n", getpid(), getsid(0));
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof allowed, &allowed);
  std::printf("cores");
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) std::printf(" %d", cpu);
  }
  std::printf("\nslack %d\n", prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
  char here[4096] = "";
  if (getcwd(here, sizeof here) != nullptr) std::printf("cwd %s\n", here);
  std::printf("fds");
  DIR* directory = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(directory)) {
    if (const int fd = atoi(entry->d_name); entry->d_name[0] != '.' && fd != dirfd(directory)) std::printf(" %d", fd);
  }
  closedir(directory);
  std::printf("\n");
  for (char** variable = environ; *variable != nullptr; ++variable) std::printf("env %s\n", *variable);
  std::fflush(stdout);
  std::fprintf(stderr, "to stderr\n");
}

volatile sig_atomic_t told = 0;

int Lines(double milliseconds, const char* text) {
  signal(SIGTERM, [](int) { told = 1; });
  for (long i = 0; told == 0; ++i) {
    std::printf("%s %ld\n", text, i);
    std::fflush(stdout);
    usleep(static_cast<useconds_t>(milliseconds * 1000));
  }
  std::printf("last\n");
  return 0;
}

void BurnInChild(double milliseconds) {
  usleep(200'000);  // a supervisor that comes late to the beginning misses nothing
  if (fork() == 0) {
    Burn(CLOCK_PROCESS_CPUTIME_ID, milliseconds);
    _exit(0);
  }
  wait(nullptr);
  rusage used = {};
  getrusage(RUSAGE_CHILDREN, &used);
  const long long microseconds =
      (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1'000'000LL + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
  std::printf("used %lld us\n", microseconds);
  std::fflush(stdout);
}

void LeaveDaemon() {
  if (fork() != 0) {
    wait(nullptr);
    return;
  }
  setsid();
  if (const pid_t daemon = fork(); daemon != 0) {
    std::printf("daemon %d\n", daemon);
    std::fflush(stdout);
    _exit(0);
  }
  signal(SIGTERM, SIG_IGN);
  Sleep();
}

void Flood(long bytes) {
  const std::string line = std::string(79, 'x') + "\n";
  for (long written = 0; written < bytes; written += static_cast<long>(line.size())) {
    std::fwrite(line.data(), 1, line.size(), stdout);
  }
  std::fflush(stdout);
}

void Children(int count, std::size_t size) {
  for (int i = 0; i < count; ++i) {
    if (fork() != 0) continue;
    char* memory = static_cast<char*>(malloc(size));
    std::memset(memory, 'x', size);
    Sleep();
  }
}

int Read(const char* path) {
  const int fd = open(path, O_RDWR | O_NOCTTY);
  if (fd < 0) return 1;
  char buffer[4096];
  for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;) {
    if (write(STDOUT_FILENO, buffer, static_cast<std::size_t>(n)) != n) return 1;
  }
  Sleep();
}

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

// A socket that sends datagrams there.
int DatagramsTo(const std::string& where) {
  if (where.front() == '/') {
    const int out = socket(AF_UNIX, SOCK_DGRAM, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    where.copy(address.sun_path, sizeof address.sun_path - 1);
    return connect(out, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? out : -1;
  }
  const int out = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in address = Loopback(std::stoi(where));
  return connect(out, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? out : -1;
}

int Answer(const char* path, const std::string& where, int most) {
  const int in = open(path, O_RDWR | O_NOCTTY);
  const int out = where == "back" ? in : DatagramsTo(where);
  std::FILE* lines = fdopen(in, "r");
  if (lines == nullptr || out < 0) return 1;
  char line[256];
  while (std::fgets(line, sizeof line, lines) != nullptr) {
    if (std::strncmp(line, "$GNRMC", 6) != 0 || most-- <= 0) continue;
    usleep(20'000);
    if (write(out, "done\n", 5) != 5) return 1;
  }
  return 1;
}

int Datagrams(int port) {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in address = Loopback(port);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return 1;
  static char buffer[65536];
  for (ssize_t n; (n = recv(fd, buffer, sizeof buffer, 0)) >= 0;) {
    std::printf("datagram %zd\n", n);
    std::fflush(stdout);
  }
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  const double number = argc > 2 ? atof(argv[2]) : 0;
  if (verb == "exit") return static_cast<int>(number);
  if (verb == "lines") return Lines(number, argc > 3 ? argv[3] : "unit");
  if (verb == "segv") {
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
  }
  if (verb == "self") Self();
  if (verb == "burn" || verb == "burn-and-exit") BurnInChild(number);
  if (verb == "burn-and-exit") return 0;
  if (verb == "daemon" || verb == "daemon-and-exit") LeaveDaemon();
  if (verb == "daemon-and-exit") return 0;
  if (verb == "read" && argc > 2) return Read(argv[2]);
  if (verb == "answer" && argc > 4) return Answer(argv[2], argv[3], atoi(argv[4]));
  if (verb == "datagrams") return Datagrams(static_cast<int>(number));
  if (verb == "flood") Flood(static_cast<long>(number));
  if (verb == "deaf") signal(SIGTERM, SIG_IGN);
  if (verb == "children" && argc > 3) Children(static_cast<int>(number), static_cast<std::size_t>(atoi(argv[3])) << 20);
  if (verb == "threads") std::thread([&] { Burn(CLOCK_THREAD_CPUTIME_ID, number); }).join();
  Sleep();
}
