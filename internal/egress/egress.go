// Package egress is the one way by which the product calls addresses that
// somebody typed: a shop's API, a feed, a picture.
//
// Such an address may point at ourselves: at the metadata service of a cloud, a
// database on the same network, a page of our own. Names and texts cannot tell,
// because a name may resolve to one thing when it is checked and to another when
// it is dialled. So the check stands at the last moment that there is: in
// between resolving and connecting, on the address that is about to be used.
//
// A [Client] follows no redirects, speaks http and https only, to the ports that
// were named, takes no proxy from the environment, and reads no more and no
// longer than it was told. There is no other client for such calls, and so no
// place where one of these checks can be forgotten.
package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Limits of a call, unless the options say otherwise.
const (
	// DefaultTimeout is how long a call may take from the name to the last byte: an
	// API that needs longer for a page of 250 orders is not well.
	DefaultTimeout = 30 * time.Second
	// DefaultBody is how much of an answer is read: 250 orders of 20 lines are 8 MB.
	DefaultBody = 32 << 20
	// maxHeader bounds the headers of an answer.
	maxHeader = 64 << 10
	// dialFor is how long connecting may take.
	dialFor = 10 * time.Second
)

// Options are the choices of a client. The zero Options are safe.
type Options struct {
	// Loopback lets the client reach this machine, and any port of it. It is for
	// tests and for a shop that runs beside the product, and is never a default.
	Loopback bool
	// Plain lets the client speak http. Without it only https is spoken, but for
	// loopback where that is allowed.
	Plain bool
	// Ports are those that may be dialled. Default: 443, and 80 if Plain.
	Ports []int
	// Timeout is how long a call may take. Default: DefaultTimeout.
	Timeout time.Duration
	// Body is how many bytes of an answer are read. Default: DefaultBody.
	Body int64
	// TLS is how https is spoken; for tests with an authority of their own.
	TLS *tls.Config
}

// Client makes calls. It is safe for many callers.
type Client struct {
	o    Options
	http *http.Client
}

// Answer is what came back. The body is whole.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// ErrForbidden is in the chain of an error if the address may not be called.
var ErrForbidden = errors.New("the address may not be called")

// ErrTooLarge is in the chain of an error if the answer is larger than is read.
var ErrTooLarge = errors.New("the answer is too large")

// New returns a client.
func New(o Options) *Client {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Body <= 0 {
		o.Body = DefaultBody
	}
	if len(o.Ports) == 0 {
		o.Ports = []int{443}
		if o.Plain {
			o.Ports = append(o.Ports, 80)
		}
	}
	c := &Client{o: o}
	dialer := &net.Dialer{Timeout: dialFor, ControlContext: c.control}
	c.http = &http.Client{
		Timeout: o.Timeout,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, Proxy: nil, TLSClientConfig: o.TLS, TLSHandshakeTimeout: dialFor,
			ResponseHeaderTimeout: o.Timeout, MaxResponseHeaderBytes: maxHeader, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
			ForceAttemptHTTP2: true,
		},
		// A redirect is an answer: who wants to follow it asks for it, by a call that is
		// checked like the first.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

// Check says what is wrong with an address before anybody waits for it: its
// scheme, its port, a user in it, an address written as a number. It cannot know
// where a name leads; the call itself finds that out.
func (c *Client) Check(u *url.URL) error {
	host := u.Hostname()
	switch {
	case u.Opaque != "" || host == "":
		return forbid("it has no host")
	case u.User != nil:
		return forbid("it has a user in it")
	case u.Scheme != "https" && u.Scheme != "http":
		return forbid("it is not of https")
	}
	ip, err := netip.ParseAddr(host)
	if err == nil {
		if err := c.allowed(ip); err != nil {
			return err
		}
	}
	loopback := c.o.Loopback && (host == "localhost" || err == nil && ip.Unmap().IsLoopback())
	if u.Scheme == "http" && !c.o.Plain && !loopback {
		return forbid("it is not of https")
	}
	if port := u.Port(); port != "" && !loopback {
		n, err := strconv.Atoi(port)
		if err != nil || !slices.Contains(c.o.Ports, n) {
			return forbid("port " + port + " is not one of those that are called")
		}
	}
	return nil
}

func forbid(why string) error { return fmt.Errorf("%w: %s", ErrForbidden, why) }

// control is asked with the address that is about to be dialled, after every name
// has been resolved.
func (c *Client) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return forbid("it is not of TCP")
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return forbid("it leads to no address")
	}
	if err := c.allowed(to.Addr()); err != nil {
		return err
	}
	if c.o.Loopback && to.Addr().Unmap().IsLoopback() {
		return nil
	}
	if !slices.Contains(c.o.Ports, int(to.Port())) {
		return forbid("port " + strconv.Itoa(int(to.Port())) + " is not one of those that are called")
	}
	return nil
}

// inside are ranges that no shop is in, beside those that netip knows: each
// leads back into somebody's own network, or to nobody.
var inside = func() (list []netip.Prefix) {
	for _, p := range []string{
		"0.0.0.0/8",       // this network
		"100.64.0.0/10",   // carriers' own, and the metadata service of one cloud
		"192.0.0.0/24",    // protocol assignments, with the metadata service of another
		"192.0.2.0/24",    // documentation
		"192.88.99.0/24",  // 6to4 relays
		"198.18.0.0/15",   // benchmarks
		"198.51.100.0/24", // documentation
		"203.0.113.0/24",  // documentation
		"240.0.0.0/4",     // reserved, and broadcast
		"64:ff9b::/96",    // IPv4 behind a translator: its address would escape the list
		"64:ff9b:1::/48",  // the same, locally
		"100::/64",        // discard
		"2001::/23",       // protocol assignments: Teredo carries IPv4
		"2001:db8::/32",   // documentation
		"2002::/16",       // 6to4 carries IPv4
		"fec0::/10",       // site local, of old
	} {
		list = append(list, netip.MustParsePrefix(p))
	}
	return list
}()

// allowed says whether an address is one of the public internet.
func (c *Client) allowed(ip netip.Addr) error {
	ip = ip.Unmap().WithZone("")
	switch {
	case ip.IsLoopback():
		if c.o.Loopback {
			return nil
		}
		return forbid("it leads to this machine")
	case ip.IsUnspecified(), ip.IsPrivate(), ip.IsLinkLocalUnicast(), ip.IsMulticast(), ip.IsInterfaceLocalMulticast(), !ip.IsGlobalUnicast(),
		slices.ContainsFunc(inside, func(p netip.Prefix) bool { return p.Contains(ip) }):
		return forbid("it leads into a network of our own")
	}
	return nil
}

// Do makes one call. The error says what went wrong without the body of an
// answer: what stands behind an address is nobody's business until it is known to
// be a shop's. An answer of any status is no error.
func (c *Client) Do(r *http.Request) (*Answer, error) {
	if err := c.Check(r.URL); err != nil {
		return nil, fmt.Errorf("calling %s: %w", named(r.URL), err)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		// The error of net/http repeats the whole address, with whatever secret stands
		// in its query.
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err
		}
		return nil, fmt.Errorf("calling %s: %w", named(r.URL), err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.o.Body+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", named(r.URL), err)
	}
	if int64(len(body)) > c.o.Body {
		return nil, fmt.Errorf("reading the answer of %s: %w: more than %d bytes", named(r.URL), ErrTooLarge, c.o.Body)
	}
	return &Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// named is an address as it may stand in a log.
func named(u *url.URL) string { return strings.ToLower(u.Scheme) + "://" + u.Host + u.Path }
