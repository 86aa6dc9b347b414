#include "harness/report/proto_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace corerig {
namespace {

using Bytes = std::vector<std::uint8_t>;

// What `write` writes, or {} if it overflows `room` bytes.
template <typename Write>
Bytes Written(Write write, std::size_t room = 4096) {
  Bytes bytes(room);
  ProtoWriter writer(bytes);
  write(writer);
  bytes.resize(writer.size());
  return writer.overflowed() ? Bytes{} : bytes;
}

TEST(ProtoWriter, NumbersAndTextsAreThoseOfTheDocumentation) {
  // "Encoding" of the Protocol Buffers documentation: Test1 { a: 150 }, Test2 { b: "testing" }, -2 in ten bytes.
  EXPECT_EQ(Written([](ProtoWriter& w) { w.Number(1, 150); }), (Bytes{0x08, 0x96, 0x01}));
  EXPECT_EQ(Written([](ProtoWriter& w) { w.Text(2, "testing"); }),
            (Bytes{0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67}));
  EXPECT_EQ(Written([](ProtoWriter& w) { w.Signed(1, -2); }),
            (Bytes{0x08, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}));
}

TEST(ProtoWriter, VarintsTakeAsManyBytesAsTheyNeed) {
  const auto varint = [](std::uint64_t value) { return Written([=](ProtoWriter& w) { w.Varint(value); }); };
  EXPECT_EQ(varint(0), (Bytes{0}));
  EXPECT_EQ(varint(127), (Bytes{0x7f}));
  EXPECT_EQ(varint(128), (Bytes{0x80, 0x01}));
  EXPECT_EQ(varint(16383), (Bytes{0xff, 0x7f}));
  EXPECT_EQ(varint(16384), (Bytes{0x80, 0x80, 0x01}));
  EXPECT_EQ(varint(~0ull), (Bytes{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}));
}

TEST(ProtoWriter, FieldNumbersBeyondFifteenTakeMoreBytes) {
  EXPECT_EQ(Written([](ProtoWriter& w) { w.Number(60, 1); }), (Bytes{0xe0, 0x03, 0x01}));
  EXPECT_EQ(Written([](ProtoWriter& w) { w.Number(559, 1); }), (Bytes{0xf8, 0x22, 0x01}));
}

TEST(ProtoWriter, AMessageHasItsLengthOnceItIsClosed) {
  // Test3 { c: { a: 150 } }, its length in one byte and in three.
  EXPECT_EQ(Written([](ProtoWriter& w) {
              const auto message = w.OpenSmall(3);
              w.Number(1, 150);
            }),
            (Bytes{0x1a, 0x03, 0x08, 0x96, 0x01}));
  EXPECT_EQ(Written([](ProtoWriter& w) {
              const auto message = w.Open(3);
              w.Number(1, 150);
            }),
            (Bytes{0x1a, 0x83, 0x80, 0x00, 0x08, 0x96, 0x01}));
}

TEST(ProtoWriter, AContentLongerThanItsLengthCanTellIsAnOverflow) {
  const auto with = [](std::size_t size) {
    return Written([=](ProtoWriter& w) {
      const auto message = w.OpenSmall(3);
      w.Text(1, std::string(size - 2, 'x'));
    });
  };
  EXPECT_EQ(with(127).size(), 2u + 127);
  EXPECT_EQ(with(128), Bytes{});
}

TEST(ProtoWriter, NothingIsWrittenBeyondTheRoom) {
  for (std::size_t room = 0; room < 80; ++room) {
    Bytes bytes(room + 8, 0xee);
    ProtoWriter writer({bytes.data(), room});
    {
      const auto outer = writer.Open(1);
      const auto inner = writer.OpenSmall(2);
      writer.Text(3, "0123456789");
      writer.Number(4, ~0ull);
      writer.Varint(~0ull);
      writer.Bytes("abc");
    }
    EXPECT_LE(writer.size(), room);
    for (std::size_t i = room; i < bytes.size(); ++i) ASSERT_EQ(bytes[i], 0xee) << room;
    if (room >= 70) {
      EXPECT_FALSE(writer.overflowed());
    }
    if (room < 40) {
      EXPECT_TRUE(writer.overflowed());
    }
  }
}

}  // namespace
}  // namespace corerig
