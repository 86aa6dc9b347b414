// The receiving end of streams that leave corerig: names, ports and sockets of a test's own.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace corerig {

// A path in the test's folder that nothing else has; nothing is there yet.
std::string NewPath(const std::string& name);

// Whether each line is a whole NMEA sentence with its checksum: IEC 61162-1, 7.2.6.
testing::AssertionResult IsNmea(const std::string& text);

// A socket on loopback; the caller closes it.
struct Bound {
  int fd = -1;
  std::string address;  // "127.0.0.1:40123"
};
// `type` is SOCK_DGRAM or SOCK_STREAM; of port 0 the kernel chooses one.
Bound Bind(int type, int port = 0);
// An address that was free a moment ago.
std::string FreeAddress(int type);

// Goes to a folder of ours, which the rig shares, and is seen from there: with all of that it may be longer than a
// socket's path may be.
std::string SocketPath();
// A listening Unix socket; the caller closes it.
int ListenAt(const std::string& path, int type);

}  // namespace corerig
