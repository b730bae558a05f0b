// What is inside a REKEY frame, sealed for its receiver. First byte: bit 0 who receives it, bit 1 whether the rest is
// combined with the genuine message (so that a fuzzer starts one byte away from it); the rest: 41 bytes.

#include <algorithm>
#include <array>
#include <vector>

#include "check.hpp"
#include "rc155/observer.hpp"
#include "rc155/session.hpp"
#include "support/fake_provider.hpp"
#include "support/pair.hpp"

namespace {

using namespace qsp;
using fuzz::check;
using rc155::State;
using test::Frame;

std::unique_ptr<Endpoint> make(Role role, crypto::Provider& provider) {
  return std::move(*rc155::dangerous_make_session(role, provider));
}

Frame shape(std::uint8_t mode, Bytes input, Frame genuine) {
  genuine.resize(std::max(genuine.size(), input.size()));
  if ((mode & 2) == 0) return {input.begin(), input.end()};
  for (std::size_t i = 0; i < input.size(); ++i) genuine[i] ^= input[i];
  return genuine;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 200) return 0;
  const auto provider = test::make_fake_provider();
  test::Pair pair(make(Role::Client, *provider), make(Role::Server, *provider));
  pair.run();
  check(pair.rekey(Role::Server).has_value(), "no rekey");
  rc155::Observer observer(*provider);
  check(observer.watch(pair.made(Role::Client), pair.made(Role::Server)), "no observer");

  const Role to = (data[0] & 1) != 0 ? Role::Server : Role::Client;
  if (to == Role::Server) pair.deliver(Role::Server);
  Frame& frame = pair.in_flight(other(to)).front();
  const auto genuine = observer.open(other(to), frame);
  check(genuine.has_value(), "the observer reads everything");
  const Frame message = shape(data[0], Bytes(data, size).subspan(1), *genuine);
  frame = observer.seal(rc155::header_of(frame), to == Role::Server ? "rekey-ack" : "rekey-init", message);
  pair.deliver(other(to));

  // ACK has one lawful value; INIT has one but for the material.
  const std::size_t fixed = to == Role::Server ? 41 : 9;
  const bool lawful =
      message.size() == 41 &&
      std::equal(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(fixed), genuine->begin());
  check((pair.at(to).epoch() == 2) == lawful, "moved on an unlawful message, or not on a lawful one");
  check(pair.seen(to).closed.has_value() == !lawful, "open after an unlawful message, or closed by a lawful one");
  const bool altered = message != *genuine;
  pair.run();
  check((pair.at(Role::Server).epoch() == 2) == !altered, "the server moved although the messages differ");
  check(pair.defect().empty(), "Endpoint's contract");
  return 0;
}
