package provider

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rapport/internal/fault"
)

// Secret is a key or password. Printed or logged it says nothing.
type Secret string

// String keeps the secret.
func (Secret) String() string { return "(secret)" }

// GoString keeps the secret.
func (Secret) GoString() string { return "(secret)" }

// LogValue keeps the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue("(secret)") }

// MarshalText keeps the secret.
func (Secret) MarshalText() ([]byte, error) { return []byte("(secret)"), nil }

// Options say how to reach a provider. The zero Options are right for the
// provider itself; tests and proxies change them.
type Options struct {
	// Base is where the provider's API is, such as "https://api.example.com".
	// Default: the provider's own address. Plain http is taken for this machine only.
	Base string

	// TLSConfig overrides how certificates are checked. Default: nil, the system's
	// roots and the host of Base.
	TLSConfig *tls.Config

	// Requests is how many requests are under way at most. Default: 8.
	Requests int

	// Timeout is how long one request may take, from dialling to the answer's end.
	// Default: 30 s.
	Timeout time.Duration

	// Now is the clock by which requests are signed and waits end. Default: the wall's.
	Now func() time.Time

	// Log hears once of each trouble that an operator must mend, and of its end.
	// Default: nobody.
	Log *slog.Logger
}

// The defaults and bounds of [Options], and the measures of the client.
const (
	defaultRequests = 8
	maxRequests     = 64 // providers see an attack above it, and two cores render no faster
	defaultTimeout  = 30 * time.Second
	// idleFor is how long an unused connection is trusted. Load balancers close
	// after a minute or more; a request that meets the close is Unknown for nothing.
	idleFor = 20 * time.Second
	// maxAnswer bounds what is read of an answer: one for 1,000 messages is 200 kB.
	maxAnswer = 1 << 20
	// maxHeader bounds the header of an answer.
	maxHeader = 64 << 10
)

// fill returns the options with their defaults, and the base URL without a slash
// at its end.
func (o Options) fill(base string) (Options, error) {
	if o.Base == "" {
		o.Base = base
	}
	u, err := url.Parse(o.Base)
	if err != nil {
		return o, fault.Wrap(fault.Invalid, err, "the address of the provider's API is not a URL")
	}
	switch {
	case u.Host == "" || u.Opaque != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return o, fault.New(fault.Invalid, "the address of the provider's API must be like https://api.example.com, not "+o.Base)
	case u.Scheme == "https":
	case u.Scheme == "http" && Loopback(u.Hostname()):
	default:
		return o, fault.New(fault.Invalid, "the provider's API is spoken to over https only, not "+u.Scheme+": keys and addresses must not travel in the open")
	}
	o.Base = strings.TrimSuffix(o.Base, "/")
	if o.Requests == 0 {
		o.Requests = defaultRequests
	}
	if o.Requests < 1 || o.Requests > maxRequests {
		return o, fault.New(fault.Invalid, "Requests must be from 1 to 64")
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// Loopback reports whether the host is this machine, by address: a name could be
// anybody's tomorrow.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// client returns the HTTP client of one channel.
func (o *Options) client() *http.Client {
	secure := o.TLSConfig
	if secure == nil {
		secure = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	var one http.Protocols
	one.SetHTTP1(true)
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        secure,
			Protocols:              &one,
			MaxConnsPerHost:        o.Requests,
			MaxIdleConns:           o.Requests,
			MaxIdleConnsPerHost:    o.Requests,
			IdleConnTimeout:        idleFor,
			MaxResponseHeaderBytes: maxHeader,
			DisableCompression:     true, // a compressed answer could be longer than what was bounded
		},
		// A redirect is an answer: following it would hand the key and the message
		// to whoever it names.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
