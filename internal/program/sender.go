package program

import (
	"cmp"
	"slices"
	"strings"

	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// Brand is a name under which the shop speaks, beside its own, over one base of
// customers. A purpose belongs to the brand whose name it begins with: who
// unsubscribes from "oak.marketing" still gets "marketing".
type Brand struct {
	Name    string // in definitions: "oak"
	Label   string // as customers know it
	Website string // empty: the shop's
	Postal  string // one line; empty: the shop's
	Kit     Kit    // how it looks; colours and fonts that it lacks are the shop's, the logo never is
}

// Sender is who a channel's messages come from: for a brand, a stream and a
// locale, or for all of them where a field is empty.
type Sender struct {
	Channel string // "email"
	Brand   string // empty: the shop itself, no brand
	Stream  string // "marketing" or "service"; empty: both
	Locale  string // "de" or "de-AT"; empty: every one

	FromName string
	From     string // the channel's own address
	ReplyTo  string // where answers go; empty: From
	Bounce   string // where failures are reported; empty: From

	// BounceDomain is where each message gets an address of its own for failures,
	// complaints and unsubscribes by mail. The server must be reached under it: MX
	// to rapport serve --mail-listen. Default: empty, Bounce holds.
	BounceDomain string

	Domain string // that answers for the mail and signs it; empty: From's
	Logo   string // address of a picture; empty: the brand's
	Postal string // below every marketing e-mail; empty: the brand's
}

// streams are what a sender may be for.
var streams = []string{profile.Marketing.String(), profile.Service.String()}

// BrandOf returns the brand to which a purpose belongs; false for the shop's own.
func (s *Shop) BrandOf(purpose string) (Brand, bool) {
	name, _, dotted := strings.Cut(purpose, ".")
	if dotted {
		for _, b := range s.Brands {
			if b.Name == name {
				return b, true
			}
		}
	}
	return Brand{}, false
}

// SenderFor returns who speaks on a channel for a brand, "" being the shop itself.
// Of the senders that fit, the more specific fill in over the less specific: the
// stream first, then the locale. A sender of another brand never fits, nor does
// the shop's own for a brand. It reports false if there is none with an address.
func (s *Shop) SenderFor(channel, brand string, class profile.Class, locale string) (Sender, bool) {
	type fit struct {
		s    *Sender
		rank int
	}
	var fits []fit
	for i := range s.Speakers {
		v := &s.Speakers[i]
		if v.Channel != channel || v.Brand != brand || v.Stream != "" && v.Stream != class.String() || !speaks(v.Locale, locale) {
			continue
		}
		rank := len(v.Locale)
		if v.Stream != "" {
			rank += 100 // more than any locale is long
		}
		fits = append(fits, fit{v, rank})
	}
	slices.SortStableFunc(fits, func(a, b fit) int { return cmp.Compare(b.rank, a.rank) })
	out := Sender{Channel: channel, Brand: brand, Stream: class.String(), Locale: locale}
	for _, f := range fits {
		out.FromName = cmp.Or(out.FromName, f.s.FromName)
		out.Logo, out.Postal = cmp.Or(out.Logo, f.s.Logo), cmp.Or(out.Postal, f.s.Postal)
		out.ReplyTo = cmp.Or(out.ReplyTo, f.s.ReplyTo)
		// The address and what belongs to its domain come from one sender.
		if out.From == "" && f.s.From != "" {
			out.From, out.Bounce, out.BounceDomain, out.Domain = f.s.From, f.s.Bounce, f.s.BounceDomain, f.s.Domain
		}
	}
	if b, ok := s.BrandOf(brand + "."); ok {
		out.FromName, out.Postal = cmp.Or(out.FromName, b.Label), cmp.Or(out.Postal, b.Postal)
	}
	out.FromName, out.Postal = cmp.Or(out.FromName, s.Name), cmp.Or(out.Postal, s.Postal)
	out.Domain = cmp.Or(out.Domain, out.fromDomain())
	return out, out.From != ""
}

// speaks reports whether a sender for a language speaks to a locale.
func speaks(language, locale string) bool {
	language, locale = strings.ToLower(language), strings.ToLower(strings.ReplaceAll(locale, "_", "-"))
	return language == "" || language == locale || strings.HasPrefix(locale, language+"-")
}

// fromDomain returns what stands behind the @ of the sender's address.
func (s Sender) fromDomain() string {
	_, domain, _ := strings.Cut(s.From, "@")
	return strings.ToLower(domain)
}

// maxBrands bounds the brands of a shop: a purpose looks for its brand among them.
const maxBrands = 100

func (r fields) brands(n spec.Node, own *Kit) (list []Brand) {
	const example = "oak: {name: Oak and Ash}"
	if n.Kind != spec.Map {
		r.ps.Add(n.Pos, example, "brands are a map of names to what customers know")
		return nil
	}
	for _, f := range n.Fields {
		switch {
		case !validName(f.Key):
			r.ps.Add(f.Pos, "oak", "the brand %q is not a name of small letters, digits and hyphens", f.Key)
			continue
		case slices.Contains([]string{"track", "marketing", "service"}, f.Key):
			r.ps.Add(f.Pos, "another name", "a brand cannot be called %q: purposes are", f.Key)
			continue
		case len(list) == maxBrands:
			r.ps.Add(f.Pos, "", "there are more than %d brands", maxBrands)
			return list
		}
		if !r.known(f.Value, "a brand", "name", "website", "postal", "brand") {
			continue
		}
		b := Brand{Name: f.Key, Label: r.must(f.Value, "the brand "+f.Key, "name", "Oak and Ash"), Website: strings.TrimRight(r.web(f.Value, "website"), "/")}
		b.Postal = strings.Join(strings.Fields(r.text(f.Value, "postal")), " ")
		if v, ok := f.Value.Get("brand"); ok {
			b.Kit = r.kit(v)
		}
		if own.Logo.URL != "" && b.Kit.Logo.URL == "" {
			r.ps.Add(f.Value.Pos, "brand: {logo: {url: …, alt: "+b.Label+"}}", "the brand %s has no logo, and its messages must not show the shop's", f.Key)
		}
		list = append(list, b)
	}
	return list
}

// picture reads the address of a logo.
func (r fields) picture(n spec.Node) string {
	logo := r.text(n, "logo")
	if logo != "" && !strings.HasPrefix(logo, "https://") {
		r.ps.Add(at(n, "logo"), "https://shop.example/logo.png", "%q is not the https address of a picture", logo)
	}
	return logo
}

// senderKeys are the fields of a sender.
var senderKeys = []string{"brand", "stream", "locale", "from_name", "from", "reply_to", "bounce", "bounce_domain", "domain", "logo", "postal"}

// senders reads the senders of all channels: for each one sender, or a list.
func (r fields) senders(n spec.Node, shop *Shop) {
	if n.Kind != spec.Map {
		r.ps.Add(n.Pos, "email: {from_name: Willow and Finch, from: hello@shop.example}", "senders are a map of channels")
		return
	}
	for _, f := range n.Fields {
		if !slices.Contains(Channels, f.Key) {
			r.ps.Add(f.Pos, meant(f.Key, Channels), "there is no channel %q", f.Key)
			continue
		}
		list := []spec.Node{f.Value}
		if f.Value.Kind == spec.List {
			list = f.Value.Items
		}
		for _, v := range list {
			if !r.known(v, "a sender", senderKeys...) {
				continue
			}
			s := r.sender(v, f.Key, shop)
			shop.Speakers = append(shop.Speakers, s)
			if _, there := shop.Senders[f.Key]; !there || s.Brand == "" && s.Stream == "" && s.Locale == "" {
				shop.Senders[f.Key] = s
			}
		}
		r.complete(f, list, shop)
	}
}

func (r fields) sender(n spec.Node, channel string, shop *Shop) Sender {
	s := Sender{
		Channel: channel, Brand: r.text(n, "brand"), Stream: r.text(n, "stream"), Locale: r.text(n, "locale"), FromName: r.text(n, "from_name"), From: r.text(n, "from"), ReplyTo: r.text(n, "reply_to"),
		Bounce: r.text(n, "bounce"), BounceDomain: strings.ToLower(r.text(n, "bounce_domain")), Domain: strings.ToLower(r.text(n, "domain")), Logo: r.picture(n),
		Postal: strings.Join(strings.Fields(r.text(n, "postal")), " "),
	}
	if s.Brand != "" {
		if _, ok := shop.BrandOf(s.Brand + "."); !ok {
			names := make([]string, len(shop.Brands))
			for i, b := range shop.Brands {
				names[i] = b.Name
			}
			r.ps.Add(at(n, "brand"), meant(s.Brand, names), "there is no brand %q", s.Brand)
		}
	}
	if s.Stream != "" && !slices.Contains(streams, s.Stream) {
		r.ps.Add(at(n, "stream"), meant(s.Stream, streams), "there is no stream %q", s.Stream)
	}
	if s.Locale != "" && !validLocale(s.Locale) {
		r.ps.Add(at(n, "locale"), "de", "%q is not the tag of a language", s.Locale)
	}
	if channel != "email" {
		return s
	}
	for _, key := range []string{"from", "reply_to", "bounce"} {
		if a := r.text(n, key); a != "" && !looksLikeEmail(a) {
			r.ps.Add(at(n, key), "hello@shop.example", "%q is not an e-mail address", a)
		}
	}
	for _, key := range []string{"bounce_domain", "domain"} {
		if d := r.text(n, key); d != "" && !looksLikeEmail("x@"+d) {
			r.ps.Add(at(n, key), "mail.shop.example", "%q is not a domain", d)
		}
	}
	if from := s.fromDomain(); s.Domain != "" && from != "" && from != s.Domain && !strings.HasSuffix(from, "."+s.Domain) {
		r.ps.Add(at(n, "domain"), from, "%s cannot answer for mail from %s: DMARC wants the same domain, or one above it", s.Domain, from)
	}
	return s
}

// complete checks that each sender of a channel ends up with an address, and that
// no two brands share one.
func (r fields) complete(f spec.Field, list []spec.Node, shop *Shop) {
	owner := map[string]string{}
	for i := range shop.Speakers {
		s := &shop.Speakers[i]
		if s.Channel != f.Key {
			continue
		}
		pos := f.Value.Pos
		if n := i - (len(shop.Speakers) - len(list)); n >= 0 && n < len(list) {
			pos = list[n].Pos
		}
		class := profile.Marketing
		if s.Stream == profile.Service.String() {
			class = profile.Service
		}
		if full, ok := shop.SenderFor(s.Channel, s.Brand, class, s.Locale); !ok || full.From == "" {
			what := "the sender of " + f.Key
			if s.Brand != "" {
				what += " for the brand " + s.Brand
			}
			r.ps.Add(pos, "from: hello@shop.example", "%s has no from", what)
		}
		if s.From == "" {
			continue
		}
		address := strings.ToLower(s.From)
		if other, taken := owner[address]; taken && other != s.Brand {
			r.ps.Add(pos, "an address of its own", "%s is the address of two brands: an answer, and a complaint, could not be told apart", s.From)
		}
		owner[address] = s.Brand
	}
}
