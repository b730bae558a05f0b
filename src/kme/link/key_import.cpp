#include "kme/link/key_import.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "base/try.hpp"
#include "etsi014/etsi014.hpp"
#include "https/client.hpp"
#include "kme/link/messages.hpp"
#include "text/escape.hpp"

namespace qsp::kme::link {
namespace {

using files::OrText;

constexpr std::size_t kMaxImportSize = std::size_t{64} * 1024;
constexpr std::chrono::seconds kImportTime{10};

OrText<KeysMessage> read_keys(const KeyImport& keys) {
  QSP_TRY(const auto text, files::read_private_file(keys.file, kMaxImportSize));
  const auto container = etsi014::parse_key_container(text.reveal_text());
  if (!container) return std::unexpected(keys.file + ": " + container.error());
  KeysMessage message;
  for (const etsi014::Key& key : container->keys) {
    const auto id = parse_uuid(key.key_id);
    if (!id) return std::unexpected(keys.file + ": a key_ID is not a UUID");
    if (key.key.size() != kPieceSize) return std::unexpected(keys.file + ": a key is not 32 bytes long");
    NewPiece piece;
    piece.id = *id;
    piece.bytes = Piece::copy_of(key.key.reveal());
    piece.owner = owner_of(*id) == 'a' ? Owner::Here : Owner::There;
    piece.simulated = keys.simulated || key.simulated;
    piece.expires = 1;  // the KME says how long its keys live
    message.pieces.push_back(std::move(piece));
  }
  if (message.pieces.size() > kMaxLinkItems) {
    return std::unexpected(fmt::format("{}: at most {} keys at a time; split the file", keys.file, kMaxLinkItems));
  }
  return message;
}

OrText<std::size_t> bring(const KeyImport& keys, const KeysMessage& message) {
  net::Loop loop;
  https::HttpClientOptions to;
  to.url = keys.url;
  to.tls = keys.tls;
  to.server_name = keys.server_name;
  QSP_TRY(auto client, https::Client::make(loop, to));
  OrText<std::size_t> added = std::unexpected("no answer");
  client->call({.method = https::Method::Post,
                .target = "/link/v1/" + text::url_escape(keys.link) + "/keys",
                .body = to_json(message, 'a'),
                .deadline = net::Loop::now() + kImportTime},
               [&](std::expected<https::Response, https::CallFailure> answer) {
                 loop.io().stop();
                 if (!answer) {
                   added = std::unexpected(answer.error().text);
                 } else if (answer->status != 200) {
                   added = std::unexpected(fmt::format(
                       "{} answers {}: {} (is this certificate among the link's feeders, and its producer \"feed\"?)",
                       keys.url, answer->status, text::terminal_escape(answer->body.reveal_text().substr(0, 200))));
                 } else if (const auto ids = parse_ids(answer->body.reveal_text())) {
                   added = ids->ids.size();
                 } else {
                   added = std::unexpected("the KME's answer: " + ids.error());
                 }
               });
  loop.run();
  return added;
}

}  // namespace

OrText<Imported> import_keys(const KeyImport& keys) {
  QSP_TRY(const auto message, read_keys(keys));
  QSP_TRY(const auto added, bring(keys, message));
  return Imported{.added = added, .left = message.pieces.size() - added};
}

}  // namespace qsp::kme::link
