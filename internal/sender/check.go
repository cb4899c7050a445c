package sender

import (
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/fault"
)

// Check asks DNS about a domain, keeps what it found and returns the domain as it
// is then. Keys whose records are there begin to sign, and those before them
// retire. If DNS does not answer, the error is Unavailable and nothing changes:
// silence proves nothing, in either direction.
func (b *Book) Check(ctx context.Context, dns Resolver, name string) (Domain, error) {
	d, err := b.Domain(name)
	if err != nil {
		return Domain{}, err
	}
	a := &asker{ctx: ctx, dns: dns}
	found, live := examine(a, &d)
	if a.trouble != nil {
		return d, fault.Wrap(fault.Unavailable, a.trouble, "DNS does not answer about "+name+", so nothing was changed")
	}
	now := b.now()
	return b.update(name, func(d *Domain) error {
		newest := -1
		for i := range d.Keys {
			if k := &d.Keys[i]; live[k.N] {
				newest = i
				if k.Active.IsZero() {
					k.Active = now
				}
			}
		}
		for i := range d.Keys {
			if k := &d.Keys[i]; i < newest && k.Retired.IsZero() && !k.Active.IsZero() {
				k.Retired = now
			}
		}
		d.Keys = slices.DeleteFunc(d.Keys, func(k Pair) bool { return !k.Retired.IsZero() && now.Sub(k.Retired) > Overlap })
		d.Checked, d.Problems = now, found
		if slices.ContainsFunc(found, func(p Problem) bool { return !p.Warning }) {
			d.Verified = time.Time{}
		} else {
			d.Verified = now
		}
		return nil
	})
}

// examine returns what is wrong with a domain, and which generations of keys are
// whole in DNS.
func examine(a *asker, d *Domain) (found []Problem, live map[int]bool) {
	live = map[int]bool{}
	found = append(found, checkSPF(a, d)...)
	for i := range d.Keys {
		k := &d.Keys[i]
		problems := checkDKIM(a, d, k)
		live[k.N] = len(problems) == 0
		// The one that signs, and a first one, must be right. The next one is being
		// published, and a retired one may go after a while.
		if s := d.Signs(); s == nil && i == len(d.Keys)-1 || s != nil && s.N == k.N {
			found = append(found, problems...)
		}
	}
	// If a later generation is whole it will sign, and what is wrong with the one
	// before no longer matters.
	if s := d.Signs(); s != nil && !live[s.N] && live[d.Keys[len(d.Keys)-1].N] {
		found = slices.DeleteFunc(found, func(p Problem) bool { return p.Check == "dkim" })
	}
	for _, from := range append([]string{d.Name}, d.Froms...) {
		found = append(found, checkDMARC(a, d, from)...)
	}
	return found, live
}

// minRSA is the size below which providers call a key weak.
const minRSA = 2048

// checkDKIM checks both records of a generation.
func checkDKIM(a *asker, d *Domain, k *Pair) (found []Problem) {
	rsaName, edName := d.Selectors(k)
	for _, want := range []struct{ selector, kind, public string }{{rsaName, "rsa", k.RSAPub}, {edName, "ed25519", k.EdPub}} {
		name := want.selector + "._domainkey." + d.Name
		record := "v=DKIM1; k=" + want.kind + "; p=" + want.public
		bad := func(what string) {
			found = append(found, Problem{Check: "dkim", What: what, Instead: "TXT " + name + ": " + record})
		}
		list := a.txt(name)
		if len(list) == 0 {
			bad("there is no record " + name)
			continue
		}
		if len(list) > 1 {
			bad("there are " + strconv.Itoa(len(list)) + " records " + name + ", and there may be one")
			continue
		}
		tags := tagsOf(list[0])
		kind := tags["k"]
		if kind == "" {
			kind = "rsa"
		}
		public := strings.Join(strings.Fields(tags["p"]), "")
		switch {
		case tags["v"] != "" && tags["v"] != "DKIM1":
			bad("the record " + name + " has the version " + quoted(tags["v"]))
		case public == "":
			bad("the record " + name + " has no key, which means that it was withdrawn")
		case kind != want.kind:
			bad("the record " + name + " is for " + quoted(kind) + " and must be for " + want.kind)
		case strings.Contains(tags["t"], "y"):
			bad("the record " + name + " says t=y: receivers treat the mail as unsigned")
		case want.kind == "rsa" && rsaSize(public) != 0 && rsaSize(public) < minRSA:
			bad("the key in " + name + " has " + strconv.Itoa(rsaSize(public)) + " bits and needs " + strconv.Itoa(minRSA))
		case public != want.public:
			bad("the record " + name + " holds another key than the one that signs here")
		}
	}
	return found
}

// rsaSize returns how many bits a public key of DKIM has; 0 if it is none.
func rsaSize(public string) int {
	der, err := base64.StdEncoding.DecodeString(public)
	if err != nil {
		return 0
	}
	if k, err := x509.ParsePKIXPublicKey(der); err == nil {
		switch k := k.(type) {
		case *rsa.PublicKey:
			return k.Size() * 8
		case ed25519.PublicKey:
			return 0
		}
	}
	if k, err := x509.ParsePKCS1PublicKey(der); err == nil {
		return k.Size() * 8
	}
	return 0
}

// checkDMARC checks that a rule stands for the domain in From, and that our
// signature and envelope align with it.
func checkDMARC(a *asker, d *Domain, from string) (found []Problem) {
	record := dmarcOf(a, from)
	if record == nil {
		return []Problem{{
			Check: "dmarc", What: "there is no DMARC record for " + from, Instead: "TXT _dmarc." + organisation(from) + ": v=DMARC1; p=none; rua=mailto:dmarc@" + organisation(from),
		}}
	}
	p := strings.ToLower(record["p"])
	if p != "none" && p != "quarantine" && p != "reject" {
		found = append(found, Problem{Check: "dmarc", What: "the DMARC record for " + from + " has the policy " + quoted(p), Instead: "p=none, p=quarantine or p=reject"})
	}
	if !aligned(d.Name, from, strings.EqualFold(record["adkim"], "s")) {
		found = append(found, Problem{
			Check: "dmarc", What: "a signature by " + d.Name + " does not align with " + from + " in From", Instead: "sign by " + from + ", or adkim=r if " + d.Name + " is of the same organisation",
		})
	}
	if !aligned(d.Envelope(), from, strings.EqualFold(record["aspf"], "s")) {
		found = append(found, Problem{
			Check: "dmarc", What: "the envelope's domain " + d.Envelope() + " does not align with " + from + ": only the signature speaks for the mail", Instead: "aspf=r, or bounces at " + from, Warning: true,
		})
	}
	return found
}

// dmarcOf returns the tags of the record for a domain: its own, else that of its
// organisation (RFC 7489 §6.6.3).
func dmarcOf(a *asker, from string) map[string]string {
	names := []string{from}
	if o := organisation(from); o != from {
		names = append(names, o)
	}
	for _, name := range names {
		var records []string
		for _, t := range a.txt("_dmarc." + name) {
			if strings.HasPrefix(strings.ReplaceAll(t, " ", ""), "v=DMARC1") {
				records = append(records, t)
			}
		}
		if len(records) == 1 { // of several, receivers believe none
			return tagsOf(records[0])
		}
	}
	return nil
}

// tagsOf reads "name=value; …".
func tagsOf(record string) map[string]string {
	tags := map[string]string{}
	for part := range strings.SplitSeq(record, ";") {
		if name, value, ok := strings.Cut(part, "="); ok && len(tags) < 50 {
			tags[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
	}
	return tags
}
