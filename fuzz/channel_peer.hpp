#pragma once

#include "qsp/bytes.hpp"
#include "qsp/endpoint.hpp"

namespace qsp::fuzz {

/// Puts a genuine end of this role into the state that the first byte names, and plays a peer who has all keys:
///
///   byte 0      the state (SPEC §5.6, §7.3), among those of the role
///   byte 1      how many bytes the end is handed at a time (0: all)
///   then, again and again, one byte of what to do and what it takes:
///     0  say the lawful next message, with bytes changed: count u8 ‖ (offset u16 ‖ mask u8)*, then bytes appended lp8
///     1  seal a plaintext lp16 of the input's, behind type u8 and flags u8
///     2  the same with a header off by session u8, epoch i8, seq i8
///     3  raw bytes lp8
///     4  answer what the end asks its KME for: with a key, a wrong key_ID, or a failure
///     5  let time pass, seconds u8
///     6  act at the end itself: data, END, rekey, close
///
/// Fails on a breach of Endpoint's contract, on Established out of forged messages, and on data that nobody sealed.
void play_channel_peer(Role genuine, Bytes input);

}  // namespace qsp::fuzz
