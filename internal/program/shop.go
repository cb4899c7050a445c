package program

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/decision"
	"rapport/internal/core/money"
	"rapport/internal/core/spec"
	"rapport/internal/fault"
)

// Shop is who speaks to the customers.
type Shop struct {
	Name     string            // as customers know it
	Zone     string            // IANA name of the shop's own time zone
	Currency money.Currency    // of prices and sums that name none
	Locale   string            // BCP 47: the language of messages to customers of whom none is known
	Website  string            // where the shop is; empty if it has no site
	Postal   string            // one line: the law of many countries wants it below every marketing e-mail
	Purposes []Purpose         // what customers may agree to, in the order of the file
	Senders  map[string]Sender // by channel, for the shop itself: see SenderFor
	Brands   []Brand
	Speakers []Sender // all senders, in the order of the file
	Kit      Kit      // how it looks in messages
	Goods    Goods    // which changes of the catalogue are told, and to whom
}

// Purpose is something that customers may agree to or refuse.
type Purpose struct {
	Name  string // "marketing", "track.email"
	Label string // what the preference page calls it
	About string // one or two sentences on what it means; may be empty
	// Labels and Abouts are both in other languages, by "de".
	Labels, Abouts map[string]string
}

// CheckPurpose refuses a purpose that customers of the shop cannot agree to, or
// refuse, and names those that there are.
func (s *Shop) CheckPurpose(name string) error {
	known := []string{decision.PurposeService}
	for i := range s.Purposes {
		known = append(known, s.Purposes[i].Name)
	}
	if slices.Contains(known, name) {
		return nil
	}
	return fault.New(fault.Invalid, "the shop has no purpose "+strconv.Quote(name)+"; there are "+strings.Join(known, ", "))
}

// CheckChannel refuses a channel that the product does not know, and names those
// that there are.
func CheckChannel(name string) error {
	if slices.Contains(Channels, name) {
		return nil
	}
	return fault.New(fault.Invalid, "there is no channel "+strconv.Quote(name)+"; there are "+strings.Join(Channels, ", "))
}

// Channels are the channels that the product can speak on, those without an
// adapter of their own included: a journey for a channel can be written before
// its sender is set up.
var Channels = []string{"email", "sms", "whatsapp", "push", "webpush", "onsite", "till"}

// parseShop reads shop.yaml.
func parseShop(n spec.Node, zones func(string) *time.Location, ps *spec.Problems) Shop {
	r := fields{ps}
	s := Shop{Zone: "UTC", Locale: "en", Senders: map[string]Sender{}}
	if !r.known(n, "shop.yaml", "name", "zone", "currency", "locale", "website", "postal", "purposes", "brands", "senders", "brand", "catalogue") {
		return s
	}
	s.Name = r.must(n, "the shop", "name", "Willow and Finch")
	if zone := r.text(n, "zone"); zone != "" {
		if zones(zone) == nil {
			ps.Add(at(n, "zone"), "Europe/London", "%q is not the name of a time zone", zone)
		} else {
			s.Zone = zone
		}
	}
	if c := r.must(n, "the shop", "currency", "GBP"); c != "" {
		var err error
		if s.Currency, err = money.ParseCurrency(c); err != nil {
			_, why := fault.Of(err)
			ps.Add(at(n, "currency"), "GBP", "%s", why)
		}
	}
	if locale := r.text(n, "locale"); locale != "" {
		if !validLocale(locale) {
			ps.Add(at(n, "locale"), "en-GB", "%q is not the tag of a language", locale)
		}
		s.Locale = locale
	}
	s.Website = strings.TrimRight(r.web(n, "website"), "/")
	s.Postal = strings.Join(strings.Fields(r.text(n, "postal")), " ")
	if v, ok := n.Get("purposes"); ok {
		s.Purposes = r.purposes(v)
	}
	s.Goods = r.goods(n)
	if v, ok := n.Get("brand"); ok {
		s.Kit = r.kit(v)
		r.checkLook(v, &s.Kit)
	}
	if v, ok := n.Get("brands"); ok {
		s.Brands = r.brands(v, &s.Kit)
	}
	if v, ok := n.Get("senders"); ok {
		r.senders(v, &s)
	}
	return s
}

// web reads the address of a site.
func (r fields) web(n spec.Node, key string) string {
	site := r.text(n, key)
	if site == "" {
		return ""
	}
	if u, err := url.Parse(site); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		r.ps.Add(at(n, key), "https://shop.example", "%q is not the address of a web site", site)
	}
	return site
}

func validLocale(s string) bool {
	for i, part := range strings.Split(s, "-") {
		if part == "" || len(part) > 8 || i == 0 && (len(part) < 2 || len(part) > 3) {
			return false
		}
		for _, c := range part {
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
				return false
			}
		}
	}
	return true
}

func (r fields) purposes(n spec.Node) (list []Purpose) {
	const example = "marketing: {label: News and offers}"
	if n.Kind != spec.Map {
		r.ps.Add(n.Pos, example, "purposes are a map of names to labels")
		return nil
	}
	for _, f := range n.Fields {
		p := Purpose{Name: f.Key}
		if !validName(strings.ReplaceAll(f.Key, ".", "-")) {
			r.ps.Add(f.Pos, "marketing or track.email", "the purpose %q is not a name of small letters, digits and dots", f.Key)
		}
		if f.Value.Kind == spec.Text {
			p.Label = f.Value.Text
		} else if r.known(f.Value, "a purpose", "label", "about", "labels", "abouts") {
			p.Labels, p.Abouts = r.texts(f.Value, "labels"), r.texts(f.Value, "abouts")
			p.Label, p.About = r.must(f.Value, "the purpose "+f.Key, "label", "News and offers"), r.text(f.Value, "about")
		}
		list = append(list, p)
	}
	return list
}

// looksLikeEmail refuses what is certainly no address. The channel has the whole
// grammar and asks again before it sends.
func looksLikeEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && strings.Contains(domain, ".") && !strings.ContainsAny(s, " <>,;:\"()[]\\\t\r\n") && !strings.Contains(domain, "@")
}
