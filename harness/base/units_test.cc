#include "harness/base/units.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "harness/base/philox.h"

namespace corerig {
namespace {

static_assert(!std::is_convertible_v<Bytes, Nanos> && !std::is_convertible_v<std::uint64_t, Bytes> &&
                  !std::is_convertible_v<int, CpuId>,
              "a size is no duration and an index no CPU");
static_assert(Rate::Hertz(1000).OffsetOf(1) == std::chrono::milliseconds(1), "usable in constant expressions");
static_assert(Rate::Hertz(1000).EventsBefore(std::chrono::seconds(1)) == 1000);

TEST(Rate, EventsLieAtExactMultiplesOfThePeriod) {
  EXPECT_EQ(Rate::Hertz(1000).OffsetOf(0).count(), 0);
  EXPECT_EQ(Rate::Hertz(1000).OffsetOf(1).count(), 1'000'000);
  EXPECT_EQ(Rate::Hertz(1000).OffsetOf(1'000'000'000'000).count(), 1'000'000'000'000'000'000);
  EXPECT_EQ(Rate::Hertz(1'000'000).OffsetOf((1ull << 40) + 1).count(), ((1ll << 40) + 1) * 1000);
  EXPECT_EQ(Rate{1}.OffsetOf(1'000'000).count(), 1'000'000'000'000'000'000) << "1 mHz";
}

TEST(Rate, APeriodThatIsNoWholeNumberOfNanosecondsDoesNotDrift) {
  EXPECT_EQ(Rate::Hertz(3).OffsetOf(1).count(), 333'333'333) << "rounded down";
  EXPECT_EQ(Rate::Hertz(3).OffsetOf(2).count(), 666'666'666);
  EXPECT_EQ(Rate::Hertz(3).OffsetOf(3).count(), 1'000'000'000);
  EXPECT_EQ(Rate::Hertz(3).OffsetOf(3'000'000).count(), 1'000'000'000'000'000);
  EXPECT_EQ(Rate{819'200}.OffsetOf(819'200).count(), 1'000'000'000'000) << "819.2 Hz";
}

TEST(Rate, AnEventOnTheBorderIsNotBeforeIt) {
  const Rate rate = Rate::Hertz(1000);
  EXPECT_EQ(rate.EventsBefore(Nanos(-5)), 0u);
  EXPECT_EQ(rate.EventsBefore(Nanos(0)), 0u);
  EXPECT_EQ(rate.EventsBefore(Nanos(1)), 1u);
  EXPECT_EQ(rate.EventsBefore(Nanos(1'000'000)), 1u);
  EXPECT_EQ(rate.EventsBefore(Nanos(1'000'001)), 2u);
  EXPECT_EQ(Rate::Hertz(3).EventsBefore(Nanos(333'333'333)), 1u);
  EXPECT_EQ(Rate::Hertz(3).EventsBefore(Nanos(333'333'334)), 2u);
}

// A number below 2^`bits`, of a magnitude drawn evenly: small and large ones alike.
std::uint64_t Draw(std::uint64_t index, std::uint32_t lane, int bits) {
  const auto words = RandomWords(7, StreamId("units"), index, lane);
  const std::uint64_t value = static_cast<std::uint64_t>(words[0]) << 32 | words[1];
  return value >> (64 - bits + static_cast<int>(words[2] % static_cast<std::uint32_t>(bits)));
}

TEST(Rate, EventsBeforeIsTheInverseOfOffsetOf) {
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    const Rate rate{static_cast<std::int64_t>(1 + Draw(i, 0, 29))};  // up to 0.5 MHz: no two events in one nanosecond
    const std::uint64_t k = Draw(i, 1, 40) % (static_cast<std::uint64_t>(rate.millihertz) * 9'000'000);
    const Nanos at = rate.OffsetOf(k);
    ASSERT_EQ(rate.EventsBefore(at), k) << rate.millihertz << " mHz";
    ASSERT_EQ(rate.EventsBefore(at + Nanos(1)), k + 1) << rate.millihertz << " mHz";
  }
}

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 Wide;
constexpr Wide kTera = 1'000'000'000'000u;

void ExpectExact(Rate rate, std::uint64_t k, std::uint64_t nanos) {
  const auto millihertz = static_cast<std::uint64_t>(rate.millihertz);
  if (const Wide offset = k * kTera / millihertz; offset <= INT64_MAX) {
    ASSERT_EQ(rate.OffsetOf(k).count(), static_cast<std::int64_t>(offset)) << k << " at " << millihertz << " mHz";
  }
  ASSERT_EQ(rate.EventsBefore(Nanos(static_cast<std::int64_t>(nanos))),
            static_cast<std::uint64_t>((static_cast<Wide>(nanos) * millihertz + kTera - 1) / kTera))
      << nanos << " ns at " << millihertz << " mHz";
}

TEST(Rate, AgreesWithArithmeticIn128Bits) {
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    const Rate rate{static_cast<std::int64_t>(1 + Draw(i, 0, 39))};
    ExpectExact(rate, Draw(i, 1, 63), Draw(i, 2, 63));
  }
}

TEST(Rate, AgreesWithArithmeticIn128BitsAtTheEnds) {
  for (const std::int64_t millihertz : {1ll, 999'999ll, 1'000'000ll, 1'000'001ll, 819'200ll, 999'999'999ll,
                                        1'000'000'000ll, 999'999'999'999ll, 1'000'000'000'000ll}) {
    for (const std::uint64_t number :
         {0ull, 1ull, 999'999'999'999ull, 1'000'000'000'000ull, 1'000'000'000'001ull, 1'000'000'000'000'000ull,
          1ull << 40, static_cast<unsigned long long>(INT64_MAX)}) {
      ExpectExact(Rate{millihertz}, number, number);
    }
  }
}
#endif

}  // namespace
}  // namespace corerig
