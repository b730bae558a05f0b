/* Rekey, END and CLOSE of QSP 1.0 (docs/SPEC.md §7, §8) for SPIN 6.5.   formal/spin.sh runs it.
 *
 * A client and a server that keep to the rules, over one FIFO each way. The connection may die at any point; KMEs may fail
 * KME_FAILURES times, QKD keys may differ, timers may run out whenever they run, applications send, end, close and ask for new
 * keys as they like. Keys are epoch numbers: a frame is opened by the key of its epoch, if its receiver still holds that. What a
 * receiver refuses (EPOCH_MISMATCH, PROTOCOL_ERROR) is an assertion here: nobody misbehaves, so none may fail.
 *
 * -DBROKEN_… makes one variant that the design rejects; each has to fail.
 */
#ifndef EPOCHS
#define EPOCHS 3        /* two rekeys; the last epoch has no trigger */
#endif
#ifndef KME_FAILURES
#define KME_FAILURES 2  /* both KMEs together */
#endif
#define DATA_ROOM 2     /* applications write while fewer frames than this are on their way */
#define ROOM 6          /* and the control frames find room behind them: put() checks it */

mtype = { DATA, END, INIT, ACK, REQ, NAK, DONE, CLOSE };
mtype = { OPEN, NORMAL, FAILED, LOST };              /* an end's outcome; FAILED: REKEY_FAILED or the hard life, LOST: end of stream */
mtype = { IDLE, AWAIT_KEY, AWAIT_ACK, AWAIT_DONE };  /* §7.3; Backoff is IDLE with a rekey due */

chan up   = [ROOM] of { mtype, byte, mtype, bit };   /* type, epoch, CLOSE: reason, INIT: has a key_ID */
chan down = [ROOM] of { mtype, byte, mtype, bit };
bool up_shut, down_shut;   /* the writer has shut its side */
bool dead;                 /* the connection is gone: what is in flight may arrive or not, what is written does not */

bool mode1, required;      /* qkd_mode; either end's policy is "required" */
byte failures;             /* that the KMEs may still have */
bool disturbed;            /* an application or a timer closed, or the ends' QKD keys differed */

mtype c_step = IDLE, s_step = IDLE;
mtype c_outcome = OPEN, s_outcome = OPEN;
byte c_send = 1, c_recv = 1;   /* the client's epochs; the server's two are always one */
byte s_epoch = 1;
byte c_keys = 2, s_keys = 2;   /* receiving keys held: bit e for epoch e */
bool c_sent_end, c_got_end, s_sent_end, s_got_end;
bool c_requested, s_due, s_with_key;

#define c_clean (c_outcome == NORMAL && c_got_end)
#define s_clean (s_outcome == NORMAL && s_got_end)

inline put(channel, type, epoch, reason, key) {
  if
  :: dead -> skip
  :: else -> assert(len(channel) < ROOM); channel ! type, epoch, reason, key
  fi
}

/* --- client --------------------------------------------------------------------------------------------------------- */

inline c_close(reason) {
  put(up, CLOSE, c_send, reason, 0);
  c_outcome = reason;
  up_shut = true
}

inline c_commit() {  /* §7.4: right after ACK; epoch e is accepted until DONE */
  put(up, ACK, c_send, OPEN, 0);
#ifndef BROKEN_CLIENT_SENDS_OLD
  c_send++;
#endif
  c_keys = c_keys | (1 << (c_recv + 1));
#ifdef BROKEN_CLIENT_DROPS_OLD
  c_recv++;
  c_keys = 1 << c_recv;
#endif
  c_requested = false;
  c_step = AWAIT_DONE
}

inline c_receive() {
  down ? type, epoch, reason, key;
  if  /* the header: §2.5, 6 and 7 */
  :: epoch == c_recv
  :: epoch == c_recv + 1 && c_step == AWAIT_DONE -> assert(type == DONE)
  :: else -> assert(false)  /* EPOCH_MISMATCH */
  fi;
  assert(c_keys & (1 << epoch));
  if
  :: type == DATA -> assert(!c_got_end)
  :: type == END ->
     assert(!c_got_end);
     c_got_end = true;
     if
     :: c_sent_end -> c_close(NORMAL)
     :: else
     fi
  :: type == INIT ->
     assert(c_step == IDLE && (!key || mode1) && (key || !mode1 || !required));
     if
     :: key -> c_step = AWAIT_KEY
     :: else -> c_commit()
     fi
  :: type == DONE ->
     assert(c_step == AWAIT_DONE);
#ifdef BROKEN_CLIENT_SENDS_OLD
     c_send++;
#endif
     assert(epoch == c_send);
     c_recv = epoch;
     c_keys = 1 << epoch;
     c_step = IDLE
  :: type == CLOSE -> c_outcome = reason; up_shut = true
  :: else -> assert(false)  /* ACK, REQ, NAK from a server */
  fi
}

proctype client() {
  mtype type, reason;
  byte epoch;
  bit key;
  do
  :: atomic { c_outcome == OPEN && nempty(down) -> c_receive() }
  /* the application; DATA for an end that has closed would change nothing */
  :: atomic { c_outcome == OPEN && !dead && !c_sent_end && s_outcome == OPEN && len(up) < DATA_ROOM ->
       put(up, DATA, c_send, OPEN, 0) }
  :: atomic { c_outcome == OPEN && !dead && !c_sent_end && len(up) < DATA_ROOM ->
       put(up, END, c_send, OPEN, 0);
       c_sent_end = true;
       if
       :: c_got_end -> c_close(NORMAL)
       :: else
       fi }
  :: atomic { c_outcome == OPEN && !dead && c_step == IDLE && !c_requested && c_send < EPOCHS && len(up) < DATA_ROOM ->
       put(up, REQ, c_send, OPEN, 0);
       c_requested = true }
  :: atomic { c_outcome == OPEN && !dead -> disturbed = true; c_close(NORMAL) }
  /* the KME */
  :: atomic { c_outcome == OPEN && c_step == AWAIT_KEY -> c_commit() }
  :: atomic { c_outcome == OPEN && c_step == AWAIT_KEY && failures > 0 ->
       failures--;
       put(up, NAK, c_send, OPEN, 0);
       c_step = IDLE }
  /* the rekey timer */
  :: atomic { c_outcome == OPEN && !dead && c_step == AWAIT_DONE -> disturbed = true; c_close(FAILED) }
  /* end of stream: without CLOSE only where the connection died */
  :: atomic { c_outcome == OPEN && dead -> c_outcome = LOST; up_shut = true }
  :: atomic { c_outcome == OPEN && down_shut && empty(down) -> assert(dead); c_outcome = LOST; up_shut = true }
  /* §8.2: after CLOSE read to the end of the stream, and discard */
  :: atomic { c_outcome != OPEN && nempty(down) -> down ? type, epoch, reason, key }
  :: atomic { c_outcome != OPEN && (dead || (down_shut && empty(down))) -> break }
  od
}

/* --- server --------------------------------------------------------------------------------------------------------- */

inline s_close(reason) {
  put(down, CLOSE, s_epoch, reason, 0);
  s_outcome = reason;
  down_shut = true
}

inline s_init(with_key) {
  s_with_key = with_key;
  put(down, INIT, s_epoch, OPEN, with_key);
  s_step = AWAIT_ACK
}

inline s_without_key() {  /* §7.5: KEM only at once where that is permitted, else later */
  if
  :: required -> s_step = IDLE
  :: else -> s_init(0)
  fi
}

inline s_commit() {  /* §7.4: DONE is the first frame of e+1; e is refused and wiped */
  s_epoch++;
#ifndef BROKEN_SERVER_KEEPS_OLD_KEY
  s_keys = 1 << s_epoch;
#endif
#ifndef BROKEN_DONE_LATER
  put(down, DONE, s_epoch, OPEN, 0);
#else
  s_done_owed = true;
#endif
  s_due = false;
  s_step = IDLE
}

inline s_receive() {
  up ? type, epoch, reason, key;
  assert(epoch == s_epoch);          /* EPOCH_MISMATCH */
  assert(s_keys & (1 << epoch));
  if
  :: type == DATA -> assert(!s_got_end)
  :: type == END ->
     assert(!s_got_end);
     s_got_end = true;
     if
     :: s_sent_end -> s_close(NORMAL)
     :: else
     fi
  :: type == REQ ->
#ifdef BROKEN_REQ_CROSSES_INIT
     assert(s_step == IDLE);
#endif
     s_due = true                    /* already so while a rekey is under way */
  :: type == NAK ->
     assert(s_step == AWAIT_ACK && s_with_key);
     s_without_key()
  :: type == ACK ->
     assert(s_step == AWAIT_ACK);
     if
     :: s_commit()
     :: s_with_key && !dead -> disturbed = true; s_close(FAILED)  /* the confirm differs */
     fi
  :: type == CLOSE -> s_outcome = reason; down_shut = true
  :: else -> assert(false)           /* INIT, DONE from a client */
  fi
}

proctype server() {
  mtype type, reason;
  byte epoch;
  bit key;
#ifdef BROKEN_DONE_LATER
  bool s_done_owed;
#endif
  do
  :: atomic { s_outcome == OPEN && nempty(up) -> s_receive() }
#ifdef BROKEN_DONE_LATER
  :: atomic { s_outcome == OPEN && s_done_owed -> put(down, DONE, s_epoch, OPEN, 0); s_done_owed = false }
#endif
  :: atomic { s_outcome == OPEN && !dead && !s_sent_end && c_outcome == OPEN && len(down) < DATA_ROOM ->
       put(down, DATA, s_epoch, OPEN, 0) }
  :: atomic { s_outcome == OPEN && !dead && !s_sent_end && len(down) < DATA_ROOM ->
       put(down, END, s_epoch, OPEN, 0);
       s_sent_end = true;
       if
       :: s_got_end -> s_close(NORMAL)
       :: else
       fi }
  /* a trigger, a REQ that waits, or the retry after a failure: §7.3, §7.6 */
  :: atomic { s_outcome == OPEN && !dead && s_step == IDLE && s_epoch < EPOCHS && len(down) < DATA_ROOM ->
       s_due = true;
       if
       :: mode1 -> s_step = AWAIT_KEY
       :: else -> s_init(0)
       fi }
  :: atomic { s_outcome == OPEN && !dead -> disturbed = true; s_close(NORMAL) }
  :: atomic { s_outcome == OPEN && s_step == AWAIT_KEY -> s_init(1) }
  :: atomic { s_outcome == OPEN && s_step == AWAIT_KEY && failures > 0 -> failures--; s_without_key() }
  /* the rekey timer, and the hard life of an epoch that waits for a key */
  :: atomic { s_outcome == OPEN && !dead && (s_step == AWAIT_ACK || s_due) -> disturbed = true; s_close(FAILED) }
  :: atomic { s_outcome == OPEN && dead -> s_outcome = LOST; down_shut = true }
  :: atomic { s_outcome == OPEN && up_shut && empty(up) -> assert(dead); s_outcome = LOST; down_shut = true }
  :: atomic { s_outcome != OPEN && nempty(up) -> up ? type, epoch, reason, key }
  :: atomic { s_outcome != OPEN && (dead || (up_shut && empty(up))) -> break }
  od
}

/* --- surroundings and properties --------------------------------------------------------------------------------------- */

proctype network() {
  if
  :: dead = true
  :: true
  fi
}

/* The ends are never more than one epoch apart, and the client is the one ahead. */
#define together (c_send == s_epoch || c_send == s_epoch + 1)
/* One receiving key at the server; two at the client from ACK to DONE, and else one. */
#define one(keys, epoch) (keys == (1 << (epoch)))
#define few_keys (one(s_keys, s_epoch) && (c_step == AWAIT_DONE || one(c_keys, c_recv)))
/* Who has sent and received END has closed, NORMAL. */
#define ended_well ((!(c_sent_end && c_got_end) || c_outcome == NORMAL) && (!(s_sent_end && s_got_end) || s_outcome == NORMAL))
/* Without a disturbance no end closes before both directions are complete. */
#define nothing_cut ((c_outcome != NORMAL || c_got_end || disturbed) && (s_outcome != NORMAL || s_got_end || disturbed))

proctype monitor() {
end:
  atomic { !(together && few_keys && ended_well && nothing_cut) -> assert(false) }
}

init {
  atomic {
    if
    :: mode1 = false
    :: mode1 = true; failures = KME_FAILURES
    :: mode1 = true; failures = KME_FAILURES; required = true
    fi;
    run client();
    run server();
    run network();
    run monitor()
  }
}

/* Once the connection has died, or one end has closed, both ends come to their end. */
ltl terminates { [] ((dead || c_outcome != OPEN || s_outcome != OPEN) -> <> (c_outcome != OPEN && s_outcome != OPEN)) }
/* Once both have sent END, both close NORMAL with both directions complete, unless something lawful prevents it. */
ltl completes { [] ((c_sent_end && s_sent_end) -> <> (dead || disturbed || (c_clean && s_clean))) }
