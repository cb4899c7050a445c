package ses

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // SignatureVersion 1 of SNS is SHA-1; Amazon chooses it, and still by default
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"rapport/internal/fault"
)

// snsMessage is what SNS posts.
type snsMessage struct {
	Type             string
	MessageID        string `json:"MessageId"`
	TopicArn         string
	Subject          *string
	Message          string
	Timestamp        string
	Token            string
	SubscribeURL     string
	SignatureVersion string
	Signature        string
	SigningCertURL   string
}

// signed returns the text that SNS signs: some fields by name, each with its value
// on lines of their own.
func (m *snsMessage) signed() (string, bool) {
	var b strings.Builder
	line := func(name, value string) { b.WriteString(name + "\n" + value + "\n") }
	line("Message", m.Message)
	line("MessageId", m.MessageID)
	switch m.Type {
	case "Notification":
		if m.Subject != nil {
			line("Subject", *m.Subject)
		}
	case "SubscriptionConfirmation", "UnsubscribeConfirmation":
		line("SubscribeURL", m.SubscribeURL)
	default:
		return "", false
	}
	line("Timestamp", m.Timestamp)
	if m.Type != "Notification" {
		line("Token", m.Token)
	}
	line("TopicArn", m.TopicArn)
	line("Type", m.Type)
	return b.String(), true
}

// snsHost is what Amazon's hosts of SNS are called. A certificate from elsewhere
// is anybody's.
var snsHost = regexp.MustCompile(`^sns\.[a-z]{2}(-[a-z0-9]+){1,4}-\d{1,2}\.amazonaws\.com(\.cn)?$`)

// pinned returns an error unless the URL is https at a host of SNS, with a path of
// the ending.
func pinned(address, ending string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Opaque != "" || u.User != nil || u.Port() != "" || u.Fragment != "" || !snsHost.MatchString(u.Host) || !strings.HasSuffix(u.Path, ending) {
		return fault.New(fault.Denied, "the message names a host that is not Amazon's")
	}
	return nil
}

// verify checks the signature of a message by Amazon's certificate.
func (r *Reader) verify(ctx context.Context, m *snsMessage) error {
	text, ok := m.signed()
	signature, err := base64.StdEncoding.DecodeString(m.Signature)
	if !ok || err != nil || len(signature) == 0 {
		return fault.New(fault.Denied, "the message is not signed as SNS does")
	}
	var hash crypto.Hash
	var sum []byte
	switch m.SignatureVersion {
	case "1":
		s := sha1.Sum([]byte(text)) //nolint:gosec // see the import
		hash, sum = crypto.SHA1, s[:]
	case "2":
		s := sha256.Sum256([]byte(text))
		hash, sum = crypto.SHA256, s[:]
	default:
		return fault.New(fault.Denied, "the message is signed in a way that SNS does not have")
	}
	if err := pinned(m.SigningCertURL, ".pem"); err != nil {
		return err
	}
	key, err := r.certs.key(ctx, m.SigningCertURL, r.h.Fetch, r.h.Now())
	if err != nil {
		return err
	}
	if rsa.VerifyPKCS1v15(key, hash, sum, signature) != nil {
		return fault.New(fault.Denied, "the message's signature is not Amazon's")
	}
	return nil
}

// maxCerts bounds the certificates that are kept. Amazon has one for each region
// and changes it some times a year.
const maxCerts = 64

// certificates keeps Amazon's certificates by URL. A URL names one for ever.
type certificates struct {
	mu   sync.Mutex
	kept map[string]*x509.Certificate
}

func (c *certificates) key(ctx context.Context, address string, fetch func(context.Context, string) ([]byte, error), now time.Time) (*rsa.PublicKey, error) {
	c.mu.Lock()
	cert := c.kept[address]
	c.mu.Unlock()
	if cert == nil {
		b, err := fetch(ctx, address)
		if err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "Amazon's certificate could not be fetched")
		}
		block, _ := pem.Decode(b)
		if block == nil || block.Type != "CERTIFICATE" {
			return nil, fault.New(fault.Denied, "what the message names as its certificate is none")
		}
		if cert, err = x509.ParseCertificate(block.Bytes); err != nil {
			return nil, fault.Wrap(fault.Denied, err, "what the message names as its certificate is none")
		}
		c.mu.Lock()
		if c.kept == nil || len(c.kept) == maxCerts {
			c.kept = map[string]*x509.Certificate{}
		}
		c.kept[address] = cert
		c.mu.Unlock()
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		return nil, fault.New(fault.Denied, "the message's certificate is not valid now")
	}
	return key, nil
}

// The measures of [Fetcher].
const (
	fetchFor = 10 * time.Second
	maxFetch = 64 << 10 // a certificate has 2 kB
)

// fetching follows no redirects: the host was checked, and the next would not be.
var fetching = &http.Client{
	Timeout:       fetchFor,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Fetcher gets a URL that was checked to be Amazon's.
func Fetcher(ctx context.Context, address string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	res, err := fetching.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it was answered by %d", res.StatusCode)
	}
	return io.ReadAll(io.LimitReader(res.Body, maxFetch))
}
