#include "harness/loop/raw_can.h"

#include <linux/can.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "harness/base/text.h"

namespace corerig {
namespace {

// A controller of its own has the name that its driver gives it, and wants to know how fast the bus is.
std::string Commands(const std::string& interface) {
  if (!interface.starts_with("vcan")) return StrCat("ip link set ", interface, " up type can bitrate 500000");
  return StrCat("modprobe vcan && ip link add ", interface, " type vcan && ip link set ", interface, " up");
}

}  // namespace

Result<Fd> OpenRawCan(const std::string& interface, CanSide side) {
  Fd bus(socket(PF_CAN, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, CAN_RAW));
  if (!bus.valid()) {
    return Fail("this kernel has no CAN (", ErrnoText(errno), "); it needs CONFIG_CAN, CONFIG_CAN_RAW and ",
                "CONFIG_CAN_VCAN, and then as root: ", Commands(interface));
  }
  ifreq request = {};
  interface.copy(request.ifr_name, sizeof request.ifr_name - 1);
  if (interface.size() >= sizeof request.ifr_name || ioctl(bus.get(), SIOCGIFFLAGS, &request) != 0) {
    return Fail("there is no interface ", interface, "; as root: ", Commands(interface));
  }
  const bool is_up = (request.ifr_flags & IFF_UP) != 0;
  if (ioctl(bus.get(), SIOCGIFHWADDR, &request) != 0 || request.ifr_hwaddr.sa_family != ARPHRD_CAN) {
    return Fail("interface ", interface, " is no CAN bus; name one that is, such as vcan0");
  }
  if (!is_up) return Fail("interface ", interface, " is down; as root: ip link set ", interface, " up");
  if (ioctl(bus.get(), SIOCGIFINDEX, &request) != 0) return Fail("there is no interface ", interface, " any more");
  if (side == CanSide::kSends) setsockopt(bus.get(), SOL_CAN_RAW, CAN_RAW_FILTER, nullptr, 0);
  sockaddr_can address = {};
  address.can_family = AF_CAN;
  address.can_ifindex = request.ifr_ifindex;
  if (bind(bus.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return Fail("cannot bind a socket to interface ", interface, ": ", ErrnoText(errno));
  }
  return bus;
}

}  // namespace corerig
