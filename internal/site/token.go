package site

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	keyed "hash"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
)

// Kind says what a token is for. A token of one kind is worth nothing as another.
type Kind byte

// The kinds. They are part of links in mails sent long ago: never change.
const (
	ClickLink       Kind = 'c'
	HoneypotLink    Kind = 'h' // a link that no person sees
	OpenPixel       Kind = 'o'
	UnsubscribeLink Kind = 'u'
	PreferencesLink Kind = 'p'
	ConfirmLink     Kind = 's' // the second yes of a sign-up
	ViewLink        Kind = 'v' // the message in a browser
)

// Delivery is what a token says about where it was sent.
type Delivery struct {
	ID      string // the delivery, 32 hex digits; empty for a link that belongs to none
	Profile identity.ID
	Channel string
	Purpose string
}

// Token is a verified token.
type Token struct {
	Kind Kind
	Delivery
	URL string // of a ClickLink: where it leads; of a ConfirmLink: what it confirms
}

// Key is a secret that signs tokens. ID tells it from others and travels in the
// token.
type Key struct {
	ID     byte
	Secret [32]byte
}

// The parts of a token: kind, key id, delivery, profile, channel and purpose with
// their lengths, URL, and the first half of HMAC-SHA256. 128 bits cannot be
// guessed, and each octet lengthens every link of every mail.
const (
	fixed   = 2 + 16 + 16
	macSize = 16
	maxWord = 63   // bytes of a channel's or purpose's name
	maxURL  = 2048 // bytes of a link's target: what browsers and mail programs agree on
	maxText = (fixed + 2*(1+maxWord) + maxURL + macSize + 2) / 3 * 4
)

// Signer makes and verifies the links of one workspace. It may be used from many
// goroutines.
//
// Tokens do not expire: a way out must work for at least 60 days (CASL), and
// people look into old mails. A key leaves a Signer only when no mail signed with
// it can be looked at any more.
type Signer struct {
	base      string
	workspace string
	keys      []Key
	ready     sync.Pool // of hashes under the first key, which signs several links of each message
}

// NewSigner returns a signer for the workspace. Base is the public URL under
// which the pages of [New] are mounted, such as "https://news.shop.example",
// without a slash at its end. The first key signs; all of them verify.
func NewSigner(base, workspace string, keys ...Key) (*Signer, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fault.New(fault.Invalid, "the public address of the pages must be like https://news.shop.example")
	}
	if len(keys) == 0 {
		return nil, fault.New(fault.Invalid, "a key is needed to sign links")
	}
	for i, k := range keys {
		if k.Secret == ([32]byte{}) {
			return nil, fault.New(fault.Invalid, "a key of zeros signs nothing")
		}
		for _, other := range keys[:i] {
			if other.ID == k.ID {
				return nil, fault.New(fault.Invalid, "two keys have the same id")
			}
		}
	}
	return &Signer{base: strings.TrimRight(base, "/"), workspace: workspace, keys: append([]Key(nil), keys...)}, nil
}

// Unsubscribe returns the link for List-Unsubscribe and for the footer. It is
// empty if d holds what cannot be signed: an id that is none, a name longer than
// 63 bytes, or no purpose, for a way out must say what it leads out of.
func (s *Signer) Unsubscribe(d Delivery) string {
	if d.Purpose == "" || d.Channel == "" {
		return ""
	}
	return s.link("/u/", UnsubscribeLink, d, "")
}

// Confirm returns the link that confirms a sign-up for the purposes, sent at the
// instant; empty like Preferences's, or without purposes.
func (s *Signer) Confirm(d Delivery, at event.Time, purposes []string) string {
	if len(purposes) == 0 {
		return ""
	}
	return s.link("/s/", ConfirmLink, d, strconv.FormatInt(int64(at), 10)+"|"+strings.Join(purposes, ","))
}

// View returns the link to the message in a browser; empty like Preferences's, and
// for a link that belongs to no delivery.
func (s *Signer) View(d Delivery) string {
	if d.ID == "" {
		return ""
	}
	return s.link("/v/", ViewLink, d, "")
}

// ownCopyPath is where the links that act for a customer lead where somebody else
// may see them.
const ownCopyPath = "/own-copy"

// OwnCopy returns the page that says: use the link in your own copy.
func (s *Signer) OwnCopy() string { return s.base + ownCopyPath }

// Preferences returns the link to the preference page; empty like Unsubscribe's,
// but it needs no purpose.
func (s *Signer) Preferences(d Delivery) string { return s.link("/p/", PreferencesLink, d, "") }

// Pixel returns the address of the picture that tells of an opening; empty like
// Preferences's.
func (s *Signer) Pixel(d Delivery) string { return s.link("/o/", OpenPixel, d, "") }

// Honeypot returns a link that no person sees and so none follows; whoever does
// is a machine. Empty like Preferences's.
func (s *Signer) Honeypot(d Delivery) string { return s.link("/c/", HoneypotLink, d, "") }

// Click returns the link that tells of a click and leads to target. A target
// that may not be signed, by [CheckTarget], is returned as it is: a link that is
// not counted is better than one that is broken.
func (s *Signer) Click(d Delivery, target string) string {
	if CheckTarget(target) != nil {
		return target
	}
	if link := s.link("/c/", ClickLink, d, target); link != "" {
		return link
	}
	return target
}

func (s *Signer) link(path string, kind Kind, d Delivery, target string) string {
	var id [16]byte
	if d.ID != "" {
		if n, err := hex.Decode(id[:], []byte(d.ID[:min(len(d.ID), 32)])); err != nil || n != len(id) || len(d.ID) != 32 {
			return ""
		}
	}
	if len(d.Channel) > maxWord || len(d.Purpose) > maxWord || len(target) > maxURL {
		return ""
	}
	b := make([]byte, 0, fixed+2+len(d.Channel)+len(d.Purpose)+len(target)+macSize)
	b = append(b, byte(kind), s.keys[0].ID)
	b = append(b, id[:]...)
	b = append(b, d.Profile[:]...)
	b = append(append(b, byte(len(d.Channel))), d.Channel...)
	b = append(append(b, byte(len(d.Purpose))), d.Purpose...)
	b = append(b, target...)
	mac := s.mac(&s.keys[0], b)
	b = append(b, mac[:]...)
	return s.base + path + base64.RawURLEncoding.EncodeToString(b)
}

// mac signs a payload for the workspace: the same bytes are worth nothing in
// another, even under the same key.
func (s *Signer) mac(k *Key, payload []byte) (out [macSize]byte) {
	h, done := s.under(k)
	defer done()
	h.Write([]byte("rapport link 1\x00"))
	h.Write([]byte(s.workspace))
	h.Write([]byte{0})
	h.Write(payload)
	var sum [sha256.Size]byte
	copy(out[:], h.Sum(sum[:0]))
	return out
}

// under returns a hash under a key, and what gives it back. The first key's are used
// again: to make one costs as much as a link.
func (s *Signer) under(k *Key) (h keyed.Hash, done func()) {
	if k != &s.keys[0] {
		return hmac.New(sha256.New, k.Secret[:]), func() {}
	}
	if h, _ = s.ready.Get().(keyed.Hash); h == nil {
		h = hmac.New(sha256.New, k.Secret[:])
	}
	h.Reset()
	return h, func() { s.ready.Put(h) }
}

// Verify reads a token that was made by a Signer of the same workspace with one
// of the keys. Everything else is NotFound, with one message, so that nobody
// learns what was wrong with a guess.
func (s *Signer) Verify(text string) (Token, error) {
	bad := fault.New(fault.NotFound, "this link is not one of ours, or it is incomplete")
	if len(text) > maxText {
		return Token{}, bad
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") || len(b) < fixed+2+macSize {
		return Token{}, bad
	}
	payload, mac := b[:len(b)-macSize], b[len(b)-macSize:]
	known := false
	for i := range s.keys {
		if s.keys[i].ID == payload[1] {
			want := s.mac(&s.keys[i], payload)
			known = subtle.ConstantTimeCompare(mac, want[:]) == 1
		}
	}
	if !known {
		return Token{}, bad
	}
	t := Token{Kind: Kind(payload[0])}
	if id := [16]byte(payload[2:18]); id != ([16]byte{}) {
		t.ID = hex.EncodeToString(id[:])
	}
	copy(t.Profile[:], payload[18:34])
	rest := string(payload[fixed:])
	for _, word := range []*string{&t.Channel, &t.Purpose} {
		if rest == "" || len(rest) < 1+int(rest[0]) {
			return Token{}, bad
		}
		*word, rest = rest[1:1+int(rest[0])], rest[1+int(rest[0]):]
	}
	t.URL = rest
	return t, nil
}
