#!/bin/bash
# Checks every property of rekey.pml exhaustively, and that each broken variant fails. Exit 1 where a verdict is not the expected one.
# Takes about a minute of one core and 0.5 GiB. Needs spin (Debian: apt-get install spin) and a C compiler.   SPIN=/path/to/spin CC=cc formal/spin.sh
cd "$(dirname "$0")" || exit 1
spin=${SPIN:-spin} cc=${CC:-cc}
command -v "$spin" >/dev/null || { echo "spin.sh: spin is not installed (Debian: apt-get install spin); nothing was checked"; exit 77; }
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
model=$PWD/rekey.pml bad=0

# build DIRECTORY SPIN-FLAGS CC-FLAGS: of two -O the last counts
build() {
  mkdir -p "$1"
  (cd "$1" && "$spin" -a $2 "$model" >spin.log 2>&1 && "$cc" -O2 -w -DMEMLIM=2000 -DCOLLAPSE $3 -o pan pan.c >cc.log 2>&1) ||
    { echo "spin.sh: the model does not build:"; cat "$1"/*.log; exit 1; }
}

# check WANT DIRECTORY NAME PAN-FLAGS: WANT is holds or fails
check() {
  local started=$SECONDS out=$T/out verdict=unknown
  (cd "$2" && ./pan -m200000 $4) >"$out" 2>&1
  if grep -qE 'max search depth too small|Search not completed|out of memory' "$out"; then verdict=incomplete; fi
  if [ $verdict = unknown ] && grep -q 'errors: 0$' "$out"; then verdict=holds; fi
  if grep -qE 'pan:[0-9]+: (assertion violated|acceptance cycle|invalid end state)' "$out"; then verdict=fails; fi
  local r=ok; [ "$verdict" = "$1" ] || { r=DIFFERS; bad=1; }
  printf '%-8s %-10s want %-6s %9s states %4ss  %s\n' "$r" "$verdict" "$1" \
    "$(sed -nE 's/^ *([0-9]+) states, stored.*/\1/p' "$out")" "$((SECONDS - started))" "$3"
  if [ "$verdict" != holds ]; then sed -nE 's/^pan:1: (.*)/         \1/p' "$out"; fi
}

build "$T/safety" "" "-DSAFETY -DNOCLAIM"
check holds "$T/safety" "no false close, no key too many, no deadlock" ""
build "$T/live" "-DKME_FAILURES=1" ""
check holds "$T/live" "both ends terminate once the connection has died or one has closed" "-a -N terminates"
check holds "$T/live" "END both ways ends NORMAL and complete" "-a -N completes"
for variant in CLIENT_DROPS_OLD CLIENT_SENDS_OLD SERVER_KEEPS_OLD_KEY DONE_LATER REQ_CROSSES_INIT; do
  # It fails within two thousand states, sooner than a compiler has made it fast.
  build "$T/$variant" "-DBROKEN_$variant" "-DSAFETY -DNOCLAIM -O0"
  check fails "$T/$variant" "broken on purpose: $variant" ""
done
exit $bad
