#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include "files/file.hpp"
#include "keysource/pad.hpp"
#include "qsp/bytes.hpp"
#include "qsp/error.hpp"
#include "qsp/secret_bytes.hpp"
#include "wire/cursor.hpp"

namespace qsp::keysource {
namespace {

using files::OrText;

constexpr std::uint64_t kKeysPerWrite = 4096;

OrText<void> check(const PadSpec& spec) {
  if (spec.keys < kMinPadKeys || spec.keys > kMaxPadKeys) {
    return std::unexpected("a pad takes " + std::to_string(kMinPadKeys) + " to " + std::to_string(kMaxPadKeys) +
                           " keys");
  }
  if (spec.link.empty() || spec.link.size() > kMaxLinkNameSize) {
    return std::unexpected("the name of a link takes 1 to " + std::to_string(kMaxLinkNameSize) + " bytes");
  }
  return {};
}

std::string no_randomness(const Error& error) { return "no random bytes: " + std::string(error.where); }

/// Fills `out` with the records of keys first, first + 1, …
OrText<void> make_records(const Uuid& pad_id, std::uint64_t first, MutableBytes out, crypto::Rng& rng) {
  for (std::uint64_t index = first; !out.empty(); ++index) {
    const MutableBytes key = out.first(kKeySize);
    if (const Result<void> filled = rng.fill(key); !filled) return std::unexpected(no_randomness(filled.error()));
    wire::Writer check_writer(out.subspan(kKeySize, kRecordSize - kKeySize));
    check_writer.u64(record_check(pad_id, index, key));
    out = out.subspan(kRecordSize);
  }
  return {};
}

struct NewFile {
  const std::string& name;
  Half half;
  files::Descriptor fd;
};

OrText<void> write_pads(const PadSpec& spec, std::array<NewFile, 2>& copies, crypto::Rng& rng,
                        const std::function<void(std::uint64_t)>& progress) {
  std::array<std::uint8_t, 8> random{};
  if (const Result<void> filled = rng.fill(random); !filled) return std::unexpected(no_randomness(filled.error()));
  const Uuid pad_id = pad_id_from(random);
  for (const NewFile& copy : copies) {
    std::vector<std::uint8_t> start(kPadRecordsOffset);
    std::ranges::copy(encode(PadHeader{pad_id, copy.half, spec.simulated, spec.keys, spec.link}), start.begin());
    if (OrText<void> done = files::write_at(copy.fd.get(), copy.name, start, 0); !done) return done;
  }
  SecretBytes buffer(kKeysPerWrite * kRecordSize);
  for (std::uint64_t index = 0; index < spec.keys;) {
    const std::uint64_t count = std::min(kKeysPerWrite, spec.keys - index);
    const MutableBytes records = buffer.writable().first(static_cast<std::size_t>(count) * kRecordSize);
    if (OrText<void> done = make_records(pad_id, index, records, rng); !done) return done;
    for (const NewFile& copy : copies) {
      if (OrText<void> done = files::write_at(copy.fd.get(), copy.name, records, record_offset(index)); !done)
        return done;
    }
    index += count;
    if (progress) progress(index);
  }
  for (const NewFile& copy : copies) {
    if (OrText<void> done = files::sync_new_file(copy.fd.get(), copy.name); !done) return done;
  }
  return {};
}

}  // namespace

OrText<void> create_pads(const PadSpec& spec, const std::string& file_a, const std::string& file_b, crypto::Rng& rng,
                         const std::function<void(std::uint64_t)>& progress) {
  if (OrText<void> fine = check(spec); !fine) return fine;
  std::array<NewFile, 2> copies{NewFile{file_a, Half::A, {}}, NewFile{file_b, Half::B, {}}};
  OrText<void> done;
  for (NewFile& copy : copies) {
    OrText<files::Descriptor> fd = files::create_file(copy.name, files::kOwnerOnly);
    if (!fd) {
      done = std::unexpected(std::move(fd.error()));
      break;
    }
    copy.fd = std::move(*fd);
  }
  if (done) done = write_pads(spec, copies, rng, progress);
  if (!done) {
    for (const NewFile& copy : copies) {
      if (copy.fd) ::unlink(copy.name.c_str());
    }
  }
  return done;
}

}  // namespace qsp::keysource
