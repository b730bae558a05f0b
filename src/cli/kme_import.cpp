#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "cli/app.hpp"
#include "cli/json.hpp"
#include "cli/kme.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "etsi014/etsi014.hpp"
#include "files/file.hpp"
#include "https/client.hpp"
#include "kme/link/messages.hpp"
#include "text/escape.hpp"

namespace qsp::cli {
namespace {

using files::OrText;

constexpr std::size_t kMaxImportSize = std::size_t{64} * 1024;
constexpr std::chrono::seconds kCallTime{10};

OrText<kme::link::KeysMessage> read_keys(const KmeImportOptions& options) {
  const auto text = files::read_private_file(options.file, kMaxImportSize);
  if (!text) return std::unexpected(text.error());
  const auto container = etsi014::parse_key_container(text->reveal_text());
  if (!container) return std::unexpected(options.file + ": " + container.error());
  kme::link::KeysMessage message;
  for (const etsi014::Key& key : container->keys) {
    const auto id = parse_uuid(key.key_id);
    if (!id) return std::unexpected(options.file + ": a key_ID is not a UUID");
    if (key.key.size() != kme::kPieceSize) return std::unexpected(options.file + ": a key is not 32 bytes long");
    kme::NewPiece piece;
    piece.id = *id;
    piece.bytes = kme::Piece::copy_of(key.key.reveal());
    piece.owner = kme::link::owner_of(*id) == 'a' ? kme::Owner::Here : kme::Owner::There;
    piece.simulated = options.simulated || key.simulated;
    piece.expires = 1;  // the KME says how long its keys live
    message.pieces.push_back(std::move(piece));
  }
  if (message.pieces.size() > kme::link::kMaxLinkItems) {
    return std::unexpected(
        fmt::format("{}: at most {} keys at a time; split the file", options.file, kme::link::kMaxLinkItems));
  }
  return message;
}

OrText<std::size_t> send(const KmeImportOptions& options, const kme::link::KeysMessage& message) {
  net::Loop loop;
  https::ClientOptions to;
  to.url = options.url;
  to.tls = {.certificate = options.certificate,
            .key = options.key,
            .authorities = options.authorities,
            .revoked = options.revoked,
            .allow_tls_1_2 = options.allow_tls_1_2};
  to.server_name = options.server_name;
  auto client = https::Client::make(loop, to);
  if (!client) return std::unexpected(client.error());
  OrText<std::size_t> added = std::unexpected("no answer");
  (*client)->call(
      {.method = https::Method::Post,
       .target = "/link/v1/" + text::url_escape(options.link) + "/keys",
       .body = kme::link::to_json(message, 'a'),
       .deadline = net::Loop::now() + kCallTime},
      [&](std::expected<https::Response, https::Failure> answer) {
        loop.io().stop();
        if (!answer) {
          added = std::unexpected(answer.error().text);
        } else if (answer->status != 200) {
          added = std::unexpected(fmt::format(
              "{} answers {}: {} (is this certificate among the link's feeders, and its producer \"feed\"?)",
              options.url, answer->status, text::terminal_escape(answer->body.reveal_text().substr(0, 200))));
        } else if (const auto ids = kme::link::parse_ids(answer->body.reveal_text())) {
          added = ids->ids.size();
        } else {
          added = std::unexpected("the KME's answer: " + ids.error());
        }
      });
  loop.run();
  return added;
}

}  // namespace

int run_kme_import(const KmeImportOptions& options, bool json) {
  const auto message = read_keys(options);
  const auto added = message ? send(options, *message) : OrText<std::size_t>(std::unexpected(message.error()));
  if (!added) {
    print_error(added.error());
    return kFailed;
  }
  const std::size_t left = message->pieces.size() - *added;
  if (json) {
    print_json({{"added", *added}, {"left", left}});
  } else {
    print_out("{} keys brought to link {}\n", *added, text::terminal_escape(options.link));
  }
  if (left == 0) return kOk;
  print_error(fmt::format("{} keys had no room in the pool; bring the file again later", left));
  return kFailed;
}

}  // namespace qsp::cli
