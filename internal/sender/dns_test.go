package sender_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rapport/internal/fault"
	"rapport/internal/sender"
)

// zones serves the records with dnsmasq on loopback and returns its address. It
// skips the test where there is none; scripts/need.sh installs it.
func zones(t *testing.T, records []string) string {
	t.Helper()
	bin, err := exec.LookPath("dnsmasq")
	if err != nil {
		if bin = "/usr/sbin/dnsmasq"; !there(bin) {
			t.Skip("dnsmasq is not here: scripts/need.sh installs it")
		}
	}
	for range 5 { // a free port may be taken by another before dnsmasq has it
		l, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(l.LocalAddr().String())
		l.Close()
		conf := filepath.Join(t.TempDir(), "dnsmasq.conf")
		lines := append([]string{"port=" + port, "listen-address=127.0.0.1", "bind-interfaces", "no-resolv", "no-hosts", "no-daemon", "user=" + user(), "local=/example/", "local=/org/", "pid-file="}, records...)
		if err := os.WriteFile(conf, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), bin, "--conf-file="+conf)
		var said strings.Builder
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			cmd.Process.Kill()
			cmd.Wait()
		})
		dns := sender.NewResolver("127.0.0.1:" + port)
		for until := time.Now().Add(5 * time.Second); time.Now().Before(until); {
			if txt, err := dns.LookupTXT(t.Context(), "ready.example."); err == nil && len(txt) > 0 {
				return "127.0.0.1:" + port
			}
			if cmd.ProcessState != nil {
				break
			}
		}
	}
	t.Fatal("dnsmasq does not answer")
	return ""
}

func there(path string) bool { _, err := os.Stat(path); return err == nil }

func user() string {
	if os.Getuid() == 0 {
		return "root"
	}
	return os.Getenv("USER")
}

// txt is a TXT record for dnsmasq.
func txt(name, value string) string {
	var parts []string
	for len(value) > 250 {
		parts, value = append(parts, `"`+value[:250]+`"`), value[250:]
	}
	return "txt-record=" + name + "," + strings.Join(append(parts, `"`+value+`"`), ",")
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

type ticking struct{ at time.Time }

func (c *ticking) now() time.Time { return c.at }

// book opens the sending domains of a new directory.
func book(t testing.TB) (*sender.Book, *ticking) {
	t.Helper()
	c := &ticking{noon}
	b, err := sender.Open(t.TempDir(), []byte("a workspace's secret"), c.now)
	if err != nil {
		t.Fatal(err)
	}
	return b, c
}

func add(t testing.TB, b *sender.Book, d sender.Domain) sender.Domain {
	t.Helper()
	d, err := b.Add(d)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// published are the records of a domain as rapport domain add prints them.
func published(d *sender.Domain) (list []string) {
	for _, r := range d.Records("") {
		if r.Type == "TXT" {
			list = append(list, txt(r.Name, r.Value))
		}
	}
	return append(list, txt("ready.example", "yes"))
}

func replace(list []string, name, record string) (out []string) {
	for _, r := range list {
		if strings.HasPrefix(r, "txt-record="+name+",") {
			if record == "" {
				continue
			}
			r = txt(name, record)
		}
		out = append(out, r)
	}
	return out
}

// weak is a public RSA key of 1024 bits.
const weak = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDFrfBY+uEmk6YBiBOGRWCWEVWMdDZnQMsDdfyY4IIXMpuzX0lb6fua3ZfGICo91wwgUAhoaBz3ckMj9d+vtfmJa8k43UNBqsDdlM/dzIE8fAzgdLwdTbeP1p1d/ht4OsepHPiCno5Yr3aaHefuxw8Tg4bR5ocH6dN8r2/it+U9iQIDAQAB"

// RULES 4.1: a sending domain is verified only by DNS.
func TestADomainIsVerifiedByDNSAlone(t *testing.T) {
	t.Parallel()
	many := "v=spf1"
	var included []string
	for i := range 11 {
		many += fmt.Sprintf(" include:s%d.example", i)
		included = append(included, txt(fmt.Sprintf("s%d.example", i), "v=spf1 ip4:192.0.2.1 -all"))
	}
	for _, c := range []struct {
		name   string
		domain sender.Domain
		zone   func(d *sender.Domain, good []string) []string
		check  string // what fails; empty: it is verified
		what   string
	}{
		{"all is as printed", sender.Domain{Name: "shop.example", Hosts: []string{"192.0.2.25", "2001:db8::25"}}, nil, "", ""},
		{"a domain below the registered one", sender.Domain{Name: "news.shop.example", Bounces: "bounces.shop.example", Hosts: []string{"192.0.2.25"}}, nil, "", ""},
		{"another From below it", sender.Domain{Name: "shop.example", Froms: []string{"news.shop.example"}, Hosts: []string{"192.0.2.25"}}, nil, "", ""},
		{"no SPF", sender.Domain{Name: "shop.example"}, func(d *sender.Domain, good []string) []string { return replace(good, "shop.example", "") }, "spf", "has no SPF record"},
		{"two SPF records", sender.Domain{Name: "shop.example", Hosts: []string{"192.0.2.25"}}, func(d *sender.Domain, good []string) []string {
			return append(good, txt("shop.example", "v=spf1 -all"))
		}, "spf", "has 2 SPF records"},
		{"another host in SPF", sender.Domain{Name: "shop.example", Hosts: []string{"192.0.2.25"}}, func(d *sender.Domain, good []string) []string {
			return replace(good, "shop.example", "v=spf1 ip4:192.0.2.0/29 -all")
		}, "spf", "does not name 192.0.2.25"},
		{"the host by include and redirect", sender.Domain{Name: "shop.example", Hosts: []string{"192.0.2.25"}}, func(d *sender.Domain, good []string) []string {
			return append(replace(good, "shop.example", "v=spf1 include:one.example redirect=two.example"), txt("one.example", "v=spf1 ip4:198.51.100.1 -all"), txt("two.example", "v=spf1 ip4:192.0.2.0/24 -all"))
		}, "", ""},
		{"more than ten look-ups", sender.Domain{Name: "shop.example", Hosts: []string{"192.0.2.1"}}, func(d *sender.Domain, good []string) []string {
			return append(replace(good, "shop.example", many+" ~all"), included...)
		}, "spf", "needs 11 DNS look-ups"},
		{"an include without a record", sender.Domain{Name: "shop.example"}, func(d *sender.Domain, good []string) []string {
			return replace(good, "shop.example", "v=spf1 include:gone.example ~all")
		}, "spf", "which has none"},
		{"an include that includes itself", sender.Domain{Name: "shop.example"}, func(d *sender.Domain, good []string) []string {
			return replace(good, "shop.example", "v=spf1 include:shop.example ~all")
		}, "", ""},
		{"the whole world in SPF", sender.Domain{Name: "shop.example"}, func(d *sender.Domain, good []string) []string { return replace(good, "shop.example", "v=spf1 +all") }, "spf", "whole world"},
		{"no key", sender.Domain{Name: "shop.example"}, func(d *sender.Domain, good []string) []string {
			r, _ := d.Selectors(&d.Keys[0])
			return replace(good, r+"._domainkey.shop.example", "")
		}, "dkim", "there is no record"},
		{"no second key", sender.Domain{Name: "shop.example"}, func(d *sender.Domain, good []string) []string {
			_, e := d.Selectors(&d.Keys[0])
			return replace(good, e+"._domainkey.shop.example", "")
		}, "dkim", "there is no record"},
		{"a key of 1024 bits", sender.Domain{Name: "shop.example"}, func(d *sender.Domain, good []string) []string {
			r, _ := d.Selectors(&d.Keys[0])
			return replace(good, r+"._domainkey.shop.example", "v=DKIM1; k=rsa; p="+weak)
		}, "dkim", "has 1024 bits and needs 2048"},
		{"a key that was withdrawn", sender.Domain{Name: "shop.example"}, func(d *sender.Domain, good []string) []string {
			r, _ := d.Selectors(&d.Keys[0])
			return replace(good, r+"._domainkey.shop.example", "v=DKIM1; p=")
		}, "dkim", "withdrawn"},
		{"no DMARC", sender.Domain{Name: "shop.example"}, func(d *sender.Domain, good []string) []string { return replace(good, "_dmarc.shop.example", "") }, "dmarc", "there is no DMARC record"},
		{"a strict DMARC and a From below", sender.Domain{Name: "shop.example", Froms: []string{"news.shop.example"}}, func(d *sender.Domain, good []string) []string {
			return replace(good, "_dmarc.shop.example", "v=DMARC1; p=reject; adkim=s")
		}, "dmarc", "does not align with news.shop.example"},
		{"a strict DMARC for the envelope alone", sender.Domain{Name: "shop.example", Bounces: "bounces.shop.example"}, func(d *sender.Domain, good []string) []string {
			return replace(good, "_dmarc.shop.example", "v=DMARC1; p=reject; aspf=s")
		}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, _ := book(t)
			d := add(t, b, c.domain)
			records := append(published(&d), "host-record="+d.Envelope()+",192.0.2.9", "mx-host="+d.Envelope()+","+d.Envelope()+",10")
			if c.zone != nil {
				records = c.zone(&d, records)
			}
			got, err := b.Check(t.Context(), sender.NewResolver(zones(t, records)), d.Name)
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, p := range got.Problems {
				if !p.Warning {
					found = append(found, p.Check+": "+p.What)
				}
			}
			if c.check == "" {
				if got.Verified.IsZero() || len(found) > 0 || got.Signs() == nil {
					t.Errorf("verified %v, signs %v, problems %+v", got.Verified, got.Signs() != nil, got.Problems)
				}
				return
			}
			if !got.Verified.IsZero() || len(found) == 0 || !strings.Contains(strings.Join(found, "\n"), c.what) || !strings.HasPrefix(found[0], c.check) {
				t.Errorf("verified %v, problems %q, want one of %s that speaks of %q", got.Verified, found, c.check, c.what)
			}
			if c.check == "dkim" && got.Signs() != nil {
				t.Error("a key that is not in DNS signs")
			}
		})
	}
}

func TestSilenceOfDNSChangesNothing(t *testing.T) {
	t.Parallel()
	b, _ := book(t)
	d := add(t, b, sender.Domain{Name: "shop.example", Hosts: []string{"192.0.2.25"}})
	if _, err := b.Check(t.Context(), sender.NewResolver(zones(t, published(&d))), d.Name); err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenPacket("udp", "127.0.0.1:0") // a port where nobody speaks DNS
	if err != nil {
		t.Fatal(err)
	}
	silent := l.LocalAddr().String()
	l.Close()
	if _, err := b.Check(t.Context(), sender.NewResolver(silent), d.Name); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Check = %v, want Unavailable", err)
	}
	if after, err := b.Domain(d.Name); err != nil || after.Verified.IsZero() {
		t.Errorf("a DNS that is down has taken the domain's proof: %+v, %v", after.Verified, err)
	}
}

func TestNewKeysSignOnceTheyAreInDNSAndTheOldOnesStayForAWhile(t *testing.T) {
	t.Parallel()
	b, clock := book(t)
	d := add(t, b, sender.Domain{Name: "shop.example", Hosts: []string{"192.0.2.25"}})
	check := func(records []string) sender.Domain {
		t.Helper()
		d, err := b.Check(t.Context(), sender.NewResolver(zones(t, records)), "shop.example")
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	first := published(&d)
	if d = check(first); d.Signs() == nil || d.Signs().N != 1 {
		t.Fatal("the first keys do not sign")
	}
	if d, _ = b.Rotate("shop.example"); len(d.Keys) != 2 || d.Signs().N != 1 {
		t.Fatalf("after a rotation the keys of generation %d sign", d.Signs().N)
	}
	if _, err := b.Rotate("shop.example"); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second rotation while the first waits: %v, want Conflict", err)
	}
	if d = check(first); d.Verified.IsZero() || d.Signs().N != 1 {
		t.Errorf("while the new records are missing, verified %v, generation %d signs", d.Verified, d.Signs().N)
	}
	clock.at = clock.at.Add(time.Hour)
	both := append(published(&d), first...)
	slicesOnce := map[string]bool{}
	var records []string
	for _, r := range both {
		if !slicesOnce[r] {
			slicesOnce[r] = true
			records = append(records, r)
		}
	}
	if d = check(records); d.Verified.IsZero() || d.Signs().N != 2 || d.Keys[0].Retired.IsZero() {
		t.Errorf("with both records, verified %v, generation %d signs", d.Verified, d.Signs().N)
	}
	clock.at = clock.at.Add(sender.Overlap + time.Hour)
	if d = check(published(&d)); d.Verified.IsZero() || len(d.Keys) != 1 || d.Keys[0].N != 2 {
		t.Errorf("after the overlap there are %d generations, verified %v", len(d.Keys), d.Verified)
	}
}
