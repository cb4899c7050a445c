package main

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// proxies are the machines in front of the server that are believed when they say for
// whom they ask. Everything that depends on where somebody is (how many wrong passwords
// and keys came from there, how many sign-ups, which town it is) asks the request's
// RemoteAddr, so it is put right once, before every route.
//
// A proxy adds the address that connected to it behind whatever the request said before.
// So the list is read from its end, and only as far as trusted proxies wrote it: what
// stands before the first address that is none of theirs, a client could have written.
type proxies struct {
	trusted []netip.Prefix
	header  string // in which they say it; empty: X-Forwarded-For, or Forwarded by RFC 7239
}

// newProxies reads what the flags say.
func newProxies(networks []string, header string) (p proxies, err error) {
	for _, text := range networks {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			one, alone := netip.ParseAddr(text)
			if alone != nil || one.Zone() != "" {
				return p, fmt.Errorf("%w: --trusted-proxy is an address or a network such as 10.0.0.0/8, not %q", errMisuse, text)
			}
			prefix = netip.PrefixFrom(one, one.BitLen())
		}
		if prefix.Bits() == 0 {
			return p, fmt.Errorf("%w: --trusted-proxy %s is everybody, and then anybody can say to be anybody: name the network of the proxy", errMisuse, text)
		}
		if a := prefix.Addr(); a.Is4In6() {
			if prefix.Bits() < 96 {
				return p, fmt.Errorf("%w: write the network %s of --trusted-proxy as one of IPv4", errMisuse, text)
			}
			prefix = netip.PrefixFrom(a.Unmap(), prefix.Bits()-96)
		}
		p.trusted = append(p.trusted, prefix.Masked())
	}
	p.header = header
	if header != "" && len(p.trusted) == 0 {
		return p, fmt.Errorf("%w: --peer-header says where a proxy writes who connected; say with --trusted-proxy which machine that is, or anybody can write it", errMisuse)
	}
	return p, nil
}

// handler lets h see where requests come from. Without trusted proxies it is h itself.
func (p proxies) handler(h http.Handler) http.Handler {
	if len(p.trusted) == 0 {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if from, told := p.of(r); told {
			r = r.WithContext(context.WithValue(r.Context(), proxiedKey{}, true))
			r.RemoteAddr = netip.AddrPortFrom(from, 0).String()
		}
		h.ServeHTTP(w, r)
	})
}

// proxiedKey is where a request's context says that it came over a trusted proxy.
type proxiedKey struct{}

func proxied(r *http.Request) bool {
	told, _ := r.Context().Value(proxiedKey{}).(bool)
	return told
}

func (p proxies) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(p.trusted, func(n netip.Prefix) bool { return n.Contains(a) })
}

// of returns for whom a trusted proxy asks; false if no proxy that is trusted says so,
// and then the connection's own address is where the request comes from.
func (p proxies) of(r *http.Request) (netip.Addr, bool) {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	peer := at.Addr().Unmap().WithZone("")
	if !p.trusts(peer) {
		return netip.Addr{}, false
	}
	if p.header != "" {
		return p.walk(peer, hopsOf(r.Header.Values(p.header)))
	}
	a, told := p.walk(peer, hopsOf(r.Header.Values("X-Forwarded-For")))
	b, also := p.walk(peer, forwarded(r.Header.Values("Forwarded")))
	switch {
	case !also:
		return a, told
	case !told:
		return b, also
	case a != b:
		// A proxy writes one of the two and passes the other on as a client sent it:
		// which is which cannot be told, so neither is believed.
		return peer, true
	}
	return a, true
}

// walk goes from the proxy that connected backwards through what each one says, as long
// as who says it is trusted. What is no address ends the way: whoever is behind it is
// known to the proxy before it alone.
func (p proxies) walk(peer netip.Addr, hops []string) (netip.Addr, bool) {
	if len(hops) == 0 {
		return netip.Addr{}, false
	}
	from := peer
	for _, hop := range slices.Backward(hops) {
		a, ok := hopAddress(hop)
		if !ok {
			return from, true
		}
		if from = a; !p.trusts(a) {
			break
		}
	}
	return from, true
}

// hopAddress reads an address as proxies write one: with a port or without, in brackets or
// not.
func hopAddress(text string) (netip.Addr, bool) {
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr().Unmap().WithZone(""), true
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		text, _ = strings.CutSuffix(inner, "]")
	}
	a, err := netip.ParseAddr(text)
	return a.Unmap().WithZone(""), err == nil
}

// maxHops bounds how far back a way is followed: nobody has so many proxies.
const maxHops = 32

// hopsOf are the addresses of X-Forwarded-For, the client's first. Several headers are
// one list.
func hopsOf(values []string) []string {
	var hops []string
	for _, v := range values {
		for hop := range strings.SplitSeq(v, ",") {
			if hop = strings.TrimSpace(hop); hop != "" {
				hops = append(hops, hop)
			}
		}
	}
	return hops[max(0, len(hops)-maxHops):]
}

// forwarded are the addresses of Forwarded (RFC 7239), the client's first. An element
// without one stands as what is no address.
func forwarded(values []string) []string {
	var hops []string
	for element := range splitUnquoted(strings.Join(values, ","), ',') {
		if strings.TrimSpace(element) == "" {
			continue
		}
		hop := "unknown"
		for pair := range splitUnquoted(element, ';') {
			name, value, _ := strings.Cut(pair, "=")
			if strings.EqualFold(strings.TrimSpace(name), "for") {
				hop = strings.ReplaceAll(strings.Trim(strings.TrimSpace(value), `"`), `\`, "")
			}
		}
		hops = append(hops, hop)
	}
	return hops[max(0, len(hops)-maxHops):]
}

// splitUnquoted yields the parts of a text between separators that are not within
// quotation marks.
func splitUnquoted(text string, by byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		quoted, from := false, 0
		for i := 0; i < len(text); i++ {
			switch {
			case quoted && text[i] == '\\':
				i++
			case text[i] == '"':
				quoted = !quoted
			case text[i] == by && !quoted:
				if !yield(text[from:i]) {
					return
				}
				from = i + 1
			}
		}
		yield(text[from:])
	}
}
