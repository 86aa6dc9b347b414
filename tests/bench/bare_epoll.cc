// What a careful C programmer writes without any rig: a source process that sends 16 bytes at absolute times, a
// receiver with epoll and recv. Prints the median of received - sent in ns.
//
//   bare_epoll SOURCE_CORE LOOP_CORE COUNT
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace {

int64_t Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

void Place(int core, int priority) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  sched_setaffinity(0, sizeof set, &set);
  sched_param param = {};
  param.sched_priority = priority;
  if (sched_setscheduler(0, SCHED_FIFO, &param) != 0) perror("sched_setscheduler");
  mlockall(MCL_CURRENT | MCL_FUTURE);
  prctl(PR_SET_TIMERSLACK, 1UL);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: bare_epoll SOURCE_CORE LOOP_CORE COUNT\n");
    return 1;
  }
  const int count = atoi(argv[3]);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends) != 0) return 1;
  const size_t size = sizeof(int64_t) * static_cast<size_t>(count);
  auto* sent = static_cast<int64_t*>(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (sent == MAP_FAILED) return 1;

  const pid_t source = fork();
  if (source == 0) {
    Place(atoi(argv[1]), 90);
    char frame[16] = {};
    const int64_t start = Now() + 200'000'000;
    for (int i = 0; i < count; ++i) {
      const int64_t due = start + i * 1'000'000LL;
      const timespec at = {due / 1'000'000'000, due % 1'000'000'000};
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
      sent[i] = Now();
      if (send(ends[0], frame, sizeof frame, MSG_NOSIGNAL) != sizeof frame) _exit(1);
    }
    sleep(1);
    _exit(0);
  }

  Place(atoi(argv[2]), 80);
  const int epoll = epoll_create1(0);
  epoll_event event = {};
  event.events = EPOLLIN;
  epoll_ctl(epoll, EPOLL_CTL_ADD, ends[1], &event);
  std::vector<int64_t> took;
  took.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count;) {
    if (epoll_wait(epoll, &event, 1, 2000) <= 0) break;
    char frame[64];
    while (i < count && recv(ends[1], frame, sizeof frame, 0) > 0) {
      took.push_back(Now() - sent[i]);
      ++i;
    }
  }
  waitpid(source, nullptr, 0);
  if (took.size() != static_cast<size_t>(count)) return 1;
  // As corerig has a warm-up of 500 ms.
  took.erase(took.begin(), took.begin() + std::min<long>(500, count / 2));
  std::nth_element(took.begin(), took.begin() + static_cast<long>(took.size() / 2), took.end());
  printf("%lld\n", static_cast<long long>(took[took.size() / 2]));
  return 0;
}
