#pragma once

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string_view>

#include "etsi014/etsi014.hpp"

/// The members of the standard's objects: their names, and how one of each type is read.
namespace qsp::etsi014 {

template <class T>
struct StatusField {
  std::string_view name;
  T Status::* member;
};

/// §6.1, in its order.
inline constexpr std::array<StatusField<std::string>, 4> kStatusTexts{{{"source_KME_ID", &Status::source_kme_id},
                                                                       {"target_KME_ID", &Status::target_kme_id},
                                                                       {"master_SAE_ID", &Status::master_sae_id},
                                                                       {"slave_SAE_ID", &Status::slave_sae_id}}};
inline constexpr std::array<StatusField<std::uint64_t>, 7> kStatusNumbers{
    {{"key_size", &Status::key_size},
     {"stored_key_count", &Status::stored_key_count},
     {"max_key_count", &Status::max_key_count},
     {"max_key_per_request", &Status::max_key_per_request},
     {"max_key_size", &Status::max_key_size},
     {"min_key_size", &Status::min_key_size},
     {"max_SAE_ID_count", &Status::max_sae_id_count}}};

/// Ours, in an extension object.
inline constexpr std::string_view kSimulated = "simulated";

/// An optional member. Null where there is none, or where it is JSON's null, which is as good as absent.
const boost::json::value* member_of(const boost::json::object& object, std::string_view name);
/// A string of 1…`most` bytes. `name` is the member's, for the error.
Parsed<std::string> read_text(const boost::json::value* value, std::string_view name, std::size_t most);
/// A whole number of 64 bits, written as one.
Parsed<std::uint64_t> read_number(const boost::json::value* value, std::string_view name);
/// A list of at most `most` items; null where there is no such member, or it is JSON's null.
Parsed<const boost::json::array*> read_list(const boost::json::object& object, std::string_view name, std::size_t most);
/// Checks a list of objects that may be there.
Parsed<bool> read_extensions(const boost::json::object& object, std::string_view name);
/// Whether an extension object, which may be absent or null, says that keys are simulated. Any value counts as yes,
/// except false, null, 0, and the texts "false", "no" and "0": a warning that is misread would not be passed on.
Parsed<bool> read_simulated(const boost::json::object& object, std::string_view name);

/// "NAME: WHAT" as an error.
std::unexpected<std::string> wrong(std::string_view name, std::string_view what);

}  // namespace qsp::etsi014
