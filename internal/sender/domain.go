package sender

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"rapport/internal/fault"
)

// Domain is a domain that answers for mail: it signs, and providers judge it.
type Domain struct {
	Name    string   `json:"name"`              // d= of the signatures
	Froms   []string `json:"froms,omitempty"`   // further domains that may stand in From, below or beside Name
	Bounces string   `json:"bounces,omitempty"` // where failures come back: the envelope's domain, whose SPF counts. Empty: Name
	Hosts   []string `json:"hosts,omitempty"`   // addresses of the servers that hand the mail on; empty: SPF is checked for its form alone

	Tag  string `json:"tag"`  // tells our selectors from others'
	Keys []Pair `json:"keys"` // the newest last

	Checked  time.Time `json:"checked,omitzero"`  // when DNS was last asked and answered
	Verified time.Time `json:"verified,omitzero"` // when the last check held; zero: it is not verified
	Problems []Problem `json:"problems,omitempty"`

	Paused time.Time `json:"paused,omitzero"` // since when marketing is stopped; zero: it is not
	Why    string    `json:"why,omitempty"`   // why it is, a sentence

	Resumed time.Time `json:"resumed,omitzero"` // when a person last lifted a pause: complaints before it were seen
	Warned  time.Time `json:"warned,omitzero"`  // when the complaints last exceeded what is tolerated

	Hourly int       `json:"hourly,omitempty"` // most messages of marketing an hour; 0: no limit
	Warm   []int     `json:"warm,omitempty"`   // most messages of marketing a day, by day since Began; behind its end no limit
	Began  time.Time `json:"began,omitzero"`   // the first day of Warm
}

// Pair is a generation of keys: RSA for everybody and Ed25519 for those who
// understand it. Each message gets both signatures.
type Pair struct {
	N       int       `json:"n"`
	RSA     string    `json:"rsa"`     // sealed PKCS 8, base64
	Ed25519 string    `json:"ed25519"` // sealed seed, base64
	RSAPub  string    `json:"rsa_public"`
	EdPub   string    `json:"ed25519_public"`
	Made    time.Time `json:"made"`
	Active  time.Time `json:"active,omitzero"`  // since when it signs: since DNS was seen to hold it
	Retired time.Time `json:"retired,omitzero"` // since when a newer one signs; its records stay for Overlap
}

// Problem is what is wrong with a domain, and what to do.
type Problem struct {
	Check   string `json:"check"` // "spf", "dkim", "dmarc", "dns"
	What    string `json:"what"`
	Instead string `json:"instead,omitempty"`
	Warning bool   `json:"warning,omitempty"` // marketing may leave all the same
}

// Overlap is how long the records of retired keys must stay in DNS: mail waits on
// its way for up to five days, and people check old mail in their inbox.
const Overlap = 14 * 24 * time.Hour

// Limits of what is kept.
const (
	maxDomains = 200 // of one workspace
	maxPairs   = 4   // of one domain: the one that signs, the next, and two in overlap
	maxWarm    = 120 // days; warm-up plans take two to eight weeks
	maxFroms   = 50
	maxHosts   = 50
)

// Warmup is the plan for a new domain if nobody writes another: messages a day.
// Providers want to see a volume grow by not much more than half each day.
var Warmup = []int{50, 100, 200, 400, 700, 1_000, 1_500, 2_500, 4_000, 6_000, 9_000, 14_000, 20_000, 30_000, 45_000, 65_000, 100_000, 150_000, 220_000, 330_000, 500_000}

// Signs returns the generation that signs, nil if DNS was not yet seen to hold one.
func (d *Domain) Signs() *Pair {
	for i := len(d.Keys) - 1; i >= 0; i-- {
		if k := &d.Keys[i]; !k.Active.IsZero() && k.Retired.IsZero() {
			return k
		}
	}
	return nil
}

// Selectors returns the names under which a generation stands in DNS.
func (d *Domain) Selectors(k *Pair) (rsa, ed string) {
	base := "rp" + d.Tag + "-" + itoa(k.N)
	return base + "r", base + "e"
}

// Envelope returns the domain of the envelope's sender.
func (d *Domain) Envelope() string { return cmp.Or(d.Bounces, d.Name) }

// Speaks reports whether the domain may stand in From under d's signature.
func (d *Domain) Speaks(from string) bool {
	return strings.EqualFold(from, d.Name) || slices.ContainsFunc(d.Froms, func(f string) bool { return strings.EqualFold(f, from) })
}

// organisation returns the domain that was registered: DMARC aligns by it.
func organisation(domain string) string {
	if o, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return o
	}
	return domain
}

// aligned reports whether a domain speaks for From by DMARC's rules.
func aligned(domain, from string, strict bool) bool {
	if strict {
		return strings.EqualFold(domain, from)
	}
	return strings.EqualFold(organisation(domain), organisation(from))
}

// check refuses what cannot be a domain of ours.
func (d *Domain) check() error {
	for _, name := range append([]string{d.Name, d.Envelope()}, d.Froms...) {
		if networkAddress(name) {
			return fault.New(fault.Invalid, quoted(name)+" is an address of the network, and mail is sent from a name: DNS holds no keys and no rules for addresses")
		}
		if !validDomain(name) {
			return fault.New(fault.Invalid, quoted(name)+" is not a domain such as news.shop.example, in small letters")
		}
	}
	if !aligned(d.Envelope(), d.Name, false) {
		return fault.New(fault.Invalid, "the domain for bounces must belong to "+organisation(d.Name)+", or SPF speaks for somebody else")
	}
	for _, from := range d.Froms {
		if !aligned(d.Name, from, false) {
			return fault.New(fault.Invalid, from+" belongs to "+organisation(from)+", not to "+organisation(d.Name)+": DMARC would refuse its mail under this domain's signature. Set it up as a domain of its own: rapport domain add "+from)
		}
	}
	if len(d.Froms) > maxFroms || len(d.Hosts) > maxHosts || len(d.Warm) > maxWarm {
		return fault.New(fault.Invalid, "too many From domains, hosts or days of warm-up")
	}
	for _, h := range d.Hosts {
		if _, err := netip.ParseAddr(h); err != nil {
			return fault.New(fault.Invalid, quoted(h)+" is not an IP address")
		}
	}
	for _, n := range d.Warm {
		if n < 1 {
			return fault.New(fault.Invalid, "a day of the warm-up plan must allow at least one message")
		}
	}
	if d.Hourly < 0 {
		return fault.New(fault.Invalid, "messages an hour cannot be fewer than none")
	}
	return nil
}

// networkAddress reports whether s is an IP address, in whatever way one is written: as
// literals of mail have it, or with a last label that is a number, which no name has and
// which programs read as an address (127.1, 0x7f.1).
func networkAddress(s string) bool {
	s = strings.TrimPrefix(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"), "ipv6:")
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	last := s[strings.LastIndexByte(s, '.')+1:]
	_, err := strconv.ParseUint(last, 0, 64)
	_, decimal := strconv.ParseUint(last, 10, 64)
	return err == nil || decimal == nil
}

// validDomain reports whether s is a host name of two or more labels.
func validDomain(s string) bool {
	if len(s) > 253 || !strings.Contains(s, ".") {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range label {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return true
}
