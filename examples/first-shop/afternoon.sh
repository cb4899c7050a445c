#!/usr/bin/env bash
# A retailer's first afternoon with Rapport, from an empty directory to the first
# campaign, checked number by number. docs/first-hour.md tells it.
#
# usage: afternoon.sh BINARY
#
# BINARY is the built rapport. Everything happens in a folder that is made for it
# and taken away again, and on loopback; no mail leaves this machine. Needs bash, curl
# and dnsmasq. It ends with 1, and says what was expected and what came, at the
# first number that is not right.
set -euo pipefail

rapport=$(realpath "${1:?usage: afternoon.sh BINARY}")
cd "$(dirname "$0")"
exports=$PWD/exports orders=$PWD/../online-retail/online_retail.csv.zst
work=$(mktemp -d)
data=$work/data
children=()
finish() {
    for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

said=$work/said # what the last command printed

step() { printf '\n== %s\n' "$*"; }
stop() {
    printf '\nafternoon.sh: %s\n' "$*" >&2
    exit 1
}

# run STATUS COMMAND... runs rapport, shows what it says, and wants it to end with
# the status.
run() {
    local want=$1 got=0
    shift
    local words=${*//$work\//}
    words=${words//$exports/exports}
    printf '$ rapport %s\n' "$words"
    "$rapport" "$@" >"$said" 2>&1 || got=$?
    sed -e "s|$work/||g; s|$exports|exports|g" -e 's/ *$//; s/^/    /' "$said"
    [ "$got" -eq "$want" ] || stop "rapport $* ended with $got, expected $want"
}

# quiet STATUS COMMAND... does the same and shows nothing.
quiet() {
    run "$@" >"$work/shown" || { cat "$work/shown"; exit 1; }
}

# is WHAT EXPECTED GOT compares two figures.
is() {
    [ "$2" = "$3" ] || stop "$1: expected “$2”, got “$3”"
    printf '  ok  %s: %s\n' "$1" "$3"
}

# has TEXT... wants each text among what the last command printed.
has() {
    local text
    for text in "$@"; do
        grep -qF -- "$text" "$said" || { cat "$said" >&2; stop "expected “$text”, and it is not among the lines above"; }
        printf '  ok  “%s”\n' "$text"
    done
}

# standing WORDS prints how many customers stand so, by the last table of the last
# command; 0 if none do.
standing() { awk -v what="of them $1" 'index($0, what) { n = $NF } END { print n + 0 }' "$said"; }

# reachable checks how many customers can be written to, of how many.
reachable() { # REACHABLE CUSTOMERS
    quiet 0 reachable --data "$data"
    is "can be written to" "$1" "$(standing reachable)"
    is "customers" "$2" "$(awk '$1 == "customers" { print $2 }' "$said")"
}

# await WHAT COMMAND... tries until the command succeeds, for two minutes and more.
await() {
    local what=$1 tries=0
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 1200 ] || stop "waited two minutes for $what"
        sleep 0.1
    done
}

# start NAME PATTERN COMMAND... starts a program and waits until it prints a line that
# the pattern matches.
start() {
    local name=$1 pattern=$2
    shift 2
    "$@" >"$work/$name.log" 2>&1 &
    children+=($!)
    await "$name to start" grep -q -- "$pattern" "$work/$name.log"
}

# mails [TEXT] prints how many mails the receiver holds, of those whose entry in the
# list has the text.
mails() { curl -sf "$pages/mails.json" | grep -cF -- "${1:-}" || true; }

# mail ADDRESS SUBJECT prints the newest mail to the address with the subject, as it
# came.
mail() {
    local id
    id=$(curl -sf "$pages/mails.json" | grep -F "\"$1\"" | grep -F "$2" | head -1 | sed 's/^{"id":\([0-9]*\),.*/\1/')
    [ -n "$id" ] || stop "there is no mail “$2” to $1"
    curl -sf "$pages/mail/$id/source" | tr -d '\r'
}

step "1. Who must not be written to comes first"
run 0 import suppressions "$exports/klaviyo-suppressed.csv" --data "$data"
has "suppressed: 3 bounced" "suppressed: 2 complained" "suppressed: 2 manual" "suppressed: 4 unsubscribed"
RAPPORT_KEY=$(sed -n 's/^secret key .*shown once: //p' "$said")
export RAPPORT_KEY
reachable 0 0

step "2. Who agreed, and who the customers are"
errors=$work/consents.errors.csv
run 1 import consents "$exports/klaviyo-profiles.csv" --data "$data" --errors "$errors"
has "an export of klaviyo" "consents: 44 given, 5 withdrawn, 5 given by people who are suppressed and stay so" "43: not a customer → reachable"
is "rows refused, each with its reason" 1 "$(($(wc -l <"$errors") - 1))"
run 0 import customers "$exports/klaviyo-profiles.csv" --data "$data"
has "60 lines about 60 people" "6: not a customer → no consent said"
reachable 43 60

step "3. A year of orders, for the customers whom we know by their number"
run 0 import orders "$orders" --data "$data" --currency GBP
has "20726 orders and 5174 refunds of 4372 customers" "sum 9747747.934 GBP" "3710 order numbers are without a customer"
# 60 were here already; 4312 come with a number, and 3710 orders with none.
has "8022: not a customer → no address"
reachable 43 $((60 + 4312 + 3710))
run 0 why gus.hazel@people.example --data "$data"

step "4. What the shop sells"
run 0 import products "$exports/shopify-products.csv" --data "$data" --currency GBP --website https://first-shop.example
has "shopify: 32 products with 73 variants are in the catalogue"

step "5. The domain proves itself, and one with mistakes does not"
run 0 domain add first-shop.example --data "$data" --host 192.0.2.25
# A zone file in dnsmasq's words.
zone() { sed -n 's/^\([^;][^ ]*\)\. 3600 IN TXT \(.*\)$/txt-record=\1,\2/p' "$1" | sed 's/" "/","/g'; }
zone "$said" >"$work/zone"
is "records to publish" 4 "$(wc -l <"$work/zone")"
quiet 0 domain add careless.example --data "$data" --host 192.0.2.25
{
    # Their SPF record stands twice, the key of RSA lost its end, and DMARC was forgotten.
    zone "$said" | grep -v '^txt-record=_dmarc' | sed '/k=rsa/s/MIIBI[^"]*",".*"$/MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCg"/'
    echo 'txt-record=careless.example,"v=spf1 include:_spf.mail.example ~all"'
} >"$work/careless"
dnsmasq=$(PATH=$PATH:/usr/sbin command -v dnsmasq) || stop "dnsmasq is not here: scripts/need.sh installs it"
serve_zones() { # tries another port if another program took this one
    local port try
    for try in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 20000))
        {
            printf '%s\n' "port=$port" listen-address=127.0.0.1 bind-interfaces no-resolv no-hosts pid-file= local=/example/ "user=$(id -un)"
            cat "$work/zone" "$work/careless"
        } >"$work/dnsmasq.conf"
        "$dnsmasq" --no-daemon --conf-file="$work/dnsmasq.conf" >"$work/dnsmasq.log" 2>&1 &
        local child=$!
        children+=("$child")
        resolver=127.0.0.1:$port
        for _ in $(seq 600); do
            grep -q "started" "$work/dnsmasq.log" && return
            kill -0 "$child" 2>/dev/null || break
            sleep 0.05
        done
    done
    cat "$work/dnsmasq.log" >&2
    stop "dnsmasq does not start"
}
serve_zones
run 0 domain check first-shop.example --data "$data" --resolver "$resolver"
has "first-shop.example is verified"
run 1 domain check careless.example --data "$data" --resolver "$resolver"
has "mistake: spf" "mistake: dkim" "mistake: dmarc" "careless.example is not verified"

step "6. The shop's words and rules are files"
cp -r shop "$work/shop"
# The letter is for this very minute in London: it is past in Berlin, and in New York
# it comes in five hours.
minute=$(TZ=Europe/London date -d '1 minute ago' '+%F %H:%M')
sed -i "s/^at: .*/at: $minute/" "$work/shop/campaigns/new-in.yaml"
run 0 validate "$work/shop"
run 0 test shop
has "2 passed, 0 failed"
run 0 apply "$work/shop" --data "$data"

step "7. Look before you send"
start catcher "mail is taken" "$rapport" catcher --listen 127.0.0.1:0 --pages 127.0.0.1:0
smtp=$(sed -n 's/^mail is taken on \([^ ]*\) .*/\1/p' "$work/catcher.log")
pages=$(sed -n 's/.*shown on \(.*\)\/$/\1/p' "$work/catcher.log")
run 0 preview new-in --customer gus.hazel@people.example --data "$data" --out "$work/look"
has "Hello Gus," "White Parrot Cushion" "£50.00" "REGULAR-10"
if grep -q "missing:" "$said"; then stop "the preview has gaps"; fi
quiet 0 preview new-in --customer anna.ahorn@people.example --data "$data"
has "Subject:    Neu im Laden, und zehn Prozent weniger" "Guten Tag Anna,"
run 0 send-test new-in --customer gus.hazel@people.example --data "$data" --to boss@first-shop.example --smtp "$smtp"
is "test mails" 1 "$(mails '"rcpt":["boss@first-shop.example"]')"

step "8. The first campaign"
start server "listens on" "$rapport" serve --data "$data" --listen 127.0.0.1:0 --smtp "$smtp" --resolver "$resolver"
server=${children[-1]}
RAPPORT_SERVER=$(sed -n 's/.*listens on //p' "$work/server.log")
export RAPPORT_SERVER
run 0 campaign preview new-in
figure() { awk -v what="$1" 'index($0, "  " what) && $1 ~ /^[0-9]+$/ { print $1; exit }' "$said"; }
is "customers" 8082 "$(figure customers)"
is "regulars" 1115 "$(figure "in the audience")"
is "with an address that takes mail" 42 "$(figure "with an address that takes mail")"
is "who agreed" 29 "$(figure "who agreed")"
is "would get it" 29 "$(figure "would get it")"
run 0 campaign send new-in
run 0 campaign stop new-in # within ten minutes: the subject had a mistake, say
has "run 1 stopped: came to 0 people"
is "mails in the receiver, but for the test" 0 "$(($(mails) - 1))"
run 0 campaign send new-in --now
accepted() { [ "$("$rapport" campaign results "$1" | awk '$2 == "accepted" { print $1 }')" = "$2" ]; }
await "25 letters to be accepted" accepted new-in 25
run 0 campaign results new-in
has "25  accepted" "goes on at" # in New York it is not time yet
list=$(curl -sf "$pages/mails.json" | grep -vF '"boss@first-shop.example"')
is "letters in the receiver" 25 "$(grep -c 'hello@first-shop.example' <<<"$list")"
is "of them in German" 8 "$(grep -c 'Neu im Laden' <<<"$list")"
is "twice" 0 "$(grep -c '"again"' <<<"$list" || true)"
for nobody in $(cut -d, -f1 "$exports/klaviyo-suppressed.csv" | tail -n +2) eva.fir@people.example; do
    if grep -q "\"$nobody\"" <<<"$list"; then stop "$nobody is suppressed and got a letter"; fi
done
echo "  ok  nobody who is suppressed got one"
for later in $(grep America/New_York "$exports/klaviyo-profiles.csv" | cut -d, -f1); do
    if grep -q "\"$later\"" <<<"$list"; then stop "$later got the letter before the hour in New York"; fi
done
echo "  ok  nobody in New York got one before their hour"
gus=$(mail gus.hazel@people.example "New in the shop")
is "signatures of the verified domain" 2 "$(grep -c '^DKIM-Signature:' <<<"$gus")"
run 0 campaign stop new-in # and the letters for New York are never planned

step "9. Service mails by a call"
call() { # KEY SERVICE BODY prints the status
    curl -s -o "$said" -w '%{http_code}' -X POST "$RAPPORT_SERVER/api/v1/service/$2" -H "Authorization: Bearer $RAPPORT_KEY" \
        -H "Idempotency-Key: $1" -H 'Content-Type: application/json' -d "$3"
}
shipped='{"to": {"email": "anna.ahorn@people.example"}, "props": {"order_id": "A7", "carrier": "DHL"}}'
is "asked for" 202 "$(call A7-shipped order-shipped "$shipped")"
is "asked for again, with the same key" 202 "$(call A7-shipped order-shipped "$shipped")"
# Who has unsubscribed still hears of an order; who bounced does not.
is "to somebody who has unsubscribed" 202 "$(call A8-delayed order-delayed '{"to": {"email": "cyd.dogwood@people.example"}, "props": {"order_id": "A8"}}')"
is "to an address that bounces" 202 "$(call A9-delayed order-delayed '{"to": {"email": "ada.birch@people.example"}, "props": {"order_id": "A9"}}')"
is "without a key of ours" 401 "$(RAPPORT_KEY=rp_s_wrong call A10 order-delayed '{}')"
arrived() { [ "$(mails "$1")" = "$2" ]; }
await "the service mails" arrived orders@first-shop.example 2
is "to Anna, once, in German" 1 "$(mails 'Ihre Bestellung A7 ist unterwegs')"
is "to Cyd" 1 "$(mails 'Your order A8 is late')"

step "10. One click, and nothing more comes"
link=$(tr '\n' ' ' <<<"$gus" | sed -n 's/.*List-Unsubscribe: *\([^:]* \)\{0,1\}.*<\(http[^>]*\)>.*List-Unsubscribe-Post.*/\2/p')
[ -n "$link" ] || stop "Gus's letter has no link to unsubscribe by one click"
is "unsubscribed" 200 "$(curl -s -o "$said" -w '%{http_code}' -X POST -d 'List-Unsubscribe=One-Click' "$link")"
run 0 campaign preview thank-you
is "would get the next letter, without Gus" 42 "$(figure "would get it")"
run 0 campaign send thank-you
await "42 letters to be accepted" accepted thank-you 42
is "letters in the receiver" 42 "$(($(mails 'Thank you for shopping') + $(mails 'Danke für Ihren Einkauf')))"
is "letters to Gus since then" 0 "$(curl -sf "$pages/mails.json?to=gus.hazel" | grep -c 'Thank you' || true)"

# The ledger says the same as the results and the receiver.
kill -TERM "$server"
wait "$server" || stop "the server did not end in order: $(cat "$work/server.log")"
"$rapport" dump deliveries --data "$data" >"$work/ledger"
sent() { grep -F "\"$1\"" "$work/ledger" | grep -c '"accepted"' || true; }
is "new-in accepted" 25 "$(sent new-in)"
is "thank-you accepted" 42 "$(sent thank-you)"
is "service accepted" 2 "$(($(sent order-shipped) + $(sent order-delayed)))"
run 0 why gus.hazel@people.example --data "$data"
reachable 42 8082

step "11. Somebody wants to be forgotten"
run 0 erase anna.ahorn@people.example --data "$data" --prove --needle 01F00031
has "looked for anna.ahorn@people.example, 01F00031:" " 0 after"
run 1 preview new-in --customer anna.ahorn@people.example --data "$data"
reachable 41 8081

step "12. The wrong file, and back"
run 0 import consents "$exports/bought-list.csv" --data "$data"
has "4: not a customer → reachable"
wrong=$(sed -n 's/^import \(consents-.*\)$/\1/p' "$said")
reachable 45 8086
run 0 import undo "$wrong" --data "$data"
reachable 41 8081
run 0 doctor --data "$data"
has "8081 customers, 5 empty"

cat <<END

== The afternoon in figures
   43 could be written to after the imports
  - 1 who unsubscribed by a click
  - 1 who was forgotten
  + 4 of a list that was bought
  - 4 when that import was undone
 = 41 can be written to now
END
