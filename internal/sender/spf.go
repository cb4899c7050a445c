package sender

import (
	"net/netip"
	"strconv"
	"strings"
)

// The limits of RFC 7208 §4.6.4: a receiver that needs more look-ups, or finds
// more of them void, gives up with "permerror", and the mail counts as unproved.
const (
	maxLookups   = 10
	maxVoid      = 2
	maxMXs       = 10
	maxSPFDepth  = 12 // a chain of includes longer than the budget ends there anyway
	maxSPFRecord = 4096
)

// spf is one walk over a domain's SPF record and all that it includes. All of it
// is counted, also what a receiver might not come to: which server sends is not
// for a check to guess.
type spf struct {
	*asker
	lookups, void int
	problems      []Problem
	ranges        []netip.Prefix // who may send
	names         map[string]bool
	all           string // the qualifier of the record's own "all"
	exact         bool   // false: it has macros, which a check cannot follow
}

func (s *spf) bad(what, instead string) {
	s.problems = append(s.problems, Problem{Check: "spf", What: what, Instead: instead})
}

// checkSPF checks the record of the envelope's domain, and that it names the
// hosts that hand our mail on, if they are known.
func checkSPF(a *asker, d *Domain) []Problem {
	s := &spf{asker: a, names: map[string]bool{}, exact: true}
	domain := d.Envelope()
	if !s.walk(domain, 0) {
		return append(s.problems, Problem{Check: "spf", What: domain + " has no SPF record", Instead: "TXT " + domain + ": v=spf1 … ~all"})
	}
	if s.lookups > maxLookups {
		s.bad("the SPF record of "+domain+" needs "+strconv.Itoa(s.lookups)+" DNS look-ups and may need "+strconv.Itoa(maxLookups)+" (RFC 7208 §4.6.4): receivers ignore it", "fewer include, a and mx, or the addresses themselves as ip4 and ip6")
	}
	if s.void > maxVoid {
		s.bad("the SPF record of "+domain+" names "+strconv.Itoa(s.void)+" domains that do not exist, and may name "+strconv.Itoa(maxVoid), "take out what is gone")
	}
	switch s.all {
	case "+":
		s.bad("the SPF record of "+domain+" allows the whole world to send (+all)", "~all")
	case "":
		s.problems = append(s.problems, Problem{Check: "spf", What: "the SPF record of " + domain + " does not end", Instead: "~all at its end", Warning: true})
	}
	for _, h := range d.Hosts {
		ip, err := netip.ParseAddr(h)
		if err != nil || !s.exact {
			continue
		}
		found := false
		for _, r := range s.ranges {
			found = found || r.Contains(ip.Unmap())
		}
		if !found {
			s.bad("the SPF record of "+domain+" does not name "+h+", which hands the mail on", "ip4:"+h+" before its end")
		}
	}
	return s.problems
}

// walk reads the record of a domain. It reports false if there is none.
func (s *spf) walk(domain string, depth int) bool {
	if depth > maxSPFDepth || s.lookups > 3*maxLookups || s.names[domain] {
		return true // far over the budget already, or a circle, which costs look-ups without end
	}
	s.names[domain] = true
	defer delete(s.names, domain)
	record, n := "", 0
	for _, t := range s.txt(domain) {
		if lower := strings.ToLower(t); lower == "v=spf1" || strings.HasPrefix(lower, "v=spf1 ") {
			record, n = t, n+1
		}
	}
	switch {
	case n == 0:
		return false
	case n > 1:
		s.bad(domain+" has "+strconv.Itoa(n)+" SPF records, and may have one", "join them into one")
	case len(record) > maxSPFRecord:
		s.bad("the SPF record of "+domain+" is too long", "")
		return true
	}
	redirect, all := "", false
	for _, term := range strings.Fields(record)[1:] {
		q := "+"
		if strings.ContainsRune("+-~?", rune(term[0])) {
			q, term = term[:1], term[1:]
		}
		name, value, _ := strings.Cut(term, ":")
		if i := strings.IndexByte(name, '/'); i >= 0 {
			name = name[:i]
		}
		if strings.Contains(value, "%{") {
			s.exact = false
		}
		switch name = strings.ToLower(name); {
		case name == "all":
			all = true
			if depth == 0 {
				s.all = q
			}
		case name == "include":
			s.lookup()
			if !strings.Contains(value, "%{") && !s.walk(strings.ToLower(strings.TrimSuffix(value, ".")), depth+1) && s.trouble == nil {
				s.bad("the SPF record of "+domain+" includes "+quoted(value)+", which has none", "take it out")
			}
		case name == "a" || name == "mx":
			s.hosts(name, value, term, domain, q)
		case name == "ptr":
			s.lookup()
			s.problems = append(s.problems, Problem{Check: "spf", What: "the SPF record of " + domain + " uses ptr, which receivers pass over", Instead: "the addresses themselves", Warning: true})
		case name == "exists":
			s.lookup()
			s.exact = false
		case name == "ip4" || name == "ip6":
			s.network(domain, value, q)
		case strings.HasPrefix(name, "redirect="):
			redirect = strings.TrimPrefix(strings.ToLower(term), "redirect=")
		case strings.Contains(term, "="): // exp and modifiers of tomorrow
		default:
			s.bad("the SPF record of "+domain+" has the term "+quoted(term)+", which is none", "take it out: receivers ignore the whole record")
		}
	}
	if redirect != "" && !all {
		s.lookup()
		if !s.walk(strings.TrimSuffix(redirect, "."), depth) && s.trouble == nil {
			s.bad("the SPF record of "+domain+" redirects to "+quoted(redirect)+", which has none", "")
		}
	}
	return true
}

func (s *spf) lookup() { s.lookups++ }

// hosts reads "a" and "mx".
func (s *spf) hosts(name, value, term, domain, q string) {
	s.lookup()
	host, bits := value, ""
	if value == "" {
		host = domain
		_, bits, _ = strings.Cut(term, "/")
	} else {
		host, bits, _ = strings.Cut(value, "/")
	}
	if strings.Contains(host, "%{") {
		return
	}
	hosts := []string{host}
	if name == "mx" {
		if hosts = s.exchangers(host); len(hosts) > maxMXs {
			hosts = hosts[:maxMXs]
		}
	}
	found := false
	for _, h := range hosts {
		for _, ip := range s.addresses(h) {
			found = true
			n := ip.Unmap().BitLen()
			v4, v6, _ := strings.Cut(bits, "//")
			if ip.Unmap().Is6() {
				v4 = v6
			}
			if k, err := strconv.Atoi(v4); err == nil && k >= 0 && k <= n {
				n = k
			}
			s.allow(q, netip.PrefixFrom(ip.Unmap(), n))
		}
	}
	if !found {
		s.void++
	}
}

func (s *spf) network(domain, value, q string) {
	p, err := netip.ParsePrefix(value)
	if err != nil {
		ip, ierr := netip.ParseAddr(value)
		if ierr != nil {
			s.bad("the SPF record of "+domain+" has the address "+quoted(value)+", which is none", "")
			return
		}
		p = netip.PrefixFrom(ip, ip.BitLen())
	}
	s.allow(q, p)
}

// maxRanges bounds what is kept of who may send.
const maxRanges = 2000

func (s *spf) allow(q string, p netip.Prefix) {
	if q == "+" && len(s.ranges) < maxRanges {
		s.ranges = append(s.ranges, p.Masked())
	}
}
