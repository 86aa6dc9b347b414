#!/bin/sh
# Whether kernels compiled for one instruction set define what is theirs alone: the linker takes any definition of an
# inline function or template for all, and one of these would fault on a CPU without the instructions.
#   isa_symbols_test.sh PATTERN LIBRARY...      every symbol that others can see matches PATTERN, demangled
set -eu
own=$1
shift
symbols=$(nm --defined-only --extern-only --demangle "$@" | grep -E '^[0-9a-f]+ ' | grep -v 'DW\.ref\.' || true)
[ -n "$symbols" ] || { echo "no symbol in $*"; exit 1; }
foreign=$(echo "$symbols" | grep -vE "^[0-9a-f]+ [TDR] $own" || true)
[ -z "$foreign" ] || { echo "not $own alone: $foreign"; exit 1; }
