package site

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
)

// SignupRequested is the event of somebody who left an address in the form. It
// grants nothing: a journey sends the one mail that may follow, a service message
// with the link that confirms.
const SignupRequested = "Signup Requested"

// The limits of the form, beyond which it is a robot's or somebody's spite. They
// hold for each process.
const (
	perNetwork  = 20 // sign-ups of one network in an hour: an office, not a flood
	perAddress  = 3  // of one address in a day: a mail that did not come is asked for again
	maxAgent    = 200
	maxAddress  = 254
	confirmFor  = 7 * 24 * time.Hour
	maxRemember = 100_000 // networks or addresses counted at once, some 10 MB
)

// Trace says how much of the address that a person came from is kept as evidence
// of consent.
type Trace string

// The traces.
const (
	Truncated Trace = ""       // the network: /24 or /48
	Hashed    Trace = "hashed" // a keyed hash of the address: tells whether two are one
	Untraced  Trace = "none"
)

// trace returns what is kept of where a request came from.
func (s *Site) trace(r *http.Request) string {
	ip := addressOf(r)
	switch {
	case !ip.IsValid() || s.o.Trace == Untraced:
		return ""
	case s.o.Trace == Hashed:
		h := hmac.New(sha256.New, s.o.Signer.keys[0].Secret[:])
		h.Write([]byte("address of evidence\x00" + ip.String()))
		return hex.EncodeToString(h.Sum(nil)[:8])
	}
	return networkOf(ip)
}

func addressOf(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap().WithZone("")
}

// networkOf returns the network of an address as far as it names no household.
func networkOf(ip netip.Addr) string {
	bits := 48
	if ip.Is4() {
		bits = 24
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return "" // unreachable: both lengths fit
	}
	return p.String()
}

// signup shows the form. It changes nothing.
func (s *Site) signup(w http.ResponseWriter, r *http.Request) {
	v := s.visit(r, identity.ID{})
	if !v.shop.SignUp {
		s.missing(w, r)
		return
	}
	s.form(w, &v, http.StatusOK, "", "", nil)
}

// form shows the form with what was typed and what is wrong with it.
func (s *Site) form(w http.ResponseWriter, v *visit, status int, wrong, email string, on []string) {
	p := page{Title: v.Say("signup.title"), Text: v.Say("signup.text"), Wrong: wrong, Email: email}
	if len(v.shop.Purposes) > 1 {
		p.Choices = s.choices(v, func(name string) bool { return slices.Contains(on, name) })
	}
	s.show(w, v, status, "signup", p)
}

// choices are the purposes in the visit's language.
func (s *Site) choices(v *visit, on func(string) bool) []choice {
	var list []choice
	for _, p := range v.shop.Purposes {
		list = append(list, choice{Purpose{Name: p.Name, Label: v.label(p), On: on(p.Name)}, v.about(p)})
	}
	return list
}

// request takes the form. Whoever is known already, whoever was erased, a robot in
// the trap and an address that was asked for too often all get the same page.
func (s *Site) request(w http.ResponseWriter, r *http.Request) {
	v := s.visit(r, identity.ID{})
	if !v.shop.SignUp {
		s.missing(w, r)
		return
	}
	if err := parse(r); err != nil {
		s.show(w, &v, http.StatusBadRequest, "message", page{Title: v.Say("later.title"), Text: v.Say("unread.text")})
		return
	}
	typed := r.PostForm.Get("email")
	id, ok := identity.Normal(identity.Email, typed)
	if !ok || len(id.Value) > maxAddress || !plausible(id.Value) {
		s.form(w, &v, http.StatusUnprocessableEntity, v.Say("signup.address"), clipText(typed, maxAddress), r.PostForm["on"])
		return
	}
	var purposes []string
	for _, p := range v.shop.Purposes {
		if len(v.shop.Purposes) == 1 || slices.Contains(r.PostForm["on"], p.Name) {
			purposes = append(purposes, p.Name)
		}
	}
	if len(purposes) == 0 {
		s.form(w, &v, http.StatusUnprocessableEntity, v.Say("signup.nothing"), typed, nil)
		return
	}
	if ip := addressOf(r); !s.networks.admit(networkOf(ip), s.o.Wall()) {
		w.Header().Set("Retry-After", strconv.Itoa(int(time.Hour.Seconds())))
		s.show(w, &v, http.StatusTooManyRequests, "message", page{Title: v.Say("later.title"), Text: v.Say("signup.often")})
		return
	}
	trap := r.PostForm.Get("website") != ""
	if !trap && s.addresses.admit(id.Value, s.o.Wall()) {
		if err := s.o.Hearer.Hear(r.Context(), []identity.Addressed{s.requested(r, &v, id, purposes)}); err != nil {
			s.o.Log.Error("hearing a sign-up", "error", err)
			s.later(w, r)
			return
		}
	}
	s.show(w, &v, http.StatusOK, "message", page{Title: v.Say("signup.sent"), Text: v.Say("signup.sent.text")})
}

// requested is what is heard of a sign-up. Anybody can type any address, so it is
// believed no more than a page's key is.
func (s *Site) requested(r *http.Request, v *visit, id identity.Identifier, purposes []string) identity.Addressed {
	now := s.o.Now()
	var b, traits event.Builder
	b.SetText("purposes", strings.Join(purposes, ",")).SetText("channel", "email").SetText("language", v.lang)
	b.SetText("ip", s.trace(r)).SetText("agent", clipText(r.UserAgent(), maxAgent)).SetText("form", "/signup")
	traits.SetText("email", id.Value)
	token := Token{}
	return identity.Addressed{To: s.o.Home(id), Event: event.Event{
		ID: once("signup", &token), Type: event.Track, Name: SignupRequested, At: now, Raw: now, Origin: event.Live, Trust: event.Public, Source: source,
		Props: b.Object(), Traits: traits.Object(),
	}}
}

// plausible refuses what is certainly no address that mail can reach.
func plausible(address string) bool {
	local, domain, _ := strings.Cut(address, "@")
	return local != "" && len(local) <= 64 && strings.Contains(domain, ".") && !strings.Contains(domain, "@") &&
		!strings.HasPrefix(domain, ".") && !strings.HasSuffix(domain, ".") && !strings.Contains(domain, "..") &&
		!strings.ContainsFunc(address, func(c rune) bool { return c <= ' ' || c == 0x7f || strings.ContainsRune(`"()[]\,;:<>`, c) })
}

// clipText returns at most n bytes of s, and no half letter.
func clipText(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}

// confirmation is what a confirming link says.
type confirmation struct {
	at       event.Time // when it was sent
	purposes []Purpose  // that the shop still has
}

// confirming reads the token of a confirming link.
func (s *Site) confirming(r *http.Request) (t Token, c confirmation, v visit, ok bool) {
	if t, ok = s.token(r, ConfirmLink); !ok {
		return t, c, v, false
	}
	v = s.visit(r, t.Profile)
	at, names, _ := strings.Cut(t.URL, "|")
	ms, err := strconv.ParseInt(at, 10, 64)
	c.at = event.Time(ms)
	for _, name := range strings.Split(names, ",") {
		if i := slices.IndexFunc(v.shop.Purposes, func(p Purpose) bool { return p.Name == name }); i >= 0 {
			c.purposes = append(c.purposes, v.shop.Purposes[i])
		}
	}
	return t, c, v, err == nil && len(c.purposes) > 0
}

// expired shows that a link is too old.
func (s *Site) expired(w http.ResponseWriter, c *confirmation, v *visit) bool {
	if s.o.Now().Sub(c.at) < confirmFor {
		return false
	}
	s.show(w, v, http.StatusGone, "message", page{Title: v.Say("confirm.old"), Text: v.Say("confirm.old.text")})
	return true
}

// askConfirm shows what is about to be agreed to. It changes nothing: scanners
// follow every link, and an address that they guard would be signed up by them.
func (s *Site) askConfirm(w http.ResponseWriter, r *http.Request) {
	_, c, v, ok := s.confirming(r)
	if !ok {
		s.missing(w, r)
		return
	}
	if s.expired(w, &c, &v) {
		return
	}
	p := page{Title: v.Say("confirm.title"), Text: v.Say("confirm.text")}
	for _, purpose := range c.purposes {
		p.Choices = append(p.Choices, choice{Purpose{Name: purpose.Name, Label: v.label(purpose)}, v.about(purpose)})
	}
	s.show(w, &v, http.StatusOK, "confirm", p)
}

// confirmSignup takes the second of the two yeses. The consents are durable before
// the answer. The same link again is the same facts again: who has unsubscribed in
// between stays so.
func (s *Site) confirmSignup(w http.ResponseWriter, r *http.Request) {
	t, c, v, ok := s.confirming(r)
	if !ok {
		s.missing(w, r)
		return
	}
	if s.expired(w, &c, &v) {
		return
	}
	var heard []identity.Addressed
	for _, p := range c.purposes {
		heard = append(heard, s.agreed(r, &t, &c, &v, p))
	}
	if err := s.o.Hearer.Hear(r.Context(), heard); err != nil {
		s.o.Log.Error("hearing a confirmation", "error", err)
		s.later(w, r)
		return
	}
	s.show(w, &v, http.StatusOK, "unsubscribed", page{Title: v.Say("confirm.done"), Text: v.Say("confirm.done.text"), More: s.o.Signer.Preferences(t.Delivery)})
}

// agreed is the entry that proves a consent: the words that were agreed to and
// their version, where from, with what, and when it was asked and answered.
func (s *Site) agreed(r *http.Request, t *Token, c *confirmation, v *visit, p Purpose) identity.Addressed {
	asked := *t
	asked.Purpose = p.Name
	sum := sha256.Sum256([]byte(t.Profile.String() + "\x00" + t.ID + "\x00" + t.URL + "\x00" + p.Name))
	text := v.label(p)
	if about := v.about(p); about != "" {
		text += "\n" + about
	}
	return s.fact(event.ID("optin:"+hex.EncodeToString(sum[:12])), event.ConsentChanged, &asked, func(b *event.Builder) {
		b.SetText("state", "granted").SetText("evidence", "double opt-in").SetText("wording", Wording(v.lang, text)).SetText("text", text)
		b.SetText("ip", s.trace(r)).SetText("agent", clipText(r.UserAgent(), maxAgent)).SetText("requested", c.at.String())
	})
}

// Wording returns the version of a text that people agree to: its language and
// the beginning of its hash. The text itself stands in the entry.
func Wording(lang, text string) string {
	sum := sha256.Sum256([]byte(text))
	return lang + ":" + hex.EncodeToString(sum[:6])
}
