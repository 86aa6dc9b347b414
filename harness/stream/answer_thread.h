// Receives the answers of external receivers in a thread of its own, beside the one that emits.
//
//   auto answers = AnswerThread::Start(std::move(inputs));
//   ... the source emits ...
//   (*answers)->End();              // reads what has come, and joins
//
// It is SCHED_OTHER whatever the source is, on the source's core: the kernel stamps a message when it comes, so it may
// be read later. Bytes have no stamp: that they are read late makes reactions longer, never shorter.
#pragma once

#include <pthread.h>

#include <memory>
#include <semaphore>
#include <vector>

#include "harness/base/result.h"
#include "harness/loop/channel.h"
#include "harness/loop/endpoint_answers.h"
#include "harness/loop/event_loop.h"
#include "harness/os/fd.h"
#include "harness/stream/answers.h"

namespace corerig {

class AnswerThread {
 public:
  struct Input {
    Fd socket;  // of OpenAnswers; not valid where the answers come on the endpoint:
    std::shared_ptr<EndpointAnswers> on_endpoint;
    AnswerMatcher matcher;
  };

  // Returns when it listens.
  static Result<std::unique_ptr<AnswerThread>> Start(std::vector<Input> inputs);
  AnswerThread(const AnswerThread&) = delete;
  ~AnswerThread() { End(); }

  void End();

 private:
  explicit AnswerThread(std::vector<Input> inputs) : inputs_(std::move(inputs)) {}
  void Body();
  Status Prepare();
  Status Listen(Input& input);

  std::vector<Input> inputs_;
  std::unique_ptr<EventLoop> loop_;
  std::vector<Receiver> receivers_;
  std::vector<std::unique_ptr<EventLoop::Watch>> watches_;
  std::binary_semaphore ready_{0};
  Status status_;  // the thread's, read after ready_
  pthread_t thread_{};
  bool running_ = false;
};

}  // namespace corerig
