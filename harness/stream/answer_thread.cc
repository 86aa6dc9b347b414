#include "harness/stream/answer_thread.h"

#include <utility>

#include "harness/os/scheduling.h"

namespace corerig {
namespace {

// Bounded: a real-time source's memory is locked.
constexpr std::size_t kStackBytes = 256 << 10;
// Of an answer so much is read; what it says is the program's own affair.
constexpr std::size_t kLargest = 2048;

}  // namespace

Result<std::unique_ptr<AnswerThread>> AnswerThread::Start(std::vector<Input> inputs) {
  std::unique_ptr<AnswerThread> made(new AnswerThread(std::move(inputs)));
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  const int error = pthread_create(
      &made->thread_, &attributes,
      [](void* self) -> void* {
        static_cast<AnswerThread*>(self)->Body();
        return nullptr;
      },
      made.get());
  pthread_attr_destroy(&attributes);
  if (error != 0) return Fail("cannot start the thread that receives answers: ", ErrnoText(error));
  made->running_ = true;
  made->ready_.acquire();
  if (!made->status_) return Forward(made->status_);
  return made;
}

void AnswerThread::End() {
  if (!std::exchange(running_, false)) return;
  if (status_) loop_->Wake();
  pthread_join(thread_, nullptr);
}

Status AnswerThread::Prepare() {
  if (auto lowered = SetPolicy(0, Policy{}); !lowered) return lowered;
  auto loop = EventLoop::Create();
  if (!loop) return Forward(loop);
  loop_ = std::move(*loop);
  if (auto set = loop_->OnWake([this] { loop_->Stop(); }); !set) return set;
  for (auto& input : inputs_) {
    if (auto listens = Listen(input); !listens) return listens;
  }
  return {};
}

Status AnswerThread::Listen(Input& input) {
  if (input.on_endpoint != nullptr) {
    auto watch = loop_->WatchReadable(input.on_endpoint->fd(), [&input] {
      input.on_endpoint->Read([&input](Nanos at) { input.matcher.OnAnswer(at); });
    });
    if (!watch) return Forward(watch);
    watches_.push_back(std::move(*watch));
    return {};
  }
  auto receiver = Receiver::Start(
      *loop_, ChannelKind::kUdp, std::move(input.socket), kLargest,
      [&input](const Arrival& arrival) { input.matcher.OnAnswer(arrival.kernel_stamp.value_or(arrival.begin)); });
  if (!receiver) return Forward(receiver);
  receivers_.push_back(std::move(*receiver));
  return {};
}

void AnswerThread::Body() {
  status_ = Prepare();
  const bool prepared = status_.has_value();
  ready_.release();
  if (prepared) {
    loop_->Run();
    for (auto& receiver : receivers_) receiver.Drain();
    for (auto& input : inputs_) {
      if (input.on_endpoint) input.on_endpoint->Read([&input](Nanos at) { input.matcher.OnAnswer(at); });
    }
  }
  receivers_.clear();
  watches_.clear();
}

}  // namespace corerig
