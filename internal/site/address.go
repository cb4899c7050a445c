package site

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"strings"

	"rapport/internal/fault"
)

// Return says for what an address of ours is: it is the first letter of the local
// part, as in "b+…@bounces.shop.example".
type Return byte

// The kinds of address. They stand in mails sent long ago: never change.
const (
	BounceReturn   Return = 'b' // where servers report failures: the envelope's sender
	LeaveReturn    Return = 'u' // a mail to it is an unsubscribe (RFC 2369)
	FeedbackReturn Return = 'f' // where providers report complaints (RFC 9477)
)

// An address is made of the key's id, the delivery and 80 bits of HMAC, in 44
// letters of base 32, for servers on the way may change upper to lower case and
// take 64 octets before the @.
const (
	addressMAC  = 10
	addressSize = 1 + 16 + addressMAC
)

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Address returns the address of a kind for a delivery at a domain of ours; empty
// if the delivery is none. Who knows it has the message, or read it on its way:
// that is what an answer to it proves.
func (s *Signer) Address(kind Return, delivery, domain string) string {
	b := make([]byte, 1, addressSize)
	b[0] = s.keys[0].ID
	id, err := hex.DecodeString(delivery)
	if err != nil || len(id) != 16 || domain == "" {
		return ""
	}
	b = append(b, id...)
	mac := s.addressMAC(&s.keys[0], kind, b)
	b = append(b, mac[:]...)
	return string(rune(kind)) + "+" + letters.EncodeToString(b) + "@" + domain
}

// addressMAC signs the payload for one kind of address of the workspace.
func (s *Signer) addressMAC(k *Key, kind Return, payload []byte) (out [addressMAC]byte) {
	h, done := s.under(k)
	defer done()
	h.Write([]byte("rapport address 1\x00"))
	h.Write([]byte(s.workspace))
	h.Write([]byte{0, byte(kind)})
	h.Write(payload)
	var sum [sha256.Size]byte
	copy(out[:], h.Sum(sum[:0]))
	return out
}

// ReadAddress returns the kind and the delivery of an address that Address made
// with one of the keys, in any case of letters and at any domain. Everything else
// is NotFound, with one message.
func (s *Signer) ReadAddress(address string) (Return, string, error) {
	bad := fault.New(fault.NotFound, "this address is not one of ours")
	local, _, _ := strings.Cut(address, "@")
	name, text, ok := strings.Cut(strings.ToLower(local), "+")
	if !ok || len(name) != 1 || len(text) != letters.EncodedLen(addressSize) {
		return 0, "", bad
	}
	kind := Return(name[0])
	if kind != BounceReturn && kind != LeaveReturn && kind != FeedbackReturn {
		return 0, "", bad
	}
	b, err := letters.DecodeString(text)
	if err != nil || len(b) != addressSize || letters.EncodeToString(b) != text {
		return 0, "", bad
	}
	payload, mac := b[:addressSize-addressMAC], b[addressSize-addressMAC:]
	for i := range s.keys {
		if s.keys[i].ID != payload[0] {
			continue
		}
		want := s.addressMAC(&s.keys[i], kind, payload)
		if subtle.ConstantTimeCompare(mac, want[:]) == 1 {
			return kind, hex.EncodeToString(payload[1:]), nil
		}
	}
	return 0, "", bad
}
