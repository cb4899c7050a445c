package sender

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"
)

// Resolver asks DNS. [net.Resolver] is one.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// lookupWithin is how long one question may take, retries included.
const lookupWithin = 10 * time.Second

// NewResolver returns a resolver that asks the server at "host:port"; with an
// empty address, the machine's.
func NewResolver(addr string) *net.Resolver {
	if addr == "" {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: lookupWithin}).DialContext(ctx, network, addr)
	}}
}

// asker asks for one check: it counts, and remembers that DNS did not answer.
type asker struct {
	ctx     context.Context
	dns     Resolver
	trouble error // DNS did not answer: the check says nothing
}

// rooted makes a name absolute, so that no search list changes it.
func rooted(name string) string { return strings.TrimSuffix(name, ".") + "." }

// missing takes an answer: no such name and no such record are an answer, too.
func (a *asker) missing(err error) bool {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return true
	}
	if err != nil && a.trouble == nil {
		a.trouble = err
	}
	return err != nil
}

func (a *asker) txt(name string) []string {
	ctx, cancel := context.WithTimeout(a.ctx, lookupWithin)
	defer cancel()
	list, err := a.dns.LookupTXT(ctx, rooted(name))
	if a.missing(err) {
		return nil
	}
	return list
}

func (a *asker) addresses(name string) []netip.Addr {
	ctx, cancel := context.WithTimeout(a.ctx, lookupWithin)
	defer cancel()
	list, err := a.dns.LookupNetIP(ctx, "ip", rooted(name))
	if a.missing(err) {
		return nil
	}
	return list
}

func (a *asker) exchangers(name string) []string {
	ctx, cancel := context.WithTimeout(a.ctx, lookupWithin)
	defer cancel()
	list, err := a.dns.LookupMX(ctx, rooted(name))
	if a.missing(err) {
		return nil
	}
	var names []string
	for _, mx := range list {
		names = append(names, mx.Host)
	}
	return names
}
