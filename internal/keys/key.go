// Package keys holds the keys with which shops speak to us.
//
// A write key stands in every shop page's source: it is public and can do
// nothing but send events. A secret key belongs to a server and is believed
// further. A restricted key belongs to a server too and may do what its scopes
// say, in the management API alone. All have a shape that a scanner of leaked secrets can find and
// check without asking us: a prefix, random base62, and a checksum.
//
// The [Ring] keeps them in one file. Of a secret key the file holds the SHA-256
// and the last four characters, never the key: whoever reads the file cannot
// speak for the shop. A write key is public anyway, so the file keeps it in
// clear, and a shop that lost it can be shown it again.
//
// Two keys of a kind can be active at once, so a shop rotates without a gap:
// make the second, change its pages, revoke the first.
package keys

import (
	"crypto/rand"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"time"
)

// Kind says how far whoever shows the key is believed.
type Kind string

// The kinds of key.
const (
	Write      Kind = "write"      // public: it may send events, and nothing else
	Secret     Kind = "secret"     // a server of the shop's: it may do everything
	Restricted Kind = "restricted" // a server of the shop's: it may do what its scopes say
)

// Scope is something that a restricted key may do.
type Scope string

// The scopes. None holds another: who writes and reads has both.
const (
	Read  Scope = "read"  // see customers, messages and definitions
	Edit  Scope = "write" // change definitions, consents and suppressions
	Send  Scope = "send"  // let messages leave: campaigns and service messages
	Erase Scope = "erase" // forget customers
	SQL   Scope = "sql"   // ask the warehouse anything: a query can take the memory of the machine

	// Analyse is to see what the role of an analyst sees: everything but names,
	// addresses and numbers of telephones, which are masked.
	Analyse Scope = "analyse"
)

// Scopes lists every scope.
var Scopes = []Scope{Read, Analyse, Edit, Send, Erase, SQL}

// Prefix returns what every key of the kind begins with; empty for no kind.
func (k Kind) Prefix() string {
	switch k {
	case Write:
		return "rp_w_"
	case Secret:
		return "rp_s_live_"
	case Restricted:
		return "rp_r_"
	}
	return ""
}

// source is the name that a ring gives to the first key of the kind. Events
// carry it, and a rotation keeps it, so a new key is not a new source.
func (k Kind) source() string {
	if k == Write {
		return "web"
	}
	return "server"
}

const (
	// randomLen base62 characters hold 166 random bits: no list of hashes helps
	// to find one, so one fast SHA-256 is enough to store it by.
	randomLen = 28
	// checkLen base62 characters hold the 32 bits of the checksum.
	checkLen = 6

	alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// Key is what may be known about a key without knowing the key.
type Key struct {
	ID       string     `json:"id"`
	Kind     Kind       `json:"kind"`
	Name     string     `json:"name"`             // the source that its events name; of a restricted key, what it is for
	Scopes   []Scope    `json:"scopes,omitempty"` // only of a restricted key
	Text     string     `json:"key,omitempty"`    // the key itself; only of a write key
	Prefix   string     `json:"prefix"`
	Last4    string     `json:"last4"`
	Created  time.Time  `json:"created"`
	Revoked  *time.Time `json:"revoked,omitempty"`  // nil while it is active
	LastUsed *time.Time `json:"lastUsed,omitempty"` // since this process began; nil if not yet
}

// Active reports whether the key is still taken.
func (k Key) Active() bool { return k.Revoked == nil }

// May reports whether the key allows what the scope names.
func (k Key) May(s Scope) bool {
	return k.Kind == Secret || k.Kind == Restricted && slices.Contains(k.Scopes, s)
}

// New is a key at the only moment at which its text is known whatever its kind.
type New struct {
	Key
	Text string `json:"key"` // to be shown once
}

// Shaped reports whether text has the shape of a key, the checksum included,
// and of which kind. It says nothing about whether the key exists.
func Shaped(text string) (Kind, bool) {
	for _, kind := range [...]Kind{Write, Secret, Restricted} {
		rest, ok := strings.CutPrefix(text, kind.Prefix())
		if !ok {
			continue
		}
		if len(rest) != randomLen+checkLen {
			return "", false
		}
		var want [checkLen]byte
		checksum(&want, text[:len(text)-checkLen])
		return kind, rest[randomLen:] == string(want[:])
	}
	return "", false
}

// generate returns the text of a new key.
func generate(kind Kind) (string, error) {
	text := []byte(kind.Prefix())
	for end := len(text) + randomLen; len(text) < end; {
		var random [randomLen]byte
		if _, err := rand.Read(random[:]); err != nil {
			return "", fmt.Errorf("drawing a random key: %w", err) // unreachable: crypto/rand ends the process instead
		}
		for _, b := range random {
			// 248 is the greatest multiple of 62 in a byte; taking more would make
			// some characters likelier than others.
			if b < 248 && len(text) < end {
				text = append(text, alphabet[b%62])
			}
		}
	}
	var check [checkLen]byte
	checksum(&check, string(text))
	return string(append(text, check[:]...)), nil
}

// checksum writes the CRC-32 of text, prefix and all, in base62.
func checksum(dst *[checkLen]byte, text string) {
	sum := crc32.ChecksumIEEE([]byte(text))
	for i := checkLen - 1; i >= 0; i-- {
		dst[i] = alphabet[sum%62]
		sum /= 62
	}
}
