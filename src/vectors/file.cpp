// A played scenario as the JSON of vectors/README.md.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/hex.hpp"
#include "base/try.hpp"
#include "qsp/suites.hpp"
#include "vectors/play.hpp"
#include "wire/handshake.hpp"
#include "wire/rekey.hpp"

namespace qsp::vectors {
namespace {

namespace json = boost::json;

/// Two spaces a level, an empty array in one line.
void print(std::string& out, const json::value& value, std::size_t level = 0) {
  const auto line = [&out](std::size_t depth) { out.append(1, '\n').append(2 * depth, ' '); };
  if (const json::object* object = value.if_object(); object != nullptr) {
    std::string_view before = "{";
    for (const auto& [key, item] : *object) {
      out += std::exchange(before, ",");
      line(level + 1);
      out += json::serialize(key) + ": ";
      print(out, item, level + 1);
    }
    line(level);
    out += '}';
  } else if (const json::array* array = value.if_array(); array != nullptr && !array->empty()) {
    std::string_view before = "[";
    for (const json::value& item : *array) {
      out += std::exchange(before, ",");
      line(level + 1);
      print(out, item, level + 1);
    }
    line(level);
    out += ']';
  } else {
    out += json::serialize(value);
  }
}

/// The type of a rekey message, or 0.
std::uint8_t rekey_type(const Opened& frame) {
  return frame.header.type == wire::FrameType::Rekey ? frame.plaintext.at(4) : std::uint8_t{0};
}
constexpr std::uint8_t kInit = 1, kAck = 2, kDone = 5;

/// Writes one file out of what was played.
class Writer {
 public:
  Writer(const Scenario& scenario, crypto::Provider& provider, const Ends& ends, const Play& play,
         const std::vector<Opened>& frames)
      : scenario_(scenario), provider_(provider), ends_(ends), play_(play), frames_(frames) {}

  json::object head() const;
  Result<json::object> handshake() const;
  Result<json::array> epochs() const;
  json::array exports() const;
  /// Where a frame stands in the file: epoch and index in it.
  [[nodiscard]] std::pair<std::uint32_t, std::size_t> place(std::size_t index) const;

 private:
  json::object suite() const;
  json::object key(Role role) const;
  Result<json::object> rekey(std::uint32_t epoch) const;
  Result<std::string> th(std::initializer_list<Bytes> messages) const;
  /// The KEM private key that `role` drew behind draw `first`; empty where a draw is not the key itself (P-256, P-384).
  [[nodiscard]] std::string kem_private_key(Role role, std::size_t first) const;
  [[nodiscard]] std::string secret(std::uint32_t epoch, std::string_view name) const {
    return to_hex(ends_.secrets().at(epoch, name));
  }
  [[nodiscard]] std::uint32_t last_epoch() const { return frames_.back().header.epoch; }

  const Scenario& scenario_;
  crypto::Provider& provider_;
  const Ends& ends_;
  const Play& play_;
  const std::vector<Opened>& frames_;
};

json::object Writer::suite() const {
  const auto named = [](const auto& row) {
    return json::object{{"code", static_cast<std::uint16_t>(row.id)}, {"name", row.name}};
  };
  return {{"kem", named(crypto::info(scenario_.kem))},
          {"sig_client", named(crypto::info(scenario_.signature))},
          {"sig_server", named(crypto::info(scenario_.signature))},
          {"aead", named(crypto::info(scenario_.aead))}};
}

json::object Writer::key(Role role) const {
  const End& end = ends_.at(role);
  return {{"private_key", to_hex(end.private_key)},
          {"public_key", to_hex(end.key.key.bytes)},
          {"spki", to_hex(end.spki)},
          {"identity", to_hex(end.key.identity)},
          {"sae_id", end.sae_id}};
}

json::object Writer::head() const {
  const bool qkd = scenario_.qkd != QkdPolicy::None;
  return {{"format", "qsp-vectors-1"},
          {"name", scenario_.name},
          {"description", scenario_.description},
          {"suite", suite()},
          {"qkd_offer", static_cast<std::uint8_t>(scenario_.qkd)},
          {"qkd_mode", qkd ? 1 : 0},
          {"session_id", to_hex(Bytes(frames_.at(1).frame).subspan(2, 8))},
          {"keys", json::object{{"client", key(Role::Client)}, {"server", key(Role::Server)}}}};
}

Result<std::string> Writer::th(std::initializer_list<Bytes> messages) const {
  QSP_TRY(const auto digest, schedule::transcript_hash(provider_.hkdf(), messages));
  return to_hex(digest);
}

std::string Writer::kem_private_key(Role role, std::size_t first) const {
  const std::vector<Buffer>& draws = ends_.at(role).script->draws();
  switch (scenario_.kem) {
    case crypto::KemId::MlKem512:
    case crypto::KemId::MlKem768:
    case crypto::KemId::MlKem1024:
      return to_hex(draws.at(first + 1));
    case crypto::KemId::X25519MlKem768:
      return to_hex(draws.at(first + 1)) + to_hex(draws.at(first + 2));
    case crypto::KemId::SecP256r1MlKem768:
    case crypto::KemId::SecP384r1MlKem1024:
      return {};
  }
  return {};
}

Result<json::object> Writer::handshake() const {
  static constexpr std::array<std::string_view, 5> kNames{"CLIENT_HELLO", "SERVER_HELLO", "SERVER_AUTH", "CLIENT_AUTH",
                                                          "SERVER_FINISH"};
  json::array messages;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const Opened& frame = frames_.at(i);
    messages.push_back(json::object{{"name", kNames[i]},
                                    {"from", name_of(frame.from)},
                                    {"plaintext", to_hex(frame.plaintext)},
                                    {"frame", to_hex(frame.frame)}});
  }
  const bool qkd = scenario_.qkd != QkdPolicy::None;
  const Buffer &ch = frames_[0].plaintext, &sh = frames_[1].plaintext, &sa = frames_[2].plaintext;
  const Buffer &ca = frames_[3].plaintext, &sf = frames_[4].plaintext;
  const auto server_auth = wire::parse_server_auth(sa, qkd);
  const auto client_auth = wire::parse_client_auth(ca, qkd);
  const auto finish = wire::parse_server_finish(sf);
  if (!server_auth || !client_auth || !finish) {
    return qsp::fail(ErrorKind::Internal, Reason::InternalError, "a handshake message does not parse");
  }
  const auto th_ch_sh = th({ch, sh}), th_sa = th({ch, sh, server_auth->signed_part});
  const auto th_ca = th({ch, sh, sa, client_auth->signed_part}), th4 = th({ch, sh, sa, client_auth->up_to_confirm});
  const auto th_sf = th({ch, sh, sa, ca, finish->up_to_confirm});
  for (const auto* hash : {&th_ch_sh, &th_sa, &th_ca, &th4, &th_sf}) {
    if (!*hash) return std::unexpected(hash->error());
  }
  const auto signed_input = [](std::string_view context, const std::string& hash) {
    return to_hex(as_bytes(context)) + "00" + hash;
  };

  json::object out{{"messages", std::move(messages)}};
  // CLIENT_HELLO's nonce is the client's first draw; its KEM key pair follows.
  if (std::string private_key = kem_private_key(Role::Client, 0); !private_key.empty()) {
    out["kem_private_key"] = private_key;
  }
  for (const std::string_view name : {"ss", "qkd_key"}) out[name] = secret(0, name);
  out["key_id"] = client_auth->key_id;
  for (const std::string_view name : {"hs_secret", "c_hs", "s_hs"}) out[name] = secret(0, name);
  out["th_ch_sh"] = *th_ch_sh;
  out["th_sa"] = *th_sa;
  out["sig_s_input"] = signed_input(handshake::kServerAuthContext, *th_sa);
  out["th_ca"] = *th_ca;
  out["sig_c_input"] = signed_input(handshake::kClientAuthContext, *th_ca);
  out["th4"] = *th4;
  for (const std::string_view name : {"derived", "master"}) out[name] = secret(0, name);
  out["c_finished"] = secret(0, "c finished");
  out["s_finished"] = secret(0, "s finished");
  out["confirm_c"] = to_hex(client_auth->confirm);
  out["th_sf"] = *th_sf;
  out["confirm_s"] = to_hex(finish->confirm);
  out["epoch_secret_1"] = secret(1, "epoch_secret");
  return out;
}

Result<json::object> Writer::rekey(std::uint32_t epoch) const {
  const auto last = [&](std::uint32_t in, std::uint8_t type) -> const Buffer& {
    const auto found = std::find_if(frames_.rbegin(), frames_.rend(), [&](const Opened& frame) {
      return frame.header.epoch == in && rekey_type(frame) == type;
    });
    static const Buffer none;
    return found == frames_.rend() ? none : found->plaintext;
  };
  const Buffer &init = last(epoch, kInit), &ack = last(epoch, kAck), &done = last(epoch + 1, kDone);
  const auto parsed_init = wire::parse_rekey(init);
  const auto parsed_ack = wire::parse_rekey(ack);
  if (!parsed_init || !parsed_ack) {
    return qsp::fail(ErrorKind::Internal, Reason::InternalError, "a rekey message does not parse");
  }
  const auto& fields = std::get<wire::RekeyInit>(*parsed_init);
  const Bytes ack_bytes(ack);
  QSP_TRY(const auto thr, th({init, ack_bytes.first(wire::kAckConfirmBegin), ack_bytes.subspan(wire::kAckConfirmEnd)}));

  json::object out{
      {"init", to_hex(init)}, {"ack", to_hex(ack)}, {"done", to_hex(done)}, {"material", to_hex(fields.material)}};
  if (!fields.kem_public_key.empty()) {
    const std::vector<Buffer>& draws = ends_.at(Role::Server).script->draws();
    const auto material =
        std::ranges::find_if(draws, [&](const Buffer& draw) { return std::ranges::equal(draw, fields.material); });
    std::string private_key = kem_private_key(Role::Server, static_cast<std::size_t>(material - draws.begin()));
    if (!private_key.empty()) out["kem_private_key"] = private_key;
  }
  out["ss"] = secret(epoch + 1, "rekey_ss");
  out["qkd_key"] = secret(epoch + 1, "rekey_qkd_key");
  out["key_id"] = fields.key_id;
  out["thr"] = thr;
  out["prk"] = secret(epoch + 1, "prk");
  out["confirm"] = to_hex(std::get<wire::RekeyAck>(*parsed_ack).confirm);
  return out;
}

Result<json::array> Writer::epochs() const {
  json::array out;
  for (std::uint32_t epoch = 1; epoch <= last_epoch(); ++epoch) {
    json::object one{{"epoch", epoch}};
    for (const std::string_view name : {"epoch_secret", "c_key", "s_key", "ratchet", "exporter"}) {
      one[name] = secret(epoch, name);
    }
    json::array frames;
    for (const Opened& frame : frames_) {
      if (frame.header.epoch != epoch) continue;
      frames.push_back(json::object{{"from", name_of(frame.from)},
                                    {"type", static_cast<std::uint8_t>(frame.header.type)},
                                    {"flags", frame.header.flags},
                                    {"n", frame.n},
                                    {"plaintext", to_hex(frame.plaintext)},
                                    {"frame", to_hex(frame.frame)}});
    }
    one["frames"] = std::move(frames);
    if (epoch < last_epoch()) {
      QSP_TRY(auto ended_by, rekey(epoch));
      one["rekey"] = std::move(ended_by);
    }
    out.push_back(std::move(one));
  }
  return out;
}

json::array Writer::exports() const {
  json::array out;
  for (const ExportedKey& key : play_.exports()) {
    out.push_back(json::object{{"epoch", key.epoch},
                               {"label", key.label},
                               {"context", to_hex(key.context)},
                               {"size", key.key.size()},
                               {"key", to_hex(key.key)}});
  }
  return out;
}

std::pair<std::uint32_t, std::size_t> Writer::place(std::size_t index) const {
  const std::uint32_t epoch = frames_.at(index).header.epoch;
  const auto before = std::count_if(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(index),
                                    [epoch](const Opened& frame) { return frame.header.epoch == epoch; });
  return {epoch, static_cast<std::size_t>(before)};
}

/// The frame that a target names; the number of frames where there is none.
std::size_t find(const std::vector<Opened>& frames, Target target) {
  const auto data = [&](Role from, std::size_t nth) {
    std::size_t i = 0;
    for (; i < frames.size(); ++i) {
      if (frames[i].from == from && frames[i].header.type == wire::FrameType::AppData && nth-- == 0) break;
    }
    return i;
  };
  switch (target) {
    case Target::ClientHello:
      return 0;
    case Target::ServerAuth:
      return 2;
    case Target::ClientAuth:
      return 3;
    case Target::ServerFinish:
      return 4;
    case Target::ClientData:
      return data(Role::Client, 1);
    case Target::ServerData:
      return data(Role::Server, 0);
    case Target::Ack: {
      const auto last =
          std::find_if(frames.rbegin(), frames.rend(), [](const Opened& f) { return rekey_type(f) == kAck; });
      return last == frames.rend() ? frames.size() : static_cast<std::size_t>(last.base() - frames.begin()) - 1;
    }
    case Target::Done:
      return static_cast<std::size_t>(
          std::ranges::find_if(frames, [](const Opened& f) { return rekey_type(f) == kDone; }) - frames.begin());
  }
  return frames.size();
}

Result<Buffer> altered(const Alteration& alteration, const std::vector<Opened>& frames, std::size_t index,
                       const Secrets& secrets, crypto::Provider& provider, crypto::AeadId aead) {
  const Opened& original = frames.at(index);
  const auto flip = [&](Buffer bytes) {
    const auto size = static_cast<int>(bytes.size());
    const int at = alteration.offset < 0 ? size + alteration.offset : alteration.offset;
    bytes.at(static_cast<std::size_t>(at)) ^= alteration.mask;
    return bytes;
  };
  switch (alteration.kind) {
    case Alteration::Kind::Frame:
      return flip(original.frame);
    case Alteration::Kind::Resealed:
      return reseal(original, flip(original.plaintext), secrets, provider, aead);
    case Alteration::Kind::Replay: {
      const auto before = std::find_if(frames.rend() - static_cast<std::ptrdiff_t>(index), frames.rend(),
                                       [&](const Opened& frame) { return frame.from == original.from; });
      return before->frame;
    }
  }
  return original.frame;
}

std::expected<json::array, std::string> failing(const Scenario& scenario, crypto::Provider& provider,
                                                const Writer& writer, const std::vector<Opened>& frames,
                                                const Secrets& secrets) {
  json::array out;
  for (const Alteration& alteration : scenario.failing) {
    const std::size_t index = find(frames, alteration.target);
    if (index == frames.size()) return std::unexpected("no frame to alter: " + std::string(alteration.description));
    const auto frame = altered(alteration, frames, index, secrets, provider, scenario.aead);
    if (!frame) return std::unexpected(std::string(frame.error().where));
    // The same session again, up to the altered frame: its receiver says why it refuses it.
    QSP_TRY(const auto ends, Ends::make(scenario, provider));
    Play play(*ends);
    if (const auto played = play.run(scenario, Swap{index, *frame}); !played) {
      return std::unexpected(played.error() + ": " + std::string(alteration.description));
    }
    const auto [epoch, place] = writer.place(index);
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): Play::run has failed where nothing was refused
    const Reason reason = *play.refusal();
    out.push_back(json::object{{"description", alteration.description},
                               {"epoch", epoch},
                               {"frame_index", place},
                               {"from", name_of(frames[index].from)},
                               {"altered_frame", to_hex(*frame)},
                               {"reason", name(reason)}});
  }
  return out;
}

}  // namespace

std::expected<std::string, std::string> make_vector(const Scenario& scenario, crypto::Provider& provider) {
  const auto text = [&](const Error& error) {
    return std::unexpected(std::string(scenario.name) + ": " + std::string(error.where));
  };
  QSP_TRY(const auto ends, Ends::make(scenario, provider));
  Play play(*ends);
  QSP_TRY(play.run(scenario));
  const auto frames = open_all(play.wire(), ends->secrets(), provider, scenario.aead);
  if (!frames) return text(frames.error());

  const Writer writer(scenario, provider, *ends, play, *frames);
  json::object out = writer.head();
  auto handshake = writer.handshake();
  if (!handshake) return text(handshake.error());
  auto epochs = writer.epochs();
  if (!epochs) return text(epochs.error());
  auto refused = failing(scenario, provider, writer, *frames, ends->secrets());
  if (!refused) return std::unexpected(std::string(scenario.name) + ": " + refused.error());
  out["handshake"] = std::move(*handshake);
  out["epochs"] = std::move(*epochs);
  out["exports"] = writer.exports();
  out["failing"] = std::move(*refused);
  std::string file;
  print(file, out);
  return file + '\n';
}

}  // namespace qsp::vectors
